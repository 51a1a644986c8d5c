"""Where seals go: from any edge, on a text, across the edges of several pages (骑缝章)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seal_service.errors import InvalidPlacement
from seal_service.formats.ofd.model import OFDPage
from seal_service.formats.ofd.sealing import StampPlacement
from seal_service.formats.ofd.text import TextPosition


@dataclass(frozen=True, slots=True, kw_only=True)
class StraddleOptions:
    """How a seal is cut into strips along the outer edge of the pages."""

    width_mm: float
    height_mm: float
    top_mm: float | None = None
    """Upper edge of the seal; None centres it on the page."""
    edge: str = "right"
    """``right`` or ``left``."""
    pages_per_seal: int = 20
    least_strip_mm: float = 1.0


def place_from_edges(
    page: OFDPage,
    page_number: int,
    *,
    size_mm: tuple[float, float],
    horizontal: tuple[str, float],
    vertical: tuple[str, float],
) -> StampPlacement:
    """Place a seal by its distance from ``left`` or ``right`` and from ``top`` or ``bottom``."""
    width, height = size_mm
    side, across = horizontal
    end, down = vertical
    if side not in ("left", "right") or end not in ("top", "bottom"):
        raise InvalidPlacement("no such edge", reason="edge")
    return StampPlacement(
        page_number=page_number,
        x_mm=across if side == "left" else page.width_mm - across - width,
        y_mm=down if end == "top" else page.height_mm - down - height,
        width_mm=width,
        height_mm=height,
    )


def place_on_text(
    position: TextPosition,
    *,
    width_mm: float,
    height_mm: float,
    offset_mm: tuple[float, float] = (0.0, 0.0),
) -> StampPlacement:
    """Centre a seal on a text that was found, moved right and down by ``offset_mm``."""
    across, down = offset_mm
    return StampPlacement(
        page_number=position.page_number,
        x_mm=position.x_mm + position.width_mm / 2 - width_mm / 2 + across,
        y_mm=position.y_mm + position.height_mm / 2 - height_mm / 2 + down,
        width_mm=width_mm,
        height_mm=height_mm,
    )


def straddle_placements(
    pages: Sequence[OFDPage], options: StraddleOptions
) -> tuple[StampPlacement, ...]:
    """Cut one seal into strips, one per page, so that the fanned edges show it whole.

    Long documents get several seals of about equal page counts; a seal always spans two pages or
    more. Raises ``InvalidPlacement`` for a single page or strips that would be too narrow.
    """
    if len(pages) < 2:
        raise InvalidPlacement("a straddle seal needs two pages", reason="too-few-pages")
    if options.edge not in ("left", "right") or options.pages_per_seal < 2:
        raise InvalidPlacement("no such straddle", reason="edge")
    placements: list[StampPlacement] = []
    for first, count in _groups(len(pages), options.pages_per_seal):
        strip = options.width_mm / count
        if strip < options.least_strip_mm:
            raise InvalidPlacement("strips too narrow", reason="strip-width")
        for index in range(count):
            page = pages[first + index]
            placements.append(_strip(page, first + index + 1, index, strip, options))
    return tuple(placements)


def _groups(total: int, most: int) -> Iterator[tuple[int, int]]:
    """Yield start and count of groups as equal as can be, none of a single page."""
    number = min(-(-total // most), total // 2)
    start = 0
    for group in range(number):
        count = total // number + (1 if group < total % number else 0)
        yield start, count
        start += count


def _strip(
    page: OFDPage, page_number: int, index: int, strip: float, options: StraddleOptions
) -> StampPlacement:
    """Place the whole seal so that exactly its strip lies on the page, and clip the rest."""
    top = options.top_mm
    before = strip * index
    right = page.width_mm - before - strip
    return StampPlacement(
        page_number=page_number,
        x_mm=right if options.edge == "right" else before + strip - options.width_mm,
        y_mm=(page.height_mm - options.height_mm) / 2 if top is None else top,
        width_mm=options.width_mm,
        height_mm=options.height_mm,
        clip=(
            before if options.edge == "right" else options.width_mm - before - strip,
            0.0,
            strip,
            options.height_mm,
        ),
    )
