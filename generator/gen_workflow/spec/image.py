"""The images of a spec: what is built, from which folder, and how it is called."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

from typing import TYPE_CHECKING, Annotated, Any

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec import rules, values
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import Checked, Elsewhere
from gen_workflow.spec.paths import FILE, FOLDER
from gen_workflow.spec.sections import Key, Named, Section, ShortOr
from gen_workflow.spec.variables import ARGS, Variable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_workflow.spec.building import Builder, Cache, Skip
    from gen_workflow.workflow.records import RawStep


def _of_the_build(name: str) -> Elsewhere[Any]:
    """Return a form of how an image is built, which most specs do not say."""
    return Elsewhere("gen_workflow.spec.building", name)


class Image(NamedTuple):
    """What is built; paths are relative to the root of the repository.

    `key` is its name in `images`, empty when the spec has one `image`.
    """

    context: Annotated[
        str,
        Key("Folder that is sent to the build", FOLDER, "backend", "0.1.0"),
    ] = "."
    dockerfile: Annotated[
        str,
        Key(
            "Path of the Dockerfile, from the root of the repository",
            FILE,
            "backend/Dockerfile.prod",
            "0.1.0",
            default="`Dockerfile` in the context",
        ),
    ] = ""
    target: Annotated[
        str,
        Key("Stage of the Dockerfile", values.STAGE, "runtime", "0.1.0", default="the last one"),
    ] = ""
    args: Annotated[
        tuple[Variable, ...],
        Key(
            "Build arguments as a mapping of names to values, none of them a secret",
            ARGS,
            "{VERSION: '1.2'}",
            "0.1.0",
        ),
    ] = ()
    name: Annotated[
        str,
        Key(
            "Full name of the image with its registry, in lower case and without a tag",
            values.IMAGE_NAME,
            "ghcr.io/example/shop",
            "0.1.0",
            default="the `registry` and the name of the repository; in `images`, also its name "
            "there",
        ),
    ] = ""
    secrets: Annotated[
        tuple[Variable, ...],
        Key(
            "Secrets of the build, which the Dockerfile mounts and the image does not contain: "
            "names of secrets, or ids with their values, or both in a list",
            _of_the_build("SECRETS"),
            '[NPM_TOKEN, {npmrc: "${{ secrets.NPMRC }}"}]',
            "0.1.0",
        ),
    ] = ()
    secret_files: Annotated[
        tuple[Variable, ...],
        Key(
            "Files that are secrets of the build, each an id and a path of the repository",
            _of_the_build("SECRET_FILES"),
            "{npmrc: .npmrc}",
            "0.1.0",
        ),
    ] = ()
    ssh: Annotated[
        tuple[str, ...],
        Key("SSH agents or keys that the build may use", _of_the_build("SSH"), "default", "0.1.0"),
    ] = ()
    contexts: Annotated[
        tuple[Variable, ...],
        Key(
            "Further folders or images that the Dockerfile refers to by name",
            _of_the_build("CONTEXTS"),
            "{shared: backend, base: 'docker-image://alpine:3.22'}",
            "0.1.0",
        ),
    ] = ()
    platforms: Annotated[
        tuple[str, ...],
        Key(
            "Platforms that the image is for; those that the runner is not are emulated",
            _of_the_build("PLATFORMS"),
            "[linux/amd64, linux/arm64]",
            "0.1.0",
            default="that of the runner",
        ),
    ] = ()
    runners: Annotated[
        "Mapping[str, tuple[str, ...]]",
        Key(
            "A runner for each of several platforms, so that nothing is emulated: `native` for "
            "GitHub's own, or labels by platform",
            _of_the_build("RUNNERS"),
            "native",
            "0.1.0",
            default="all platforms are built in one job",
        ),
    ] = {}  # noqa: RUF012 - never changed
    tags: Annotated[
        tuple[str, ...],
        Key(
            "Rules of the tags, in the language of docker/metadata-action",
            _of_the_build("TAGS"),
            '["type=ref,event=branch", "type=semver,pattern={{version}}"]',
            "0.1.0",
            default="the branch, the version and the commit, as tags.md says",
        ),
    ] = ()
    flavor: Annotated[
        tuple[str, ...],
        Key(
            "Settings for all tags",
            _of_the_build("FLAVOR"),
            "[latest=false, suffix=-slim]",
            "0.1.0",
        ),
    ] = ()
    older_commit: Annotated[
        str,
        Key(
            "What happens to a tag that a newer commit of the branch has: `keep` or `move`",
            _of_the_build("OLDER_COMMIT"),
            "move",
            "0.1.0",
            default="`keep`",
        ),
    ] = ""
    labels: Annotated[
        tuple[Variable, ...],
        Key(
            "Labels beside the standard ones of the image, by name",
            _of_the_build("LABELS"),
            "{com.example.team: shop}",
            "0.1.0",
        ),
    ] = ()
    annotations: Annotated[
        tuple[Variable, ...],
        Key(
            "Annotations beside the standard ones, by name",
            _of_the_build("LABELS"),
            "{com.example.team: shop}",
            "0.1.0",
        ),
    ] = ()
    paths: Annotated[
        tuple[str, ...],
        Key(
            "Files that decide whether the image has changed, as patterns like those of "
            "`.dockerignore`",
            _of_the_build("PATHS"),
            "[backend, go.mod]",
            "0.1.0",
            default="the whole context",
        ),
    ] = ()
    skip: Annotated[
        "Skip | None",
        Key(
            "Whether the image is taken from the registry when its content has not changed: "
            "`unchanged` or `never`, or a mapping",
            _of_the_build("SKIPS"),
            "unchanged",
            "0.1.0",
            default="`never`; in `images`, and with `paths`, `unchanged`",
        ),
    ] = None
    cache: Annotated[
        "Cache | None",
        Key(
            "Cache of the build: `auto`, which is kept in the registry beside the image, `none`, "
            "or a mapping",
            _of_the_build("CACHE"),
            "auto",
            "0.1.0",
            default="`none`",
        ),
    ] = None
    provenance: Annotated[
        str,
        Key(
            "Provenance that is attached to the image: `true`, `false`, `min` or `max`",
            _of_the_build("PROVENANCE"),
            "max",
            "0.1.0",
            default="`false`",
        ),
    ] = ""
    sbom: Annotated[
        str,
        Key(
            "Whether a list of the packages is attached to the image, or the image of the scanner "
            "that makes it",
            _of_the_build("SBOM"),
            "true",
            "0.1.0",
            default="`false`",
        ),
    ] = ""
    pull: Annotated[
        str,
        Key(
            "Fetch the newest base images, also when the runner has older ones",
            values.Flag("pull"),
            "true",
            "0.1.0",
            default="`false`",
        ),
    ] = ""
    no_cache: Annotated[
        str,
        Key(
            "Run every step of the Dockerfile again",
            values.Flag("no-cache"),
            "true",
            "0.1.0",
            default="`false`",
        ),
    ] = ""
    builder: Annotated[
        "Builder | None",
        Key(
            "The builder: its name, the address of a BuildKit, or a mapping",
            _of_the_build("BUILDERS"),
            "tcp://buildkit:1234",
            "0.1.0",
            default="Docker's own, and a new one where a key needs it",
        ),
    ] = None

    prepare: Annotated[
        "tuple[RawStep, ...]",
        Key(
            "Steps on the runner before the build, after the check-out, in GitHub's syntax",
            Elsewhere("gen_workflow.spec.steps", "OF_A_BUILD"),
            "npm run generate",
            "0.1.0",
        ),
    ] = ()

    key: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """What must be in the repository for the build: a folder has a `/` at its end.

        The Dockerfile is the last.
        """
        file = self.dockerfile or rules.dockerfile_in(self.context)
        folders = [one.value for one in self.contexts if "://" not in one.value]
        folders = [f"{one}/" for one in (self.context, *folders) if "${{" not in one]
        return tuple(dict.fromkeys((*folders, file)))


IMAGE = Section(Image, rule=rules.of_an_image)


def _image_of(folder: Value, reading: Reading) -> Image | None:
    return IMAGE.of(folder, {"context": folder}, reading)


def _have_names_of_their_own(images: tuple[Image, ...], where: Value, reading: Reading) -> None:
    """Note a problem for images that would replace each other; the rule of `images`."""
    names: dict[object, str] = {}
    for image in images:
        # Two of one name may have tags of their own.
        other = names.setdefault((image.name or image.key, image.tags), image.key)
        if other != image.key:
            what = f"{image.name!r} is the name of {other!r} too, and they would replace each other"
            place = where.below([image.key, "name"])
            reading.problem(place, what, "give one of them another name", Heading.TWICE)


ONE = ShortOr(Checked(_image_of, FOLDER.schema()), "a folder", "image: .", IMAGE)
IMAGES = Named(
    values.IMAGE_KEY,
    ONE,
    "images: {api: backend, web: frontend}",
    rule=_have_names_of_their_own,
)
