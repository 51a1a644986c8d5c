"""Page content of a PDF turned into OFD graphic objects.

Rules (ofd-document notes, 5 to 9): one text object per visual line, with Unicode text and the exact
distance of every glyph; flat colours; no clips (each must contain what is drawn in it); text
upright. Anything else is a ``RenderingFault``.
"""

import math
import struct
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace

from licence_store.rendering.errors import RenderingFault
from licence_store.rendering.ofd_objects import (
    Box,
    Colour,
    GraphicObject,
    Matrix,
    PathShape,
    PictureObject,
    QRObject,
    Segment,
    TextLine,
    apply,
    box_of,
    multiply,
    page_matrix,
)
from licence_store.rendering.page_content import Operand, PageContent, PageFont, operators

SLACK_MM = 0.05
JOIN_GAP_EM = 0.02
QR_MARK = "/EsealQR"
"""Stands in the content where the QR code's path was cut out."""


@dataclass(slots=True)
class _State:
    matrix: Matrix
    fill: Colour = (0, 0, 0)
    stroke: Colour = (0, 0, 0)
    fill_opacity: float = 1.0
    stroke_opacity: float = 1.0
    line_width: float = 1.0
    cap: int = 0
    join: int = 0
    dash: tuple[float, ...] = ()
    clip: Box | None = None


@dataclass(slots=True)
class _Text:
    font: str = ""
    size: float = 0.0
    matrix: Matrix = (1, 0, 0, 1, 0, 0)


