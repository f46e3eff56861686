"""The images of a spec: what is built, from which folder, and how it is called."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

from typing import Annotated, NamedTuple

from gen_workflow.spec import rules, values
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.forms import Checked
from gen_workflow.spec.paths import FILE, FOLDER
from gen_workflow.spec.sections import Key, Later, Named, Section, ShortOr
from gen_workflow.spec.variables import ARGS, Variable


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
            "Full name of the image on ghcr.io, in lower case and without a tag",
            values.IMAGE_NAME,
            "ghcr.io/example/shop",
            "0.1.0",
            default="`ghcr.io/` and the name of the repository",
        ),
    ] = ""

    key: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        """What must be in the repository for the build: a folder has a `/` at its end."""
        file = self.dockerfile or rules.dockerfile_in(self.context)
        return tuple(dict.fromkeys((f"{self.context}/", file)))


IMAGE = Section(
    Image,
    Later("cache labels paths platforms prepare secrets ssh tags"),
    rule=rules.find_dockerfile,
)


def _image_of(folder: Value, reading: Reading) -> Image | None:
    return IMAGE.of(folder, {"context": folder}, reading)


ONE = ShortOr(Checked(_image_of, FOLDER.schema()), "a folder", "image: .", IMAGE)
IMAGES = Named(
    values.IMAGE_KEY,
    ONE,
    "images: {api: backend, web: frontend}",
    rule=rules.have_names_of_their_own,
)
