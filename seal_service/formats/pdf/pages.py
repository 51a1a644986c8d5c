"""The pages of a document in reading order, and millimetres on what is seen of them.

ISO 32000-1, 7.7.3 and 14.11.2. A place is given from the top left corner of the page as a viewer
shows it: cut to its crop box, turned by ``Rotate``, scaled by ``UserUnit``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from seal_service.errors import InvalidPlacement, LimitExceeded, MalformedDocument
from seal_service.formats.pdf.fields import catalog_of
from seal_service.formats.pdf.objects import ObjectTable
from seal_service.formats.pdf.syntax import Dictionary, Ref, Value
from seal_service.formats.placement import Placement

POINTS_PER_MM = 72 / 25.4
MAX_TREE_DEPTH = 64
TOLERANCE_MM = 0.01
_INHERITED = ("Resources", "MediaBox", "CropBox", "Rotate")

Box = tuple[float, float, float, float]
"""Left, bottom, right, top in units of the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PDFPage:
    """One page with what it inherits."""

    reference: Ref
    dictionary: Dictionary
    inherited: Dictionary
    """Values of the page's own and its parents' inheritable entries."""
    visible: Box
    rotation: int
    """0, 90, 180 or 270 degrees clockwise."""
    unit_mm: float
    """Millimetres per unit."""

    @property
    def size_mm(self) -> tuple[float, float]:
        """Return width and height as seen."""
        left, bottom, right, top = self.visible
        across, up = (right - left) * self.unit_mm, (top - bottom) * self.unit_mm
        return (up, across) if self.rotation in (90, 270) else (across, up)


PDFPlacement = Placement
"""Where a seal picture goes on a page as seen."""


def read_pages(table: ObjectTable) -> tuple[PDFPage, ...]:
    """Return all pages. Raises ``MalformedDocument`` or ``LimitExceeded`` (T-PDF-16)."""
    root = catalog_of(table).get("Pages")
    if not isinstance(root, Ref):
        raise MalformedDocument("no page tree", reason="page-tree")
    pages: list[PDFPage] = []
    for page in _walk(table, root):
        if len(pages) >= table.source.limits.pdf_pages:
            raise LimitExceeded("too many pages", reason="limit", limit="pdf_pages")
        pages.append(page)
    if not pages:
        raise MalformedDocument("no pages", reason="page-tree")
    return tuple(pages)


def _walk(table: ObjectTable, root: Ref) -> Iterator[PDFPage]:
    """Go through the tree without recursion; a node that comes twice is refused."""
    seen: set[int] = set()
    waiting: list[tuple[Value, Dictionary, int]] = [(root, Dictionary(), 0)]
    while waiting:
        node, inherited, depth = waiting.pop()
        if not isinstance(node, Ref) or node.number in seen or depth > MAX_TREE_DEPTH:
            raise MalformedDocument("not a tree of pages", reason="page-tree")
        seen.add(node.number)
        if len(seen) > 2 * table.source.limits.pdf_pages + MAX_TREE_DEPTH:
            raise LimitExceeded("too many pages", reason="limit", limit="pdf_pages")
        dictionary = table.dictionary(node)
        own = {key: dictionary[key] for key in _INHERITED if key in dictionary}
        values = Dictionary({**inherited, **own})
        if "Kids" in dictionary:
            kids = table.array(dictionary["Kids"])
            waiting += [(kid, values, depth + 1) for kid in reversed(kids)]
        elif dictionary.get("Type") == "Page":
            yield _page(table, node, dictionary, values)
        else:
            raise MalformedDocument("not a tree of pages", reason="page-tree")


def _page(table: ObjectTable, node: Ref, dictionary: Dictionary, values: Dictionary) -> PDFPage:
    media = read_box(table, values.get("MediaBox"))
    if media is None:
        raise MalformedDocument("a page without size", reason="page-box")
    crop = read_box(table, values.get("CropBox")) or media
    visible = (
        max(media[0], crop[0]),
        max(media[1], crop[1]),
        min(media[2], crop[2]),
        min(media[3], crop[3]),
    )
    rotation = table.resolve(values.get("Rotate")) or 0
    unit = table.resolve(dictionary.get("UserUnit")) or 1
    if not isinstance(rotation, int) or rotation % 90:
        raise MalformedDocument("a page turned askew", reason="page-rotation")
    if not isinstance(unit, int | float) or not 0 < unit <= 100_000:
        raise MalformedDocument("a page without scale", reason="page-unit")
    if visible[0] >= visible[2] or visible[1] >= visible[3]:
        visible = media
    return PDFPage(
        reference=node,
        dictionary=dictionary,
        inherited=values,
        visible=visible,
        rotation=rotation % 360,
        unit_mm=unit / POINTS_PER_MM,
    )


def read_box(table: ObjectTable, value: Value) -> Box | None:
    """Return a rectangle with its corners in order; None if it is none or is empty."""
    numbers = [table.resolve(item) for item in table.array(value)]
    sides = [float(item) for item in numbers if isinstance(item, int | float)]
    if len(sides) != 4 or len(numbers) != 4:
        return None
    left, right = sorted(sides[::2])
    bottom, top = sorted(sides[1::2])
    return (left, bottom, right, top) if left < right and bottom < top else None


def find_page(pages: tuple[PDFPage, ...], placement: PDFPlacement) -> PDFPage:
    """Return the page of a placement.

    Raises ``InvalidPlacement`` unless what will be seen lies on the page and has a size.
    """
    if not 1 <= placement.page_number <= len(pages):
        raise InvalidPlacement("no such page", reason="page-unknown")
    page = pages[placement.page_number - 1]
    x, y, width, height = placement.seen_mm
    across, down = page.size_mm
    # Written so that a value that is no number fails, too.
    if not (width > 0 and height > 0 and placement.width_mm > 0 and placement.height_mm > 0):
        raise InvalidPlacement("a seal needs a size", reason="no-size")
    is_inside = (
        x >= -TOLERANCE_MM
        and y >= -TOLERANCE_MM
        and x + width <= across + TOLERANCE_MM
        and y + height <= down + TOLERANCE_MM
    )
    if not is_inside:
        raise InvalidPlacement("the seal would leave the page", reason="off-page")
    return page


def to_page_units(page: PDFPage, seen_mm: Box) -> Box:
    """Turn x, y, width, height as seen into a rectangle in units of the page."""
    x, y, width, height = (value / page.unit_mm for value in seen_mm)
    left, bottom, right, top = page.visible
    if page.rotation == 0:
        return left + x, top - y - height, left + x + width, top - y
    if page.rotation == 90:
        return left + y, bottom + x, left + y + height, bottom + x + width
    if page.rotation == 180:
        return right - x - width, bottom + y, right - x, bottom + y + height
    return right - y - height, top - x - width, right - y, top - x


def to_seen_mm(page: PDFPage, box: Box) -> Box:
    """Turn a rectangle in units of the page into x, y, width, height as seen."""
    left, bottom, right, top = page.visible
    distances = {
        0: (box[0] - left, top - box[3]),
        90: (box[1] - bottom, box[0] - left),
        180: (right - box[2], box[1] - bottom),
        270: (top - box[3], right - box[2]),
    }
    x, y = distances[page.rotation]
    across, up = box[2] - box[0], box[3] - box[1]
    if page.rotation in (90, 270):
        across, up = up, across
    return x * page.unit_mm, y * page.unit_mm, across * page.unit_mm, up * page.unit_mm
