"""A deploy by a commit: which repository has the manifests, and where they name the image."""

# No `from __future__ import annotations` here: `sections` reads the annotations.

from typing import Annotated, TypeVar

from gen_workflow.errors import Heading
from gen_workflow.named_tuple import NamedTuple
from gen_workflow.spec.document import Reading, Value
from gen_workflow.spec.expressions import FromSecret
from gen_workflow.spec.forms import Checked, Form, Schema, Text, entries
from gen_workflow.spec.paths import PATH_SCHEMA, path_in
from gen_workflow.spec.sections import Fields, Key, Section, ShortOr
from gen_workflow.spec.values import BRANCH, Flag

T = TypeVar("T")
TOKEN = "${{ secrets.GITOPS_TOKEN }}"  # noqa: S105 - the name of a secret
_PART = r"[A-Za-z0-9_-]+"
# For each image by its key in `images` what the manifests have for it; the key of `image` is "".
ByImage = tuple[tuple[str, str], ...]


class _EachImage(Form[ByImage]):
    """A text for the one image, or a mapping of the names of the images to texts."""

    def __init__(self, item: Form[str]) -> None:
        self._item = item

    def read(self, value: Value, reading: Reading) -> ByImage | None:
        if value.kind != "a mapping":
            found = self._item.read(value, reading)
            return None if found is None else (("", found),)
        pairs = [(key.text, self._item.read(one, reading)) for key, one in entries(value, reading)]
        return tuple((key, one) for key, one in pairs if one is not None)

    def schema(self) -> Schema:
        item = self._item.schema()
        each = {"type": "object", "additionalProperties": item, "minProperties": 1}
        return {"anyOf": [item, each]}


def _path(value: Value, reading: Reading) -> str | None:
    """Return a path of the manifests repository; what is there is seen when the step runs."""
    path = path_in(value, reading, "apps/shop")
    if path and path[0] in "-:":
        what = f"{path!r} would be an option or a pattern for git"
        reading.problem(value, what, "give it another name", Heading.WRONG_VALUE)
        return None
    return path


_THERE = Checked(_path, PATH_SCHEMA)
# What kustomize takes before the `=`; a name cannot begin with a `-`.
_NAME = _EachImage(
    Text(
        "a name of an image",
        r"[a-z0-9][a-z0-9._:/-]{0,254}",
        "shop, as the manifests write it without a tag",
    )
)
_PLACE = _EachImage(
    Text(
        "a path to a value",
        rf"\.?{_PART}(?:\.{_PART})*",
        "image.digest: the keys from the outermost on, with dots between them",
    )
)


class Kustomize(NamedTuple):
    """A kustomization whose `images` get the new digest."""

    folder: Annotated[
        str,
        Key(
            "Folder of the manifests repository with the `kustomization.yaml`",
            _THERE,
            "apps/shop/overlays/prod",
            "0.1.0",
            missing="name the folder with the kustomization.yaml: folder: apps/shop/overlays/prod",
        ),
    ]
    image: Annotated[
        ByImage,
        Key(
            "How the manifests call the image; with `images`, a mapping of their names",
            _NAME,
            "shop",
            "0.1.0",
            default="the name that it was pushed with",
        ),
    ] = ()


class HelmValues(NamedTuple):
    """A file of YAML in which one value is changed for each image."""

    file: Annotated[
        str,
        Key(
            "The file of the manifests repository",
            _THERE,
            "apps/shop/values.yaml",
            "0.1.0",
            missing="name the file: file: apps/shop/values.yaml",
        ),
    ]
    digest: Annotated[
        ByImage,
        Key(
            "Where the file has the digest, `sha256:…`; with `images`, a mapping of their names",
            _PLACE,
            "image.digest",
            "0.1.0",
            default="`image.digest`, or with `images` for example `api.image.digest`",
        ),
    ] = ()
    tag: Annotated[
        ByImage,
        Key(
            "Where the file has the tag, for a chart without a digest: it gets "
            "`COMMIT@sha256:…`, of which the cluster uses the digest",
            _PLACE,
            "image.tag",
            "0.1.0",
        ),
    ] = ()
    image: Annotated[
        ByImage,
        Key(
            "Where the file has the whole image, `ghcr.io/…@sha256:…`",
            _PLACE,
            "image",
            "0.1.0",
        ),
    ] = ()

    @property
    def what(self) -> str:
        """What the value is: `digest`, `tag` or `image`."""
        return "tag" if self.tag else "image" if self.image else "digest"


def _one_kind(fields: Fields, reading: Reading) -> None:
    """Note a problem when a file gets two kinds of values; the rule of `values`."""
    first, *others = [*(name for name in fields.values if name != "file"), ""]
    for name in filter(None, others):
        what = f"cannot be beside `{first}`: an image is written once"
        reading.problem(fields.values[name], what, "keep one of them", Heading.TOGETHER)


class _Part(Section[T]):
    """A section of which `deploy` may say one half, and an environment the other."""

    def schema(self) -> Schema:
        found = super().schema()
        return {key: value for key, value in found.items() if key not in ("required", "allOf")}


