"""Distinguished names for people, and the organisation code in them. Pure.

Reading never fails on text: an IA5String full of UTF-8 is read as what it is. What could mislead
the eye (control, bidirectional, invisible characters) is spelt out (T-PKI-11). Decisions rest on
the organisation code and on original bytes, never on what is displayed.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from keys import der

MAX_VALUE_CHARACTERS = 256
"""Longer values are cut for display."""

_LABELS = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "street",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.42": "GN",
    "2.5.4.97": "organizationIdentifier",
    "1.2.840.113549.1.9.1": "emailAddress",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
}
_USCC = re.compile(r"(?:[A-Z]{3}CN-)?([0-9A-HJ-NPQRTUWXY]{18})")
"""A unified social credit code (GB 32100), plain or as ETSI EN 319 412-1, 5.1.4 writes it."""
_MISLEADING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A distinguished name, ready to be shown."""

    display: str
    common_name: str
    organisation: str
    organisation_code: str | None
    is_odd: bool
    """Some value is not in the encoding that its type promises."""


@lru_cache(maxsize=1024)
def parse_name(name_der: bytes) -> Name:
    """Read a Name (RFC 5280, 4.1.2.4); raise ``MalformedCertificate`` where it is none."""
    values: list[tuple[str, str]] = []
    is_odd = False
    for relative in der.read_sequence(der.read_der(name_der)):
        for pair in der.expect(relative, der.SET).children():
            kind, value = der.read_sequence(pair, at_least=2, at_most=2)
            text, is_clean = _decode(value)
            is_odd = is_odd or not is_clean
            values.append((der.read_oid(kind), text))
    return Name(
        display=", ".join(f"{_LABELS.get(oid, oid)}={_escape(text)}" for oid, text in values),
        common_name=_escape(_last(values, "2.5.4.3")),
        organisation=_escape(_last(values, "2.5.4.10")),
        organisation_code=_organisation_code(values),
        is_odd=is_odd,
    )


def _decode(value: der.Node) -> tuple[str, bool]:
    """Return the text of a string element and whether it keeps to its type."""
    content = value.content
    if value.tag == der.BMP_STRING:
        return content.decode("utf-16-be", "replace"), len(content) % 2 == 0
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1"), False
    return text, value.tag == der.UTF8_STRING or text.isascii()


def _escape(text: str) -> str:
    """Spell out what is invisible or turns the reading direction; cut what is very long."""
    if len(text) > MAX_VALUE_CHARACTERS:
        text = text[:MAX_VALUE_CHARACTERS] + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"\\u{ord(letter):04x}" if unicodedata.category(letter) in _MISLEADING else letter
        for letter in text
    )


def _last(values: list[tuple[str, str]], oid: str) -> str:
    """Return the most specific value of a kind; names go from the general to the specific."""
    return next((text for kind, text in reversed(values) if kind == oid), "")


def _organisation_code(values: list[tuple[str, str]]) -> str | None:
    """Return the unified social credit code.

    organizationIdentifier decides alone where it stands; else a unit or serial number in that form.
    Two different codes are none: nobody may choose.
    """
    for kinds in (("2.5.4.97",), ("2.5.4.11", "2.5.4.5")):
        texts = [text for kind, text in values if kind in kinds]
        codes = {match[1] for text in texts if (match := _USCC.fullmatch(text.strip()))}
        if codes or (texts and kinds == ("2.5.4.97",)):
            return codes.pop() if len(codes) == 1 else None
    return None
