"""The facts of a run that rules use, from the runner's environment and the event's payload."""

from __future__ import annotations

import re
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ship.runner.errors import Problem, UserError
from ship.runner.json_file import object_at
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.runner.context import Context

SHORT_SHA = 7
LONGEST_SHA = 64
# In the year 9998, so that its year has four digits in every zone and every week numbering.
LAST_SECOND = 253370764799
LEVELS = ("manifest", "index", "manifest-descriptor", "index-descriptor")


class Repository(NamedTuple):
    """What the labels say about the repository. A missing fact is an empty text."""

    name: str = ""
    description: str = ""
    url: str = ""
    license: str = ""
    default_branch: str = ""


class Facts(NamedTuple):
    """The facts of a run. Times are in seconds since 1970. An unknown `commit_time` is None."""

    event_name: str = ""
    ref: str = ""
    sha: str = ""
    base_ref: str = ""
    # From the payload, because not every event has it.
    default_branch: str = ""
    repository: Repository = Repository()
    now: float = 0
    commit_time: float | None = None
    # The time of the label `created`.
    created: float = 0
    short_sha: int = SHORT_SHA
    levels: tuple[str, ...] = ("manifest",)
    # What the run is for when GitHub's ref does not say so: the pull request of a comment, as a
    # ref; the branch or tag that another workflow has run for; a release that is not stable.
    commented: str = ""
    ran_for: str = ""
    is_prerelease: bool = False

    @property
    def branch(self) -> str:
        """The branch of the run, or an empty text when the run is not for a branch."""
        return self.ref.removeprefix("refs/heads/") if self.ref.startswith("refs/heads/") else ""

    @property
    def tag(self) -> str:
        """The Git tag of the run, or an empty text when the run is not for a Git tag."""
        return self.ref.removeprefix("refs/tags/") if self.ref.startswith("refs/tags/") else ""


def facts_of(context: Context, env: Mapping[str, str]) -> Facts:
    """Return the facts of this run. Raises UserError when a variable has a wrong value.

    A part of the payload that is missing, or has another shape than GitHub's, counts as missing.
    """
    problems: list[Problem] = []
    epoch = _epoch(env, problems)
    short_sha = _short_sha(env, problems)
    levels = _levels(env, problems)
    if problems:
        raise UserError(*problems)
    payload = context.payload
    sha = _sha(context, env)
    commit_time = _commit_time(payload, sha)
    now = epoch if epoch is not None else _clock()
    known = epoch if epoch is not None else commit_time
    return Facts(
        event_name=context.event_name,
        ref=_ref(context),
        sha=sha,
        base_ref=_base_ref(_ref(context), payload),
        default_branch=_text(object_at(payload, "repository"), "default_branch"),
        repository=_repository(context),
        now=now,
        commit_time=commit_time,
        # The time of the commit, so that two builds of one commit give one image and not two.
        created=now if known is None else known,
        short_sha=short_sha,
        levels=levels,
        commented=_commented(context),
        ran_for=_ran_for(context),
        is_prerelease=context.event_name == "release"
        and any(object_at(payload, "release").get(key) is True for key in ("prerelease", "draft")),
    )


def _clock() -> float:
    return time.time()


def _epoch(env: Mapping[str, str], problems: list[Problem]) -> float | None:
    """Return the time that is set by https://reproducible-builds.org/specs/source-date-epoch/."""
    text = env.get("SOURCE_DATE_EPOCH", "").strip()
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,12}", text, re.ASCII) or int(text) > LAST_SECOND:
        what = f"{text!r} is not a time in seconds since 1970"
        hint = "use the form that `git log -1 --format=%ct` prints"
        problems.append(Problem("SOURCE_DATE_EPOCH", what, hint))
        return None
    return float(text)