@dataclass(slots=True)
class Walker:
    """Walks over page content and collects objects in paint order."""

    page: PageContent
    objects: list[GraphicObject] = field(default_factory=list)
    _stack: list[_State] = field(default_factory=list)
    _state: _State = field(init=False)
    _segments: list[Segment] = field(default_factory=list)
    _text: _Text = field(default_factory=_Text)
    _clipping: bool = False

    def __post_init__(self) -> None:
        self._state = _State(page_matrix(self.page))

    @property
    def depth(self) -> int:
        """Return how many saved states are open."""
        return len(self._stack)

    def walk(self, content: bytes) -> list[GraphicObject]:
        """Walk over a piece of content; raises ``RenderingFault`` at anything unknown."""
        handlers = _HANDLERS
        for operator, operands in operators(content):
            handler = handlers.get(operator)
            if handler is None:
                raise RenderingFault(f"operator {operator} is not expected on a page")
            handler(self, operands)
        return self.objects

    # State

    def save(self, _: list[Operand]) -> None:
        """Operator q."""
        self._stack.append(copy(self._state))

    def restore(self, _: list[Operand]) -> None:
        """Operator Q."""
        self._state = self._stack.pop()

    def concatenate(self, operands: list[Operand]) -> None:
        """Operator cm."""
        a, b, c, d, e, f = _numbers(operands)
        self._state.matrix = multiply((a, b, c, d, e, f), self._state.matrix)

    def fill_colour(self, operands: list[Operand]) -> None:
        """Operator scn."""
        self._state.fill = _colour(operands)

    def stroke_colour(self, operands: list[Operand]) -> None:
        """Operator SCN."""
        self._state.stroke = _colour(operands)

    def line_width(self, operands: list[Operand]) -> None:
        """Operator w."""
        self._state.line_width = _numbers(operands)[0]

    def line_cap(self, operands: list[Operand]) -> None:
        """Operator J."""
        self._state.cap = int(_numbers(operands)[0])

    def line_join(self, operands: list[Operand]) -> None:
        """Operator j."""
        self._state.join = int(_numbers(operands)[0])

    def dashes(self, operands: list[Operand]) -> None:
        """Operator d."""
        pattern = operands[0]
        if not isinstance(pattern, list):
            raise RenderingFault("a dash pattern is a list")
        self._state.dash = tuple(_numbers(list(pattern)))

    def graphics_state(self, operands: list[Operand]) -> None:
        """Operator gs: only opacity is known."""
        fill, stroke = self.page.opacities[str(operands[0])]
        self._state.fill_opacity, self._state.stroke_opacity = fill, stroke

    def ignore(self, _: list[Operand]) -> None:
        """Operators without effect here: colour spaces, miter limit, intent, text begin and end."""

    # Paths

    def move(self, operands: list[Operand]) -> None:
        """Operator m."""
        self._segments.append(("M", apply(self._state.matrix, _numbers(operands))))

    def line(self, operands: list[Operand]) -> None:
        """Operator l."""
        self._segments.append(("L", apply(self._state.matrix, _numbers(operands))))

    def cubic(self, operands: list[Operand]) -> None:
        """Operator c."""
        self._segments.append(("B", apply(self._state.matrix, _numbers(operands))))

    def rectangle(self, operands: list[Operand]) -> None:
        """Operator re."""
        x, y, width, height = _numbers(operands)
        corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
        for letter, corner in zip("MLLL", corners, strict=True):
            self._segments.append((letter, apply(self._state.matrix, corner)))
        self._segments.append(("C", ()))

    def close(self, _: list[Operand]) -> None:
        """Operator h."""
        self._segments.append(("C", ()))

    def clip(self, _: list[Operand]) -> None:
        """Operator W: takes effect with the next painting operator."""
        self._clipping = True

    def paint(self, *, fill: bool, stroke: bool, even_odd: bool) -> None:
        """End a path: clip with it, paint it, forget it."""
        segments, self._segments = self._segments, []
        if self._clipping:
            self._clipping = False
            self._clip_to(segments)
        if not segments or not (fill or stroke):
            return
        state = self._state
        scale = math.sqrt(
            abs(state.matrix[0] * state.matrix[3] - state.matrix[1] * state.matrix[2])
        )
        self._check_inside(box_of(segments))
        self.objects.append(
            PathShape(
                segments=tuple(segments),
                fill=state.fill if fill else None,
                stroke=state.stroke if stroke else None,
                opacity=state.fill_opacity if fill else state.stroke_opacity,
                line_width=state.line_width * scale if stroke else 0.0,
                cap=state.cap,
                join=state.join,
                dash=tuple(length * scale for length in state.dash),
                even_odd=even_odd,
            )
        )

    def _clip_to(self, segments: list[Segment]) -> None:
        if any(letter == "B" for letter, _ in segments):
            raise RenderingFault("only rectangles may clip")
        box, outer = box_of(segments), self._state.clip
        if outer is not None:
            box = (
                max(box[0], outer[0]),
                max(box[1], outer[1]),
                min(box[2], outer[2]),
                min(box[3], outer[3]),
            )
        self._state.clip = box

    def _check_inside(self, box: Box) -> None:
        clip = self._state.clip
        if clip is None:
            return
        outside = (
            box[0] < clip[0] - SLACK_MM
            or box[1] < clip[1] - SLACK_MM
            or box[2] > clip[2] + SLACK_MM
            or box[3] > clip[3] + SLACK_MM
        )
        if outside:
            raise RenderingFault(f"a drawing {box} is cut by a clip {clip}")

    # Pictures

    def draw(self, operands: list[Operand]) -> None:
        """Operator Do: a raster picture, or the place of the QR code."""
        name = str(operands[0])
        a, b, c, d, e, f = self._state.matrix
        if b or c:
            raise RenderingFault("a turned picture is not expected")
        if name == QR_MARK:
            self.objects.append(QRObject(x=e, y=f, module=a, colour=self._state.fill))
            return
        box = (e, f + d, e + a, f)
        self._check_inside(box)
        self.objects.append(
            PictureObject(x=e, y=f + d, width=a, height=-d, picture=self.page.pictures[name])
        )

    # Text

    def text_begin(self, _: list[Operand]) -> None:
        """Operator BT."""
        self._text.matrix = (1, 0, 0, 1, 0, 0)

    def text_mode(self, operands: list[Operand]) -> None:
        """Operator Tr: filled text only."""
        if _numbers(operands) != [0]:
            raise RenderingFault("only filled text is expected")

    def text_font(self, operands: list[Operand]) -> None:
        """Operator Tf."""
        self._text.font = str(operands[0])
        self._text.size = _numbers(operands[1:])[0]

    def text_matrix(self, operands: list[Operand]) -> None:
        """Operator Tm."""
        a, b, c, d, e, f = _numbers(operands)
        self._text.matrix = (a, b, c, d, e, f)

    def text_show_one(self, operands: list[Operand]) -> None:
        """Operator Tj: one string."""
        if not isinstance(operands[0], bytes):
            raise RenderingFault("Tj takes a string")
        self.text_show([[operands[0]]])

    def text_show(self, operands: list[Operand]) -> None:
        """Operator TJ: one run of glyphs."""
        run = operands[0]
        if not isinstance(run, list):
            raise RenderingFault("TJ takes a list")
        font = self.page.fonts[self._text.font]
        a, b, c, d, x, y = multiply(self._text.matrix, self._state.matrix)
        if b or c or not math.isclose(a, -d, rel_tol=1e-5) or a <= 0:
            raise RenderingFault("turned or stretched text is not expected")
        size = self._text.size * a
        indent, text, advances = _glyphs(run, font)
        self._add_line(
            TextLine(
                x=x + indent * size,
                y=y,
                size=size,
                font=font.file,
                colour=self._state.fill,
                opacity=self._state.fill_opacity,
                text=text,
                advances=tuple(advance * size for advance in advances),
            )
        )

    def _add_line(self, line: TextLine) -> None:
        """Add a run, joined to the one before if it goes on with it."""
        last = self.objects[-1] if self.objects else None
        if (
            isinstance(last, TextLine)
            and (last.font, last.colour, last.opacity) == (line.font, line.colour, line.opacity)
            and math.isclose(last.size, line.size, rel_tol=1e-6)
            and abs(last.y - line.y) < 1e-3
            and abs(last.x + last.width - line.x) < JOIN_GAP_EM * line.size
        ):
            gap = line.x - last.x - last.width
            advances = (*last.advances[:-1], last.advances[-1] + gap, *line.advances)
            line = replace(last, text=last.text + line.text, advances=advances)
            self.objects.pop()
        self.objects.append(line)


