"""Any document sealed: ours or not, sealed before or not, in continue or whole mode."""

import io
from collections.abc import Sequence

import pikepdf
import pytest

from seal_service.errors import (
    AlreadySealed,
    InvalidPlacement,
    InvalidSealOrder,
    LimitExceeded,
    MalformedDocument,
    MandateMissing,
    UnsupportedFormat,
)
from seal_service.formats.ofd.container import read_container
from seal_service.formats.ofd.document import read_document
from seal_service.formats.ofd.model import OFDSignature
from seal_service.formats.ofd.sealing import check_integrity
from seal_service.formats.ofd.signatures import read_signatures
from seal_service.formats.pdf.fields import Permission
from seal_service.formats.pdf.integrity import check_integrity as check_pdf
from seal_service.formats.pdf.reading import read_pdf
from seal_service.formats.placement import Corner
from seal_service.formats.ses import SESVersion, parse_seal_signature
from seal_service.plumbing.database import Database
from seal_service.sealing import DocumentOrder, Sealing
from seal_service.seals import uses
from seal_service.seals.earlier import check_earlier_pdf
from seal_service.seals.model import PDFProfile
from seal_service.seals.pdf_values import SUB_FILTERS
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
from seal_service.seals.uses import UseState
from tests.support.licences import BUSINESS_LICENCE
from tests.support.ofd import altered, make_ofd, part, text_object
from tests.support.ofd import seal_ofd as stand_in_seal
from tests.support.pdf import PDFSpec, append_update, make_pdf
from tests.support.pdf import Update as PDFUpdate
from tests.support.pdf import seal as other_pdf_seal
from tests.support.register import (
    TENANT,
    SealScene,
    apply_for_seal,
    bring_into_use,
    grant,
    made_seal,
)
from tests.support.sealed_ofd import FOREIGN, SealedSpec, seal_document
from tests.support.trust import NOW, YEAR

POINT = AtPoint(x_mm=150, y_mm=240)
CONTINUE, LOCK = SealMode.CONTINUE, SealMode.LOCK
KIND = "approval-letter"


@pytest.fixture
def scene(database: Database) -> SealScene:
    made = SealScene(database)
    grant(database, made.seal, licence_type_code=KIND)
    return made


def order(
    scene: SealScene,
    wishes: Sequence[Wish] = (POINT,),
    mode: SealMode = CONTINUE,
    *,
    kind: str = KIND,
    reserved: Sequence[ReservedSpot] = (),
    profile: PDFProfile = PDFProfile.RSA_PADES,
) -> DocumentOrder:
    return DocumentOrder(
        caller=scene.order().caller,
        seal_id=scene.seal.seal_id,
        case_number="YQ-2026-000002",
        document_kind=kind,
        subject="准予许可决定书",
        pdf_profile=profile,
        layout=DocumentLayout(wishes=tuple(wishes), mode=mode, reserved=tuple(reserved)),
    )


def seal(
    scene: SealScene, document: bytes, *wishes: Wish, mode: SealMode = CONTINUE, **more: object
) -> bytes:
    made = order(scene, wishes or (POINT,), mode, **more)  # type: ignore[arg-type]
    return scene.sealer.seal_document(made, document).document


def signatures(package: bytes) -> tuple[OFDSignature, ...]:
    container = read_container(package)
    return read_signatures(container, read_document(container))


def boundaries(package: bytes) -> list[tuple[int | None, tuple[float, ...]]]:
    return [
        (stamp.page_number, tuple(round(side, 2) for side in stamp.boundary or ()))
        for stamp in signatures(package)[-1].stamps
    ]


def reason(refusal: pytest.ExceptionInfo[Exception]) -> object:
    return refusal.value.params["reason"]  # type: ignore[attr-defined]


# Mandate, use, format


def test_a_use_is_opened_for_the_kind_and_committed_by_whoever_releases(scene: SealScene) -> None:
    sealing = scene.sealer.seal_document(order(scene), make_ofd())
    assert isinstance(sealing, Sealing)
    with scene.database.reading() as connection:
        use = uses.find_use(connection, TENANT, sealing.use_id)
    assert use is not None
    assert (use.state, use.intent.licence_type_code) == (UseState.OPEN, KIND)
    assert (use.intent.subject, use.intent.format) == ("准予许可决定书", sealing.format)
    with scene.database.transaction() as connection:
        scene.sealer.commit_uses(connection, [sealing.use_id], TENANT)


