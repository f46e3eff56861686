"""Rules of the spec that no key can check by itself; each belongs to one section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.errors import Heading
from gen_workflow.spec.paths import full, in_small_letters, is_file, leads_away

if TYPE_CHECKING:
    from gen_workflow.spec.document import Reading
    from gen_workflow.spec.sections import Fields


def of_an_image(fields: Fields, reading: Reading) -> None:
    """Note a problem for keys of `image` that do not fit each other; its rule."""
    _find_dockerfile(fields, reading)
    there, read = fields.values, fields.read
    if "runners" in there:
        from gen_workflow.spec import building  # noqa: PLC0415 - it has been loaded to read them

        building.fit_the_platforms(fields, reading)
    skip = read.get("skip")
    if skip and not skip.unchanged:
        for name in ("paths", "max-age", "salt"):
            where = there["skip"].below([name]) if name != "paths" else there.get(name)
            if where and where is not there["skip"]:
                what = "has no effect where the image is always built"
                reading.problem(where, what, "remove it, or change `skip`", Heading.TOGETHER)
    taken = {one.name for one in read.get("secrets") or ()}
    for one in read.get("secret-files") or ():
        if one.name in taken:
            where = there["secret-files"].below([one.name])
            what = f"{one.name!r} is also an id in `secrets`"
            reading.problem(where, what, "give one of them another id", Heading.TWICE)


def _find_dockerfile(fields: Fields, reading: Reading) -> None:
    """Note a problem when the Dockerfile of an image is not there.

    One that is called `dockerfile` is named in the workflow, as if the spec had named it.
    """
    context, where = fields.read.get("context", "."), fields.where
    if "dockerfile" in fields.values:
        where, path = fields.values["dockerfile"], fields.read["dockerfile"]
    elif context:
        where, path = fields.values.get("context", where), dockerfile_in(context)
        if in_small_letters(context, reading):
            path = fields.read["dockerfile"] = dockerfile_in(context, "dockerfile")
    else:
        return
    if path and not is_file(path, reading):
        hint = _where_it_may_be(fields, path, context, reading)
        what = f"there is no Dockerfile at {full(path, reading)}"
        reading.problem(where, what, hint, Heading.NOT_THERE)
    elif path and leads_away(path, reading):
        what = f"{full(path, reading)} is a link out of its folder, which buildx does not follow"
        hint = "replace the link by the file itself, or name that file as `dockerfile`"
        reading.problem(where, what, hint, Heading.NOT_THERE)


def dockerfile_in(context: str, name: str = "Dockerfile") -> str:
    """Return the path of the Dockerfile of a folder that names no other."""
    return name if context == "." else f"{context}/{name}"


def _where_it_may_be(fields: Fields, path: str, context: str | None, reading: Reading) -> str:
    if "dockerfile" not in fields.values:
        return (
            f"write one, or say where it is: image: {{context: {context}, dockerfile: path/of/it}}"
        )
    hint = "the path begins at the root of the repository"
    if context and is_file(f"{context}/{path}", reading):
        hint += f"; perhaps you meant `{context}/{path}`"
    return hint


# The defaults of `timeout`, `stability` and `rollback-timeout` of kubectl-set-image, in seconds; a
# test compares them with its action.yml.
ROLLOUT, STABILITY, ROLLBACK = 900, 10, 300
# Keys of `kubernetes` that have an effect beside another one only.
_NEEDED = {"force-conflicts": "apply", "restart-on-no-change": "workload"}
# How long a login to a cloud lasts.
_LOGIN = 3600


def limits_and_access_fit(fields: Fields, reading: Reading) -> None:
    """Note a problem for keys of `kubernetes` that do not fit each other; its rule."""
    there, read = fields.values, fields.read
    for name in ("kubeconfig", "context"):
        if name in there and "login" in there:
            what = "cannot be beside `login`, which makes a kubeconfig with one context"
            reading.problem(there[name], what, "remove one of them", Heading.TOGETHER)
    for name, needed in _NEEDED.items():
        if read.get(name) and needed not in there:
            what = f"has no effect without `{needed}`"
            reading.problem(there[name], what, "remove it", Heading.TOGETHER)
    progress, whole = read.get("progress-timeout"), int(read.get("timeout") or ROLLOUT)
    rest = int(read.get("stability") or STABILITY) + int(read.get("rollback-timeout") or ROLLBACK)
    if "login" in there and whole + rest > _LOGIN:
        what = f"lasts an hour, and a rollout with its rollback may take {whole + rest} seconds"
        hint = "write a shorter `timeout` or `rollback-timeout`"
        reading.problem(there["login"], what, hint, Heading.WRONG_VALUE)
    if progress and int(progress) >= whole:
        what = f"{progress} is never reached: the whole rollout has {whole} seconds"
        hint = "write a longer `timeout`, or a shorter `progress-timeout`"
        reading.problem(there["progress-timeout"], what, hint, Heading.WRONG_VALUE)
    stability = int(read.get("stability") or STABILITY)
    if stability >= whole:
        what = f"{stability} s do not fit into the {whole} s of the whole rollout"
        hint = "write a longer `timeout`, or a shorter `stability`"
        where = there.get("stability") or there["timeout"]
        reading.problem(where, what, hint, Heading.WRONG_VALUE)
    pull = read.get("pull-secret")
    if pull and any(one.name == pull.name for one in read.get("secret") or ()):
        what = f"{pull.name!r} is also a Secret of the app"
        reading.problem(there["pull-secret"], what, "give it another name", Heading.TWICE)


def one_cloud(fields: Fields, reading: Reading) -> None:
    """Note a problem when a login is to no cloud, or to several; the rule of `login`."""
    if all(key.text.startswith("x-") for key, _ in fields.where.pairs()):
        hint = "name the cloud: `aws`, `google` or `azure`"
        reading.problem(fields.where, "names no cloud", hint, Heading.MISSING_KEY)
    first, *others = [*fields.values, ""]
    for name in filter(None, others):
        what = f"cannot be beside `{first}`: a job logs in to one cloud"
        reading.problem(fields.values[name], what, "keep one of them", Heading.TOGETHER)


def of_the_spec(fields: Fields, reading: Reading) -> None:
    """Note a problem for keys of the top level that do not fit each other; its rule."""
    for one, other, why in _INSTEAD:
        if one in fields.values and other in fields.values:
            what = f"cannot be beside `{other}`: {why}"
            reading.problem(fields.values[one], what, f"remove `{one}`", Heading.TOGETHER)
    mode = fields.read.get("mode")
    if mode and mode.central:
        _fits_a_central_workflow(fields, reading)
    _name_fits_the_deploy(fields, reading)
    deploys = [fields.read.get("deploy"), *_deploys(fields)]
    if any(hasattr(one, "gitops") for one in deploys):
        from gen_workflow.spec import gitops  # noqa: PLC0415 - for these alone

        gitops.images_are_named(fields, reading)


def _deploys(fields: Fields) -> list[object]:
    return [one.deploy for one in fields.read.get("environments") or ()]


def _fits_a_central_workflow(fields: Fields, reading: Reading) -> None:
    """Note a problem for what a called workflow cannot have: deploys, secrets and logins."""
    places = [fields.values[name] for name in _NOT_CENTRAL if name in fields.values]
    image = fields.read.get("image")
    there = [name for name in ("secrets", "runners") if getattr(image, name, ())]
    places += [fields.values["image"].below([name]) for name in there]
    for where in places:
        what = "cannot be in a central workflow, which builds and tests for other repositories"
        hint = "remove it here, and write it into the specs of those"
        reading.problem(where, what, hint, Heading.TOGETHER)
    actions = fields.read.get("actions")
    if actions and actions.vendored:
        what = "cannot be in a central workflow: a run in another repository has no copy of them"
        hint = "name this repository, at a commit that holds the actions, as actions: {remote: …}"
        reading.problem(fields.values["actions"], what, hint, Heading.TOGETHER)


_NOT_CENTRAL = (
    "images", "on", "name", "deploy", "environment", "environments", "rollback", "registry",
    "cleanup",
)  # fmt: skip
_INSTEAD = (
    ("image", "images", "it is one of them"),
    ("environment", "environments", "they have the names"),
)


def _name_fits_the_deploy(fields: Fields, reading: Reading) -> None:
    """Note a problem when no container can have the name.

    In a cluster the manifests have the names. On a host the default name has to say which
    environment it is: two would get one name, and replace each other.
    """
    there = fields.values
    deploy, environments = there.get("deploy"), fields.read.get("environments") or ()
    others = ("kubernetes", "gitops")
    in_cluster = deploy and any(deploy.below([one]) is not deploy for one in others)
    deploys = [one.deploy for one in environments if one.deploy]
    if in_cluster or (deploys and not any(hasattr(one, "ssh") for one in deploys)):
        if "name" in there:
            what = "is that of a container on a host; in a cluster the manifests have the names"
            reading.problem(there["name"], what, "remove it", Heading.TOGETHER)
        return
    named = fields.read.get("environment") or ""
    if deploy and not named.isascii() and "name" not in there:
        what = f"{named!r} cannot be a part of the container's name as it is"
        hint = "give the container a name of letters, digits and . _ -, as name: shop-live"
        reading.problem(there["environment"], what, hint, Heading.WRONG_VALUE)
    for one in environments:
        if hasattr(one.deploy, "ssh") and not one.key.isascii():
            # Also behind a `name`: those of two environments could become the same.
            where = there["environments"].below([one.key])
            what = f"{one.key!r} cannot be a part of the container's name as it is"
            hint = "give the environment a name of letters, digits and . _ - only"
            reading.problem(where, what, hint, Heading.WRONG_VALUE)
