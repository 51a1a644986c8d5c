"""What differs between a file that was received and what it claims to be (pure).

Named values (OFD.xml and the attached licence data), visible lines of text, and pages. This shows
people where to look; whether a file is genuine is the judge's answer and never follows from here.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import zip_longest

from verifier.page_pictures.drawing import Box

DATA_ATTACHMENT = "licence.json"
MAX_DATA_BYTES = 256 * 1024
MAX_LINES = 400
"""Per page; matching lines takes time that grows with the square."""
MAX_DIFFERENCES = 200
LONGEST_VALUE = 500

ITEM_LABELS: Mapping[str, str] = {
    "CertificateIdentifier": "电子证照标识",
    "CertificateName": "证照名称",
    "CertificateTypeName": "证照类型名称",
    "CertificateTypeCode": "证照类型代码",
    "CertificateNumber": "证照编号",
    "CertificateVersion": "版本号",
    "CertificateIssuingAuthorityName": "颁发机构",
    "CertificateIssuingAuthorityCode": "颁发机构代码",
    "CertificateIssuedDate": "颁发日期",
    "CertificateAreaCode": "行政区划代码",
    "CertificateHolderName": "持证主体",
    "CertificateHolderCode": "持证主体代码",
    "CertificateHolderTypeName": "持证主体代码类型",
    "CertificateHolderTypeCode": "持证主体代码类型代码",
    "CertificateEffectiveDate": "有效期起始日期",
    "CertificateExpiringDate": "有效期截止日期",
    "CertificateLongTerm": "长期有效",
    "CertificateDefineAuthorityName": "证照定义机构",
    "CertificateDefineAuthorityCode": "证照定义机构代码",
    "RelatedItemName": "关联事项名称",
    "RelatedItemCode": "关联事项代码",
    "CreationTime": "制证时间",
    "LicenceDataDigest": "证照数据摘要",
}
"""GB/T 36903 items, and ours, as people call them."""


class Place(StrEnum):
    """Where a named value stands in a file."""

    INDEX = "index"
    """Named values of OFD.xml, keywords of a PDF."""
    DATA = "data"
    """GB/T 36903 record in the attached licence data."""
    FACE = "face"
    """Data of the face in the attached licence data."""


class Side(StrEnum):
    """With what a received file is compared."""

    LIBRARY = "library"
    """The file that the library holds."""
    SEALED_REVISION = "sealed-revision"
    """The state of the same PDF when it was signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDifference:
    """One named value that differs; None where it is absent."""

    place: Place
    item: str
    label: str
    ours: str | None
    theirs: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDifference:
    """One visible line of text that differs; None where there is no such line."""

    page: int
    ours: str | None
    theirs: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What one file says in words."""

    fields: Mapping[tuple[Place, str], str]
    pages: tuple[tuple[str, ...], ...]
    """Visible lines, page by page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordDifferences:
    """What differs in words."""

    fields: tuple[FieldDifference, ...]
    lines: tuple[LineDifference, ...]
    our_pages: int
    their_pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDifference:
    """One page that differs, with pictures (PNG) in which the changed areas are boxed."""

    number: int
    boxes_mm: tuple[Box, ...] = ()
    """x, y, width, height from the top-left corner; the same on both pictures."""
    ours: bytes | None = None
    """None where there is no such page, or no picture of it."""
    theirs: bytes | None = None
    note: str = ""
    """``page-added``, ``page-removed``, ``no-picture`` or empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything that differs."""

    side: Side
    words: WordDifferences | None = None
    """None where the words could not be read."""
    pages: tuple[PageDifference, ...] = ()
    compared_pages: int = 0
    is_complete: bool = True
    """Whether every page was compared."""


def compare_contents(
    ours: Contents, theirs: Contents, labels: Mapping[str, str]
) -> WordDifferences:
    """Compare two files in words; ``labels`` name the items of the face."""
    return WordDifferences(
        fields=tuple(_fields(ours.fields, theirs.fields, labels))[:MAX_DIFFERENCES],
        lines=tuple(_lines(ours.pages, theirs.pages))[:MAX_DIFFERENCES],
        our_pages=len(ours.pages),
        their_pages=len(theirs.pages),
    )


def _fields(
    ours: Mapping[tuple[Place, str], str],
    theirs: Mapping[tuple[Place, str], str],
    labels: Mapping[str, str],
) -> Iterator[FieldDifference]:
    for key in dict.fromkeys((*ours, *theirs)):
        here, there = ours.get(key), theirs.get(key)
        if here == there:
            continue
        place, item = key
        known = labels if place is Place.FACE else ITEM_LABELS
        yield FieldDifference(
            place=place,
            item=item[:LONGEST_VALUE],
            label=known.get(item, item)[:LONGEST_VALUE],
            ours=_short(here),
            theirs=_short(there),
        )


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"


def _lines(
    ours: Sequence[Sequence[str]], theirs: Sequence[Sequence[str]]
) -> Iterator[LineDifference]:
    for number, (here, there) in enumerate(zip_longest(ours, theirs, fillvalue=()), 1):
        for one, two in changed_lines(here[:MAX_LINES], there[:MAX_LINES]):
            yield LineDifference(page=number, ours=_short(one), theirs=_short(two))


def changed_lines(
    ours: Sequence[str], theirs: Sequence[str]
) -> Iterator[tuple[str | None, str | None]]:
    """Pair the lines that differ; a line without a counterpart stands beside None."""
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind != "equal":
            yield from zip_longest(ours[i:j], theirs[k:m])


def read_licence_data(data: bytes) -> dict[tuple[Place, str], str]:
    """Return the values of an attached licence record; nothing where it is none."""
    if len(data) > MAX_DATA_BYTES:
        return {}
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    found: dict[tuple[Place, str], str] = {}
    for name, place in (("metadata", Place.DATA), ("face_data", Place.FACE)):
        part = content.get(name)
        for item, value in part.items() if isinstance(part, dict) else ():
            found[place, str(item)] = value if isinstance(value, str) else json.dumps(value)
    return found