def test_a_mandate_must_cover_the_kind_of_document(scene: SealScene) -> None:
    with pytest.raises(MandateMissing):
        seal(scene, make_ofd(), kind="contract")
    grant(scene.database, scene.seal, licence_type_code=None)
    seal(scene, make_ofd(), kind="contract")


@pytest.mark.parametrize("kind", [BUSINESS_LICENCE, "", "A", "x" * 22, "1-letter", "文件"])
def test_a_mandate_for_licences_seals_no_other_document(scene: SealScene, kind: str) -> None:
    with pytest.raises(InvalidSealOrder):
        seal(scene, make_ofd(), kind=kind)
    assert scene.keys.signed == []


def test_only_ofd_and_pdf_are_sealed(scene: SealScene) -> None:
    with pytest.raises(UnsupportedFormat):
        seal(scene, b"plain text")


def test_refusals_leave_no_use_and_no_signature(scene: SealScene) -> None:
    for document in (make_ofd(), make_pdf()):
        with pytest.raises(InvalidPlacement):
            seal(scene, document, OnText(keyword="没有这句话"))
    with scene.database.reading() as connection:
        found = uses.list_uses(connection, TENANT, scene.seal.seal_id, since=NOW - YEAR)
    assert (found, scene.keys.signed) == ((), [])


# OFD


def test_an_ofd_in_continue_mode_takes_further_seals_and_all_hold(scene: SealScene) -> None:
    first = seal(scene, make_ofd())
    second = seal(scene, first, AtPoint(x_mm=60, y_mm=240))
    third = seal(scene, second, AtPoint(x_mm=60, y_mm=140), mode=LOCK)
    assert [item.locks_list for item in signatures(third)] == [False, False, True]
    check_integrity(third)
    before = read_container(second)
    after = read_container(third).entries
    changed = [path for path in before.entries if before.entries[path] != after[path]]
    assert changed == ["Doc_0/Signs/Signatures.xml"]
    kept = next(member.start for member in before.members if member.path in changed)
    assert third[:kept] == second[:kept]


def test_a_locked_ofd_takes_no_seal(scene: SealScene) -> None:
    """T-OFD-60."""
    locked = seal(scene, make_ofd(), mode=LOCK)
    for mode in SealMode:
        with pytest.raises(AlreadySealed) as refusal:
            seal(scene, locked, mode=mode)
        assert reason(refusal) == "locked"


def test_a_foreign_seal_that_holds_still_holds_afterwards(scene: SealScene) -> None:
    foreign = seal_document(SealedSpec(provider=FOREIGN))
    sealed = seal(scene, foreign, mode=LOCK)
    check_integrity(sealed, own_form=False)
    first, _ = signatures(sealed)
    assert first == signatures(foreign)[0]


@pytest.mark.parametrize(
    "path",
    [
        "Doc_0/Pages/Page_0/Content.xml",
        "Doc_0/Signs/Sign_0/SignedValue.dat",
        "Doc_0/Signs/Sign_0/Signature.xml",
        "Doc_0/Signs/Sign_0/Seal.esl",
    ],
)
def test_an_ofd_whose_seal_does_not_hold_takes_none(scene: SealScene, path: str) -> None:
    foreign = seal_document(SealedSpec(provider=FOREIGN))
    old = bytearray(read_container(foreign).entries[path])
    old[-40] ^= 1
    with pytest.raises(MalformedDocument):
        seal(scene, altered(foreign, {path: bytes(old)}))
    assert scene.keys.signed == []


def test_a_seal_that_nobody_can_check_does_not_hold(scene: SealScene) -> None:
    with pytest.raises(MalformedDocument) as refusal:
        seal(scene, stand_in_seal())
    assert reason(refusal) == "earlier-signature"


