"""What a person and later steps read: outputs, notices, the log and the summary of the job."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from ship.images.reference import GHCR
from ship.runner.errors import ShipError
from ship.runner.named_tuple import NamedTuple
from ship.runner.summary import cell, table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from ship.build_push.facts import Facts
    from ship.build_push.inputs import Image, Inputs
    from ship.build_push.plan import Plan
    from ship.images.reference import Name, Reference
    from ship.images.registry.client import Client
    from ship.runner.commit import Commit
    from ship.runner.context import Context
    from ship.runner.step import Step
    from ship.runner.workflow_commands import Workflow


COLUMNS = ("Image", "Digest", "Tags", "Platforms", "Size", "Time", "From cache")


class Outcome(NamedTuple):
    """What became of one image; what is not known yet is empty.

    `size` is that of a pull, in bytes; `config` is the digest of the configuration that was built.
    Of an image that is not pushed, `loaded` are its names in the engine, or `unloaded` says why it
    has none. One that `is_of_commit` was not built, because a run for the same commit has pushed
    it.
    """

    image: Image
    digest: str = ""
    built: bool = False
    pushed: tuple[Reference, ...] = ()
    seconds: float = 0
    steps: int = 0
    cached: int = 0
    size: int = 0
    config: str = ""
    loaded: tuple[Reference, ...] = ()
    unloaded: str = ""
    is_of_commit: bool = False

    @property
    def reference(self) -> str:
        """The name to deploy: with the digest."""
        return f"{self.image.metadata.names[0]}@{self.digest}" if self.digest else ""


class Outcomes:
    """What became of the images, noted as it happens, so that a failure can report it too."""

    def __init__(self, images: Sequence[Image]) -> None:
        self._outcomes = {image.key: Outcome(image) for image in images}
        # The names that stay with a newer commit.
        self.kept: dict[Reference, Commit] = {}

    def __iter__(self) -> Iterator[Outcome]:
        return iter(tuple(self._outcomes.values()))

    def get(self, key: str) -> Outcome:
        """Return what is known of an image."""
        return self._outcomes[key]

    @property
    def pushed(self) -> set[Reference]:
        """All references that are in the registry."""
        return {reference for outcome in self for reference in outcome.pushed}

    def rename(self, images: Sequence[Image]) -> None:
        """Take over the tags that images have now."""
        for image in images:
            self.set(image.key, image=image)

    def set(self, key: str, **changes: object) -> None:
        """Note what is known of an image now."""
        self._outcomes[key] = self._outcomes[key]._replace(**changes)  # type: ignore[arg-type]

    def keep(self, kept: Mapping[Reference, Commit]) -> None:
        """Note names that stay with a newer commit."""
        self.kept.update(kept)

    def add_pushed(self, key: str, reference: Reference) -> None:
        """Note a tag that was set."""
        self.set(key, pushed=(*self._outcomes[key].pushed, reference))


def notices(want: Inputs, step: Step) -> None:
    """Annotate the run with what the person should know of the tags, the inputs and the push."""
    for notice in dict.fromkeys(n for image in want.images for n in image.metadata.notices):
        step.workflow.notice(notice)
    for notice in want.notices:
        step.workflow.notice(notice)
    for warning in want.warnings:
        step.workflow.warning(warning)
    context = step.context
    if context.is_check and not want.push:
        what = "a merge queue" if context.event_name == "merge_group" else "a pull request"
        what = f"a comment on {what}" if context.commented else what
        fork = " of a fork, which never pushes" if context.is_fork else ""
        step.workflow.notice(f"Nothing is pushed: this run is for {what}{fork}.")


def show(what: Plan, want: Inputs, step: Step) -> None:
    """Print the plan of a dry run."""
    say = step.workflow.say
    say("This is a dry run: nothing is started, and neither the registry nor the engine is asked.")
    if want.push:
        say("A real run first asks the registry whether it accepts the push. If only Docker's")
        say("client can reach the registry, buildx pushes all tags. Otherwise the run does this:")
    else:
        say("A real run does this:")
    step.workflow.quote(what.shown())


def kept(known: Facts, outcomes: Outcomes, step: Step) -> None:
    """Note the images that need not be built, and say so."""
    for key, found in known.found.items():
        if found.digest:
            outcomes.set(key, digest=found.digest, is_of_commit=found.is_of_commit)
            why = "is already there for this commit" if found.is_of_commit else "is unchanged"
            step.workflow.say(f"{key} {why}: the registry has {found.digest}")


def overtaken(before: Inputs, now: Inputs, outcomes: Outcomes, step: Step) -> None:
    """Say which tags the images do not get any more, if anything was built by then."""
    left = {reference for image in now.images for reference in image.metadata.references}
    had = [reference for image in before.images for reference in image.metadata.references]
    lost = [reference for reference in had if reference not in left]
    if lost and any(outcome.digest or outcome.built for outcome in outcomes):
        why = [notice for notice in now.notices if notice not in before.notices]
        what = "; ".join(why) or "the registry got a higher version during this run"
        step.workflow.notice(f"{what}, so these tags are not moved: {', '.join(lost)}")


def kept_tags(kept: Mapping[Reference, Commit], step: Step) -> None:
    """Say which tags are not moved back, and which commit has them."""
    for commit in dict.fromkeys(kept.values()):
        listed = ", ".join(str(name) for name, theirs in kept.items() if theirs == commit)
        step.workflow.notice(
            f"These tags are not moved, because a newer commit has them ({commit.shown}): {listed}."
            " To move them back, set `older-commit: move`."
        )


def write(want: Inputs, outcomes: Outcomes, registry: Client | None, step: Step) -> str:
    """Set the outputs, and say what was done. Return the table for the summary, in Markdown.

    It has sizes where a registry is given, and is empty where nothing was done.
    """
    final_outputs(list(outcomes), step.workflow, outcomes.kept)
    for each in outcomes:
        for line in _said(each, want):
            step.workflow.say(line)
    if not any(each.digest or each.built for each in outcomes):
        return ""
    measured = [each._replace(size=_pulled(each, registry)) for each in outcomes]
    return summary(want, measured, step) + _kept(outcomes.kept)


def _said(outcome: Outcome, want: Inputs) -> Iterator[str]:
    """Yield what the log says of an image."""
    key = outcome.image.key
    if outcome.pushed:
        tags = dict.fromkeys(reference.tag for reference in outcome.pushed)
        did = "pushed" if outcome.built else "tagged"
        yield f"{did} {outcome.reference} as {', '.join(tags)}"
    elif want.push and want.by_digest and outcome.built:
        yield f"pushed {outcome.reference} without a tag"
    if outcome.loaded:
        yield f"the engine of this runner has {key} as {', '.join(map(str, outcome.loaded))}"
    elif reason := _why_unloaded(outcome, want):
        yield f"the engine of this runner does not have {key}: {reason}"


def title(want: Inputs, outcomes: Outcomes) -> str:
    """Return what was done, as the title of the summary."""
    is_built = any(each.built for each in outcomes)
    if want.push and want.by_digest:
        return "✅ Pushed without a tag" if is_built else f"✅ {_unbuilt(outcomes)}"
    if want.push:
        return "✅ Pushed" if is_built else f"✅ {_unbuilt(outcomes)}, and tagged"
    return "✅ Built, not pushed" if is_built else f"✅ {_unbuilt(outcomes)}"


def _unbuilt(outcomes: Outcomes) -> str:
    are_of_commit = all(each.is_of_commit for each in outcomes)
    return "Already there for this commit: not built" if are_of_commit else "Unchanged: not built"


def _pulled(outcome: Outcome, registry: Client | None) -> int:
    if registry is None or not outcome.digest:
        return 0
    try:
        return registry.size(outcome.image.metadata.names[0], outcome.digest)
    except ShipError:
        return 0


def known_outputs(want: Inputs, step: Step) -> None:
    """Set what follows from the inputs alone, so that a later step has it whatever happens."""
    workflow = step.workflow
    all_metadata = [image.metadata for image in want.images]
    first = all_metadata[0]
    references = [reference for metadata in all_metadata for reference in metadata.references]
    workflow.output("tags", "\n".join(references))
    workflow.output("tag", first.shown)
    workflow.output("version", first.version)
    workflow.output("labels", _lines(first.labels))
    workflow.output("annotations", "\n".join(first.leveled_annotations()))
    workflow.output("json", json.dumps(first.as_json()))
    # A dry run knows no digest, so the output has the names.
    workflow.output("image", "\n".join(str(m.names[0]) for m in all_metadata))
    folder = step.env.get("RUNNER_TEMP", "")
    if want.dry_run and os.path.isdir(folder):
        path = os.path.join(folder, f"bake-{os.urandom(6).hex()}.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(first.bake(), file)
        workflow.output("bake-file", path)


def _lines(pairs: Mapping[str, str]) -> str:
    return "\n".join(f"{name}={value}" for name, value in pairs.items())


def final_outputs(
    outcomes: Sequence[Outcome], workflow: Workflow, kept: Collection[Reference] = ()
) -> None:
    """Set what only the build and the registry know; empty where there is none."""
    workflow.output("image", _aligned(each.reference for each in outcomes))
    workflow.output("digest", _aligned(each.digest for each in outcomes))
    workflow.output("built", "true" if any(each.built for each in outcomes) else "false")
    results = {each.image.key: _result(each, kept) for each in outcomes}
    workflow.output("results", json.dumps(results, separators=(",", ":")))
    for each in outcomes:
        if each.digest:
            workflow.artifact(each.reference)


def _aligned(texts: Iterable[str]) -> str:
    """Return one line a text, also for an empty one, so that each keeps its place; or nothing."""
    lines = list(texts)
    return "\n".join(lines) if any(lines) else ""


def _result(outcome: Outcome, kept: Collection[Reference]) -> dict[str, object]:
    metadata = outcome.image.metadata
    stays = [str(reference) for reference in kept if reference.name in metadata.names]
    return {
        "image": outcome.reference,
        "digest": outcome.digest,
        "tags": list(metadata.references),
        "tag": metadata.shown,
        "version": metadata.version,
        "built": outcome.built,
        "pushed": [str(reference) for reference in outcome.pushed],
        "kept": stays,
    }


def summary(want: Inputs, outcomes: Sequence[Outcome], step: Step) -> str:
    """Return the table for the summary of the job, without empty columns, in Markdown."""
    columns = [
        column
        for column in zip(COLUMNS, *(_row(each, step) for each in outcomes), strict=True)
        if any(column[1:])
    ]
    titles, *rows = zip(*columns, strict=True)
    unpushed = "" if want.push else f"\nNothing was pushed. {_shown_loaded(want, outcomes)}\n"
    return f"{table(titles, rows)}{unpushed}"


def _shown_loaded(want: Inputs, outcomes: Sequence[Outcome]) -> str:
    """Return what the engine has of images that are not pushed, in Markdown."""
    names = [f"`{reference}`" for each in outcomes for reference in each.loaded]
    engine = "The engine of this runner"
    sentences = [f"{engine} has {', '.join(names)}."] if names else []
    why = {each.image.key: _why_unloaded(each, want) for each in outcomes}
    sentences += [f"{engine} does not have {key}: {said}." for key, said in why.items() if said]
    return " ".join(sentences)


def _why_unloaded(outcome: Outcome, want: Inputs) -> str:
    """Return why the engine has no image that is not pushed; nothing where it has, or may have."""
    if not outcome.digest or outcome.built or want.push:
        return outcome.unloaded
    why = "in the registry for this commit" if outcome.is_of_commit else "unchanged"
    return f"it is {why}, and was not built"


def _kept(kept: Mapping[Reference, Commit]) -> str:
    """Return a line of the summary for each tag that stays."""
    lines = [
        f"- `{reference}` was not moved: the newer commit {cell(commit.shown)} has it.\n"
        for reference, commit in kept.items()
    ]
    return "".join(["\n", *lines]) if lines else ""


def _row(outcome: Outcome, step: Step) -> tuple[str, ...]:
    image = outcome.image
    name = image.metadata.names[0]
    there = {reference.tag for reference in outcome.pushed}
    tags = [tag for tag in image.metadata.tag_names if tag in there]
    return (
        _link(name, step.context),
        f"`{outcome.digest}`" if outcome.digest else "",
        " ".join(f"`{tag}`" for tag in tags),
        ", ".join(image.platforms) or step.platform,
        _size(outcome.size),
        _time(outcome),
        f"{outcome.cached} of {outcome.steps} steps" if outcome.steps else "",
    )


def _link(name: Name, context: Context) -> str:
    """Return the name, which leads to the page of the package where there is one."""
    owner, _, package = name.path.partition("/")
    if name.registry != GHCR or owner != context.owner.lower():
        return cell(str(name))
    escaped = package.replace("/", "%2F")
    page = f"{context.server}/{context.repository}/pkgs/container/{escaped}"
    return f"[{cell(str(name))}]({page})"


def _size(size: int) -> str:
    if not size:
        return ""
    megabytes = size / 1e6
    return f"{megabytes:.1f} MB" if round(megabytes, 1) else f"{size / 1e3:.0f} kB"


def _time(outcome: Outcome) -> str:
    if outcome.built:
        return f"{outcome.seconds:.1f} s"
    if not outcome.digest:
        return "not built"
    return "already there, not built" if outcome.is_of_commit else "unchanged, not built"
