"""Lines of text with their places, and how a keyword is found in them, whatever the format."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from seal_service.formats.placement import TextPosition

ASCENT = 0.88
"""Share of the font size above the baseline."""
SAME_BASELINE = 0.3
JOINING_GAP = 1.5
"""In font sizes: runs nearer than this on one baseline are read as one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """One run of text on one baseline; millimetres from the top left of the page as seen."""

    page_number: int
    text: str
    xs_mm: tuple[float, ...]
    """Where each character starts, and at last where the line ends."""
    baseline_mm: float
    size_mm: float


def find_in_lines(lines: Iterable[TextLine], keyword: str) -> tuple[TextPosition, ...]:
    """Return every place where ``keyword`` stands on one line, in reading order.

    Blanks count on neither side, and runs that follow each other on one baseline are one line: some
    producers write every character as an object of its own.
    """
    wanted = "".join(keyword.split())
    if not wanted:
        return ()
    found: list[TextPosition] = []
    for line in _joined(lines):
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


def _joined(lines: Iterable[TextLine]) -> Iterator[TextLine]:
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