def test_an_ofd_is_sealed_from_any_corner_on_chosen_pages(scene: SealScene) -> None:
    wish = AtPoint(x_mm=30, y_mm=40, corner=Corner.BOTTOM_RIGHT, pages="1,3-4")
    sealed = seal(scene, make_ofd(pages=4), wish)
    assert boundaries(sealed) == [(page, (159, 236, 42, 42)) for page in (1, 3, 4)]
    everywhere = seal(scene, make_ofd(pages=3), AtPoint(x_mm=30, y_mm=40, pages="all"))
    assert [page for page, _ in boundaries(everywhere)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("wish", "tops"),
    [
        (OnText(keyword="盖章"), [(1, 48.1)]),
        (OnText(keyword="盖章", hit=2), [(1, 108.1)]),
        (OnText(keyword="盖章", hit=1, from_end=True), [(2, 108.1)]),
        (OnText(keyword="盖章", hit=None, pages="2"), [(2, 48.1), (2, 108.1)]),
        (OnText(keyword="盖 章", hit=None), [(1, 48.1), (1, 108.1), (2, 48.1), (2, 108.1)]),
        (OnText(keyword="盖章", offset_mm=(-5, 5)), [(1, 53.1)]),
    ],
)
def test_an_ofd_is_sealed_on_a_keyword(
    scene: SealScene, wish: OnText, tops: list[tuple[int, float]]
) -> None:
    def page(first: int) -> bytes:
        texts = text_object(first + 1, 100, 66, "（盖章）") + text_object(
            first + 2, 20, 126, "此处盖章"
        )
        body = f'<ofd:Content><ofd:Layer ID="{first}">{texts}</ofd:Layer></ofd:Content>'
        return part("Page", body)

    pages = {f"Doc_0/Pages/Page_{n}/Content.xml": page(1001 + 1000 * n) for n in range(2)}
    sealed = seal(scene, make_ofd(pages=2, replace=pages), wish)
    assert [(page, box[1]) for page, box in boundaries(sealed)] == tops


def test_hits_that_are_not_there_are_refused(scene: SealScene) -> None:
    package = make_ofd()
    for wish, expected in (
        (OnText(keyword="营业执照", hit=2), "keyword-hit"),
        (OnText(keyword="营业执照", hit=0), "keyword-hit"),
        (OnText(keyword="营业执照", pages="2"), "page-unknown"),
        (OnText(keyword="没有"), "keyword-missing"),
        (InField(name="Seal1"), "field-unknown"),
    ):
        with pytest.raises(InvalidPlacement) as refusal:
            seal(scene, package, wish)
        assert reason(refusal) == expected


def test_a_straddle_seal_on_an_ofd_is_clipped_stamps_beside_a_whole_one(scene: SealScene) -> None:
    sealed = seal(scene, make_ofd(pages=3), AtPoint(x_mm=150, y_mm=240, pages="last"), Straddling())
    check_integrity(sealed)
    stamps = signatures(sealed)[0].stamps
    assert [(s.page_number, s.clip) for s in stamps] == [
        (3, None),
        (1, (0, 0, 14, 42)),
        (2, (14, 0, 14, 42)),
        (3, (28, 0, 14, 42)),
    ]
    assert not any(stamp.problems for stamp in stamps)


def test_places_are_limited(scene: SealScene) -> None:
    many = tuple(AtPoint(x_mm=50, y_mm=50) for _ in range(1001))
    with pytest.raises(InvalidPlacement) as refusal:
        seal(scene, make_ofd(), *many)
    assert reason(refusal) == "too-many"
    with pytest.raises(InvalidPlacement):
        scene.sealer.seal_document(order(scene, ()), make_ofd())


def test_an_ofd_takes_no_more_than_so_many_seals(scene: SealScene) -> None:
    package = make_ofd()
    for _ in range(32):
        package = seal(scene, package)
    with pytest.raises(LimitExceeded):
        seal(scene, package)


# PDF


def by_pikepdf(**options: object) -> bytes:
    with pikepdf.open(io.BytesIO(make_pdf(PDFSpec(pages=3)))) as pdf:
        file = io.BytesIO()
        pdf.save(file, **options)  # type: ignore[arg-type]
    return file.getvalue()


FOREIGN_PDFS = {
    "tables": by_pikepdf(object_stream_mode=pikepdf.ObjectStreamMode.disable),
    "streams": by_pikepdf(object_stream_mode=pikepdf.ObjectStreamMode.generate),
    "linearized": by_pikepdf(linearize=True),
    "rotated": make_pdf(PDFSpec(pages=3, page_entries="/Rotate 90")),
}


