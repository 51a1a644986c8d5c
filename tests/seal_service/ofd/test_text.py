import pytest

from seal_service.errors import LimitExceeded
from seal_service.formats.limits import Limits
from seal_service.formats.ofd.container import OFDContainer, read_container
from seal_service.formats.ofd.document import read_document
from seal_service.formats.ofd.model import OFDDocument
from seal_service.formats.ofd.text import find_text, text_lines, text_of_pages
from tests.support.ofd import LINES, make_ofd, part, text_object

PAGE = "Doc_0/Pages/Page_0/Content.xml"


def read(objects: str | None = None, *, pages: int = 1) -> tuple[OFDContainer, OFDDocument]:
    body = f'<ofd:Content><ofd:Layer ID="1001">{objects}</ofd:Layer></ofd:Content>'
    replace = {} if objects is None else {PAGE: part("Page", body)}
    container = read_container(make_ofd(pages=pages, replace=replace))
    return container, read_document(container)


def text(attributes: str, codes: str) -> str:
    return f'<ofd:TextObject ID="9" {attributes}>{codes}</ofd:TextObject>'


def test_the_text_of_a_page_comes_line_by_line_in_paint_order() -> None:
    """T-OFD-65: what is visible, for comparison with the structured data."""
    assert text_of_pages(*read(pages=2)) == (("中华人民共和国", *LINES),) * 2


def test_foreground_templates_come_last() -> None:
    container, _ = read()
    page = container.entries[PAGE].replace(b"Background", b"Foreground")
    changed = read_container(make_ofd(replace={PAGE: page}))
    assert text_of_pages(changed, read_document(changed)) == ((*LINES, "中华人民共和国"),)


def test_a_keyword_is_found_with_its_place_on_each_page() -> None:
    spots = find_text(*read(pages=2), "有限公司")
    assert [(s.page_number, s.x_mm, round(s.y_mm, 3), s.width_mm, s.height_mm) for s in spots] == [
        (1, 45.0, 54.6, 20.0, 5.0),
        (2, 45.0, 54.6, 20.0, 5.0),
    ]
    assert find_text(*read(), "不存在") == ()
    assert find_text(*read(), "  ") == ()


def test_a_keyword_is_found_across_objects_that_continue_each_other() -> None:
    objects = "".join(
        text_object(10 + n, 20 + 5 * n, 50, letter) for n, letter in enumerate("盖 章处")
    )
    (spot,) = find_text(*read(objects), "盖章")
    assert (spot.x_mm, spot.width_mm) == (20.0, 15.0)
    apart = text_object(10, 20, 50, "盖") + text_object(11, 80, 50, "章")
    assert find_text(*read(apart), "盖章") == ()
    below = text_object(10, 20, 50, "盖") + text_object(11, 25, 58, "章")
    assert find_text(*read(below), "盖章") == ()


def test_every_hit_on_a_line_is_found() -> None:
    assert len(find_text(*read(text_object(10, 20, 50, "章章章章")), "章章")) == 2


def test_positions_follow_the_matrix_and_the_deltas() -> None:
    objects = text(
        'Boundary="10 20 90 30" Size="4" CTM="2 0 0 2 1 1"',
        '<ofd:TextCode X="1" Y="3" DeltaX="g 2 4 5">甲乙丙丁</ofd:TextCode>',
    )
    (line,) = text_lines(*read(objects))
    assert line.xs_mm == (13.0, 21.0, 29.0, 39.0, 47.0)
    assert (line.baseline_mm, line.size_mm) == (27.0, 8.0)


def test_lines_of_one_object_are_told_apart_and_missing_places_are_taken_over() -> None:
    objects = text(
        'Boundary="0 0 90 30" Size="4"',
        '<ofd:TextCode X="1" Y="5" DeltaX="4">甲乙丙</ofd:TextCode>'
        '<ofd:TextCode Y="15">丁</ofd:TextCode>',
    )
    first, second = text_lines(*read(objects))
    assert (first.text, first.xs_mm) == ("甲乙丙", (1.0, 5.0, 9.0, 13.0))
    assert (second.text, second.xs_mm[0], second.baseline_mm) == ("丁", 1.0, 15.0)


def test_columns_are_lines_of_single_characters_and_odd_numbers_do_no_harm() -> None:
    objects = text(
        'Boundary="x" Size="nan" CTM="1"',
        '<ofd:TextCode X="1e9" Y="2" DeltaX="g" DeltaY="g x 3">甲乙</ofd:TextCode>',
    )
    assert [line.text for line in text_lines(*read(objects))] == ["甲乙"]
    column = text(
        'Boundary="0 0 9 90" Size="4"',
        '<ofd:TextCode X="0" Y="4" DeltaY="g 1 6">甲乙</ofd:TextCode>',
    )
    assert [line.text for line in text_lines(*read(column))] == ["甲", "乙"]


@pytest.mark.parametrize("deltas", ["g 1000000 1", "g 60 1 g 60 1", "1 " * 101])
def test_repeated_deltas_are_bounded(deltas: str) -> None:
    """T-OFD-71."""
    objects = text(
        'Boundary="0 0 9 9" Size="4"', f'<ofd:TextCode DeltaX="{deltas}">甲</ofd:TextCode>'
    )
    with pytest.raises(LimitExceeded):
        text_lines(*read(objects), limits=Limits(text_deltas=100))


def test_the_amount_of_text_is_bounded() -> None:
    """T-OFD-71."""
    total = sum(map(len, LINES)) + 7
    text_lines(*read(), limits=Limits(text_characters=total))
    with pytest.raises(LimitExceeded):
        text_lines(*read(), limits=Limits(text_characters=total - 1))
