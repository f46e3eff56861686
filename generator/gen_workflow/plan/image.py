"""The steps that build an image and push it."""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

import re
from collections.abc import Iterable, Iterator

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.plan import of_user
from gen_workflow.plan.frame import Frame
from gen_workflow.plan.inputs import Given, lines, said
from gen_workflow.spec.image import Image
from gen_workflow.spec.variables import Variable, fits_the_step
from gen_workflow.workflow.records import Step, Values

EMULATION = "docker/setup-qemu-action"
# What these say to the programs of the step, they say to Docker's client and to buildx as well.
_OF_DOCKER = r"(?:DOCKER|BUILDX|BUILDKIT|COMPOSE)_.*"
# By the tag of this rule, a run finds the image that an earlier one has pushed for its commit.
_SHA = "type=sha,format=long"
# What the processor of the runner runs by itself.
_NATIVE = ("amd64", "386")


class Build(NamedTuple):
    """The build of an image: its full name, when that is not the default, and who logs in.

    `promotes` is whether a run for a Git tag or a release takes the image of its commit.
    """

    image: Image
    name: str = ""
    user: str = ""
    password: str = ""
    promotes: bool = False


def steps(build: Build, frame: Frame) -> tuple[Step, ...]:
    """Return the steps after the check-out and the login."""
    return (*_emulation(build.image, frame), _build(build, frame))


def _emulation(image: Image, frame: Frame) -> Iterator[Step]:
    """Yield the step for platforms whose programs the runner cannot run by itself."""
    foreign = () if image.runners else image.platforms
    processors = dict.fromkeys(platform.split("/")[1] for platform in foreign)
    if emulated := [one for one in processors if one not in _NATIVE]:
        inputs = (("platforms", ",".join(emulated)), ("cache-image", False))
        yield Step("Emulate other platforms", uses=frame.uses(EMULATION), inputs=inputs)


def _build(build: Build, frame: Frame) -> Step:
    image = build.image
    env = tuple((one.name, one.value) for one in image.secrets if _travels(one.name))
    name = f"Build {image.key}" if image.key else "Build the image"
    inputs = (*_what(build), *_names(build), *_how(build))
    return Step(name, uses=frame.own("build-push"), id="push", inputs=inputs, env=env)


def _what(build: Build) -> Values:
    """Return the inputs that say what is built, and where it goes."""
    image = build.image
    # The name that the action gives to one of several images ends with its key.
    folder = image.context if image.context != "." else ""
    several = f"{image.key}: {image.context}\n" if image.key and not build.name else ""
    return said(
        ("image", build.name),
        ("username", build.user),
        ("password", build.password),
        ("images", several),
        ("context", "" if several else folder),
        ("file", image.dockerfile),
        ("target", image.target),
        ("build-args", _pairs(image.args)),
        ("build-contexts", _pairs(image.contexts)),
        ("secrets", lines(_secret(one) for one in image.secrets)),
        ("secret-files", _pairs(image.secret_files)),
        ("ssh", lines(image.ssh)),
        ("platforms", ",".join(image.platforms)),
    )


def _names(build: Build) -> Values:
    """Return the inputs that say how the image is called and labelled."""
    image = build.image
    of_the_commit = build.promotes and image.tags and not any(map(_is_sha, image.tags))
    return said(
        ("tags", lines((*image.tags, *([_SHA] if of_the_commit else [])))),
        ("older-commit", image.older_commit if image.older_commit != "keep" else ""),
        ("flavor", lines(image.flavor)),
        ("labels", _pairs(image.labels)),
        ("annotations", _pairs(image.annotations)),
    )


def _is_sha(rule: str) -> bool:
    return rule.startswith("type=sha")


def _how(build: Build) -> Values:
    """Return the inputs that say whether it is built, and by what."""
    image = build.image
    skip, cache, builder = image.skip, image.cache, image.builder
    unchanged = skip.unchanged if skip else "true" if image.key else ""
    usual = unchanged or ("true" if image.paths else "false")
    promoted = f"${{{{ github.ref_type == 'tag' && 'commit' || '{usual}' }}}}"
    return said(
        ("skip-unchanged", promoted if build.promotes else unchanged),
        ("paths", lines(image.paths)),
        ("salt", skip.salt if skip else ""),
        ("max-age", skip.max_age if skip else ""),
        ("cache", cache.mode if cache else ""),
        ("cache-from", lines(cache.read_from) if cache else ""),
        ("cache-to", lines(cache.write_to) if cache else ""),
        ("builder", builder.name if builder else ""),
        ("builder-image", builder.image if builder else ""),
        ("provenance", image.provenance),
        ("sbom", image.sbom),
        ("pull", image.pull),
        ("no-cache", image.no_cache),
    )


def _pairs(variables: Iterable[Variable]) -> str:
    return lines(f"{one.name}={one.value}" for one in variables)


def _secret(one: Variable) -> str:
    """Return a line of the input `secrets`; the value is in the env of the step where it can be."""
    return one.name if _travels(one.name) else f"{one.name}={one.value}"


def _travels(name: str) -> bool:
    return fits_the_step(name) and not re.fullmatch(_OF_DOCKER, name)


def values_from_github(image: Image) -> Iterator[Given]:
    """Yield each value that the job may take from GitHub, and what it is for."""
    for what, ones in (
        ("build argument", image.args),
        ("secret of the build, with the id", image.secrets),
        ("build context", image.contexts),
        ("label", image.labels),
        ("annotation", image.annotations),
    ):
        for one in ones:
            yield Given(one.value, f"{what} {one.name}")
    texts = {
        "rule of tags": image.tags,
        "setting of tags": image.flavor,
        "paths": image.paths,
        "SSH of the build": image.ssh,
        "cache": (*image.cache.read_from, *image.cache.write_to) if image.cache else (),
        "builder": image.builder or (),
        "salt": (image.skip.salt if image.skip else "",),
    }
    for what, found in texts.items():
        yield from (Given(text, what) for text in found)
    where = f"images/{image.key}/prepare" if image.key else "image/prepare"
    yield from of_user.values_of(image.prepare, where)