@pytest.mark.parametrize("name", FOREIGN_PDFS)
def test_a_foreign_pdf_is_approved_or_certified(scene: SealScene, name: str) -> None:
    base = FOREIGN_PDFS[name]
    for mode, permission in ((CONTINUE, None), (LOCK, Permission.NO_CHANGES)):
        sealed = seal(scene, base, AtPoint(x_mm=40, y_mm=50, corner=Corner.BOTTOM_LEFT), mode=mode)
        assert sealed.startswith(base.rstrip(b"\r\n"))
        made = check_pdf(sealed)
        assert (made.covers_file, made.permission, made.page_number) == (True, permission, 1)
        page = read_pdf(base).page_sizes_mm[0]
        assert made.place_mm == pytest.approx((19, page[1] - 71, 42, 42), abs=0.01)


def test_a_straddle_seal_on_a_pdf_is_one_field_and_page_content(scene: SealScene) -> None:
    for base in FOREIGN_PDFS.values():
        sealed = seal(scene, base, Straddling(edge="left"), mode=LOCK)
        made = check_pdf(sealed)
        assert made.place_mm is not None
        assert made.place_mm[2] == pytest.approx(14, abs=0.01)
        assert sealed[len(base) :].count(b"/SealImage Do") == 2


def test_a_pdf_is_sealed_on_a_keyword(scene: SealScene) -> None:
    font = "/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    content = b"BT /F 12 Tf 300 500 Td (Seal here) Tj ET"
    page = f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 6 0 R{font}>>"
    stream = b"<</Length %d>>\nstream\n%b\nendstream" % (len(content), content)
    base = make_pdf(PDFSpec(extra_objects={5: page.encode(), 6: stream}))
    made = check_pdf(seal(scene, base, OnText(keyword="here")))
    assert made.place_mm is not None
    assert made.place_mm[0] + 21 == pytest.approx((300 + 42) * 25.4 / 72, abs=1)
    assert made.place_mm[1] + 21 == pytest.approx((842 - 503) * 25.4 / 72, abs=1)


def test_a_pdf_takes_a_further_seal_only_in_a_field_that_was_left(scene: SealScene) -> None:
    spot = ReservedSpot(name="Second", spot=AtPoint(x_mm=50, y_mm=240))
    first = seal(scene, make_pdf(), reserved=[spot])
    with pytest.raises(AlreadySealed) as refusal:
        seal(scene, first)
    assert (reason(refusal), refusal.value.params["fields"]) == ("no-free-field", "Second")
    with pytest.raises(AlreadySealed) as refusal:
        seal(scene, first, InField(name="Seal1"))
    assert reason(refusal) == "field-filled"
    with pytest.raises(InvalidPlacement):
        seal(scene, first, InField(name="Third"))
    with pytest.raises(AlreadySealed) as refusal:
        seal(scene, first, InField(name="Second"), POINT)
    assert reason(refusal) == "signed-content"
    second = seal(scene, first, InField(name="Second"))
    document = read_pdf(second)
    assert [item.field_name for item in document.signatures] == ["Seal1", "Second"]
    assert not any(document.forbidden_changes(item) for item in document.signatures)
    assert second.startswith(first)


@pytest.mark.parametrize("first", PDFProfile)
@pytest.mark.parametrize("second", PDFProfile)
def test_seals_of_every_profile_go_with_each_other(
    scene: SealScene, first: PDFProfile, second: PDFProfile
) -> None:
    spot = ReservedSpot(name="Second", spot=AtPoint(x_mm=50, y_mm=240))
    once = seal(scene, make_pdf(PDFSpec(pages=2)), POINT, Straddling(), reserved=[spot],
                profile=first)  # fmt: skip
    twice = seal(scene, once, InField(name="Second"), profile=second)
    assert twice.startswith(once)
    document = read_pdf(twice)
    assert [one.sub_filter for one in document.signatures] == [
        SUB_FILTERS[profile].value[0] for profile in (first, second)
    ]
    check_earlier_pdf(document)


