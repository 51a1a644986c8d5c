"""Draw the frames, the underprint and the plain star medallion of the licence faces as SVG.

Run by hand when the ornament changes (``python scripts/draw_ornaments.py``); the SVG files
are committed. Everything is flat stroke and fill: no gradient, no clip, no transparency, because
OFD readers draw those differently. Lengths are millimetres.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The inks of one face."""

    paper: str
    line: str
    strand: str
    counter: str
    wash: str
    accent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Outer edge of the frame on the page, and the width of its band."""

    width: float
    height: float
    left: float
    top: float
    right: float
    bottom: float
    band: float = 9.0
    corner: float = 15.0


def num(value: float) -> str:
    """Write a number with two decimals at most."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def path(data: str, *, stroke: str = "none", width: float = 0.0, fill: str = "none") -> str:
    """Write one path element."""
    if stroke == "none":
        return f'<path d="{data}" fill="{fill}"/>'
    return f'<path d="{data}" fill="{fill}" stroke="{stroke}" stroke-width="{num(width)}"/>'


def smooth(points: list[Point], slopes: list[Point], *, closed: bool = False) -> str:
    """Write a curve through points with given tangents (per parameter step)."""
    pieces = [f"M{num(points[0][0])} {num(points[0][1])}"]
    for index in range(1, len(points) + closed):
        a, b = points[index - 1], points[index % len(points)]
        ta, tb = slopes[index - 1], slopes[index % len(points)]
        pieces.append(
            f"C{num(a[0] + ta[0] / 3)} {num(a[1] + ta[1] / 3)} "
            f"{num(b[0] - tb[0] / 3)} {num(b[1] - tb[1] / 3)} {num(b[0])} {num(b[1])}"
        )
    return "".join(pieces) + ("Z" if closed else "")


def curve(at: Callable[[float], Point], start: float, end: float, steps: int, **how: bool) -> str:
    """Write a parametric curve; tangents by small differences."""
    step = (end - start) / steps
    closed = how.get("closed", False)
    count = steps if closed else steps + 1
    marks = [start + step * index for index in range(count)]
    slopes = []
    for mark in marks:
        (x1, y1), (x2, y2) = at(mark - 1e-4), at(mark + 1e-4)
        slopes.append(((x2 - x1) / 2e-4 * step, (y2 - y1) / 2e-4 * step))
    return smooth([at(mark) for mark in marks], slopes, closed=closed)


def rosette(centre: Point, radius: float, lobes: int, depth: float, phase: float) -> str:
    """Write a closed polar curve with lobes; shallow ones need more steps to look smooth."""
    steps = 3 if depth > 0.1 else 4

    def at(angle: float) -> Point:
        r = radius * (1 - depth + depth * math.cos(lobes * angle + phase))
        return (centre[0] + r * math.cos(angle), centre[1] + r * math.sin(angle))

    return curve(at, 0, 2 * math.pi, lobes * steps, closed=True)


def side(start: Point, end: Point, amplitude: float, periods: int, phase: float) -> str:
    """Write a sine wave along one side of the frame."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy)

    def at(t: float) -> Point:
        wave = amplitude * math.sin(2 * math.pi * periods * t + phase)
        return (start[0] + dx * t - dy / length * wave, start[1] + dy * t + dx / length * wave)

    return curve(at, 0, 1, periods * 3)


def rectangle(x: float, y: float, width: float, height: float) -> str:
    """Write a rectangle."""
    return f"M{num(x)} {num(y)}h{num(width)}v{num(height)}h{num(-width)}Z"


def inset(frame: Frame, by: float) -> str:
    """Write the frame's rectangle, moved inwards."""
    return rectangle(
        frame.left + by,
        frame.top + by,
        frame.right - frame.left - 2 * by,
        frame.bottom - frame.top - 2 * by,
    )


def star(centre: Point, radius: float) -> str:
    """Write a five-pointed star, one point up."""
    points = []
    for index in range(10):
        r = radius if index % 2 == 0 else radius * 0.381966
        angle = -math.pi / 2 + index * math.pi / 5
        points.append(
            f"{num(centre[0] + r * math.cos(angle))} {num(centre[1] + r * math.sin(angle))}"
        )
    return "M" + "L".join(points) + "Z"


def underprint(frame: Frame, palette: Palette) -> Iterable[str]:
    """Draw the pale paper, its wavy lines and the large rosette."""
    yield path(inset(frame, 0.2), fill=palette.paper)
    x1, x2 = frame.left + frame.band, frame.right - frame.band
    y1, y2 = frame.top + frame.band, frame.bottom - frame.band
    centre = ((x1 + x2) / 2, (y1 + y2) / 2)
    rows = 20
    lines = []
    for row in range(1, rows):
        y = y1 + (y2 - y1) * row / rows

        def at(t: float, y: float = y, row: int = row) -> Point:
            swell = math.sin(math.pi * t)
            wave = 1.9 * swell * math.sin(2 * math.pi * 9 * t + row * 0.42)
            return (x1 + (x2 - x1) * t, y + wave)

        lines.append(curve(at, 0, 1, 27))
    yield path("".join(lines), stroke=palette.wash, width=0.12)
    rings = [
        rosette(centre, radius, lobes, depth, phase * math.pi * 2 / 3)
        for radius, lobes, depth in ((62, 12, 0.16), (46, 12, 0.24), (29, 12, 0.34))
        for phase in range(3)
    ]
    yield path("".join(rings), stroke=palette.wash, width=0.16)