def _glyphs(run: Sequence[Operand], font: PageFont) -> tuple[float, str, list[float]]:
    """Return the indent, the text and the advances of a run, in em."""
    indent = 0.0
    characters: list[str] = []
    advances: list[float] = []
    for item in run:
        if isinstance(item, bytes):
            codes = struct.unpack(f">{len(item) // 2}H", item)
            characters += [font.characters.get(code, "") for code in codes]
            advances += [font.widths.get(code, 0.0) / 1000 for code in codes]
        elif isinstance(item, float):
            if advances:
                advances[-1] -= item / 1000
            else:
                indent -= item / 1000
    if any(len(character) != 1 for character in characters):
        raise RenderingFault("a glyph that is not one character is not expected")
    return indent, "".join(characters), advances


def _numbers(operands: Sequence[Operand]) -> list[float]:
    numbers = [operand for operand in operands if isinstance(operand, float)]
    if len(numbers) != len(operands):
        raise RenderingFault("numbers were expected")
    return numbers


def _colour(operands: list[Operand]) -> Colour:
    parts = [round(number * 255) for number in _numbers(operands)]
    if len(parts) == 1:
        return (parts[0], parts[0], parts[0])
    if len(parts) != 3:
        raise RenderingFault("only grey and RGB colours are expected")
    return (parts[0], parts[1], parts[2])


def _painter(*, fill: bool, stroke: bool, even_odd: bool = False) -> "Handler":
    def handler(walker: Walker, _: list[Operand]) -> None:
        walker.paint(fill=fill, stroke=stroke, even_odd=even_odd)

    return handler


Handler = Callable[[Walker, list[Operand]], None]
_HANDLERS: dict[str, Handler] = {
    "q": Walker.save,
    "Q": Walker.restore,
    "cm": Walker.concatenate,
    "scn": Walker.fill_colour,
    "SCN": Walker.stroke_colour,
    "w": Walker.line_width,
    "J": Walker.line_cap,
    "j": Walker.line_join,
    "d": Walker.dashes,
    "gs": Walker.graphics_state,
    "m": Walker.move,
    "l": Walker.line,
    "c": Walker.cubic,
    "re": Walker.rectangle,
    "h": Walker.close,
    "W": Walker.clip,
    "n": _painter(fill=False, stroke=False),
    "f": _painter(fill=True, stroke=False),
    "f*": _painter(fill=True, stroke=False, even_odd=True),
    "S": _painter(fill=False, stroke=True),
    "B": _painter(fill=True, stroke=True),
    "B*": _painter(fill=True, stroke=True, even_odd=True),
    "Do": Walker.draw,
    "BT": Walker.text_begin,
    "Tr": Walker.text_mode,
    "Tf": Walker.text_font,
    "Tm": Walker.text_matrix,
    "TJ": Walker.text_show,
    "Tj": Walker.text_show_one,
    **dict.fromkeys(("cs", "CS", "M", "ET", "ri", "i"), Walker.ignore),
}
