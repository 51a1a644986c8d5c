"""``eseal seal``: put a seal on any OFD or PDF file.

Reads its words, calls one function, writes the file. The use is committed, so it stands in the
register and in the log as every other one.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypedDict, Unpack

import click

from seal_service.formats.placement import Corner
from seal_service.plumbing.auth import Caller
from seal_service.plumbing.database import Database
from seal_service.sealing import DocumentOrder, Sealer
from seal_service.seals.model import PDFProfile
from seal_service.seals.placing import (
    AtPoint,
    DocumentLayout,
    InField,
    OnText,
    ReservedSpot,
    SealMode,
    Straddling,
    Wish,
)

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)
_MM = click.FloatRange(0, 2_000)


class SealingTools(Protocol):
    """What the command works with."""

    @property
    def sealer(self) -> Sealer:
        """Return who seals."""
        ...

    @property
    def database(self) -> Database:
        """Return where uses are committed."""
        ...

    @property
    def operator(self) -> Caller:
        """Return who acts."""
        ...

    @property
    def tell(self) -> Callable[[object, list[tuple[str, str]]], None]:
        """Return what prints a result."""
        ...


class SealWords(TypedDict):
    """The words of the command, as ``click`` hands them over."""

    seal_id: str
    case_number: str
    kind: str
    name: str
    centre: tuple[float, float] | None
    corner: str
    keyword: str | None
    hit: str
    from_end: bool
    offset: tuple[float, float]
    pages: str | None
    field: str | None
    straddle: bool
    edge: str
    top: float | None
    straddle_pages: str
    pages_per_seal: int
    least_strip: float
    least_end: float
    reserve: tuple[tuple[str, float, float], ...]
    lock: bool
    pdf_profile: str


_OPTIONS = (
    click.option("--seal", "seal_id", required=True, help="Which seal."),
    click.option("--case", "case_number", required=True, help="Case the document belongs to."),
    click.option("--kind", default="document", show_default=True, help="As mandates name it."),
    click.option("--name", default="", help="What the document is, for the record of uses."),
    click.option(
        "--lock/--continue",
        default=True,
        show_default=True,
        help="Whether further seals may follow.",
    ),
    click.option(
        "--pdf-profile",
        type=click.Choice([profile.value for profile in PDFProfile]),
        default=PDFProfile.RSA_PADES.value,
        show_default=True,
        help="How a PDF is sealed.",
    ),
    click.option(
        "--at",
        "centre",
        type=(float, float),
        metavar="X Y",
        help="Centre of the seal in mm from a corner of the page.",
    ),
    click.option(
        "--from",
        "corner",
        type=click.Choice([corner.value for corner in Corner]),
        default=Corner.TOP_LEFT.value,
        show_default=True,
        help="The corner that --at counts from.",
    ),
    click.option("--keyword", metavar="TEXT", help="Centre the seal on a text."),
    click.option("--hit", default="1", show_default=True, help="Which hit of it, or all."),
    click.option("--from-end", is_flag=True, help="Count hits from the last one backwards."),
    click.option(
        "--offset",
        type=(float, float),
        default=(0.0, 0.0),
        metavar="DX DY",
        help="Move right and down from the text, in mm.",
    ),
    click.option(
        "--pages", metavar="LIST", help="1,3-5,last or all; default 1 for --at, all for --keyword."
    ),
    click.option("--field", metavar="NAME", help="Fill an empty signature field of a PDF."),
    click.option(
        "--straddle", is_flag=True, help="Seal over the page edges (骑缝章), too or only."
    ),
    click.option(
        "--edge", type=click.Choice(["left", "right"]), default="right", show_default=True
    ),
    click.option("--top", type=_MM, help="Upper edge of the straddle seal; default centred."),
    click.option("--straddle-pages", default="all", show_default=True, metavar="LIST"),
    click.option("--pages-per-seal", type=click.IntRange(2, 500), default=20, show_default=True),
    click.option("--least-strip", type=_MM, default=1.0, show_default=True),
    click.option(
        "--least-end", type=_MM, default=0.0, help="Least strip on first and last page, in mm."
    ),
    click.option(
        "--reserve",
        type=(str, float, float),
        multiple=True,
        metavar="NAME X Y",
        help="Leave an empty field on page 1 of a PDF for a later seal.",
    ),
)


def build_command(opened: Callable[[click.Context], SealingTools]) -> click.Command:
    """Build the command."""

    def seal(ctx: click.Context, /, document: Path, out: Path, **words: Unpack[SealWords]) -> None:
        tools = opened(ctx)
        order = read_order(tools.operator, words)
        sealing = tools.sealer.seal_document(order, document.read_bytes())
        with tools.database.transaction() as connection:
            tools.sealer.commit_uses(connection, [sealing.use_id], tools.operator.authority_code)
        out.write_bytes(sealing.document)
        value = {"file": str(out), "seal_use_id": sealing.use_id, "format": sealing.format.value}
        tools.tell(value, list(value.items()))

    seal.__doc__ = "Put a seal on an OFD or PDF document, ours or not."
    command = click.pass_context(seal)
    for option in reversed(_OPTIONS):
        command = option(command)
    command = click.option("--out", required=True, type=_OUT)(command)
    command = click.argument("document", type=_FILE)(command)
    return click.command("seal")(command)


def read_order(operator: Caller, words: SealWords) -> DocumentOrder:
    """Turn the words into an order; raises ``click.UsageError`` for words that say no place."""
    return DocumentOrder(
        caller=operator,
        seal_id=words["seal_id"],
        case_number=words["case_number"],
        document_kind=words["kind"],
        subject=words["name"] or words["case_number"],
        pdf_profile=PDFProfile(words["pdf_profile"]),
        layout=DocumentLayout(
            wishes=_wishes(words),
            mode=SealMode.LOCK if words["lock"] else SealMode.CONTINUE,
            reserved=tuple(
                ReservedSpot(name=name, spot=AtPoint(x_mm=x, y_mm=y))
                for name, x, y in words["reserve"]
            ),
        ),
    )


def _wishes(words: SealWords) -> tuple[Wish, ...]:
    found: list[Wish] = []
    if words["field"] is not None:
        found.append(InField(name=words["field"]))
    if words["centre"] is not None:
        x, y = words["centre"]
        corner = Corner(words["corner"])
        found.append(AtPoint(x_mm=x, y_mm=y, corner=corner, pages=words["pages"] or "1"))
    if words["keyword"] is not None:
        found.append(
            OnText(
                keyword=words["keyword"],
                hit=_hit(words["hit"]),
                from_end=words["from_end"],
                offset_mm=words["offset"],
                pages=words["pages"] or "all",
            )
        )
    if words["straddle"]:
        found.append(
            Straddling(
                edge=words["edge"],
                top_mm=words["top"],
                pages=words["straddle_pages"],
                pages_per_seal=words["pages_per_seal"],
                least_strip_mm=words["least_strip"],
                least_end_mm=words["least_end"],
            )
        )
    if not found:
        raise click.UsageError("say where: --at, --keyword, --field or --straddle")
    return tuple(found)


def _hit(word: str) -> int | None:
    if word == "all":
        return None
    if not (word.isascii() and word.isdigit()):
        raise click.UsageError("--hit is a number or all")
    return int(word)
