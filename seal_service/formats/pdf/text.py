"""The text a PDF shows, with where it stands: enough to find the place for a seal by a keyword.

ISO 32000-1, 9.4. Content is read operator by operator; only those that move, save or show text
count. What cannot be read (an unknown filter, a font without meanings) is text that is not found,
never an error; limits are. Text that does not run from left to right as seen is taken character by
character.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from seal_service.errors import LimitExceeded
from seal_service.formats.pdf.content import instructions, page_content, stream_content
from seal_service.formats.pdf.fonts import NO_FONT, Glyph, PDFFont, read_font
from seal_service.formats.pdf.objects import ObjectTable
from seal_service.formats.pdf.pages import PDFPage, to_seen_mm
from seal_service.formats.pdf.syntax import Dictionary, Name, Ref, Stream, Value
from seal_service.formats.placement import TextPosition
from seal_service.formats.text_lines import SAME_BASELINE, TextLine, find_in_lines

MAX_OPERATORS = 500_000
"""Per document."""
MAX_FORM_DEPTH = 8
MAX_SAVED = 256

Matrix = tuple[float, float, float, float, float, float]
IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def find_text(
    table: ObjectTable, pages: Sequence[PDFPage], keyword: str
) -> tuple[TextPosition, ...]:
    """Return every place where ``keyword`` stands on one line, in reading order."""
    return find_in_lines(text_lines(table, pages), keyword)


def text_lines(table: ObjectTable, pages: Sequence[PDFPage]) -> tuple[TextLine, ...]:
    """Return every run of text. Raises ``LimitExceeded``."""
    reading = _Reading(table)
    found: list[TextLine] = []
    for number, page in enumerate(pages, 1):
        resources = table.dictionary(page.inherited.get("Resources"))
        content = page_content(table, page)
        found += reading.read(content, resources, _Place(page, number), _State(), 0)
    return tuple(found)


# --- state -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _State:
    """The part of the graphics state that decides where text stands."""

    matrix: Matrix = IDENTITY
    font: PDFFont = NO_FONT
    size: float = 0.0
    character_space: float = 0.0
    word_space: float = 0.0
    stretch: float = 1.0
    leading: float = 0.0
    rise: float = 0.0


@dataclass(frozen=True, slots=True)
class _Place:
    """The page that text stands on."""

    page: PDFPage
    number: int

    def seen(self, x: float, y: float) -> tuple[float, float]:
        """Turn a point in units of the page into millimetres as seen."""
        left, top, _, _ = to_seen_mm(self.page, (x, y, x, y))
        return left, top


@dataclass(slots=True)
class _Run:
    """What one page or form has come to."""

    place: _Place
    state: _State
    resources: Dictionary
    depth: int
    saved: list[_State] = field(default_factory=list)
    line: Matrix = IDENTITY
    text: Matrix = IDENTITY
    lines: list[TextLine] = field(default_factory=list)


def _spaced(state: _State, operator: str, number: float) -> _State:
    """Return the state after an operator of one number."""
    if operator == "Tc":
        return replace(state, character_space=number)
    if operator == "Tw":
        return replace(state, word_space=number)
    if operator == "TL":
        return replace(state, leading=number)
    if operator == "Ts":
        return replace(state, rise=number)
    return replace(state, stretch=number / 100) if operator == "Tz" else state


class _Reading:
    """Reads the content of all pages of one document, within one budget."""

    def __init__(self, table: ObjectTable) -> None:
        self._table = table
        self._fonts: dict[Ref, PDFFont] = {}
        self._left = MAX_OPERATORS
        self._characters = table.source.limits.text_characters

    def read(
        self, content: bytes, resources: Dictionary, place: _Place, state: _State, depth: int
    ) -> list[TextLine]:
        """Return the runs of one content stream and of the forms it shows."""
        run = _Run(place, state, resources, depth)
        for operator, operands in instructions(content):
            self._left -= 1
            if self._left < 0:
                raise LimitExceeded("too much content", reason="limit", limit="pdf_operators")
            if operator in ("Tj", "TJ", "'", '"'):
                self._show(run, operator, operands)
            elif operator in ("Td", "TD", "T*", "Tm", "BT"):
                self._move(run, operator, _numbers(operands))
            elif operator == "Tf":
                self._choose_font(run, operands)
            elif operator == "Do":
                self._show_form(run, operands)
            else:
                self._set(run, operator, _numbers(operands))
        return run.lines

    def _set(self, run: _Run, operator: str, numbers: list[float]) -> None:
        state = run.state
        if operator == "q" and len(run.saved) < MAX_SAVED:
            run.saved.append(state)
        elif operator == "Q" and run.saved:
            run.state = run.saved.pop()
        elif operator == "cm" and len(numbers) == 6:
            run.state = replace(state, matrix=_product(_matrix(numbers), state.matrix))
        elif numbers:
            run.state = _spaced(state, operator, numbers[-1])

    def _move(self, run: _Run, operator: str, numbers: list[float]) -> None:
        if operator == "BT":
            run.line = IDENTITY
        elif operator == "Tm":
            if len(numbers) != 6:
                return
            run.line = _matrix(numbers)
        else:
            x, y = (0.0, -run.state.leading) if operator == "T*" else _pair(numbers)
            if operator == "TD":
                run.state = replace(run.state, leading=-y)
            run.line = _product((1, 0, 0, 1, x, y), run.line)
        run.text = run.line

    def _choose_font(self, run: _Run, operands: list[Value]) -> None:
        if len(operands) != 2 or not isinstance(operands[0], Name):
            return
        fonts = self._table.dictionary(run.resources.get("Font"))
        value = fonts.get(operands[0])
        size = _numbers(operands)
        run.state = replace(run.state, font=self._font(value), size=size[-1] if size else 0.0)

    def _font(self, value: Value) -> PDFFont:
        known = self._fonts.get(value) if isinstance(value, Ref) else None
        if known is None:
            known = read_font(self._table, value)
            if isinstance(value, Ref):
                self._fonts[value] = known
        return known

    def _show_form(self, run: _Run, operands: list[Value]) -> None:
        name = operands[-1] if operands else None
        if not isinstance(name, Name) or run.depth >= MAX_FORM_DEPTH:
            return
        forms = self._table.dictionary(run.resources.get("XObject"))
        form = self._table.resolve(forms.get(name))
        if not isinstance(form, Stream) or form.dictionary.get("Subtype") != "Form":
            return
        own = [
            self._table.resolve(item) for item in self._table.array(form.dictionary.get("Matrix"))
        ]
        numbers = _numbers(own)
        matrix = _matrix(numbers) if len(numbers) == 6 else IDENTITY
        state = replace(run.state, matrix=_product(matrix, run.state.matrix))
        resources = form.dictionary.get("Resources")
        below = self._table.dictionary(resources) if resources else run.resources
        content = stream_content(self._table, forms.get(name))
        run.lines += self.read(content, below, run.place, state, run.depth + 1)

    def _show(self, run: _Run, operator: str, operands: list[Value]) -> None:
        if operator in ("'", '"'):
            if operator == '"' and len(operands) == 3:
                word, character = _pair(_numbers(operands))
                run.state = replace(run.state, word_space=word, character_space=character)
            self._move(run, "T*", [])
        shown = operands[-1] if operands else b""
        items = shown if isinstance(shown, list) else [shown]
        state, tracing = run.state, _Tracing(run)
        for item in items:
            if isinstance(item, int | float):
                run.text = _product(
                    (1, 0, 0, 1, -item / 1000 * state.size * state.stretch, 0), run.text
                )
            elif isinstance(item, bytes):
                for glyph in state.font.glyphs(item):
                    tracing.add(glyph)
                self._characters -= len(item)
                if self._characters < 0:
                    raise LimitExceeded("too much text", reason="limit", limit="text_characters")
        tracing.end()


class _Tracing:
    """Turns glyphs that are shown one after another into runs on one baseline."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._text = ""
        self._xs: list[float] = []
        self._end = 0.0
        self._baseline = 0.0
        self._size = 0.0

    def add(self, glyph: Glyph) -> None:
        """Add a glyph, and move on by its width."""
        run, state = self._run, self._run.state
        full = _product((1, 0, 0, 1, 0, state.rise), _product(run.text, state.matrix))
        x, y = run.place.seen(full[4], full[5])
        up_x, up_y = run.place.seen(full[4] + full[2] * state.size, full[5] + full[3] * state.size)
        size = ((up_x - x) ** 2 + (up_y - y) ** 2) ** 0.5
        space = state.character_space + (state.word_space if glyph.is_blank else 0.0)
        advance = (glyph.width * state.size + space) * state.stretch
        run.text = _product((1, 0, 0, 1, advance, 0), run.text)
        after = _product(run.text, state.matrix)
        end = run.place.seen(after[4], after[5])[0]
        if self._text and not self._continues(x, y):
            self.end()
        if not self._text:
            self._baseline, self._size = y, size
        self._text += glyph.text
        self._xs += [x + (end - x) * n / len(glyph.text) for n in range(len(glyph.text))]
        # A glyph that runs another way than to the right is as wide as it is high.
        self._end = end if end > x else x + size

    def _continues(self, x: float, y: float) -> bool:
        return abs(y - self._baseline) <= SAME_BASELINE * self._size and x >= self._xs[-1]

    def end(self) -> None:
        """Finish the run that was begun."""
        if self._text and self._size > 0:
            self._run.lines.append(
                TextLine(
                    page_number=self._run.place.number,
                    text=self._text,
                    xs_mm=(*self._xs, self._end),
                    baseline_mm=self._baseline,
                    size_mm=self._size,
                )
            )
        self._text, self._xs = "", []


# --- numbers -----------------------------------------------------------------------------------


def _numbers(values: Sequence[Value]) -> list[float]:
    return [float(value) for value in values if isinstance(value, int | float)]


def _pair(numbers: list[float]) -> tuple[float, float]:
    return (numbers[-2], numbers[-1]) if len(numbers) >= 2 else (0.0, 0.0)


def _matrix(numbers: list[float]) -> Matrix:
    a, b, c, d, e, f = numbers
    return a, b, c, d, e, f


def _product(first: Matrix, second: Matrix) -> Matrix:
    """Return the matrix that applies ``first``, then ``second``."""
    a, b, c, d, e, f = first
    g, h, i, j, k, m = second
    return (
        a * g + b * i,
        a * h + b * j,
        c * g + d * i,
        c * h + d * j,
        e * g + f * i + k,
        e * h + f * j + m,
    )
