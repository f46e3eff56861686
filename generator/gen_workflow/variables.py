"""Environment of the app and build arguments: names that are secrets, and names with values."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gen_workflow import checks, reading

if TYPE_CHECKING:
    from gen_workflow.document import Problems, Value

_MIXED = "such as [DB_URL, {LOG_LEVEL: info}], where a name alone is a secret"


class Variable(NamedTuple):
    """A name and its value, which may be an expression of GitHub's."""

    name: str
    value: str

    @property
    def fits_a_line(self) -> bool:
        """Whether the value can be said in the list of the action, which strips and splits lines.

        Another, and all that GitHub fills in, travels in the env of the step.
        """
        computed = "${{" in self.value
        return not computed and self.value.isprintable() and self.value == self.value.strip()


def read_env(value: Value, problems: Problems) -> tuple[Variable, ...]:
    """Return the environment of the app: `[SECRET]`, `{NAME: value}`, or both in a list."""
    found: dict[str, Variable] = {}
    for place, name, text in _pairs(value, problems):
        if name in found:
            problems.add(place, f"{name!r} is there twice", "keep one of them")
        elif checks.env_name(place, name, problems) and text is not None:
            one = Variable(name, text)
            if checks.env_of_step(place, name, problems, on_runner=not one.fits_a_line):
                found[name] = one
    return tuple(found.values())


def _pairs(value: Value, problems: Problems) -> list[tuple[Value, str, str | None]]:
    """Return where each variable stands, its name, and its value unless that is a problem."""
    if value.kind == "a mapping":
        return [
            (key, key.text, checks.value_or_expression(item, problems))
            for key, item in reading.entries(value, problems)
        ]
    if value.kind != "a list":
        problems.add(value, f"should be a list or a mapping, is {value.kind}", _MIXED)
        return []
    found: list[tuple[Value, str, str | None]] = []
    for item in value.items():
        found += _pairs(item, problems) if item.kind == "a mapping" else _secret(item, problems)
    return found


def _secret(item: Value, problems: Problems) -> list[tuple[Value, str, str | None]]:
    name = reading.text(item, problems, "DB_URL, the name of a secret", checks.ENV_NAME)
    if name is None:
        return []
    if "=" in name:
        key, _, text = name.partition("=")
        what = f"{name!r}: a name alone in this list is a secret"
        problems.add(item, what, f"write a value as a mapping: {{{key}: {text or chr(34) * 2}}}")
        return []
    if not checks.source_name(item, name, problems):
        return []
    return [(item, name, f"${{{{ secrets.{name} }}}}")]


def read_args(value: Value, problems: Problems) -> tuple[Variable, ...]:
    """Return build arguments; secrets are refused, because an image keeps its arguments."""
    if value.kind != "a mapping":
        hint = "such as {VERSION: '1.2'}"
        problems.add(value, f"should be a mapping, is {value.kind}", hint)
        return ()
    found = []
    for key, item in reading.entries(value, problems):
        text = checks.value_or_expression(item, problems)
        named = checks.env_name(key, key.text, problems)
        if text is not None and named and _may_be_seen(item, text, problems):
            found.append(Variable(key.text, text))
    return tuple(found)


def _may_be_seen(item: Value, text: str, problems: Problems) -> bool:
    if any(inside.strip().startswith("secrets.") for inside in checks.EXPRESSION.findall(text)):
        problems.add(
            item,
            "a secret cannot be a build argument: everyone who can pull the image can read it",
            "give it to the app when it runs, with `deploy: {run: {env: [NAME]}}`",
        )
    elif not text.replace("\t", " ").isprintable() or text != text.strip():
        hint = "put such a text into a file of the repository"
        problems.add(item, "a build argument is one line without blanks around it", hint)
    else:
        return True
    return False
