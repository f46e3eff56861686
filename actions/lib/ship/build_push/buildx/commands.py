"""The commands of buildx; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ship.runner.command import Command
from ship.runner.commit import LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ship.build_push.inputs import Image, Inputs
    from ship.images.reference import Reference

CACHE_TAG = "buildcache"


def is_index(want: Inputs, image: Image) -> bool:
    """Whether the result is an index: of several platforms, or of an image and what is attached."""
    return len(image.platforms) > 1 or want.provenance != "false" or bool(want.sbom)


def build(
    want: Inputs,
    image: Image,
    references: Sequence[Reference],
    *,
    builder: str,
    metadata_file: str,
    pull: bool,
    env: Mapping[str, str],
    load: bool = False,
) -> Command:
    """Return the command that builds an image and, when it is wanted, pushes it.

    An empty `builder` is the one that buildx uses by default. With `pull` the base images are those
    that the registry has now, whatever the engine has. With `load` the engine gets the image from
    the builder.
    """
    argv = ["docker", "buildx", "build", "--progress", "plain", "--file", image.file]
    argv += ["--builder", builder] if builder else []
    argv += [*_attached(want), "--metadata-file", metadata_file]
    argv += ["--target", image.target] if image.target else []
    argv += ["--platform", ",".join(image.platforms)] if image.platforms else []
    argv += [f"--build-arg={name}={value}" for name, value in image.build_args.items()]
    argv += [f"--build-context={name}={value}" for name, value in want.build_contexts.items()]
    argv += [f"--secret=id={s.id},{_field(f'src={s.file}') if s.file else _env(s.id)}"
             for s in want.secrets]  # fmt: skip
    argv += [f"--ssh={ssh}" for ssh in want.ssh]
    argv += [f"--label={name}={value}" for name, value in image.metadata.labels.items()]
    argv += [f"--label={LABEL}={want.commit}"] if want.commit else []
    argv += [f"--annotation={each}" for each in annotations_of(want, image)]
    argv += [f"--cache-from={source}" for source in _cache_from(want, image)]
    argv += [f"--cache-to={target}" for target in _cache_to(want, image)]
    argv += ["--pull"] if want.pull or pull else []
    argv += ["--no-cache"] if want.no_cache else []
    argv += [f"--tag={reference}" for reference in references]
    argv += _out(want, image, references, load=load)
    where = "load it into the engine" if load else "check that it builds"
    where = f"push it to {image.metadata.names[0]}" if want.push else where
    where += " by its digest" if want.by_digest and not references else ""
    secrets = {f"SHIP_SECRET_{_word(s.id)}": s.value for s in want.secrets if not s.file}
    return Command(
        (*argv, image.context), why=f"build {image.key} and {where}", env={**secrets, **env}
    )


def _out(
    want: Inputs, image: Image, references: Sequence[Reference], *, load: bool
) -> Sequence[str]:
    """Return where the result goes."""
    if want.push and want.by_digest and not references:
        names = _field(f"name={','.join(map(str, image.metadata.names))}")
        return (f"--output=type=image,{names},push-by-digest=true,name-canonical=true,push=true",)
    return ["--push"] if want.push else ["--load"] if load else []


def _field(text: str) -> str:
    """Return a field of comma-separated values."""
    if not any(char in text for char in ',"\n'):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _env(name: str) -> str:
    return f"env=SHIP_SECRET_{_word(name)}"


def _word(name: str) -> str:
    """Return what may stand in the name of a variable, different for different names."""
    return "".join(c if c.isalnum() and c.isascii() else f"_{ord(c):x}_" for c in name)


def _attached(want: Inputs) -> list[str]:
    # By default BuildKit adds an entry `unknown/unknown` to what should be a plain image.
    provenance = want.provenance
    if provenance != "false":
        mode = "min" if provenance == "true" else provenance
        provenance = f"mode={mode}" + (f",builder-id={want.run_url}" if want.run_url else "")
    return [f"--provenance={provenance}", *([f"--sbom={want.sbom}"] if want.sbom else [])]


def annotations_of(want: Inputs, image: Image) -> tuple[str, ...]:
    """Return the annotations with their level.

    The page of a package on GHCR shows the description of an index from its annotations, and that
    of a plain image from its labels; so a plain image gets none unless the person asked.
    """
    index = is_index(want, image)
    if not index and not want.annotations_asked:
        return ()
    return image.metadata.leveled_annotations(("index",) if index else ("manifest",))


def cache_reference(want: Inputs, image: Image) -> str:
    """Return where `cache: auto` keeps the cache of an image: beside it, one for each target.

    Of an image that is one of several platforms, each has a cache of its own.
    """
    name = image.metadata.names[0]
    # Two images of one name must not overwrite each other's.
    variant = "" if image.key == name.path.rpartition("/")[2] else f"-{image.key}"
    target = f"-{image.target}" if image.target else ""
    platforms = "".join(f"-{each.replace('/', '-')}" for each in image.platforms)
    return f"{name}:{CACHE_TAG}{variant}{target}{platforms if want.by_digest else ''}"


def _cache_from(want: Inputs, image: Image) -> tuple[str, ...]:
    auto = (f"type=registry,ref={cache_reference(want, image)}",) if want.cache_auto else ()
    return (*auto, *want.cache_from)


def _cache_to(want: Inputs, image: Image) -> tuple[str, ...]:
    # Not for a pull request: it must neither fill nor poison the cache of the branch. What is asked
    # for in words is kept but for forks: see the inputs.
    if not want.cache_auto or not want.push:
        return want.cache_to
    how = "mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true"
    return (f"type=registry,ref={cache_reference(want, image)},{how}", *want.cache_to)


def create_builder(name: str, endpoint: str, image: str, env: Mapping[str, str]) -> Command:
    """Return the command that makes a builder: of a BuildKit at an address, or in a container.

    Its undo removes the builder, with its container and its cache.
    """
    argv: tuple[str, ...] = ("docker", "buildx", "create", "--name", name, "--bootstrap")
    if endpoint:
        argv = (*argv, "--driver", "remote", endpoint)
    else:
        options = ("--driver-opt", f"image={image}") if image else ()
        argv = (*argv, "--driver", "docker-container", *options)
    remove = Command(("docker", "buildx", "rm", "--force", name), why="remove the builder", env=env)
    why = f"use the BuildKit at {endpoint}" if endpoint else "start a builder"
    return Command(argv, why=why, env=env, undo=remove)
