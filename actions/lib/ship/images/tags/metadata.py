"""Names, tags, labels and annotations of an image, from the inputs and the facts of the run."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from ship.images.reference import Name, legal_tag, with_dashes
from ship.images.tags.candidates import Candidates
from ship.images.tags.collation import collated
from ship.images.tags.expressions import BadExpressionError, expand
from ship.images.tags.lines import lines, unquoted
from ship.images.tags.rules import RuleError, read_flavor, read_images, read_rules
from ship.images.tags.values import values_of
from ship.images.tags.versions import semver
from ship.runner.errors import Problem, UserError
from ship.runner.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from ship.images.tags.candidates import Candidate
    from ship.images.tags.facts import Facts
    from ship.images.tags.rules import Flavor, Rule
    from ship.images.tags.versions import Version

T = TypeVar("T")
# For our default rules. docker/metadata-action uses 7 digits, which two commits of a large
# repository can share.
DEFAULT_SHA = 12
LABEL = "org.opencontainers.image"
BAKE_TARGET = "docker-metadata-action"
LATEST = "latest"
# What the default tags of versions and pull requests are called, those of commits, and the tags
# that build-push itself needs: a branch of this name would take them. Versions are apart from that.
_TAKEN = r"latest|[0-9]+(\.[0-9]+)?|pr-[0-9]+|(sha|content)-[0-9a-f]+|buildcache(-.*)?"


class Wanted(NamedTuple):
    """The inputs of one image, as they were written."""

    images: str = ""
    tags: str = ""
    flavor: str = ""
    labels: str = ""
    annotations: str = ""


class Metadata(NamedTuple):
    """The names, tags, labels and annotations of an image.

    `tag_names` are its tags, the most important one first. Those in `fixed` never move to another
    commit. `shown` is the tag to show to people, a fixed one when there is one. `notices` are
    sentences for the log.
    """

    names: tuple[Name, ...]
    tag_names: tuple[str, ...]
    version: str
    shown: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    levels: tuple[str, ...] = ("manifest",)
    notices: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()

    @property
    def is_fixed(self) -> bool:
        """Whether there is a fixed tag."""
        return bool(self.fixed)

    @property
    def moving(self) -> tuple[str, ...]:
        """The tags that can move to another commit."""
        return tuple(tag for tag in self.tag_names if tag not in self.fixed)

    def without(self, tags: Collection[str], instead: str) -> Metadata:
        """Return the same without some of the moving tags; `instead` is used when none is left."""
        left = tuple(tag for tag in self.tag_names if tag in self.fixed or tag not in tags)
        fixed = self.fixed if left else (instead,)
        left = left or fixed
        return self._replace(tag_names=left, fixed=fixed, shown=(*fixed, *left)[0])

    @property
    def references(self) -> tuple[str, ...]:
        """All full names. When there is no name, only the tags."""
        prefixes = [f"{name}:" for name in self.names] or [""]
        return tuple(f"{prefix}{tag}" for prefix in prefixes for tag in self.tag_names)

    def leveled_annotations(self, levels: Sequence[str] = ()) -> tuple[str, ...]:
        """Return `level:name=value` for each level. The default levels are from the environment."""
        pairs = [f"{name}={value}" for name, value in self.annotations.items()]
        return tuple(f"{level}:{pair}" for level in levels or self.levels for pair in pairs)

    def as_json(self) -> dict[str, object]:
        """Return the output `json`, in the form of docker/metadata-action."""
        return {
            "tags": list(self.references),
            "tag-names": list(self.tag_names),
            "labels": dict(self.labels),
            "annotations": list(self.leveled_annotations()),
        }

    def bake(self) -> dict[str, object]:
        """Return a definition for `docker buildx bake`, as docker/metadata-action writes it.

        It has no annotations, because a builder that cannot set them would refuse the whole file.
        """
        target = {
            "tags": list(self.references),
            "labels": dict(self.labels),
            "args": {
                "DOCKER_META_IMAGES": ",".join(str(name) for name in self.names),
                "DOCKER_META_VERSION": self.version,
            },
        }
        return {"target": {BAKE_TARGET: target}}


def needs_published(wanted: Wanted, facts: Facts) -> bool:
    """Return whether the tags depend on the versions that the registry has."""
    version = semver(facts.tag)
    is_release = bool(version and version.is_stable) and not facts.is_prerelease
    return not lines(wanted.tags) and is_release


def describe(wanted: Wanted, facts: Facts, published: Sequence[str] | None) -> Metadata:
    """Return the names, tags and labels of an image. Raises UserError with all problems.

    `published` are the tags that the registry has, or None when they are unknown.
    """
    return _Description(wanted, facts, published).make()


class _Description:
    def __init__(self, wanted: Wanted, facts: Facts, published: Sequence[str] | None) -> None:
        self._wanted = wanted
        self._facts = facts
        self._published = published
        self._problems: list[Problem] = []
        self._notices: list[str] = []
        self._values = values_of(facts, self._notices.append)

    def make(self) -> Metadata:
        names = self._names()
        tags, fixed = self._tags(*self._rules(self._flavor()))
        version = tags[0] if tags else ""
        labels = self._labelled("labels", self._wanted.labels, version)
        annotations = self._labelled("annotations", self._wanted.annotations, version)
        if self._problems:
            raise UserError(*self._problems)
        return Metadata(
            names=names,
            tag_names=tags,
            version=version,
            shown=(*fixed, version)[0],
            fixed=fixed,
            labels=labels,
            annotations=annotations,
            levels=self._facts.levels,
            notices=tuple(dict.fromkeys(self._notices)),
        )

    def _names(self) -> tuple[Name, ...]:
        found: dict[tuple[str, str], Name] = {}
        for image in read_images(self._wanted.images, self._problems):
            name = Name.parse(image.name.lower()) if image.enable else None
            if name:
                found.setdefault(name[:2], name)
            elif image.enable:
                hint = "write it with its registry and without a tag, such as ghcr.io/owner/name"
                what = f"{image.name!r} is not the name of an image"
                self._problems.append(Problem("input `image`", what, hint))
        return tuple(found.values())

    # Tags

    def _flavor(self) -> Flavor:
        """Return the input `flavor` with its expressions filled in."""
        flavor = read_flavor(self._wanted.flavor, self._problems)
        prefix, suffix = (
            self._attempt("input `flavor`", text, partial(expand, text, self._values)) or ""
            for text in (flavor.prefix, flavor.suffix)
        )
        return flavor._replace(prefix=prefix, suffix=suffix)

    def _rules(self, flavor: Flavor) -> tuple[list[Rule], Flavor, Facts]:
        """Return the rules (of the user, or the default rules) and the facts they work with."""
        facts = self._facts
        if lines(self._wanted.tags):
            return read_rules(self._wanted.tags, self._problems), flavor, facts
        version = semver(facts.tag)
        facts = self._own_facts(facts, version)
        allowed = self._allowed(version, flavor)
        rules = read_rules("\n".join(_own_rules(version, allowed)), self._problems)
        if flavor.latest == "auto":
            flavor = flavor._replace(latest="true" if LATEST in allowed else "false")
        return rules, flavor, facts._replace(short_sha=max(DEFAULT_SHA, facts.short_sha))

    def _own_facts(self, facts: Facts, version: Version | None) -> Facts:
        """Return the facts that the default rules work with.

        A comment on a pull request, and a run after another workflow, have the ref of the default
        branch. A branch may be called like a tag that is not for branches.
        """
        if facts.commented:
            # What is built may be the code of the pull request: then no commit of a branch is.
            return facts._replace(ref=facts.commented, sha="")
        if facts.ran_for not in ("", facts.branch):
            self._notices.append(
                f"the tags are those of {facts.branch}, though this run comes after a workflow for "
                f"{facts.ran_for}: if you check out that one, write rules into `tags`"
            )
        kind, name = ("branch", facts.branch) if facts.branch else ("tag", facts.tag)
        tag = legal_tag(name)
        if (version and kind == "tag") or not (re.fullmatch(_TAKEN, tag) or semver(tag)):
            return facts
        self._notices.append(
            f"the {kind} {name} gives the tag {kind}-{tag}, because {tag} is kept for versions, "
            "pull requests or commits"
        )
        return facts._replace(ref=f"refs/{'heads' if facts.branch else 'tags'}/{kind}-{name}")

    def _allowed(self, version: Version | None, flavor: Flavor) -> tuple[str, ...]:
        """Return which of `latest`, `major` and `minor` move to a version. None moves back."""
        if not version or not version.is_stable:
            return ()
        moving = (LATEST, "minor", *(("major",) if version.major else ()))
        if self._published is None or self._facts.is_prerelease:
            why = (
                "this release is marked as a pre-release"
                if self._facts.is_prerelease
                else "it is not known whether the registry has a higher version than "
                f"{self._facts.tag}"
            )
            names = (f"{version.major}.{version.minor}", f"{version.major}")
            listed = ", ".join((*names[: len(moving) - 1], LATEST))
            self._notices.append(f"{listed} stay where they are, because {why}")
            return ()
        prefix, suffix = with_dashes(flavor.prefix).lstrip(".-"), with_dashes(flavor.suffix)
        others = list(_versions(self._published, prefix, suffix))
        same = {LATEST: 0, "major": 1, "minor": 2}
        mine = version.triple
        return tuple(
            each
            for each in moving
            if all(mine >= other for other in others if other[: same[each]] == mine[: same[each]])
        )

    def _tags(
        self, rules: Iterable[Rule], flavor: Flavor, facts: Facts
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the tags, and the fixed ones among them; the most important ones first."""
        tell = self._notices.append
        candidates = Candidates(facts, flavor, values_of(facts, tell), tell)
        found: list[tuple[str, Candidate]] = []
        for rule in rules:
            where = f"input `tags`, line {rule.line.number}"
            made = self._attempt(where, rule.line.text, partial(candidates.of, rule))
            tag = self._legal(made.text) if made and made.text else ""
            if made and tag:
                found.append((tag, made))
        names = [tag for tag, _ in found]
        if found and _has_latest(flavor, found[0][1]):
            names.append(self._legal(candidates.latest()))
        fixed = (tag for tag, made in found if made.is_fixed)
        return tuple(dict.fromkeys(names)), tuple(dict.fromkeys(fixed))

    def _legal(self, text: str) -> str:
        tag = legal_tag(text)
        if not tag:
            self._notices.append(f"{text!r} gives no tag: it has no character that a tag may have")
        elif tag != with_dashes(text):
            self._notices.append(f"{text!r} cannot be a tag, so {tag} is used instead")
        return tag

    # Labels

    def _labelled(self, where: str, text: str, version: str) -> dict[str, str]:
        facts, repository = self._facts, self._facts.repository
        pairs = {
            f"{LABEL}.title": repository.name,
            f"{LABEL}.description": repository.description,
            f"{LABEL}.url": repository.url,
            f"{LABEL}.source": repository.url,
            f"{LABEL}.version": version,
            f"{LABEL}.created": _iso(facts.created),
            f"{LABEL}.revision": facts.sha,
            f"{LABEL}.licenses": repository.license,
        }
        for line in lines(text):
            label = unquoted(line.text)
            place = f"input `{where}`, line {line.number}"
            made = self._attempt(place, label, partial(expand, label, self._values))
            name, equals, value = (made or "").partition("=")
            if equals and name.strip():
                pairs[name.strip()] = value
            elif made is not None:
                self._notices.append(f"{place}: {label!r} is ignored, because it is not name=value")
        return {name: pairs[name] for name in collated(pairs)}

    def _attempt(self, where: str, text: str, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except (RuleError, BadExpressionError) as error:
            self._problems.append(Problem(where, f"{text!r}: {error}", error.hint))
            return None


def _own_rules(version: Version | None, allowed: Sequence[str]) -> Iterator[str]:
    """Yield the rules that are used when the user has written none."""
    yield from ("type=schedule", "type=ref,event=branch", "type=ref,event=pr", "type=sha")
    if not version:
        yield "type=ref,event=tag"
        return
    yield "type=semver,pattern={{version}}"
    if "minor" in allowed:
        yield "type=semver,pattern={{major}}.{{minor}}"
    if "major" in allowed:
        yield "type=semver,pattern={{major}}"


def _versions(published: Iterable[str], prefix: str, suffix: str) -> Iterator[tuple[int, int, int]]:
    """Yield the stable versions among tags, each as three numbers."""
    for tag in published:
        if tag.startswith(prefix) and tag.endswith(suffix):
            version = semver(tag[len(prefix) : len(tag) - len(suffix)])
            if version and version.is_stable:
                yield version.triple


def _has_latest(flavor: Flavor, first: Candidate) -> bool:
    """Return whether `latest` is one of the tags. With `auto` the most important tag decides."""
    return first.latest if flavor.latest == "auto" else flavor.latest == "true"


def _iso(seconds: float) -> str:
    when = datetime.fromtimestamp(seconds, timezone.utc)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
