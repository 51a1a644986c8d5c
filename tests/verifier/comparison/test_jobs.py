"""What bounded processes do about pictures; hostile files are stopped (T-OFD-71, T-WEB-14)."""

import io
import time
from collections.abc import Iterator

import pytest
from PIL import Image

from seal_service.errors import LimitExceeded, MalformedDocument
from seal_service.plumbing.bounded import BoundedPool, PoolPlan
from tests.support.ofd import make_ofd
from tests.support.pdf import approved
from tests.support.pdf_attacks import incremental_savings
from tests.support.sealed_ofd import seal_document, with_entries
from tests.support.sealed_pdf import make_pdf, sign_pdf
from tests.verifier.page_pictures.pages import heavy_path, package_with
from verifier.bounded_judging import PRELOAD
from verifier.comparing import Place
from verifier.comparison import jobs
from verifier.comparison.desk import PICTURE_BOUNDS


@pytest.fixture(scope="module")
def pool() -> Iterator[BoundedPool]:
    made = BoundedPool(PoolPlan(size=1, preload=PRELOAD))
    made.warm()
    yield made
    made.close()


def test_an_ofd_is_drawn_as_svg_and_a_pdf_as_png() -> None:
    drawn = jobs.picture_page(seal_document(), 1, None)
    assert (drawn.media_type, drawn.pages) == ("image/svg+xml", 1)
    assert (drawn.width_mm, drawn.height_mm) == (210, 297)
    printed = jobs.picture_page(make_pdf(), 1, None)
    assert printed.media_type == "image/png"
    assert Image.open(io.BytesIO(printed.data)).size[0] > 100


@pytest.mark.parametrize("number", [0, -1, 2, 10**9])
@pytest.mark.parametrize("data", [seal_document(), make_pdf()])
def test_a_page_that_is_not_there_is_refused(data: bytes, number: int) -> None:
    with pytest.raises(MalformedDocument):
        jobs.picture_page(data, number, None)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"%PDF-1.7\n%%EOF", b"PK\x03\x04", b"x" * 99])
def test_files_that_are_none_are_refused(data: bytes) -> None:
    for act in (lambda: jobs.picture_page(data, 1, None), lambda: jobs.contents_of(data)):
        with pytest.raises(MalformedDocument):
            act()


def test_pages_are_drawn_in_a_bounded_process(pool: BoundedPool) -> None:
    here = jobs.picture_page(seal_document(), 1, None)
    assert pool.run(jobs.picture_page, seal_document(), 1, None) == here


def test_a_page_that_takes_too_long_is_stopped_within_its_seconds(pool: BoundedPool) -> None:
    package = package_with(heavy_path())
    begun = time.monotonic()
    with pytest.raises(LimitExceeded) as refused:
        pool.run(jobs.compare_page, package, package, 1, None, bounds=PICTURE_BOUNDS)
    assert refused.value.params["limit"] in ("verification_cpu", "verification_memory")
    assert time.monotonic() - begun < 12
    assert pool.run(jobs.claims_of, make_ofd(custom_datas={"a": "b"})) == {"a": "b"}


def test_words_of_two_packages_are_compared() -> None:
    ours = make_ofd(lines=("营业执照", "名称"), custom_datas={"CertificateName": "营业执照"})
    theirs = make_ofd(lines=("营业执照", "名号"), custom_datas={"CertificateName": "营业执照书"})
    words = jobs.compare_words(ours, theirs, {})
    (field,) = words.fields
    assert (field.place, field.label) == (Place.INDEX, "证照名称")
    assert (field.ours, field.theirs) == ("营业执照", "营业执照书")
    (line,) = words.lines
    assert (line.page, line.ours, line.theirs) == (1, "名称", "名号")


def test_a_page_that_only_one_file_has_is_said() -> None:
    one, two = make_ofd(), make_ofd(pages=2)
    added = jobs.compare_page(one, two, 2, None)
    removed = jobs.compare_page(two, one, 2, None)
    assert added is not None
    assert removed is not None
    assert (added.note, added.ours is None, added.theirs is None) == ("page-added", True, False)
    assert (removed.note, removed.ours is None) == ("page-removed", False)


def test_equal_pages_differ_nowhere() -> None:
    assert jobs.compare_page(make_ofd(), make_ofd(), 1, None) is None
    assert jobs.compare_page(make_pdf(), make_pdf(), 1, None) is None


def test_a_seal_is_shared_only_by_files_that_carry_its_very_value() -> None:
    ours = seal_document()
    changed = with_entries(ours, {"Doc_0/Document.xml": b"<x/>"})
    assert jobs.seal_values(ours)
    assert not jobs.share_a_seal(ours, make_ofd())
    assert not jobs.share_a_seal(ours, sign_pdf())
    with pytest.raises(MalformedDocument):
        jobs.share_a_seal(ours, changed)
    page = with_entries(ours, {"Doc_0/Attachs/licence.json": b"{}"})
    assert jobs.share_a_seal(ours, page)


def test_the_sealed_state_of_a_changed_pdf_is_found() -> None:
    signed = approved()
    assert jobs.sealed_length(signed) is None
    changed = incremental_savings(signed)
    assert jobs.sealed_length(changed["well-formed"]) == len(signed)
    assert jobs.sealed_length(changed["content-rewritten"]) == len(signed)


def test_the_sealed_state_and_the_present_one_are_compared() -> None:
    signed = approved()
    found = jobs.compare_page(signed, incremental_savings(signed)["well-formed"], 1, None)
    assert found is not None
    assert found.boxes_mm
