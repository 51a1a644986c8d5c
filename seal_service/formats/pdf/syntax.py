"""The syntax of PDF objects: read values from bytes, spell values as bytes.

ISO 32000-1, 7.2 and 7.3. Reading is strict where readers disagree with each other: a key that
stands twice, a number in no known form, a string without its end are refused, not mended. Names
and keys are text without the slash, strings are bytes, null is None.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from seal_service.errors import LimitExceeded, MalformedDocument

MAX_DEPTH = 64
MAX_INTEGER_DIGITS = 18

_SPACE = rb"\x00\t\n\x0c\r "
_REGULAR = rb"[^\x00\t\n\x0c\r ()<>\[\]{}/%]"
_SKIP = rb"(?:[" + _SPACE + rb"]++|%[^\r\n]*+)*+"
_TOKEN = re.compile(
    _SKIP
    + rb"(?:(/"
    + _REGULAR
    + rb"*+)|(([0-9]{1,10}+)["
    + _SPACE
    + rb"]++([0-9]{1,5}+)["
    + _SPACE
    + rb"]++R(?!"
    + _REGULAR
    + rb"))|([+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?!"
    + _REGULAR
    + rb"))|(<<|>>|[\[\](<])|([a-zA-Z]++(?!"
    + _REGULAR
    + rb")))"
)
_NAME, _REF, _REF_NUMBER, _REF_GENERATION, _NUMBER, _MARK, _WORD = range(1, 8)
_STRING_PART = re.compile(rb"[^()\\]*+")
_SPACES = re.compile(_SKIP)
_ESCAPED_NAME = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM_START = re.compile(rb"stream(?:\r\n|\n)")
_WORDS = {b"true": True, b"false": False, b"null": None}
_ESCAPES = {0x6E: 10, 0x72: 13, 0x74: 9, 0x62: 8, 0x66: 12}
_OCTAL = re.compile(rb"[0-7]{1,3}")


class Name(str):
    """A name object; its text has no slash and no escapes."""

    __slots__ = ()


class Ref(NamedTuple):
    """An indirect reference."""

    number: int
    generation: int


class Dictionary(dict[str, "Value"]):
    """A dictionary that knows where in the source each of its values stands."""

    __slots__ = ("spans",)

    def __init__(self, values: Mapping[str, "Value"] | None = None) -> None:
        super().__init__(values or {})
        self.spans: dict[str, tuple[int, int]] = {}


class Stream(NamedTuple):
    """A stream: its dictionary and where its bytes begin."""

    dictionary: Dictionary
    start: int


Value: TypeAlias = (
    "bool | int | float | Name | bytes | Ref | Sequence[Value] | Dictionary | Stream | None"
)


class Parser:
    """Reads values one after another from ``data``, beginning at ``at``."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def value(self, depth: int = 0) -> Value:
        """Read one value. Raises ``MalformedDocument`` or ``LimitExceeded``."""
        token = _TOKEN.match(self.data, self.at)
        if token is None:
            self.skip_spaces()
            raise self._malformed("token")
        self.at = token.end()
        kind = token.lastindex
        if kind == _NAME:
            return _read_name(token[_NAME])
        if kind == _NUMBER:
            return self._number(token[_NUMBER])
        if kind == _REF:
            return Ref(int(token[_REF_NUMBER]), int(token[_REF_GENERATION]))
        if kind == _MARK:
            return self._marked(token[_MARK], depth)
        try:
            return _WORDS[token[_WORD]]
        except KeyError:
            raise self._malformed("keyword") from None

    def skip_spaces(self) -> int:
        """Go to the next token; return its place."""
        found = _SPACES.match(self.data, self.at)
        self.at = found.end() if found else self.at
        return self.at

    def take(self, word: bytes) -> bool:
        """Go past ``word`` if it comes next."""
        if self.data.startswith(word, self.skip_spaces()):
            self.at += len(word)
            return True
        return False

    def stream_start(self) -> int | None:
        """Return where the bytes of a stream begin, if one begins here."""
        found = _STREAM_START.match(self.data, self.skip_spaces())
        return found.end() if found else None

    def _number(self, text: bytes) -> int | float:
        if b"." in text:
            return float(text)
        if len(text) > MAX_INTEGER_DIGITS:
            raise self._malformed("number")
        return int(text)

    def _marked(self, mark: bytes, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise LimitExceeded("objects nest too deep", reason="limit", limit="pdf_depth")
        if mark == b"<<":
            return self._dictionary(depth + 1)
        if mark == b"[":
            return self._array(depth + 1)
        if mark == b"(":
            return self._literal()
        if mark == b"<":
            return self._hexadecimal()
        raise self._malformed("token")

    def _dictionary(self, depth: int) -> Dictionary:
        found = Dictionary()
        data = self.data
        while True:
            token = _TOKEN.match(data, self.at)
            if token is None:
                raise self._malformed("dictionary")
            self.at = token.end()
            if token.lastindex != _NAME:
                if token[_MARK] == b">>":
                    return found
                raise self._malformed("dictionary")
            key = _read_name(token[_NAME])
            if key in found:
                raise self._malformed("duplicate-key")
            start = self.skip_spaces()
            found[key] = self.value(depth)
            found.spans[key] = (start, self.at)

    def _array(self, depth: int) -> list[Value]:
        found: list[Value] = []
        while True:
            token = _TOKEN.match(self.data, self.at)
            if token is not None and token[_MARK] == b"]":
                self.at = token.end()
                return found
            found.append(self.value(depth))

    def _literal(self) -> bytes:
        """Read a literal string behind its opening parenthesis (7.3.4.2)."""
        data, parts, depth = self.data, bytearray(), 1
        while True:
            part = _STRING_PART.match(data, self.at)
            end = part.end() if part else self.at
            parts += data[self.at : end]
            if end >= len(data):
                raise self._malformed("string")
            self.at = end + 1
            byte = data[end]
            if byte == 0x5C:
                self._escape(parts)
                continue
            depth += 1 if byte == 0x28 else -1
            if depth == 0:
                return bytes(parts)
            parts.append(byte)

    def _escape(self, parts: bytearray) -> None:
        """Read what follows a backslash."""
        octal = _OCTAL.match(self.data, self.at)
        if octal:
            parts.append(int(octal[0], 8) & 0xFF)
            self.at = octal.end()
            return
        following = self.data[self.at : self.at + 2]
        if following == b"\r\n":
            self.at += 2
        elif following:
            self.at += 1
            if following[0] not in (10, 13):
                parts.append(_ESCAPES.get(following[0], following[0]))

    def _hexadecimal(self) -> bytes:
        start, end = self.at, self.data.find(b">", self.at)
        self.at = end + 1 if end >= 0 else len(self.data)
        try:
            digits = self.data[start : self.at - 1].decode("ascii")
            if not digits.isalnum():
                digits = "".join(digits.split())
            found = bytes.fromhex(digits + "0" * (len(digits) % 2))
        except ValueError:
            raise self._malformed("string") from None
        if end < 0:
            raise self._malformed("string")
        return found

    def _malformed(self, reason: str) -> MalformedDocument:
        return MalformedDocument(f"not PDF syntax at {self.at}", reason=reason, offset=self.at)


def _read_name(token: bytes) -> Name:
    text = token[1:]
    if b"#" in text:
        text = _ESCAPED_NAME.sub(lambda found: bytes((int(found[1], 16),)), text)
    return Name(text.decode("latin-1"))


# Spelling

_IRREGULAR = re.compile(rb"[^!-~]|[()<>\[\]{}/%#]")
_TO_ESCAPE = re.compile(rb"[()\\\r\n]")
_STRING_ESCAPES = {b"\r": b"\\r", b"\n": b"\\n"}


def spell(value: Value) -> bytes:
    """Spell a value, without needless spaces."""
    if isinstance(value, Name):
        return _spell_name(value)
    if isinstance(value, Ref):
        return b"%d %d R" % value
    if isinstance(value, bytes):
        return _spell_string(value)
    if isinstance(value, dict):
        return b"<<" + b"".join(_spell_entry(key, item) for key, item in value.items()) + b">>"
    if isinstance(value, Sequence) and not isinstance(value, Stream | str):
        return b"[" + b" ".join(map(spell, value)) + b"]"
    return _spell_plain(value)


def _spell_plain(value: Value) -> bytes:
    if value is None:
        return b"null"
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, float):
        return f"{value:.8f}".rstrip("0").rstrip(".").encode()
    raise MalformedDocument("a stream stands where only a value may", reason="stream")


def text_string(text: str) -> bytes:
    """Encode text for people: ASCII as it is, anything else as UTF-16 with its mark (7.9.2.2)."""
    return text.encode() if text.isascii() else b"\xfe\xff" + text.encode("utf-16-be")


def _spell_entry(key: str, value: Value) -> bytes:
    spelt = spell(value)
    separate = b"" if spelt[:1] in b"/(<[" else b" "
    return _spell_name(key) + separate + spelt


def _spell_name(name: str) -> bytes:
    raw = name.encode("latin-1")
    return b"/" + _IRREGULAR.sub(lambda found: b"#%02X" % found[0][0], raw)


def _spell_string(value: bytes) -> bytes:
    escaped = _TO_ESCAPE.sub(lambda found: _STRING_ESCAPES.get(found[0], b"\\" + found[0]), value)
    return b"(" + escaped + b")"
