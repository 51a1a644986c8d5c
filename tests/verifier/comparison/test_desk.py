"""Who is shown what of a comparison: callers all of their own, the public what it brought along."""

from collections.abc import Iterator

import pytest

import seal_service.seals.tables
import seal_service.translog.tables  # noqa: F401 - declares the tables
from licence_store.errors import FileDamaged, LicenceNotFound
from seal_service.errors import MalformedDocument
from seal_service.formats.ofd.container import read_container
from seal_service.plumbing.bounded import BoundedPool, PoolPlan
from seal_service.plumbing.database import Database
from tests.support.issued import IssuedScene
from tests.support.licences import AUTHORITY, OTHER_AUTHORITY
from tests.support.ofd import make_ofd
from tests.support.pdf import approved, size_of
from tests.support.pdf_attacks import incremental_savings
from tests.support.sealed_ofd import with_entries
from tests.support.sealed_pdf import append_update
from tests.verifier.page_pictures.pages import heavy_path, page_with
from verifier.bounded_judging import PRELOAD
from verifier.comparing import Comparison, Side
from verifier.comparison.desk import ComparisonDesk, ComparisonParts

PAGE = "Doc_0/Pages/Page_0/Content.xml"


@pytest.fixture(scope="module")
def pool() -> Iterator[BoundedPool]:
    made = BoundedPool(PoolPlan(size=1, preload=PRELOAD))
    made.warm()
    yield made
    made.close()


@pytest.fixture
def scene(database: Database) -> IssuedScene:
    return IssuedScene(database)


@pytest.fixture
def desk(scene: IssuedScene, pool: BoundedPool) -> ComparisonDesk:
    return ComparisonDesk(ComparisonParts(database=scene.database, blobs=scene.blobs, pool=pool))


def _tampered(scene: IssuedScene) -> bytes:
    """Return the library's OFD with another holder, another title, and its picture moved."""
    entries = read_container(scene.ofd).entries
    name = scene.result.holder.name
    return with_entries(
        scene.ofd,
        {
            "OFD.xml": entries["OFD.xml"].replace(name.encode(), "别的公司".encode()),
            PAGE: entries[PAGE]
            .replace("营业执照".encode(), "食品许可".encode())
            .replace(b'"150 250 20 20"', b'"120 250 20 20"'),
        },
    )


def _damage(scene: IssuedScene) -> None:
    for file in scene.licence.files:
        scene.blobs.kept[file.digest] = b"short"


def _public(desk: ComparisonDesk, scene: IssuedScene, data: bytes) -> Comparison | None:
    return desk.compare_for_public(data, scene.verification.judge_upload(data))


# Callers


def test_a_caller_sees_everything_that_differs(scene: IssuedScene, desk: ComparisonDesk) -> None:
    found = desk.compare(_tampered(scene), AUTHORITY.code)
    assert found.side is Side.LIBRARY
    assert found.words is not None
    values = {one.item: (one.ours, one.theirs) for one in found.words.fields}
    assert values["CertificateHolderName"] == (scene.result.holder.name, "别的公司")
    assert ("营业执照", "食品许可") in [(one.ours, one.theirs) for one in found.words.lines]
    (page,) = found.pages
    assert page.boxes_mm
    assert page.ours is not None
    assert page.theirs is not None


def test_the_librarys_own_file_differs_in_nothing(scene: IssuedScene, desk: ComparisonDesk) -> None:
    for data in (scene.ofd, scene.pdf):
        found = desk.compare(data, AUTHORITY.code)
        assert found.words is not None
        assert (found.words.fields, found.words.lines, found.pages) == ((), (), ())
        assert found.is_complete


def test_licences_of_other_authorities_do_not_exist(
    scene: IssuedScene, desk: ComparisonDesk
) -> None:
    with pytest.raises(LicenceNotFound):
        desk.compare(scene.ofd, OTHER_AUTHORITY.code)
    with pytest.raises(LicenceNotFound):
        desk.compare(make_ofd(), AUTHORITY.code)


def test_a_caller_may_name_the_licence(scene: IssuedScene, desk: ComparisonDesk) -> None:
    found = desk.compare(make_ofd(), AUTHORITY.code, scene.identifier)
    assert found.words is not None
    assert found.words.fields


def test_a_foreign_pdf_is_compared_with_its_own_sealed_state(desk: ComparisonDesk) -> None:
    signed = approved()
    found = desk.compare(incremental_savings(signed)["well-formed"], AUTHORITY.code)
    assert found.side is Side.SEALED_REVISION
    assert found.pages
    with pytest.raises(LicenceNotFound):
        desk.compare(signed, AUTHORITY.code)


def test_a_damaged_library_file_is_said(scene: IssuedScene, desk: ComparisonDesk) -> None:
    _damage(scene)
    with pytest.raises(FileDamaged):
        desk.compare(scene.ofd, AUTHORITY.code)


def test_a_page_is_drawn_or_refused(scene: IssuedScene, desk: ComparisonDesk) -> None:
    assert desk.picture(scene.ofd, 1).media_type == "image/svg+xml"
    with pytest.raises(MalformedDocument):
        desk.picture(b"neither", 1)


# The public


def test_a_genuine_file_is_compared_with_nothing(scene: IssuedScene, desk: ComparisonDesk) -> None:
    assert _public(desk, scene, scene.ofd) is None
    assert _public(desk, scene, scene.pdf) is None


def test_a_changed_file_that_carries_our_seal_is_compared(
    scene: IssuedScene, desk: ComparisonDesk
) -> None:
    found = _public(desk, scene, _tampered(scene))
    assert found is not None
    assert found.side is Side.LIBRARY


def test_a_made_up_file_learns_nothing(scene: IssuedScene, desk: ComparisonDesk) -> None:
    """Who only knows an identifier has no seal to show (T-WEB-01)."""
    bare = make_ofd(custom_datas=scene.metadata | {"CertificateHolderName": "别的公司"})
    assert _public(desk, scene, bare) is None
    assert _public(desk, scene, b"%PDF-1.7") is None
    assert _public(desk, scene, b"neither") is None


def test_a_pdf_changed_after_sealing_is_shown_beside_its_sealed_state(
    scene: IssuedScene, desk: ComparisonDesk
) -> None:
    content = b"BT /F1 24 Tf 72 720 Td (Forgery) Tj ET"
    body = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)
    changed = append_update(scene.pdf, {4: body}, size=size_of(scene.pdf))
    found = _public(desk, scene, changed)
    assert found is not None
    assert found.side is Side.SEALED_REVISION
    assert found.words is not None
    assert [(one.ours, one.theirs) for one in found.words.lines] == [("Licence", "Forgery")]
    (page,) = found.pages
    assert page.ours is not None
    assert page.theirs is not None


def test_a_library_that_lost_its_file_does_not_stand_in_the_way(
    scene: IssuedScene, desk: ComparisonDesk
) -> None:
    changed = _tampered(scene)
    verdict = scene.verification.judge_upload(changed)
    _damage(scene)
    assert desk.compare_for_public(changed, verdict) is None


def test_a_page_that_takes_too_long_ends_the_comparison(
    scene: IssuedScene, desk: ComparisonDesk
) -> None:
    """However many pages follow, they are not tried (T-OFD-71, T-WEB-13)."""
    heavy = with_entries(scene.ofd, {PAGE: page_with(heavy_path())})
    found = desk.compare(heavy, AUTHORITY.code)
    assert [(page.number, page.note) for page in found.pages] == [(1, "no-picture")]
    assert (found.compared_pages, found.is_complete) == (0, False)
    assert found.words is not None
