"""Where somebody wants a seal on any document, and the places that come of it (pure).

A wish is read against the pages of one document: what is not there (a page, a keyword, a hit) is
refused by name instead of being put somewhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from seal_service.errors import InvalidPlacement
from seal_service.formats.placement import (
    Corner,
    Placement,
    Size,
    StraddleOptions,
    TextPosition,
    choose_pages,
    place_at,
    place_on_text,
    straddle_placements,
)

MOST_PLACES = 1_000


class SealMode(StrEnum):
    """What may follow a seal."""

    CONTINUE = "continue"
    """Further seals (继续模式): OFD without the signature list, PDF as an approval signature."""
    LOCK = "lock"
    """Nothing (整体保护): OFD with the signature list, PDF certified against every change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtPoint:
    """The centre of the seal, in millimetres from both edges that meet in a corner."""

    x_mm: float
    y_mm: float
    corner: Corner = Corner.TOP_LEFT
    pages: str = "1"
    """As ``choose_pages`` reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnText:
    """Centred on a keyword, moved right and down by ``offset_mm``, kept on the page."""

    keyword: str
    hit: int | None = 1
    """Which hit, from 1; None for every one."""
    from_end: bool = False
    """Count hits from the last one backwards."""
    offset_mm: Size = (0.0, 0.0)
    pages: str = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Straddling:
    """Over the outer edges of several pages (骑缝章)."""

    edge: str = "right"
    top_mm: float | None = None
    """Upper edge of the seal; None centres it on each page."""
    pages: str = "all"
    pages_per_seal: int = 20
    least_strip_mm: float = 1.0
    least_end_mm: float = 0.0
    """On the first and last page of a seal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InField:
    """In an empty signature field that a PDF has."""

    name: str


Wish = AtPoint | OnText | Straddling | InField


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedSpot:
    """An empty signature field to leave in a PDF for a later seal of the same size."""

    name: str
    spot: AtPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLayout:
    """Where one seal goes on a document, and what may follow it."""

    wishes: tuple[Wish, ...]
    """The first place of the first wish is the seal's own; the others show it again."""
    mode: SealMode
    reserved: tuple[ReservedSpot, ...] = ()
    """PDF only: a signed PDF takes further seals in no other place."""


class Sheets(Protocol):
    """The pages of a document, whatever its format."""

    @property
    def pages_mm(self) -> Sequence[Size]:
        """Width and height of each page as seen."""
        ...

    def find_text(self, keyword: str) -> Sequence[TextPosition]:
        """Return every place of a keyword, in reading order."""
        ...


def lay_out(wishes: Sequence[Wish], size_mm: Size, sheets: Sheets) -> tuple[Placement, ...]:
    """Return the places of a seal of that size.

    Raises ``InvalidPlacement``: reason ``no-place``, ``pages``, ``page-unknown``,
    ``keyword-missing``, ``keyword-hit``, ``strip-width``, ``too-many``, ...
    """
    found: list[Placement] = []
    for wish in wishes:
        found += _places(wish, size_mm, sheets)
        if len(found) > MOST_PLACES:
            raise InvalidPlacement("too many places", reason="too-many")
    if not found:
        raise InvalidPlacement("a seal needs a place", reason="no-place")
    return tuple(found)


def _places(wish: Wish, size_mm: Size, sheets: Sheets) -> Sequence[Placement]:
    if isinstance(wish, AtPoint):
        return _at_point(wish, size_mm, sheets.pages_mm)
    if isinstance(wish, OnText):
        return _on_text(wish, size_mm, sheets)
    if isinstance(wish, Straddling):
        return _straddling(wish, size_mm, sheets.pages_mm)
    raise InvalidPlacement("only an empty field of a PDF can be filled", reason="field-unknown")


def _at_point(wish: AtPoint, size_mm: Size, pages_mm: Sequence[Size]) -> list[Placement]:
    return [
        place_at(
            pages_mm[number - 1],
            number,
            size_mm=size_mm,
            centre_mm=(wish.x_mm, wish.y_mm),
            corner=wish.corner,
        )
        for number in choose_pages(wish.pages, len(pages_mm))
    ]


def _on_text(wish: OnText, size_mm: Size, sheets: Sheets) -> list[Placement]:
    chosen = set(choose_pages(wish.pages, len(sheets.pages_mm)))
    hits = [spot for spot in sheets.find_text(wish.keyword) if spot.page_number in chosen]
    if not hits:
        raise InvalidPlacement("the keyword is not there", reason="keyword-missing")
    if wish.from_end:
        hits.reverse()
    if wish.hit is not None:
        if not 1 <= wish.hit <= len(hits):
            raise InvalidPlacement("no such hit", reason="keyword-hit", hits=len(hits))
        hits = [hits[wish.hit - 1]]
    return [
        place_on_text(
            spot,
            sheets.pages_mm[spot.page_number - 1],
            size_mm=size_mm,
            offset_mm=wish.offset_mm,
        )
        for spot in hits
    ]


def _straddling(wish: Straddling, size_mm: Size, pages_mm: Sequence[Size]) -> tuple[Placement, ...]:
    options = StraddleOptions(
        width_mm=size_mm[0],
        height_mm=size_mm[1],
        top_mm=wish.top_mm,
        edge=wish.edge,
        pages_per_seal=wish.pages_per_seal,
        least_strip_mm=wish.least_strip_mm,
        least_end_mm=wish.least_end_mm,
    )
    return straddle_placements(pages_mm, options, choose_pages(wish.pages, len(pages_mm)))
