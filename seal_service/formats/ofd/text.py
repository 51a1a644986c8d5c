"""The text a package shows, with where it stands (GB/T 33190-2016, 11).

One line per text object and baseline, in paint order: background templates, page, foreground
templates. Positions are millimetres from the top-left of the page; a character's width is the way
to the next one, and for the last one an estimate.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from seal_service.errors import LimitExceeded
from seal_service.formats.limits import DEFAULT_LIMITS, Limits
from seal_service.formats.ofd.entries import OFDContainer
from seal_service.formats.ofd.model import OFDDocument, OFDPage
from seal_service.formats.ofd.xml import NUMBER, children, descendants, numbers_in, parse_xml

IDENTITY = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
ASCENT = 0.88
"""Share of the font size above the baseline."""
SAME_BASELINE = 0.3
JOINING_GAP = 1.5
"""In font sizes: objects nearer than this on one baseline are read as one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """One line of one text object."""

    page_number: int
    text: str
    xs_mm: tuple[float, ...]
    """Where each character starts, and at last where the line ends."""
    baseline_mm: float
    size_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPosition:
    """Where a text was found."""

    page_number: int
    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float


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
    """Return every place where ``keyword`` stands on one line, in reading order.

    Blanks count on neither side, and objects that follow each other on one baseline are one line:
    some producers write every character as an object of its own.
    """
    wanted = "".join(keyword.split())
    if not wanted:
        return ()
    found: list[TextPosition] = []
    for line in _joined(text_lines(container, document)):
        kept = [index for index, character in enumerate(line.text) if not character.isspace()]
        text = "".join(line.text[index] for index in kept)
        start = text.find(wanted)
        while start >= 0:
            first, last = kept[start], kept[start + len(wanted) - 1]
            found.append(
                TextPosition(
                    page_number=line.page_number,
                    x_mm=line.xs_mm[first],
                    y_mm=line.baseline_mm - ASCENT * line.size_mm,
                    width_mm=line.xs_mm[last + 1] - line.xs_mm[first],
                    height_mm=line.size_mm,
                )
            )
            start = text.find(wanted, start + len(wanted))
    return tuple(sorted(found, key=lambda spot: (spot.page_number, spot.y_mm, spot.x_mm)))


def _paint_order(page: OFDPage) -> Iterator[str]:
    yield from (path for path, order in page.templates if order != "Foreground")
    yield page.path
    yield from (path for path, order in page.templates if order == "Foreground")


def _joined(lines: Sequence[TextLine]) -> Iterator[TextLine]:
    """Join the lines that continue each other."""
    ordered = sorted(lines, key=lambda line: (line.page_number, line.baseline_mm, line.xs_mm[0]))
    pending: list[TextLine] = []
    for line in ordered:
        for index, before in enumerate(pending):
            gap = line.xs_mm[0] - before.xs_mm[-1]
            near = abs(gap) <= JOINING_GAP * before.size_mm
            level = abs(line.baseline_mm - before.baseline_mm) <= SAME_BASELINE * before.size_mm
            if near and level and line.page_number == before.page_number:
                pending[index] = TextLine(
                    page_number=before.page_number,
                    text=before.text + line.text,
                    xs_mm=before.xs_mm[:-1] + line.xs_mm,
                    baseline_mm=before.baseline_mm,
                    size_mm=before.size_mm,
                )
                break
        else:
            yield from _passed(pending, line)
            pending.append(line)
    yield from pending


def _passed(pending: list[TextLine], line: TextLine) -> Iterator[TextLine]:
    """Take out the lines that nothing after ``line`` can continue."""
    done = [
        before
        for before in pending
        if before.page_number != line.page_number
        or line.baseline_mm - before.baseline_mm > SAME_BASELINE * before.size_mm
    ]
    for before in done:
        pending.remove(before)
    yield from done


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
