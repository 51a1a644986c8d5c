"""With what objects of an OFD page are drawn: place, alpha, colours, lines (GB/T 33190-2016, 8).

Colours are flattened: a gradient shows its first colour, a pattern none.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lxml import etree

from seal_service.errors import LimitExceeded
from seal_service.formats.limits import DEFAULT_LIMITS
from seal_service.formats.ofd.text import number_or
from seal_service.formats.ofd.xml import children, local_name, numbers_in, only
from verifier.page_pictures.drawing import (
    BLACK,
    IDENTITY,
    Box,
    Budget,
    Colour,
    Fill,
    Matrix,
    Stroke,
    joined,
    moved,
)
from verifier.page_pictures.ofd_resources import Resources

MAX_NESTING = DEFAULT_LIMITS.template_depth
CAPS = {"Butt": 0, "Round": 1, "Square": 2}
JOINS = {"Miter": 0, "Round": 1, "Bevel": 2}
MAX_DASHES = 16


@dataclass(frozen=True, slots=True)
class Pen:
    """Where and with what objects are drawn: handed down from page to unit to object."""

    resources: Resources
    budget: Budget
    matrix: Matrix = IDENTITY
    alpha: float = 1.0
    parameter: str | None = None
    """Drawing parameter of the layer."""
    depth: int = 0

    def inside(self, element: etree._Element) -> "Pen":
        """Return the pen for what an object holds: its place, transformation and alpha."""
        x, y, _, _ = boundary_of(element)
        inner = numbers_in(element.get("CTM", ""), 6) or IDENTITY
        a, b, c, d, e, f = inner
        return replace(
            self,
            matrix=joined(joined(self.matrix, moved(x, y)), (a, b, c, d, e, f)),
            alpha=self.alpha * alpha_of(element),
        )

    def deeper(self) -> "Pen":
        """Return the pen for a unit inside; refuse circles (T-OFD-71)."""
        if self.depth >= MAX_NESTING:
            raise LimitExceeded("units nest too deep", reason="limit", limit="template_depth")
        return replace(self, depth=self.depth + 1)


def boundary_of(element: etree._Element) -> Box:
    """Return the box of an object; an empty one where it is not well formed."""
    numbers = numbers_in(element.get("Boundary", ""), 4) or (0.0, 0.0, 0.0, 0.0)
    return numbers[0], numbers[1], numbers[2], numbers[3]


def alpha_of(element: etree._Element) -> float:
    """Return the opacity of an object or a colour, 0 to 1."""
    return min(255.0, max(0.0, number_or(element.get("Alpha"), 255.0))) / 255


def is_true(value: str | None, default: bool) -> bool:
    """Return an xs:boolean."""
    return default if value is None else value.strip() in ("true", "1")


@dataclass(frozen=True, slots=True)
class Paint:
    """The colours and lines of an object: its own, else those of its drawing parameters."""

    element: etree._Element
    pen: Pen

    def fill(self, *, default: bool) -> Fill | None:
        """Return how it is filled, or None."""
        if not is_true(self.element.get("Fill"), default):
            return None
        colour, alpha = self._colour("FillColor")
        is_even_odd = self.element.get("Rule", "") == "Even-Odd"
        return None if colour is None else Fill(colour=colour, alpha=alpha, is_even_odd=is_even_odd)

    def stroke(self, *, default: bool) -> Stroke | None:
        """Return how it is stroked, or None."""
        if not is_true(self.element.get("Stroke"), default):
            return None
        colour, alpha = self._colour("StrokeColor")
        if colour is None:
            return None
        dashes = [number_or(word, 0.0) for word in self._value("DashPattern").split()]
        return Stroke(
            colour=colour,
            alpha=alpha,
            width=max(0.0, number_or(self._value("LineWidth"), 0.353)),
            cap=CAPS.get(self._value("Cap"), 0),
            join=JOINS.get(self._value("Join"), 0),
            miter_limit=max(1.0, number_or(self._value("MiterLimit"), 4.234)),
            dash=tuple(map(abs, dashes[:MAX_DASHES])) if any(dashes) else (),
            dash_offset=number_or(self._value("DashOffset"), 0.0),
        )

    def _sources(self) -> Iterator[etree._Element]:
        yield self.element
        yield from self.pen.resources.parameters(self.element.get("DrawParam"))
        yield from self.pen.resources.parameters(self.pen.parameter)

    def _value(self, name: str) -> str:
        values = (source.get(name) for source in self._sources())
        return next((value for value in values if value is not None), "")

    def _colour(self, name: str) -> tuple[Colour | None, float]:
        alpha = self.pen.alpha * alpha_of(self.element)
        for source in self._sources():
            element = only(source, name)
            if element is not None:
                colour = colour_of(element, self.pen.budget)
                return colour, alpha * alpha_of(element)
        return BLACK, alpha


def colour_of(element: etree._Element, budget: Budget) -> Colour | None:
    """Return a colour; the first one of a gradient; None for a pattern."""
    words = element.get("Value", "").split()
    if not words:
        inner = next((child for child in element if local_name(child)), None)
        if inner is None:
            return BLACK
        budget.remarks.add("colour-flattened")
        segment = next(iter(children(inner, "Segment")), None)
        first = None if segment is None else only(segment, "Color")
        return None if first is None or first.get("Value") is None else colour_of(first, budget)
    numbers = [_component(word) for word in words]
    if len(numbers) >= 4:
        cyan, magenta, yellow, black = (number / 255 for number in numbers[:4])
        mixed = [(1 - ink) * (1 - black) * 255 for ink in (cyan, magenta, yellow)]
        return round(mixed[0]), round(mixed[1]), round(mixed[2])
    if len(numbers) == 3:
        return round(numbers[0]), round(numbers[1]), round(numbers[2])
    grey = round(numbers[0])
    return grey, grey, grey


def _component(word: str) -> float:
    """Return one component, 0 to 255; real files also write it in hexadecimal (#ee)."""
    if word.startswith("#"):
        digits = word[1:3]
        return float(int(digits, 16)) if digits and all(d in _HEX for d in digits) else 0.0
    return min(255.0, max(0.0, number_or(word, 0.0)))


_HEX = frozenset("0123456789abcdefABCDEF")
