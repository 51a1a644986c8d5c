"""Wire types of the comparison API, and how a comparison becomes them."""

import base64

from pydantic import BaseModel, ConfigDict, Field

from verifier.comparing import Comparison, PageDifference, Place, Side


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldDifferenceAnswer(_Answer):
    """One named value that differs."""

    place: Place = Field(description="Where it stands: index, data or face.", examples=["index"])
    item: str = Field(description="Its name in the file.", examples=["CertificateHolderName"])
    label: str = Field(description="Its name for people.", examples=["持证主体"])
    ours: str | None = Field(
        description="In the library's file; null if absent.", examples=["金陵云栖茶点有限公司"]
    )
    theirs: str | None = Field(
        description="In the file received; null if absent.", examples=["金陵云溪茶点有限公司"]
    )


class LineDifferenceAnswer(_Answer):
    """One visible line of text that differs."""

    page: int = Field(description="From 1.", examples=[1])
    ours: str | None = Field(description="In the library's file.", examples=["壹佰万元整"])
    theirs: str | None = Field(description="In the file received.", examples=["玖佰万元整"])


class AreaAnswer(_Answer):
    """One changed area, in millimetres from the top-left corner of the page."""

    x: float = Field(description="Left edge.", examples=[198.0])
    y: float = Field(description="Upper edge.", examples=[79.2])
    width: float = Field(description="Width.", examples=[4.1])
    height: float = Field(description="Height.", examples=[3.8])


class PageDifferenceAnswer(_Answer):
    """One page that looks different."""

    page: int = Field(description="From 1.", examples=[1])
    note: str = Field(
        description="page-added, page-removed, no-picture or empty.", examples=["page-added"]
    )
    areas: list[AreaAnswer] = Field(description="Changed areas.", examples=[[]])
    ours: str | None = Field(
        description="PNG in base64 with the areas boxed, if pictures were asked for.",
        examples=[None],
    )
    theirs: str | None = Field(description="The same of the file received.", examples=[None])


class ComparisonAnswer(_Answer):
    """What differs; whether the file is genuine is asked of ``/v1/verifications``."""

    compared_with: Side = Field(description="With what it was compared.", examples=["library"])
    fields: list[FieldDifferenceAnswer] = Field(description="Named values.", examples=[[]])
    lines: list[LineDifferenceAnswer] = Field(description="Visible text.", examples=[[]])
    pages: list[PageDifferenceAnswer] = Field(description="Pages.", examples=[[]])
    compared_pages: int = Field(description="How many pages were compared.", examples=[1])
    is_complete: bool = Field(description="Whether that was all there is.", examples=[True])


def comparison_answer(found: Comparison, *, with_pictures: bool) -> ComparisonAnswer:
    """Return the wire form of a comparison."""
    words = found.words
    return ComparisonAnswer(
        compared_with=found.side,
        fields=[
            FieldDifferenceAnswer(
                place=one.place, item=one.item, label=one.label, ours=one.ours, theirs=one.theirs
            )
            for one in (() if words is None else words.fields)
        ],
        lines=[
            LineDifferenceAnswer(page=one.page, ours=one.ours, theirs=one.theirs)
            for one in (() if words is None else words.lines)
        ],
        pages=[_page(page, with_pictures=with_pictures) for page in found.pages],
        compared_pages=found.compared_pages,
        is_complete=found.is_complete,
    )


def _page(page: PageDifference, *, with_pictures: bool) -> PageDifferenceAnswer:
    return PageDifferenceAnswer(
        page=page.number,
        note=page.note,
        areas=[
            AreaAnswer(x=x, y=y, width=width, height=height)
            for x, y, width, height in page.boxes_mm
        ],
        ours=_encoded(page.ours) if with_pictures else None,
        theirs=_encoded(page.theirs) if with_pictures else None,
    )


def _encoded(png: bytes | None) -> str | None:
    return None if png is None else base64.b64encode(png).decode("ascii")
