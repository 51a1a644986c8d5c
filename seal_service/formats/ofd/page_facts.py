"""What the walk needs of one page or template page, apart from where its locations lead.

A function of the bytes alone, so that the background which all licences of a template share is
parsed once (``kept``).
"""

from dataclasses import dataclass

from lxml import etree

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.formats.limits import Limits
from seal_service.formats.ofd.entries import Notice
from seal_service.formats.ofd.kept import kept
from seal_service.formats.ofd.xml import (
    children,
    descendants,
    numbers_in,
    only,
    parse_xml,
    text_of,
    text_of_only,
)

ACTIVE_ELEMENTS = ("URI", "GotoA", "Sound", "Movie", "Launch")
"""Actions that leave the document or run something (T-OFD-68)."""
_OPERATOR_LENGTH = 2
"""A path operator takes at least its letter and a blank."""
_ids = etree.XPath("//@ID", regexp=False)

Box = tuple[float, float, float, float]
Links = dict[str, tuple[tuple[str, str], ...]]
"""Template pages and the template pages they use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """One page or template page; everything as written."""

    notices: tuple[Notice, ...]
    identifiers: tuple[str, ...]
    """Of the page's layers and objects."""
    resources: tuple[str, ...]
    """Locations of its own Res files."""
    templates: tuple[tuple[str, str], ...]
    """TemplateID and ZOrder of each template page it uses."""
    actions: tuple[str, ...]
    box: Box | None
    """Its own PhysicalBox, in millimetres."""


@kept
def read_page(data: bytes, path: str, limits: Limits, strict: bool) -> PageFacts:
    """Read a page; raises ``MalformedDocument`` or ``LimitExceeded``."""
    part = parse_xml(data, path, root="Page", limits=limits, strict=strict)
    root = part.root
    _check_strokes(root, len(data), limits)
    return PageFacts(
        notices=part.notices,
        identifiers=tuple(identifiers_in(root)),
        resources=tuple(text_of(element) for element in children(root, "PageRes")),
        templates=tuple(
            (element.get("TemplateID", ""), element.get("ZOrder", "Background"))
            for element in children(root, "Template")
        ),
        actions=actions_in(root),
        box=box_in(only(root, "Area"), path, limits),
    )


def identifiers_in(root: etree._Element) -> list[str]:
    """Return every identifier, in document order."""
    found = _ids(root)
    return [str(item) for item in found] if isinstance(found, list) else []


def actions_in(root: etree._Element) -> tuple[str, ...]:
    """Return the names of the active elements."""
    return tuple(etree.QName(element).localname for element in descendants(root, *ACTIVE_ELEMENTS))


def box_in(area: etree._Element | None, path: str, limits: Limits) -> Box | None:
    """Return the PhysicalBox of a page area."""
    text = "" if area is None else text_of_only(area, "PhysicalBox")
    if not text:
        return None
    numbers = numbers_in(text, 4)
    if numbers is None or numbers[2] <= 0 or numbers[3] <= 0:
        raise MalformedDocument("PhysicalBox", reason="page-box", subject=path)
    if max(map(abs, numbers)) > limits.page_side_mm:
        raise LimitExceeded("page too large", reason="limit", limit="page_side_mm")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _check_strokes(root: etree._Element, size: int, limits: Limits) -> None:
    if size <= limits.path_operators * _OPERATOR_LENGTH:
        return
    letters = sum(
        sum(1 for character in element.text or "" if character.isalpha())
        for element in descendants(root, "AbbreviatedData")
    )
    if letters > limits.path_operators:
        raise LimitExceeded("too many strokes", reason="limit", limit="path_operators")


def check_nesting(links: Links, limit: int) -> None:
    """Refuse templates that use each other in a circle or too deep (T-OFD-71)."""
    depths: dict[str, int] = {}

    def depth_of(path: str, trail: frozenset[str]) -> int:
        if path in trail or len(trail) >= limit:
            raise LimitExceeded("templates nest too deep", reason="limit", limit="template_depth")
        if path not in depths:
            below = (depth_of(other, trail | {path}) for other, _ in links[path])
            depths[path] = 1 + max(below, default=0)
        if depths[path] + len(trail) > limit:
            raise LimitExceeded("templates nest too deep", reason="limit", limit="template_depth")
        return depths[path]

    for path in links:
        depth_of(path, frozenset())
