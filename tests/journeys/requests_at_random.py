"""Requests made at random from the OpenAPI document: valid ones, and such with something bent.

``Generator`` is repeatable: the same seed gives the same requests.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote, urlencode

from tests.journeys.operations import DOCUMENT_TYPE, Operation, Schema, example

JSONValue = object
NASTY_TEXTS = (
    "",
    " ",
    "\t\r\n",
    "a\u0301",
    "‮gnp.exe",
    "​​",
    "\ue000\U0010ffff",
    "𠮷𱁬",
    "ᠮᠣᠩᠭᠣᠯ·阿依古丽",
    "' OR 1=1 --",
    "%00%0d%0a",
    "../../../../etc/passwd",
    "{{7*7}}${7*7}#{7*7}",
    "<script>alert(1)</script>",
    "null",
    "2026-02-30",
    "9999-12-31T23:59:60Z",
    "0001-01-01T00:00:00+23:59",
    "-1",
    "1e400",
    "x" * 5000,
)
NASTY_VALUES: tuple[JSONValue, ...] = (
    *NASTY_TEXTS,
    None,
    True,
    0,
    -1,
    1.5,
    2**31,
    2**63 - 1,
    1e308,
    [],
    {},
    [[[[]]]],
    {"": {}},
)
NASTY_BODIES = (
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"{",
    b'{"a":1,"a":2}',
    b'{"a":NaN}',
    b'{"a":-0}',
    b'{"a":9223372036854775808}',
    b'{"a":1e400}',
    b'{"a":"\\u0000"}',
    b'{"a":"\\ud800"}',
    b'{"a":"\xff"}',
    b"\xef\xbb\xbf{}",
    '{"a":1}'.encode("utf-16"),
    b"[" * 100_000,
    b"[" + b"1," * 60_000 + b"1]",
)
NASTY_DOCUMENTS = (
    b"",
    b"%PDF-1.7\n%%EOF",
    b"%PDF-1.7\n1 0 obj\n<</Type/Catalog>>\nendobj\ntrailer<</Root 1 0 R>>startxref\n9\n%%EOF",
    b"PK\x05\x06" + b"\x00" * 18,
    b"PK\x03\x04" + b"\xff" * 200,
    b"0\x82\xff\xff" + b"\x00" * 40,
    b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
)
CONTENT_TYPES = (
    "text/plain",
    "application/xml",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "application/json; charset=utf-16",
    "application/pdf",
    "",
)


@dataclass
class Sent:
    """A request as it will be sent; the path holds its query."""

    method: str
    path: str
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    is_plain: bool = False
    """Whether the path is that of the operation, so that its answers must be documented ones."""


class Generator:
    """Makes requests for operations, about the objects named by the values of path parameters."""

    def __init__(self, seed: str, values: Mapping[str, str]) -> None:
        self._random = Random(seed)  # noqa: S311 - repeatable on purpose
        self._values = values

    def make(self, operation: Operation) -> Sent:
        """Make a request: one in four as the document says, the others with one or two faults."""
        sent = self._valid(operation)
        for _ in range(self._random.choice((0, 1, 1, 2))):
            self._random.choice(
                (
                    self._bend_body,
                    self._bend_body,
                    self._bend_query,
                    self._bend_path,
                    self._bend_head,
                )
            )(operation, sent)
        return sent

    def _valid(self, operation: Operation) -> Sent:
        headers = {"Idempotency-Key": f"key-{self._random.getrandbits(64):x}"}
        content = b""
        if operation.takes_document:
            headers["Content-Type"] = DOCUMENT_TYPE
            content = self._random.choice(NASTY_DOCUMENTS)
        elif operation.body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(self._value(operation.body)).encode()
        query = {
            name: str(self._value(schema))
            for place, name, schema in operation.parameters
            if place == "query" and self._random.random() < 0.3
        }
        return Sent(
            method=operation.method,
            path=operation.fill(self._values) + _query(query),
            content=content,
            headers=headers,
            is_plain=True,
        )

    def _value(self, schema: Schema) -> JSONValue:
        """Make a value that follows a schema, where an example alone would always be the same."""
        choices = schema.get("enum")
        if isinstance(choices, list):
            return self._random.choice(choices)
        variants = schema.get("anyOf")
        if isinstance(variants, list) and self._random.random() < 0.5:
            return self._value({**self._random.choice(variants)})
        properties = schema.get("properties")
        if isinstance(properties, Mapping):
            required = schema.get("required", [])
            assert isinstance(required, list)
            return {
                name: self._value(each)
                for name, each in properties.items()
                if name in required or self._random.random() < 0.7
            }
        low, high = schema.get("minimum"), schema.get("maximum")
        if isinstance(low, int) and isinstance(high, int) and schema.get("type") == "integer":
            return self._random.randint(low, high)
        return example(schema)

    def _bend_body(self, operation: Operation, sent: Sent) -> None:
        if operation.body is None or self._random.random() < 0.25:
            sent.content = self._random.choice(NASTY_BODIES)
            return
        try:
            value = json.loads(sent.content)
        except ValueError:
            return
        sent.content = json.dumps(self._bent(value)).encode()

    def _bent(self, value: JSONValue) -> JSONValue:
        """Change one member, at any depth: another value, one more, one less."""
        if not isinstance(value, dict) or not value:
            return self._random.choice(NASTY_VALUES)
        name = self._random.choice(sorted(value))
        match self._random.randrange(4):
            case 0:
                return {key: each for key, each in value.items() if key != name}
            case 1:
                return {**value, self._random.choice(NASTY_TEXTS): 1}
            case _:
                return {**value, name: self._bent(value[name])}

    def _bend_query(self, operation: Operation, sent: Sent) -> None:
        names = [name for place, name, _ in operation.parameters if place == "query"]
        name = self._random.choice([*names, "unknown", ""])
        query = urlencode({name: self._random.choice(NASTY_TEXTS)})
        sent.path += ("&" if "?" in sent.path else "?") + query

    def _bend_path(self, operation: Operation, sent: Sent) -> None:
        if not operation.path_names:
            return
        name = self._random.choice(sorted(operation.path_names))
        bent = self._random.choice(NASTY_TEXTS)
        _, mark, query = sent.path.partition("?")
        sent.path = operation.fill({**self._values, name: bent}) + mark + query
        sent.is_plain = False

    def _bend_head(self, operation: Operation, sent: Sent) -> None:
        match self._random.randrange(3):
            case 0:
                sent.headers["Content-Type"] = self._random.choice(CONTENT_TYPES)
            case 1:
                sent.headers.pop("Idempotency-Key", None)
            case _:
                sent.headers["Idempotency-Key"] = self._random.choice(
                    ("short", "x" * 129, "with blank inside", quote("键" * 8))
                )


def _query(values: Mapping[str, str]) -> str:
    return f"?{urlencode(values)}" if values else ""