def band(frame: Frame, palette: Palette) -> Iterable[str]:
    """Draw the four sides: two families of woven waves between fine lines."""
    middle = frame.band / 2
    corners = [
        (frame.left + middle, frame.top + middle),
        (frame.right - middle, frame.top + middle),
        (frame.right - middle, frame.bottom - middle),
        (frame.left + middle, frame.bottom - middle),
    ]
    strands: list[str] = []
    counters: list[str] = []
    for index in range(4):
        a, b = corners[index], corners[(index + 1) % 4]
        length = math.hypot(b[0] - a[0], b[1] - a[1])
        periods = round(length / 12.5)
        for phase in range(5):
            strands.append(side(a, b, middle - 1.55, periods, phase * math.pi * 0.4))
        for phase in range(2):
            counters.append(side(a, b, middle - 2.5, periods * 2, phase * math.pi + 0.6))
    yield path("".join(strands), stroke=palette.strand, width=0.13)
    yield path("".join(counters), stroke=palette.counter, width=0.16)
    yield path(inset(frame, 0), stroke=palette.line, width=0.7)
    yield path(inset(frame, 1.05), stroke=palette.line, width=0.18)
    yield path(inset(frame, frame.band - 0.9), stroke=palette.line, width=0.18)
    yield path(inset(frame, frame.band), stroke=palette.line, width=0.4)


def corner_pieces(frame: Frame, palette: Palette) -> Iterable[str]:
    """Draw the four corner squares with their rosettes."""
    size = frame.corner
    squares = [
        (frame.left, frame.top),
        (frame.right - size, frame.top),
        (frame.right - size, frame.bottom - size),
        (frame.left, frame.bottom - size),
    ]
    yield path("".join(rectangle(x, y, size, size) for x, y in squares), fill=palette.paper)
    frames = [rectangle(x, y, size, size) for x, y in squares]
    inner = [rectangle(x + 0.8, y + 0.8, size - 1.6, size - 1.6) for x, y in squares]
    fine: list[str] = []
    bold: list[str] = []
    dots: list[str] = []
    for x, y in squares:
        centre = (x + size / 2, y + size / 2)
        fine += [rosette(centre, 6.3, 8, 0.3, phase * math.pi / 2) for phase in range(4)]
        fine += [rosette(centre, 3.9, 8, 0.42, phase * math.pi / 2) for phase in range(2)]
        bold.append(rosette(centre, 6.5, 8, 0.06, 0))
        dots.append(rosette(centre, 0.95, 8, 0.14, 0))
    yield path("".join(fine), stroke=palette.strand, width=0.14)
    yield path("".join(bold), stroke=palette.counter, width=0.2)
    yield path("".join(dots), fill=palette.accent)
    yield path("".join(inner), stroke=palette.line, width=0.18)
    yield path("".join(frames), stroke=palette.line, width=0.5)


def svg(width: float, height: float, body: Iterable[str]) -> str:
    """Write a picture."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{num(width)}mm" height="{num(height)}mm" '
        f'viewBox="0 0 {num(width)} {num(height)}">' + "\n".join(body) + "</svg>\n"
    )


def medallion(gold: str, ground: str) -> str:
    """Draw the placeholder for an emblem: a ring of rays and one plain star, in a single ink."""
    centre = (20.0, 20.0)
    rays = []
    for index in range(72):
        angle = index * math.pi / 36
        inner, outer = 15.2, 17.2 if index % 2 else 16.6
        rays.append(
            f"M{num(20 + inner * math.cos(angle))} {num(20 + inner * math.sin(angle))}"
            f"L{num(20 + outer * math.cos(angle))} {num(20 + outer * math.sin(angle))}"
        )
    body = [
        path(rosette(centre, 19.6, 36, 0.018, 0), fill=ground),
        path(rosette(centre, 19.6, 36, 0.018, 0), stroke=gold, width=0.7),
        path("".join(rays), stroke=gold, width=0.42),
        path(rosette(centre, 14.2, 36, 0.0, 0), stroke=gold, width=0.55),
        path(star(centre, 11.6), fill=gold),
    ]
    return svg(40, 40, body)


def draw_face(folder: str, frame: Frame, palette: Palette) -> None:
    """Write the background and the medallion of one template."""
    assets = TEMPLATES / folder / "assets"
    assets.mkdir(parents=True, exist_ok=True)
    parts = [*underprint(frame, palette), *band(frame, palette), *corner_pieces(frame, palette)]
    picture = svg(frame.width, frame.height, parts)
    (assets / "background.svg").write_text(picture, "utf-8")
    (assets / "medallion.svg").write_text(medallion(palette.line, palette.paper), "utf-8")


def main() -> None:
    """Draw the ornaments of all templates."""
    sheet = Frame(width=297, height=210, left=9, top=8.5, right=288, bottom=196)
    draw_face(
        "business_licence",
        sheet,
        Palette(
            paper="#fffcf3", line="#a47c34", strand="#c39a4f", counter="#b8564a",
            wash="#f3e7cb", accent="#b8564a",
        ),
    )  # fmt: skip
    draw_face(
        "food_business_licence",
        sheet,
        Palette(
            paper="#f8fcf8", line="#3f7d68", strand="#6aa58f", counter="#c59a45",
            wash="#dcece2", accent="#c59a45",
        ),
    )  # fmt: skip


if __name__ == "__main__":
    main()
