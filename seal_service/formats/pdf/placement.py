"""Where seals go: from any edge of a page, or across the edges of several pages (骑缝章)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seal_service.errors import InvalidPlacement
from seal_service.formats.pdf.pages import PDFPlacement

Size = tuple[float, float]
"""Width and height in millimetres, as seen."""


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
    page_mm: Size,
    page_number: int,
    *,
    size_mm: Size,
    horizontal: tuple[str, float],
    vertical: tuple[str, float],
) -> PDFPlacement:
    """Place a seal by its distance from ``left`` or ``right`` and from ``top`` or ``bottom``."""
    side, across = horizontal
    end, down = vertical
    if side not in ("left", "right") or end not in ("top", "bottom"):
        raise InvalidPlacement("no such edge", reason="edge")
    return PDFPlacement(
        page_number=page_number,
        x_mm=across if side == "left" else page_mm[0] - across - size_mm[0],
        y_mm=down if end == "top" else page_mm[1] - down - size_mm[1],
        width_mm=size_mm[0],
        height_mm=size_mm[1],
    )


def straddle_placements(
    pages_mm: Sequence[Size], options: StraddleOptions
) -> tuple[PDFPlacement, ...]:
    """Cut one seal into strips, one per page, so that the fanned edges show it whole.

    Long documents get several seals of about equal page counts; a seal always spans two pages or
    more. The first strip is for the signature's own field, the others are ``further_stamps``.
    Raises ``InvalidPlacement`` for a single page or strips that would be too narrow.
    """
    if len(pages_mm) < 2:
        raise InvalidPlacement("a straddle seal needs two pages", reason="too-few-pages")
    if options.edge not in ("left", "right") or options.pages_per_seal < 2:
        raise InvalidPlacement("no such straddle", reason="edge")
    placements: list[PDFPlacement] = []
    for first, count in _groups(len(pages_mm), options.pages_per_seal):
        strip = options.width_mm / count
        if strip < options.least_strip_mm:
            raise InvalidPlacement("strips too narrow", reason="strip-width")
        for index in range(count):
            page = first + index
            placements.append(_strip(pages_mm[page], page + 1, index, strip, options))
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
    page_mm: Size, page_number: int, index: int, strip: float, options: StraddleOptions
) -> PDFPlacement:
    """Place the whole seal so that exactly its strip lies on the page, and clip the rest."""
    width, height = options.width_mm, options.height_mm
    before = strip * index
    is_right = options.edge == "right"
    left = page_mm[0] - before - strip if is_right else before + strip - width
    return PDFPlacement(
        page_number=page_number,
        x_mm=left,
        y_mm=(page_mm[1] - height) / 2 if options.top_mm is None else options.top_mm,
        width_mm=width,
        height_mm=height,
        clip=(before if is_right else width - before - strip, 0.0, strip, height),
    )
