"""What build-push will do, as commands; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ship.runner.command import Command

if TYPE_CHECKING:
    from ship.build_push.inputs import Image, Inputs

CACHE_TAG = "buildcache"


class Build(NamedTuple):
    """One image that is to be built.

    `tags` are those that buildx sets; others are set later. With `pull` the base images are those
    that the registry has, whatever the engine has. `moves` says that a tag moves with the build.
    """

    image: Image
    tags: tuple[str, ...]
    metadata_file: str
    pull: bool = False
    moves: bool = False

    @property
    def references(self) -> tuple[str, ...]:
        """The full names that buildx gives the image."""
        names = self.image.metadata.names
        return tuple(f"{name}:{tag}" for tag in self.tags for name in names)


def is_index(want: Inputs, image: Image) -> bool:
    """Whether the result is an index: of several platforms, or of an image and what is attached."""
    return len(image.platforms) > 1 or want.provenance != "false" or bool(want.sbom)


def build(want: Inputs, what: Build, builder: str, run_url: str) -> Command:
    """Return the command that builds one image and, when it is wanted, pushes it.

    An empty `builder` is the one that buildx uses by itself.
    """
    image = what.image
    argv = ["docker", "buildx", "build", "--progress", "plain", "--file", image.file]
    argv += ["--builder", builder] if builder else []
    argv += [*_attached(want, run_url), "--metadata-file", what.metadata_file]
    argv += ["--target", image.target] if image.target else []
    argv += ["--platform", ",".join(image.platforms)] if image.platforms else []
    argv += [f"--build-arg={name}={value}" for name, value in image.build_args.items()]
    argv += [f"--build-context={name}={value}" for name, value in want.build_contexts.items()]
    argv += [f"--secret=id={s.id},{_field(f'src={s.file}') if s.file else _env(s.id)}"
             for s in want.secrets]  # fmt: skip
    argv += [f"--ssh={ssh}" for ssh in want.ssh]
    argv += [f"--label={name}={value}" for name, value in image.metadata.labels.items()]
    argv += [f"--annotation={each}" for each in annotations_of(want, image)]
    argv += [f"--cache-from={source}" for source in _cache_from(want, image)]
    argv += [f"--cache-to={target}" for target in _cache_to(want, image)]
    argv += ["--pull"] if want.pull or what.pull else []
    argv += ["--no-cache"] if want.no_cache else []
    argv += [f"--tag={reference}" for reference in what.references]
    argv += ["--push"] if want.push else []
    where = f"push it to {image.metadata.names[0]}" if want.push else "check that it builds"
    secrets = {f"SHIP_SECRET_{_word(s.id)}": s.value for s in want.secrets if not s.file}
    return Command((*argv, image.context), why=f"build {image.key} and {where}", env={**secrets})


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


def _attached(want: Inputs, run_url: str) -> list[str]:
    # Without being told BuildKit adds an entry `unknown/unknown` to what should be a plain image.
    provenance = want.provenance
    if provenance != "false":
        mode = "min" if provenance == "true" else provenance
        provenance = f"mode={mode}" + (f",builder-id={run_url}" if run_url else "")
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


def cache_reference(image: Image) -> str:
    """Return where `cache: auto` keeps the cache of an image: beside it, one for each target."""
    name = image.metadata.names[0]
    # Two images of one name must not overwrite each other's.
    variant = "" if image.key == name.path.rpartition("/")[2] else f"-{image.key}"
    return f"{name}:{CACHE_TAG}{variant}" + (f"-{image.target}" if image.target else "")


def _cache_from(want: Inputs, image: Image) -> tuple[str, ...]:
    auto = (f"type=registry,ref={cache_reference(image)}",) if want.cache_auto else ()
    return (*auto, *want.cache_from)


def _cache_to(want: Inputs, image: Image) -> tuple[str, ...]:
    # Not for a pull request: it must neither fill nor poison the cache of the branch. What is asked
    # for in words is kept but for forks: see the inputs.
    if not want.cache_auto or not want.push:
        return want.cache_to
    how = "mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true"
    return (f"type=registry,ref={cache_reference(image)},{how}", *want.cache_to)


def needs_builder(want: Inputs) -> tuple[str, ...]:
    """Return what is wanted that Docker's classic image store cannot do; in words."""
    exports = [line for line in want.cache_to if not line.startswith("type=inline")]
    wanted = (
        ("the registry cache", want.cache_auto and want.push),
        ("writing a cache", bool(exports)),
        ("several platforms", any(len(image.platforms) > 1 for image in want.images)),
        ("provenance", want.provenance != "false"),
        ("an SBOM", bool(want.sbom)),
        ("annotations", want.annotations_asked),
    )
    return tuple(name for name, is_wanted in wanted if is_wanted)


def only_cache(reasons: tuple[str, ...]) -> bool:
    """Whether an own builder is for speed alone, so that the build can do without."""
    return reasons == ("the registry cache",)


def create_builder(name: str, endpoint: str, image: str) -> Command:
    """Return the command that makes a builder: of a BuildKit at an address, or in a container."""
    argv = ("docker", "buildx", "create", "--name", name, "--bootstrap")
    if endpoint:
        return Command(
            (*argv, "--driver", "remote", endpoint), why=f"use the BuildKit at {endpoint}"
        )
    options = ("--driver-opt", f"image={image}") if image else ()
    return Command((*argv, "--driver", "docker-container", *options), why="start a builder")


def remove_builder(name: str) -> Command:
    """Return the command that removes a builder of our own, with its container and its cache."""
    return Command(("docker", "buildx", "rm", "--force", name), why="remove the builder")
