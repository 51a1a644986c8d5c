"""JSON as strict as a sealed record deserves: one reading of every body, the same everywhere.

Refused here because common readers disagree about it or a database cannot hold it (T-API-14..17):
duplicate keys, NaN and Infinity, numbers out of range and negative zero, lone surrogates, NUL, a
byte order mark, any encoding but UTF-8, deep nesting, too many items. What a body may contain is
said by models derived from ``StrictModel``.
"""

import json
from math import isinf
from typing import NoReturn

from pydantic import BaseModel, ConfigDict

from seal_service.plumbing.errors import MalformedRequest

JSONValue = None | bool | int | float | str | list["JSONValue"] | dict[str, "JSONValue"]

DEEPEST = 32
MOST_ITEMS = 50_000
_LARGEST_INTEGER = 2**63 - 1


class StrictModel(BaseModel):
    """A wire type: no coercion between types, no unknown fields (T-API-16)."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def read_json(body: bytes) -> JSONValue:
    """Read a body; raises ``MalformedRequest`` whose ``reason`` names the rule it breaks."""
    # Counted first: every item but one of each container has a comma before it.
    if body.count(b",") > MOST_ITEMS:
        raise MalformedRequest("JSON 条目过多", reason="too-many-items")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedRequest("JSON 不是 UTF-8 编码", reason="encoding") from None
    if text.startswith("\ufeff"):
        raise MalformedRequest("JSON 不应带有 BOM", reason="byte-order-mark")
    try:
        value: JSONValue = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_number,
        )
    except RecursionError:
        raise MalformedRequest("JSON 嵌套过深", reason="too-deep") from None
    except json.JSONDecodeError:
        raise MalformedRequest("JSON 语法有误", reason="syntax") from None
    _check(value, DEEPEST)
    return value


def _object(pairs: list[tuple[str, JSONValue]]) -> dict[str, JSONValue]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise MalformedRequest("JSON 对象中有重复的键", reason="duplicate-key")
    return made


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedRequest("JSON 不允许 NaN 与 Infinity", reason="not-a-number")


def _integer(text: str) -> int:
    # The length is looked at first: reading a number of a million digits is slow.
    if len(text) > 20 or text == "-0" or abs(int(text)) > _LARGEST_INTEGER:
        raise MalformedRequest("JSON 整数超出范围", reason="number-range")
    return int(text)


def _number(text: str) -> float:
    number = float(text)
    if isinf(number) or (number == 0 and text.startswith("-")):
        raise MalformedRequest("JSON 数值超出范围", reason="number-range")
    return number


def _check(value: JSONValue, levels_left: int) -> None:
    """Check every text, and how deep containers are nested."""
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, list | dict):
        if levels_left == 0:
            raise MalformedRequest("JSON 嵌套过深", reason="too-deep")
        if isinstance(value, dict):
            for key in value:
                _check_text(key)
        for member in value.values() if isinstance(value, dict) else value:
            _check(member, levels_left - 1)


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise MalformedRequest("文字中含有空字符", reason="nul")
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise MalformedRequest("文字中含有不成对的代理字符", reason="surrogate") from None
