"""The operations of the API, read from its own OpenAPI document, and valid requests for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from eseal.main import Service, build_api

Schema = Mapping[str, object]
DOCUMENT_TYPE = "application/octet-stream"
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation; ``body`` is the schema of its JSON body, every reference put in place."""

    name: str
    method: str
    path: str
    parameters: tuple[tuple[str, str, Schema], ...]
    """Where it stands (path, query, header), its name and its schema."""
    body: Schema | None
    takes_document: bool
    statuses: frozenset[int]

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the path with its parameters in place."""
        path = self.path
        for place, name, schema in self.parameters:
            if place == "path":
                value = values.get(name) or str(example(schema))
                path = path.replace(f"{{{name}}}", quote(value, safe=""))
        return path

    @property
    def path_names(self) -> frozenset[str]:
        """Name the parameters of the path."""
        return frozenset(name for place, name, _ in self.parameters if place == "path")


def read_operations(service: Service) -> tuple[Operation, ...]:
    """Read every operation of the document."""
    document = build_api(service).openapi()
    return tuple(
        _operation(document, path, method, item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    )


def _operation(
    document: Mapping[str, object], path: str, method: str, described: dict[str, object]
) -> Operation:
    resolved = _resolve(document, described)
    assert isinstance(resolved, dict)
    content = resolved.get("requestBody", {}).get("content", {})
    return Operation(
        name=resolved["operationId"],
        method=method.upper(),
        path=path,
        parameters=tuple(
            (each["in"], each["name"], each["schema"]) for each in resolved.get("parameters", [])
        ),
        body=content.get("application/json", {}).get("schema"),
        takes_document=DOCUMENT_TYPE in content,
        statuses=frozenset(map(int, resolved["responses"])),
    )


def _resolve(document: Mapping[str, object], value: object) -> object:
    """Put in place what ``$ref`` points to; the document's schemas are not recursive."""
    if isinstance(value, list):
        return [_resolve(document, each) for each in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        found: object = document
        for step in str(value["$ref"]).removeprefix("#/").split("/"):
            assert isinstance(found, Mapping)
            found = found[step]
        rest = {key: each for key, each in value.items() if key != "$ref"}
        resolved = _resolve(document, found)
        assert isinstance(resolved, dict)
        return {**resolved, **rest}
    return {key: _resolve(document, each) for key, each in value.items()}


def example(schema: Schema) -> object:
    """Make a valid value from the examples that every field of ours has."""
    examples = schema.get("examples")
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        return {name: example(each) for name, each in properties.items()}
    if isinstance(examples, list) and examples:
        return examples[0]
    choices = schema.get("enum")
    if isinstance(choices, list):
        return choices[0]
    return schema.get("default")