KUSTOMIZE = _Part(Kustomize)
VALUES = _Part(HelmValues, rule=_one_kind)


class Gitops(NamedTuple):
    """A repository of manifests that a controller such as Argo CD or Flux applies."""

    repository: Annotated[
        str,
        Key(
            "The repository with the manifests, on the same GitHub",
            Text(
                "a repository on GitHub",
                r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}",
                "acme/manifests",
            ),
            "acme/manifests",
            "0.1.0",
            missing="name the repository with the manifests: repository: acme/manifests",
        ),
    ]
    branch: Annotated[
        str, Key("Its branch that gets the commit", BRANCH, "production", "0.1.0")
    ] = "main"
    kustomize: Annotated[
        Kustomize | None,
        Key(
            "A kustomization whose images are set: its folder, or a mapping",
            ShortOr(
                Checked(
                    lambda value, reading: KUSTOMIZE.of(value, {"folder": value}, reading),
                    PATH_SCHEMA,
                ),
                "a folder",
                "kustomize: apps/shop",
                KUSTOMIZE,
            ),
            "apps/shop/overlays/prod",
            "0.1.0",
            default="**required**, or `values`",
            missing="say where the image is: kustomize: apps/shop/overlays/prod; or "
            "values: apps/shop/values.yaml",
            unless="values",
        ),
    ] = None
    values: Annotated[
        HelmValues | None,
        Key(
            "A file in which a value is changed, such as the values of a Helm chart: its path, or "
            "a mapping",
            ShortOr(
                Checked(
                    lambda value, reading: VALUES.of(value, {"file": value}, reading), PATH_SCHEMA
                ),
                "a file",
                "values: apps/shop/values.yaml",
                VALUES,
            ),
            "apps/shop/values.yaml",
            "0.1.0",
        ),
    ] = None
    token: Annotated[
        str,
        Key(
            "Token that may write the contents of that repository, which must be a secret",
            FromSecret("the token", f"write for example token: {TOKEN}"),
            "${{ secrets.MANIFESTS_TOKEN }}",
            "0.1.0",
            default=f"`{TOKEN}`, unless there is a `key`",
        ),
    ] = ""
    key: Annotated[
        str,
        Key(
            "Deploy key of that repository with write access, instead of a token",
            FromSecret("the key", "write for example key: ${{ secrets.MANIFESTS_KEY }}"),
            "${{ secrets.MANIFESTS_KEY }}",
            "0.1.0",
        ),
    ] = ""
    pull_request: Annotated[
        str,
        Key(
            "Open a pull request there instead of a push to the branch",
            Flag("pull-request"),
            "true",
            "0.1.0",
            default="`false`",
        ),
    ] = ""


def _fits(fields: Fields, reading: Reading) -> None:
    """Note a problem for keys of `gitops` that do not fit each other; its rule."""
    there = fields.values
    if "kustomize" in there and "values" in there:
        what = "cannot be beside `kustomize`: the image is written in one place"
        reading.problem(there["values"], what, "keep one of them", Heading.TOGETHER)
    if "token" in there and "key" in there:
        what = "cannot be beside `token`: one of them is enough"
        reading.problem(there["key"], what, "keep one of them", Heading.TOGETHER)
    if "key" in there and fields.read.get("pull-request"):
        what = "cannot be beside `pull-request`: no deploy key can open one"
        reading.problem(there["key"], what, f"use a token: token: {TOKEN}", Heading.TOGETHER)


GITOPS = _Part(Gitops, rule=_fits)


def images_are_named(fields: Fields, reading: Reading) -> None:
    """Note a problem where manifests name other images than the spec; a rule of the whole spec."""
    images = tuple(one.key for one in fields.read.get("images") or ()) or ("",)
    places = [(fields.read.get("deploy"), fields.values.get("deploy"))]
    places += [
        (one.deploy, fields.values["environments"].below([one.key]))
        for one in fields.read.get("environments") or ()
    ]
    for deploy, where in places:
        if where and deploy and hasattr(deploy, "gitops"):
            _fit(deploy.gitops, images, where, reading)


def _fit(gitops: Gitops, images: tuple[str, ...], where: Value, reading: Reading) -> None:
    section = "kustomize" if gitops.kustomize else "values"
    said = gitops.kustomize or gitops.values
    for name in ("image", "digest", "tag"):
        keys = [key for key, _ in getattr(said, name, ())]
        if not keys or {*keys} == {*images}:
            continue
        place = where.below(["gitops", section, name])
        if images == ("",):
            what, hint = "is a mapping, but there is one image", "write only its text"
        elif keys == [""]:
            what = "is one text, but there are several images"
            hint = f"write one for each: {{{', '.join(f'{one}: ...' for one in images)}}}"
        else:
            what = f"names {', '.join(keys)}, but the images are {', '.join(images)}"
            hint = "name each image once"
        reading.problem(place, what, hint, Heading.WRONG_VALUE)
