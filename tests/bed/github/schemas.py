"""GitHub's own descriptions of its APIs: OpenAPI for REST, SDL for GraphQL."""

from __future__ import annotations

import base64
import binascii
import copy
import functools
import gc
import json
import re
from typing import TYPE_CHECKING, Any, TypeVar, cast

import graphql
import referencing
from openapi_schema_validator import OAS30Validator

from bed.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
OPENAPI = "@octokit/openapi/generated/api.github.com.json"
GRAPHQL = "@octokit/graphql-schema/schema.graphql"
_METHODS = ("get", "put", "post", "patch", "delete")
_OID = re.compile(r"[0-9a-f]{40}")


class Rest:
    """The operations of the REST API, from the OpenAPI description."""

    def __init__(self, description: dict[str, Any]) -> None:
        self._all = description
        resource = referencing.Resource.from_contents(
            description, default_specification=referencing.jsonschema.DRAFT4
        )
        self._registry = referencing.Registry().with_resource("github", resource)

    def has(self, method: str, template: str) -> bool:
        """Return whether GitHub has the operation."""
        return method in _METHODS and method in self._all["paths"].get(template, {})

    def problems_of_query(self, method: str, template: str, query: dict[str, str]) -> list[str]:
        """Return where the query of a request violates GitHub's description."""
        known = {one["name"]: one for one in self._parameters(method, template)}
        problems = [f"query `{name}` is unknown" for name in query if name not in known]
        for name, text in query.items():
            if name in known:
                schema = known[name]["schema"]
                value = _typed(text, schema.get("type", ""))
                problems += [error.message for error in OAS30Validator(schema).iter_errors(value)]
        return problems

    def problems_of_request(self, method: str, template: str, body: Any) -> list[str]:
        """Return where the body of a request violates GitHub's description."""
        pointer = ("paths", template, method, "requestBody")
        if "requestBody" not in self._at(pointer[:-1]):
            return [] if body is None else ["a body where none is expected"]
        return self._problems(self._schema(pointer), body)

    def problems_of_response(self, method: str, template: str, status: int, body: Any) -> list[str]:
        """Return where a response violates GitHub's description.

        401 and similar statuses are not listed for every operation, or without what they hold. They
        are always `basic-error`.
        """
        pointer = ("paths", template, method, "responses", str(status))
        described = self._deref(self._at(pointer[:-1]).get(str(status)))
        if status < 400 and described is None:
            return [f"{status} is no answer of this operation"]
        if described and "content" in described:
            return self._problems(self._schema(pointer), body)
        if status < 400:
            return [] if body is None else [f"{status} has no body"]
        return self._problems(("components", "schemas", "basic-error"), body)

    def example(self, method: str, template: str, status: int) -> Any:
        """Return a copy of the first example of a response in the description."""
        response = self._at(("paths", template, method, "responses", str(status)))
        found = next(iter(response["content"]["application/json"]["examples"].values()))
        return copy.deepcopy(self._deref(found)["value"])

    def _parameters(self, method: str, template: str) -> list[dict[str, Any]]:
        listed = self._at(("paths", template, method)).get("parameters", ())
        return [one for each in listed if (one := self._deref(each))["in"] == "query"]

    def _schema(self, pointer: tuple[str, ...]) -> tuple[str, ...]:
        """Return the place of the JSON schema of a body. It follows one reference."""
        found = self._at(pointer)
        if "$ref" in found:
            pointer = tuple(found["$ref"].removeprefix("#/").split("/"))
        return (*pointer, "content", "application/json", "schema")

    def _problems(self, pointer: tuple[str, ...], value: Any) -> list[str]:
        path = "/".join(part.replace("~", "~0").replace("/", "~1") for part in pointer)
        path = path.replace("{", "%7B").replace("}", "%7D")
        validator = OAS30Validator({"$ref": f"github#/{path}"}, registry=self._registry)
        return [
            f"{'/'.join(map(str, error.absolute_path)) or 'body'}: {error.message[:200]}"
            for error in validator.iter_errors(value)
        ]

    def _at(self, pointer: tuple[str, ...]) -> Any:
        return functools.reduce(lambda found, part: self._deref(found)[part], pointer, self._all)

    def _deref(self, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("$ref"), str):
            return self._at(tuple(value["$ref"].removeprefix("#/").split("/")))
        return value


def _typed(text: str, kind: str) -> Any:
    """Return a value of a query as JSON has it."""
    if kind == "integer" and text.isdigit():
        return int(text)
    return text == "true" if kind == "boolean" and text in ("true", "false") else text


@functools.cache
def rest(modules: Path) -> Rest:
    """Return the REST description from a folder `node_modules`."""
    return _kept(Rest(json.loads(_read(modules, OPENAPI))))


@functools.cache
def graph(modules: Path) -> graphql.GraphQLSchema:
    """Return the GraphQL schema, with scalars that are as strict as GitHub's."""
    schema = graphql.build_schema(_read(modules, GRAPHQL), assume_valid=True)
    for name, check in (("GitObjectID", _object_id), ("Base64String", _base64)):
        scalar = cast("graphql.GraphQLScalarType", schema.type_map[name])
        scalar.parse_value = check  # type: ignore[method-assign]
    return _kept(schema)


def _kept(found: T) -> T:
    """Take what stays until the end out of the objects that `gc.collect()` looks at.

    They are a million, and it is called after each test.
    """
    gc.freeze()
    return found


def _object_id(value: Any) -> str:
    if not isinstance(value, str) or not _OID.fullmatch(value):
        raise graphql.GraphQLError(f"{value!r} is not a valid GitObjectID")
    return value


def _base64(value: Any) -> str:
    try:
        base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise graphql.GraphQLError("A value is not valid base64") from None
    return f"{value}"


def _read(modules: Path, name: str) -> str:
    try:
        return (modules / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        package = "/".join(name.split("/")[:2])
        raise Unavailable(f"the npm package {package} is not in {modules}") from None