def _short_sha(env: Mapping[str, str], problems: list[Problem]) -> int:
    name = "DOCKER_METADATA_SHORT_SHA_LENGTH"
    text = env.get(name, "").strip()
    if not text:
        return SHORT_SHA
    if re.fullmatch(r"[0-9]{1,3}", text, re.ASCII) and int(text) > 0:
        return min(int(text), LONGEST_SHA)
    hint = "write a whole number, such as 7 or 12"
    problems.append(Problem(name, f"{text!r} is not a number of digits", hint))
    return SHORT_SHA


def _levels(env: Mapping[str, str], problems: list[Problem]) -> tuple[str, ...]:
    name = "DOCKER_METADATA_ANNOTATIONS_LEVELS"
    levels = tuple(part.strip() for part in env.get(name, "manifest").split(",") if part.strip())
    problems += [
        Problem(name, f"{level!r} is not a level", f"the levels are {', '.join(LEVELS)}")
        for level in levels
        if level.partition("[")[0] not in LEVELS
    ]
    return levels or ("manifest",)


def _ref(context: Context) -> str:
    if "pull_request_target" not in context.event_name:
        return _one_line(context.ref)
    # GitHub says that the ref is the base branch, but the run is about the pull request.
    number = context.payload.get("number")
    return f"refs/pull/{number}/merge" if isinstance(number, int) and number > 0 else ""


def _commented(context: Context) -> str:
    number = context.commented.get("number")
    return f"refs/pull/{number}/merge" if isinstance(number, int) and number > 0 else ""


def _ran_for(context: Context) -> str:
    if context.event_name != "workflow_run":
        return ""
    return _text(object_at(context.payload, "workflow_run"), "head_branch")


def _sha(context: Context, env: Mapping[str, str]) -> str:
    wants_head = "true" in env.get("DOCKER_METADATA_PR_HEAD_SHA", "").lower()
    head = _text(object_at(object_at(context.payload, "pull_request"), "head"), "sha")
    return head if wants_head and head and context.is_pull_request else _one_line(context.sha)


def _base_ref(ref: str, payload: Mapping[str, Any]) -> str:
    if ref.startswith("refs/tags/"):
        return _text(payload, "base_ref").removeprefix("refs/heads/")
    if ref.startswith("refs/pull/"):
        return _text(object_at(object_at(payload, "pull_request"), "base"), "ref")
    return ""


def _commit_time(payload: Mapping[str, Any], sha: str) -> float | None:
    commits = payload.get("commits")
    listed = commits if isinstance(commits, list) else []
    about = (payload, object_at(payload, "merge_group"), object_at(payload, "workflow_run"))
    for commit in (*listed, *(object_at(each, "head_commit") for each in about)):
        if isinstance(commit, dict) and sha and commit.get("id") == sha:
            seconds = _seconds(_text(commit, "timestamp"))
            if seconds is not None:
                return seconds
    return None


def _seconds(text: str) -> float | None:
    try:
        # Python 3.10 does not accept the Z.
        found = datetime.fromisoformat(re.sub(r"Z$", "+00:00", text))
        seconds = found.replace(tzinfo=found.tzinfo or timezone.utc).timestamp()
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds <= LAST_SECOND else None


def _repository(context: Context) -> Repository:
    found = object_at(context.payload, "repository")
    full_name = _one_line(context.repository)
    url = f"{context.server}/{full_name}" if full_name else ""
    return Repository(
        name=_text(found, "name") or full_name.rpartition("/")[2],
        description=_text(found, "description"),
        url=_text(found, "html_url") or url,
        license=_text(object_at(found, "license"), "spdx_id"),
        default_branch=_text(found, "default_branch"),
    )


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return _one_line(found) if isinstance(found, str) else ""


def _one_line(text: str) -> str:
    """Return a text that is safe as a line of an output and as an argument of a program."""
    if text.isascii() and text.isprintable():
        return text
    # JSON can contain a lone surrogate, and a lone surrogate cannot be written as UTF-8.
    plain = text.encode("utf-8", "replace").decode()
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", plain)