def test_a_seal_signature_in_a_pdf_says_what_range_it_is_over(scene: SealScene) -> None:
    sealed = seal(scene, make_pdf(), mode=LOCK, profile=PDFProfile.GM_SEAL)
    made = check_pdf(sealed)
    value = parse_seal_signature(made.contents or b"")
    assert made.byte_range is not None
    assert value.property_info == f"[{' '.join(map(str, made.byte_range))}]"
    assert scene.seal.made is not None
    assert (value.version, value.eseal_raw) == (SESVersion.V4, scene.seal.made.eseal_der)


def test_a_seal_of_the_new_generation_makes_signatures_of_it(database: Database) -> None:
    application = apply_for_seal(database, "SEAL-5")
    made = made_seal("SEAL-5", application.name, version=SESVersion.V5)
    found = bring_into_use(database, application, made)
    grant(database, found, licence_type_code=KIND)
    scene = SealScene(database)
    scene.seal = found
    package = seal(scene, make_ofd())
    (signature,) = signatures(package)
    pdf = check_pdf(seal(scene, make_pdf(), profile=PDFProfile.GM_SEAL))
    for value in (signature.signed_value, pdf.contents):
        sealed = parse_seal_signature(value or b"")
        assert (sealed.version, sealed.seal.version) == (SESVersion.V5, SESVersion.V5)


def test_an_ofd_has_no_profile_to_choose(scene: SealScene) -> None:
    with pytest.raises(InvalidSealOrder):
        seal(scene, make_ofd(), profile=PDFProfile.GM_CMS)
    assert scene.keys.signed == []


def test_a_foreign_field_is_filled_by_the_first_seal(scene: SealScene) -> None:
    form = "/AcroForm<</Fields[30 0 R 31 0 R]>>"
    field = b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Official)/Rect[100 100 400 200]/P 5 0 R>>"
    other = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(Seal1)/Rect[1 1 9 9]/P 5 0 R>>"
    spec = PDFSpec(
        pages=2,
        catalog_entries=form,
        page_entries="/Annots[30 0 R 31 0 R]",
        extra_objects={30: field, 31: other},
    )
    base = make_pdf(spec)
    made = check_pdf(seal(scene, base, InField(name="Official"), Straddling(), mode=LOCK))
    assert (made.field_name, made.permission) == ("Official", Permission.NO_CHANGES)
    assert check_pdf(seal(scene, base)).field_name == "Seal2"


def test_a_certified_pdf_takes_no_seal(scene: SealScene) -> None:
    locked = seal(scene, make_pdf(), mode=LOCK)
    for mode in SealMode:
        with pytest.raises(AlreadySealed):
            seal(scene, locked, mode=mode)
        with pytest.raises(AlreadySealed):
            seal(scene, locked, InField(name="Seal1"), mode=mode)
    spot = ReservedSpot(name="Second", spot=POINT)
    with pytest.raises(InvalidPlacement):
        seal(scene, make_pdf(), mode=LOCK, reserved=[spot])


def test_a_pdf_that_was_changed_after_its_seal_takes_none(scene: SealScene) -> None:
    """T-PDF-02."""
    signed = other_pdf_seal(certify=None)
    for changed in (
        append_update(signed, PDFUpdate(objects={6: b"<</Length 1>>\nstream\nx\nendstream"})),
        signed.replace(b"/Length 46", b"/Length 45", 1),
        signed + b"more",
    ):
        assert changed != signed
        with pytest.raises((MalformedDocument, AlreadySealed)):
            seal(scene, changed)
    assert scene.keys.signed == []


def test_a_signature_of_a_kind_nobody_knows_does_not_hold(scene: SealScene) -> None:
    signed = other_pdf_seal(certify=None)
    strange = signed.replace(b"/ETSI.CAdES.detached", b"/ETSI.CAdES.otherwise")
    with pytest.raises(MalformedDocument) as refusal:
        seal(scene, strange)
    assert reason(refusal) in {"earlier-signature", "startxref", "xref"}


def test_an_encrypted_pdf_takes_no_seal(scene: SealScene) -> None:
    locked = by_pikepdf(encryption=pikepdf.Encryption(owner="o", user=""))
    with pytest.raises(MalformedDocument) as refusal:
        seal(scene, locked)
    assert reason(refusal) == "encrypted"
