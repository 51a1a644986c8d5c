"""Where a seal goes on the pages of a document, whatever its format.

Everything is in millimetres from the top left corner of a page as it is seen; pages count from 1. A
seal keeps its physical size. Ways to say where: the centre from any corner, on a text that was
found, or cut into strips along the outer edge of several pages (骑缝章).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from seal_service.errors import InvalidPlacement

Size = tuple[float, float]
"""Width and height."""
Box = tuple[float, float, float, float]
"""x, y, width and height."""

_PAGE_RANGE = re.compile(r"(last|[0-9]{1,5})(?:-(last|[0-9]{1,5}))?")


class Corner(StrEnum):
    """The corner of the page that distances count from."""

    TOP_LEFT = "top-left"
    TOP_RIGHT = "top-right"
    BOTTOM_LEFT = "bottom-left"
    BOTTOM_RIGHT = "bottom-right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One picture of a seal on one page."""

    page_number: int
    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float
    clip: Box | None = None
    """Visible part, relative to the placement."""

    @property
    def seen_mm(self) -> Box:
        """Return x, y, width and height of what will be seen."""
        if self.clip is None:
            return self.x_mm, self.y_mm, self.width_mm, self.height_mm
        x, y, width, height = self.clip
        return self.x_mm + x, self.y_mm + y, width, height


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPosition:
    """Where a text was found."""

    page_number: int
    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StraddleOptions:
    """How a seal is cut into strips along the outer edge of the pages."""

    width_mm: float
    height_mm: float
    top_mm: float | None = None
    """Upper edge of the seal; None centres it on each page."""
    edge: str = "right"
    """``right`` or ``left``."""
    pages_per_seal: int = 20
    least_strip_mm: float = 1.0
    """On any page; narrower strips say nothing."""
    least_end_mm: float = 0.0
    """On the first and the last page of a seal; the pages between share what is left."""


def choose_pages(text: str, page_count: int) -> tuple[int, ...]:
    """Read ``all``, ``last`` or a list such as ``1,3-5,last``; return page numbers in order.

    Raises ``InvalidPlacement`` (reason ``pages`` for words that are none, ``page-unknown``).
    """
    if text.strip() == "all":
        return tuple(range(1, page_count + 1))
    chosen: set[int] = set()
    for part in text.split(","):
        found = _PAGE_RANGE.fullmatch(part.strip())
        if found is None:
            raise InvalidPlacement("not a list of pages", reason="pages")
        first, end = (_page(word, page_count) for word in (found[1], found[2] or found[1]))
        if first > end:
            raise InvalidPlacement("a range of pages runs backwards", reason="pages")
        chosen.update(range(first, end + 1))
    return tuple(sorted(chosen))


def _page(word: str, page_count: int) -> int:
    number = page_count if word == "last" else int(word)
    if not 1 <= number <= page_count:
        raise InvalidPlacement("no such page", reason="page-unknown", page=word)
    return number


def place_at(
    page_mm: Size, page_number: int, *, size_mm: Size, centre_mm: Size, corner: Corner
) -> Placement:
    """Place a seal by the distance of its centre from both edges that meet in a corner."""
    x, y = centre_mm
    if corner in (Corner.TOP_RIGHT, Corner.BOTTOM_RIGHT):
        x = page_mm[0] - x
    if corner in (Corner.BOTTOM_LEFT, Corner.BOTTOM_RIGHT):
        y = page_mm[1] - y
    width, height = size_mm
    return Placement(
        page_number=page_number,
        x_mm=x - width / 2,
        y_mm=y - height / 2,
        width_mm=width,
        height_mm=height,
    )


def place_on_text(
    position: TextPosition, page_mm: Size, *, size_mm: Size, offset_mm: Size = (0.0, 0.0)
) -> Placement:
    """Centre a seal on a text, moved right and down by ``offset_mm``, but never off the page."""
    width, height = size_mm
    x = position.x_mm + position.width_mm / 2 - width / 2 + offset_mm[0]
    y = position.y_mm + position.height_mm / 2 - height / 2 + offset_mm[1]
    return Placement(
        page_number=position.page_number,
        x_mm=min(max(x, 0.0), max(page_mm[0] - width, 0.0)),
        y_mm=min(max(y, 0.0), max(page_mm[1] - height, 0.0)),
        width_mm=width,
        height_mm=height,
    )


def straddle_placements(
    pages_mm: Sequence[Size], options: StraddleOptions, page_numbers: Sequence[int] | None = None
) -> tuple[Placement, ...]:
    """Cut one seal into strips, one per page, so that the fanned edges show it whole.

    ``page_numbers`` are the pages that take part, by default all. Long documents get several seals
    of about equal page counts; a seal always spans two pages or more. Raises ``InvalidPlacement``
    for a single page or strips that would be too narrow.
    """
    numbers = range(1, len(pages_mm) + 1) if page_numbers is None else page_numbers
    if len(numbers) < 2:
        raise InvalidPlacement("a straddle seal needs two pages", reason="too-few-pages")
    if options.edge not in ("left", "right") or options.pages_per_seal < 2:
        raise InvalidPlacement("no such straddle", reason="edge")
    placements: list[Placement] = []
    for first, count in _groups(len(numbers), options.pages_per_seal):
        before = 0.0
        for number, strip in zip(
            numbers[first : first + count], _strip_widths(count, options), strict=True
        ):
            placements.append(_strip(pages_mm[number - 1], number, (before, strip), options))
            before += strip
    return tuple(placements)


def _groups(total: int, most: int) -> Iterator[tuple[int, int]]:
    """Yield start and count of groups as equal as can be, none of a single page."""
    number = min(-(-total // most), total // 2)
    start = 0
    for group in range(number):
        count = total // number + (1 if group < total % number else 0)
        yield start, count
        start += count


def _strip_widths(count: int, options: StraddleOptions) -> list[float]:
    share = options.width_mm / count
    end = max(share, options.least_end_mm) if count > 2 else share
    middle = (options.width_mm - 2 * end) / (count - 2) if count > 2 else share
    # Written so that a value that is no number fails, too.
    if not (min(end, middle) >= options.least_strip_mm > 0 and end >= options.least_end_mm >= 0):
        raise InvalidPlacement("strips too narrow", reason="strip-width")
    return [end, *[middle] * (count - 2), end]


def _strip(
    page_mm: Size, page_number: int, part: tuple[float, float], options: StraddleOptions
) -> Placement:
    """Place the whole seal so that exactly its strip lies on the page, and clip the rest."""
    before, strip = part
    width, height = options.width_mm, options.height_mm
    is_right = options.edge == "right"
    top = options.top_mm
    return Placement(
        page_number=page_number,
        x_mm=page_mm[0] - before - strip if is_right else before + strip - width,
        y_mm=(page_mm[1] - height) / 2 if top is None else top,
        width_mm=width,
        height_mm=height,
        clip=(before if is_right else width - before - strip, 0.0, strip, height),
    )
