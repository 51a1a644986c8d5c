"""The text a package shows, with where it stands (GB/T 33190-2016, 11).

One line per text object and baseline, in paint order: background templates, page, foreground
templates. Positions are millimetres from the top-left of the page; a character's width is the way
to the next one, and for the last one an estimate.
"""

import unicodedata
from collections.abc import Iterator

from lxml import etree

from seal_service.errors import LimitExceeded
from seal_service.formats.limits import DEFAULT_LIMITS, Limits
from seal_service.formats.ofd.entries import OFDContainer
from seal_service.formats.ofd.model import OFDDocument, OFDPage
from seal_service.formats.ofd.xml import NUMBER, children, descendants, numbers_in, parse_xml
from seal_service.formats.placement import TextPosition
from seal_service.formats.text_lines import SAME_BASELINE, TextLine, find_in_lines

IDENTITY = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def text_of_pages(
    container: OFDContainer, document: OFDDocument, *, limits: Limits = DEFAULT_LIMITS
) -> tuple[tuple[str, ...], ...]:
    """Return the lines of each page."""
    pages: list[list[str]] = [[] for _ in document.pages]
    for line in text_lines(container, document, limits=limits):
        pages[line.page_number - 1].append(line.text)
    return tuple(map(tuple, pages))


def text_lines(
    container: OFDContainer, document: OFDDocument, *, limits: Limits = DEFAULT_LIMITS
) -> tuple[TextLine, ...]:
    """Return every line of text of the first document."""
    lines: list[TextLine] = []
    budget = limits.text_characters
    for number, page in enumerate(document.pages, 1):
        for path in _paint_order(page):
            root = parse_xml(container.entries[path], path, root="Page", limits=limits).root
            for element in descendants(root, "TextObject"):
                for line in _lines_of(element, number, limits):
                    budget -= len(line.text)
                    if budget < 0:
                        raise LimitExceeded(
                            "too much text", reason="limit", limit="text_characters"
                        )
                    lines.append(line)
    return tuple(lines)


def find_text(
    container: OFDContainer, document: OFDDocument, keyword: str
) -> tuple[TextPosition, ...]:
    """Return every place where ``keyword`` stands on one line, in reading order."""
    return find_in_lines(text_lines(container, document), keyword)


def _paint_order(page: OFDPage) -> Iterator[str]:
    yield from (path for path, order in page.templates if order != "Foreground")
    yield page.path
    yield from (path for path, order in page.templates if order == "Foreground")


# --- one text object ---------------------------------------------------------------------------


def _lines_of(element: etree._Element, page_number: int, limits: Limits) -> Iterator[TextLine]:
    boundary = numbers_in(element.get("Boundary", ""), 4) or (0.0, 0.0, 0.0, 0.0)
    matrix = numbers_in(element.get("CTM", ""), 6) or IDENTITY
    size = number_or(element.get("Size"), 0.0)
    stretch = number_or(element.get("HScale"), 1.0)
    scale = float((matrix[2] ** 2 + matrix[3] ** 2) ** 0.5) or 1.0
    x = y = 0.0
    text, baseline, end = "", 0.0, 0.0
    xs: list[float] = []
    for code in children(element, "TextCode"):
        x, y = number_or(code.get("X"), x), number_or(code.get("Y"), y)
        characters = "".join(str(piece) for piece in code.itertext())
        steps = spell_out(code.get("DeltaX", ""), len(characters) - 1, limits)
        drops = spell_out(code.get("DeltaY", ""), len(characters) - 1, limits)
        at_x, at_y = x, y
        for index, character in enumerate(characters):
            page_x = matrix[0] * at_x + matrix[2] * at_y + matrix[4] + boundary[0]
            page_y = matrix[1] * at_x + matrix[3] * at_y + matrix[5] + boundary[1]
            if text and abs(page_y - baseline) > SAME_BASELINE * size * scale:
                yield _line(page_number, text, [*xs, end], baseline, size * scale)
                text, xs = "", []
            if not text:
                baseline = page_y
            text += character
            xs.append(page_x)
            end = page_x + _width(character) * size * stretch * abs(matrix[0] or 1.0)
            if index < len(steps):
                at_x += steps[index]
            if index < len(drops):
                at_y += drops[index]
    if text:
        yield _line(page_number, text, [*xs, end], baseline, size * scale)


def _line(page_number: int, text: str, xs: list[float], baseline: float, size: float) -> TextLine:
    return TextLine(
        page_number=page_number, text=text, xs_mm=tuple(xs), baseline_mm=baseline, size_mm=size
    )


def _width(character: str) -> float:
    return 1.0 if unicodedata.east_asian_width(character) in "WF" else 0.5


def number_or(text: str | None, default: float) -> float:
    """Return a plain decimal number, or ``default`` where there is none."""
    return float(text) if text and NUMBER.fullmatch(text.strip()) else default


def spell_out(text: str, count: int, limits: Limits = DEFAULT_LIMITS) -> list[float]:
    """Spell out ``g N v``; a list that is too short goes on with its last value."""
    found: list[float] = []
    words = iter(text.split())
    for word in words:
        if word != "g":
            found.append(number_or(word, 0.0))
            continue
        times, value = next(words, "0"), number_or(next(words, "0"), 0.0)
        repeat = int(times) if times.isascii() and times.isdigit() and len(times) < 9 else 0
        if len(found) + repeat > limits.text_deltas:
            raise LimitExceeded("too many deltas", reason="limit", limit="text_deltas")
        found += [value] * repeat
    if len(found) > limits.text_deltas:
        raise LimitExceeded("too many deltas", reason="limit", limit="text_deltas")
    if found and len(found) < count:
        found += [found[-1]] * (count - len(found))
    return found
