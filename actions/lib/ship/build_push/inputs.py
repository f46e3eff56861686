"""The inputs of build-push, checked and complete."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from ship.build_push.build_args_input import BUILD_ARG, read_build_args
from ship.build_push.images_input import Entry, read_entries
from ship.build_push.secret_inputs import BuildSecret, read_secrets
from ship.images.docker_config import may_have_login
from ship.images.login import Offers
from ship.images.reference import GHCR, Reference
from ship.images.registry.credentials import Credential
from ship.images.tags import Facts, Metadata, Wanted, describe, facts_of
from ship.runner.commit import commit_of
from ship.runner.named_tuple import NamedTuple
from ship.runner.reader import NO, YES, Reader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ship.images.reference import Name
    from ship.runner.command import Secret
    from ship.runner.commit import Commit
    from ship.runner.context import Context

INPUTS = (
    "image", "images", "context", "file", "target", "build-args", "build-contexts", "secrets",
    "secret-files", "ssh", "platforms", "tags", "flavor", "labels", "annotations", "push",
    "skip-unchanged", "paths", "salt", "max-age", "cache", "cache-from", "cache-to", "builder",
    "builder-image", "provenance", "sbom", "pull", "no-cache", "username", "password", "dry-run",
    "older-commit", "push-by-digest", "merge",
)  # fmt: skip
# Forms of values, as texts: Python compiles a form where it is used, and most steps use few.
TARGET = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
PLATFORM = r"[a-z0-9]+/[a-z0-9_]+(/v[0-9]+)?"
BUILDER = r"[A-Za-z0-9][A-Za-z0-9_.-]*|(tcp|unix)://[^\s,]+"
BUILDER_FORM = "the name of a builder or a tcp:// or unix:// address"
REFERENCE = r"[A-Za-z0-9][A-Za-z0-9._:/@-]*"
CONTEXT_NAME = r"[a-z0-9][A-Za-z0-9._/:@-]*"
SSH = r"[A-Za-z0-9_][^\s]*"
_STAYS = r"type=(inline|local)(,|$)"
_GHA = r"type=gha(,|$)"
COMMIT = "commit"
AGE = r"([1-9][0-9]{0,5})([mhdw])"
# Git has commits of SHA-1 and of SHA-256.
REVISION = r"[0-9a-f]{40}([0-9a-f]{24})?"
SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
PROVENANCE = ("false", "true", "min", "max")
# The headings of docs/errors.md, by input; a problem may have one of its own.
PAGES = {
    "": "an-input-that-is-not-accepted",
    "image": "a-name-that-is-not-accepted",
    "images": "the-input-images",
    "context": "no-context",
    "file": "no-dockerfile",
    "tags": "a-tag-rule-that-is-not-accepted",
    "flavor": "a-tag-rule-that-is-not-accepted",
    "build-args": "a-list-that-is-not-accepted",
    "build-contexts": "a-list-that-is-not-accepted",
    "secrets": "a-list-that-is-not-accepted",
    "secret-files": "a-list-that-is-not-accepted",
    "cache-from": "a-cache-that-is-not-accepted",
    "cache-to": "a-cache-that-is-not-accepted",
    "merge": "images-to-merge",
    "username": "who-logs-in",
    "password": "who-logs-in",
}


class Image(NamedTuple):
    """One image to build. `context` and `file` are absolute paths."""

    key: str
    wanted: Wanted
    metadata: Metadata
    context: str
    file: str
    target: str
    build_args: Mapping[str, str]
    platforms: tuple[str, ...]
    paths: tuple[str, ...]


class Inputs(NamedTuple):
    """All inputs, checked and complete."""

    images: tuple[Image, ...]
    event: Facts
    run_url: str
    build_contexts: Mapping[str, str]
    secrets: tuple[BuildSecret, ...]
    ssh: tuple[str, ...]
    annotations_asked: bool
    push: bool
    skip_unchanged: bool
    # Whether an image that was built for this commit is not built again.
    promotes: bool
    salt: str
    max_age: int
    cache_auto: bool
    cache_from: tuple[str, ...]
    cache_to: tuple[str, ...]
    builder: str
    builder_image: str
    provenance: str
    sbom: str
    pull: bool
    no_cache: bool
    username: str
    password: Secret
    job_token: Secret
    dry_run: bool
    warnings: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    # The commit that the run is for, when the runner tells it.
    commit: Commit | None = None
    moves_back: bool = False
    # Whether what is pushed gets no tag, and is one of several platforms that are merged later.
    by_digest: bool = False
    # The digests of the images that are merged into one, by their platforms.
    parts: Mapping[str, str] = {}

    @property
    def offers(self) -> Offers:
        """What may be logged in with; the password is for the registry of the first name."""
        given, job = (
            Credential(self.username, secret) if secret else None
            for secret in (self.password, self.job_token)
        )
        return Offers(self.images[0].metadata.names[0].registry, given, job)

    @property
    def names(self) -> tuple[Name, ...]:
        """The names of all images."""
        return tuple(dict.fromkeys(n for image in self.images for n in image.metadata.names))

    @property
    def compares(self) -> bool:
        """Whether a tag stays where it is when a newer commit has it."""
        return bool(self.commit) and not self.moves_back and not self.by_digest

    @property
    def revision(self) -> str:
        """The commit that the images are built from; empty where the event leaves that open.

        It does so for a comment on a pull request, and after another workflow, which may have run
        for another commit than the one that GitHub names.
        """
        sha = self.event.sha
        is_other = self.commit and self.commit.sha != sha
        is_known = re.fullmatch(REVISION, sha) and not self.event.commented
        return sha if is_known and not is_other else ""

    def skips(self, image: Image) -> bool:
        """Whether an image of the same content is taken instead of building it."""
        return self.skip_unchanged or bool(image.paths)

    def looks(self, image: Image) -> bool:
        """Whether the registry is asked for an image that need not be built."""
        return self.promotes or self.skips(image)


def read_inputs(env: Mapping[str, str], context: Context) -> Inputs:
    """Read and check the inputs; raises UserError with everything that is wrong."""
    read = Reader(env, PAGES)
    facts = read.attempt(lambda: facts_of(context, env))
    notices: list[str] = []
    warnings: list[str] = []
    build_args = read_build_args(read, env)
    images = _images(read, context, facts, build_args.values) if facts else ()
    push = _push(read, context, images, env, notices)
    secrets = read_secrets(read, context, env)
    needed = push and not read.flag("dry-run")
    wanted = Inputs(
        images=images,
        event=facts or Facts(),
        run_url=context.run_url,
        build_contexts=read.named_pairs("build-contexts", CONTEXT_NAME, "a build context"),
        secrets=secrets.secrets,
        ssh=_ssh(read),
        annotations_asked=bool(read.text("annotations")),
        push=push,
        skip_unchanged=_skip(read) in YES,
        promotes=_promotes(read, context),
        salt=read.text("salt"),
        max_age=_seconds(read),
        cache_auto=read.choice("cache", ("none", "auto")) == "auto",
        cache_from=_cache(read, "cache-from", env, warnings),
        cache_to=_cache_to(_cache(read, "cache-to", env, warnings), context, warnings),
        builder=read.matching("builder", BUILDER, BUILDER_FORM, read.text("builder")),
        builder_image=read.matching(
            "builder-image", REFERENCE, "the name of an image", read.text("builder-image")
        ),
        provenance=_provenance(read),
        sbom=_sbom(read),
        pull=read.flag("pull"), no_cache=read.flag("no-cache"),
        username=_username(read, needed=needed),
        password=read.secret("password"),
        job_token=read.job_token(),
        dry_run=read.flag("dry-run"), commit=commit_of(context),
        moves_back=read.choice("older-commit", ("keep", "move")) == "move",
        by_digest=read.flag("push-by-digest"), parts=_parts(read, images, push=push),
    )  # fmt: skip
    notices += (*_check_tags(read, images, context, push=push), *secrets.notices)
    read.done()
    notices += build_args.notices
    return wanted._replace(warnings=tuple(warnings), notices=tuple(notices))


def _images(
    read: Reader, context: Context, facts: Facts, build_args: Mapping[str, str]
) -> tuple[Image, ...]:
    base = read.raw("image").strip() or f"ghcr.io/{context.repository}".lower()
    common = Entry(
        context=read.text("context", default="."),
        file=read.text("file"),
        target=read.text("target"),
        build_args=build_args,
        platforms=_platforms(read),
        paths=read.lines("paths"),
        tags=read.raw("tags"),
        image=base,
    )
    text = read.raw("images")
    if not text.strip():
        image = _image(read, context, facts, "", common)
        return (image,) if image else ()
    entries = read_entries(text, common, read.problems)
    found = [_image(read, context, facts, key, entry) for key, entry in entries.items()]
    images = tuple(image for image in found if image)
    _check_names(read, images)
    return images


def _platforms(read: Reader) -> tuple[str, ...]:
    """Return the platforms that are built for, or those of the images that are merged."""
    if read.text("merge"):
        return tuple(line.partition("=")[0] for line in read.lines("merge"))
    return tuple(word for word in re.split(r"[\s,]+", read.text("platforms")) if word)


def _parts(read: Reader, images: tuple[Image, ...], *, push: bool) -> dict[str, str]:
    """Return the digests of the images that are merged, by their platforms."""
    found: dict[str, str] = {}
    given = read.named_pairs("merge", PLATFORM, "a platform, such as linux/arm64")
    if not given or not images:
        return found
    if len(images) > 1:
        read.problem("merge", "makes one image, and `images` has several", "use a step for each")
    if read.flag("push-by-digest"):
        read.problem("merge", "cannot be beside `push-by-digest`", "remove one of them")
    name = images[0].metadata.names[0]
    for platform, text in given.items():
        reference = Reference.parse_pinned(text.strip())
        if reference and reference.name.is_same(name):
            found[platform] = reference.digest
        elif text.strip():
            hint = "give the output `image` of the step that pushed by digest"
            read.problem("merge", f"{text.strip()!r} is not an image of {name} by digest", hint)
        elif push:
            hint = "run all jobs of the workflow again: the one for this platform pushes it"
            read.problem("merge", f"there is no image for {platform}", hint)
        else:
            # Where nothing is pushed, the jobs before have pushed nothing either.
            found[platform] = ""
    return found


def _check_tags(
    read: Reader, images: tuple[Image, ...], context: Context, *, push: bool
) -> list[str]:
    """Refuse to push an image that has no tag. In a dry run it is a sentence for the log."""
    found: list[str] = []
    for image in images if push and not read.flag("push-by-digest") else ():
        if image.metadata.tag_names:
            continue
        where = f"images.{image.key}.tags" if read.raw("images").strip() else "tags"
        ref = context.ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
        what = f"no rule gives a tag for this run: a {context.event_name or 'run'} of {ref}"
        if read.flag("dry-run"):
            found.append(f"`{where}`: {what}. A real run is an error.")
        else:
            read.problem(where, what, _GIVE_A_TAG, "no-rule-gives-a-tag")
    return found


_GIVE_A_TAG = (
    "add a rule that always gives one, such as `type=sha`, or `type=ref,event=branch`; versions "
    "and `event=tag` need a tag of git: for these alone, run the step with "
    "`if: github.ref_type == 'tag'`"
)


def _check_names(read: Reader, images: tuple[Image, ...]) -> None:
    """Refuse two images of the same full name: one would silently overwrite the other."""
    owners: dict[str, str] = {}
    for image in images:
        for reference in image.metadata.references:
            other = owners.setdefault(reference, image.key)
            if other != image.key:
                hint = "give one of them another `image`, or `tags` of its own"
                what = f"{other} and {image.key} are both called {reference}"
                read.problem("images", what, hint)
                break


def _image(read: Reader, context: Context, facts: Facts, key: str, entry: Entry) -> Image | None:
    where = f"images.{key}." if key else ""
    wanted = Wanted(
        images=entry.image,
        tags=entry.tags,
        flavor=read.raw("flavor"),
        labels=read.raw("labels"),
        annotations=read.raw("annotations"),
    )
    metadata = read.attempt(lambda: describe(wanted, facts, None))
    folder = _folder(read, context, f"{where}context", entry.context)
    file = _dockerfile(read, context, f"{where}file", folder, entry.file)
    read.matching(f"{where}target", TARGET, "the name of a build stage", entry.target)
    for name in entry.build_args:
        read.matching(f"{where}build-args", BUILD_ARG, "the name of a build argument", name)
    for platform in entry.platforms:
        read.matching(f"{where}platforms", PLATFORM, "a platform such as linux/arm64", platform)
    if not metadata:
        return None
    if not metadata.names:
        read.problem(f"{where}image", "has no name that is enabled")
        return None
    return Image(
        key=key or metadata.names[0].path.rpartition("/")[2],
        wanted=wanted,
        metadata=metadata,
        context=folder,
        file=file,
        target=entry.target,
        build_args=entry.build_args,
        platforms=tuple(dict.fromkeys(entry.platforms)),
        paths=entry.paths,
    )


def _folder(read: Reader, context: Context, where: str, text: str) -> str:
    folder = os.path.join(context.workspace, text)
    if text.startswith("-") or not os.path.isdir(folder):
        hint = (
            "give a folder relative to the workspace, and run actions/checkout in an earlier step"
        )
        if "://" in text or "{{" in text or text.startswith("git@"):
            hint = "a remote repository cannot be built: check it out in a step before this one"
        read.problem(where, f"there is no folder {text!r} in the workspace", hint)
    # Through links: `link/..` is the parent of the folder that the link leads to.
    return os.path.realpath(folder) if ".." in text else os.path.normpath(folder)


_CHECK_OUT = "write a Dockerfile, or check the repository out in a step before this one"


def _dockerfile(read: Reader, context: Context, where: str, folder: str, text: str) -> str:
    path = os.path.join(context.workspace, text) if text else os.path.join(folder, "Dockerfile")
    path = os.path.normpath(_in_small_letters(path))
    shown = os.path.relpath(path, context.workspace)
    if os.path.isdir(folder) and not os.path.isfile(path):
        if os.path.islink(path):
            what = f"{shown!r} is a link to a file that does not exist"
            read.problem(where, what, _CHECK_OUT, "a-dockerfile-that-is-a-link")
            return path
        found = _dockerfiles(context.workspace)
        hint = f"write one of these into `file`: {', '.join(found)}" if found else _CHECK_OUT
        read.problem(where, f"there is no Dockerfile at {shown!r}", hint)
    elif not _is_sent(path):
        to = os.path.relpath(os.path.realpath(path), os.path.realpath(context.workspace))
        hint = "replace the link by the file itself"
        if not to.startswith(".."):
            hint = f"write `file: {to}`, or {hint}"
        what = f"{shown!r} is a link out of its folder, which buildx does not follow"
        read.problem(where, what, hint, "a-dockerfile-that-is-a-link")
    return path


def _in_small_letters(path: str) -> str:
    """Return the path of a Dockerfile, which buildx also finds as `dockerfile`."""
    folder, name = os.path.split(path)
    other = os.path.join(folder, name.lower())
    is_other = name == "Dockerfile" and not os.path.lexists(path) and os.path.isfile(other)
    return other if is_other else path


def _is_sent(path: str) -> bool:
    """Say whether a Dockerfile is in its folder: buildx sends that alone, with the links in it."""
    if not os.path.islink(path):
        return True
    folder = os.path.realpath(os.path.dirname(path))
    is_inside = os.path.realpath(path).startswith(os.path.join(folder, ""))
    return is_inside and not os.path.isabs(os.readlink(path))


def _dockerfiles(workspace: str) -> list[str]:
    """Return the Dockerfiles in the workspace, down to two folders deep."""
    found: list[str] = []
    for root, folders, files in os.walk(workspace):
        inside = os.path.relpath(root, workspace)
        folders[:] = sorted(name for name in folders if not name.startswith((".", "node_modules")))
        found += [
            os.path.normpath(os.path.join(inside, name)) for name in files if "Dockerfile" in name
        ]
        if inside.count(os.sep):
            folders.clear()
    return sorted(found)[:5]


def _push(
    read: Reader,
    context: Context,
    images: tuple[Image, ...],
    env: Mapping[str, str],
    notices: list[str],
) -> bool:
    choice = read.choice("push", ("auto", "true", "false"))
    if choice == "true" and context.is_fork:
        read.problem(
            "push",
            "images are never pushed from the pull request of a fork",
            "leave `push` out: the image is then built as a check and not pushed",
            "the-pull-request-of-a-fork",
        )
    push = choice == "true" or (choice == "auto" and not context.is_check)
    if not push or read.flag("dry-run") or not images:
        return push
    registry = images[0].metadata.names[0].registry
    if _can_log_in(read, registry, env):
        return True
    if choice == "auto" and context.without_secrets:
        notices.append(
            f"The image is built as a check, and nothing is pushed: there is no password for "
            f"{registry}, because GitHub gives {context.without_secrets} no secrets of the "
            "repository."
        )
        return False
    read.problem("password", "is required but empty", _give_password(context, registry))
    return True


def _can_log_in(read: Reader, registry: str, env: Mapping[str, str]) -> bool:
    """Say whether a login may be had: of the inputs, of the job, or of a step before."""
    job = registry == GHCR and read.job_token()
    return bool(read.secret("password") or job or may_have_login(env, registry))


def _give_password(context: Context, registry: str) -> str:
    if context.is_dependabot:
        return (
            f"a run of Dependabot gets no secrets of the repository: add the password for "
            f"{registry} to the secrets of Dependabot, or leave `push` out"
        )
    return f"give the password for {registry}; a misspelt secret expands to nothing"


def _ssh(read: Reader) -> tuple[str, ...]:
    lines = read.numbered_lines("ssh")
    for number, line in lines:
        if not re.fullmatch(SSH, line):
            # Not the line: it may be one of a key.
            hint = "write default, or id= and the path of a key or an agent on the runner"
            what = f"line {number} is not an SSH agent or key of a build"
            read.problem("ssh", what, hint)
    return tuple(line for _, line in lines)


def _cache(read: Reader, name: str, env: Mapping[str, str], warnings: list[str]) -> tuple[str, ...]:
    """Return what buildx can use, and add a warning for what has no effect here."""
    lines = read.lines(name)
    for number, line in read.numbered_lines(name):
        if not re.match(r"type=[a-z]+(,|$)", line) and not re.fullmatch(REFERENCE, line):
            # Not the line: a cache may have a key of its own in it.
            hint = "begin with type=, such as type=registry,ref=ghcr.io/acme/app:cache"
            read.problem(name, f"line {number} is not a cache that buildx knows", hint)
    usable = tuple(
        line for line in lines if env.get("ACTIONS_RUNTIME_TOKEN") or not re.match(_GHA, line)
    )
    if usable != lines:
        # buildx would silently ignore it: https://github.com/actions/runner/issues/3046
        warnings.append(
            f"`{name}`: type=gha is ignored: GitHub gives its token to JavaScript actions only. "
            "Use `cache: auto`, which stores the cache in the registry, or expose the token "
            "in an earlier step with crazy-max/ghaction-github-runtime."
        )
    return usable


def _cache_to(lines: tuple[str, ...], context: Context, warnings: list[str]) -> tuple[str, ...]:
    """Return where the cache is written. The code of a fork may not write a shared cache."""
    kept = tuple(line for line in lines if re.match(_STAYS, line))
    if not context.is_fork or kept == lines:
        return lines
    warnings.append("`cache-to` is ignored: a pull request of a fork may not write a shared cache.")
    return kept


def _username(read: Reader, *, needed: bool) -> str:
    hint = "name the user who logs in"
    return read.required("username", hint) if needed else read.text("username")


def _promotes(read: Reader, context: Context) -> bool:
    """Say whether the image of the commit is taken; what a pull request tries out is built."""
    return _skip(read) == COMMIT and not context.is_check and not read.flag("no-cache")


def _skip(read: Reader) -> str:
    text = read.text("skip-unchanged").lower()
    if text not in (*YES, *NO, COMMIT):
        what = f"{text!r} is neither true nor false nor {COMMIT}"
        read.problem("skip-unchanged", what, f"write true, false or {COMMIT}")
    return text


def _seconds(read: Reader) -> int:
    text = read.text("max-age").lower()
    match = re.fullmatch(AGE, text)
    if text and not match:
        read.problem("max-age", f"{text!r} is not a time such as 7d, 12h or 30m")
    return int(match[1]) * SECONDS[match[2]] if match else 0


def _provenance(read: Reader) -> str:
    """Return false, true, min or max; buildx writes the last two with `mode=` in front."""
    text = read.text("provenance", default="false").lower().removeprefix("mode=")
    if text not in PROVENANCE:
        read.problem("provenance", f"{text!r} is not one of {', '.join(PROVENANCE)}")
    return text


def _sbom(read: Reader) -> str:
    """Return the value of --sbom, or nothing: true, or the scanner that makes it."""
    text = read.text("sbom")
    if text.lower() in (*YES, *NO):
        return "true" if text.lower() in YES else ""
    scanner = text.removeprefix("generator=")
    if not re.fullmatch(REFERENCE, scanner):
        read.problem("sbom", f"{text!r} is neither true nor false nor the image of a scanner")
    return f"generator={scanner}"
