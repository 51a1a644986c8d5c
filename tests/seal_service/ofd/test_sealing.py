import random
import zlib
from dataclasses import replace

import pytest

from keys.algorithms import sm3
from keys.errors import ServiceError
from seal_service.errors import (
    AlreadySealed,
    InvalidPlacement,
    LimitExceeded,
    MalformedDocument,
    SelfCheckFailed,
)
from seal_service.formats.ofd.container import (
    StoredEntry,
    make_package,
    pack,
    read_container,
    write_container,
)
from seal_service.formats.ofd.document import read_document
from seal_service.formats.ofd.own_form import OWN_PROVIDER, claims_own_form, own_form_problems
from seal_service.formats.ofd.sealing import StampPlacement, check_integrity, finish, prepare
from seal_service.formats.ofd.signatures import read_signatures
from tests.support.ofd import (
    ESEAL,
    SIGNED_AT,
    SIGNED_VALUE,
    SPOT,
    altered,
    make_ofd,
    make_stored,
    ofd_entries,
    part,
    root_part,
    seal_ofd,
)

LIST = "Doc_0/Signs/Signatures.xml"
SIGNATURE = "Doc_0/Signs/Sign_0/Signature.xml"
SEALED = seal_ofd()


def test_sealing_says_what_is_signed() -> None:
    prepared = prepare(make_ofd(), eseal_der=ESEAL, placements=[SPOT], signed_at=SIGNED_AT)
    assert prepared.property_info == f"/{SIGNATURE}"
    assert prepared.data_hash == sm3(prepared.signature_xml)
    entries = read_container(finish(prepared, SIGNED_VALUE), strict=True).entries
    assert entries[SIGNATURE] == prepared.signature_xml
    assert entries["Doc_0/Signs/Sign_0/SignedValue.dat"] == SIGNED_VALUE
    assert entries["Doc_0/Signs/Sign_0/Seal.esl"] == ESEAL


def test_the_sealed_package_passes_the_strict_check_and_is_the_same_every_time() -> None:
    check_integrity(SEALED)
    assert seal_ofd() == SEALED


def test_only_the_root_is_rewritten_by_the_first_seal() -> None:
    before, after = read_container(make_ofd()).entries, read_container(SEALED).entries
    assert [path for path in before if before[path] != after[path]] == ["OFD.xml"]
    assert f"<ofd:Signatures>/{LIST}</ofd:Signatures></ofd:DocBody>".encode() in after["OFD.xml"]
    assert next(iter(after)) == "OFD.xml"


def test_a_package_in_memory_gives_the_same_bytes_without_inflating_or_hashing_again() -> None:
    entries = make_stored()
    marked = [replace(e, digest=b"\x07" * 32) if e.path.endswith("ttf") else e for e in entries]
    assert seal_ofd(make_package(entries)) == SEALED
    with pytest.raises(SelfCheckFailed):
        check_integrity(seal_ofd(make_package(marked)))


def test_static_entries_are_packed_once_and_copied() -> None:
    static = pack(
        "Doc_0/Tpls/Tpl_0/Content.xml", ofd_entries()["Doc_0/Tpls/Tpl_0/Content.xml"], level=9
    )
    assert isinstance(static, StoredEntry)
    assert static.packed in seal_ofd(
        make_package([static if e.path == static.path else e for e in make_stored()])
    )


def test_a_second_seal_leaves_every_earlier_byte_in_place() -> None:
    twice = seal_ofd(SEALED)
    check_integrity(twice)
    first = read_container(SEALED)
    kept = next(member.start for member in first.members if member.path == LIST)
    assert twice[:kept] == SEALED[:kept]
    container = read_container(twice, strict=True)
    signatures = read_signatures(container, read_document(container), strict=True)
    assert [s.signature_id for s in signatures] == ["s001", "s003"]
    assert [s.path for s in signatures] == [SIGNATURE, "Doc_0/Signs/Sign_1/Signature.xml"]
    protected = {reference.path for reference in signatures[1].references}
    assert {SIGNATURE, "Doc_0/Signs/Sign_0/SignedValue.dat"} <= protected
    assert all(map(claims_own_form, signatures))


def test_five_seals_in_a_row_hold() -> None:
    package = SEALED
    for _ in range(4):
        package = seal_ofd(package)
    check_integrity(package)
    container = read_container(package)
    assert len(read_signatures(container, read_document(container))) == 5


def test_a_locked_package_takes_no_further_seal() -> None:
    """T-OFD-60."""
    locked = seal_ofd(SEALED, lock=True)
    check_integrity(locked)
    with pytest.raises(AlreadySealed) as caught:
        seal_ofd(locked)
    assert caught.value.params == {"reason": "locked"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Doc_0/Pages/Page_0/Content.xml": part("Page", "")}, "earlier-signature"),
        ({"Doc_0/Signs/Sign_0/SignedValue.dat": None}, "earlier-signature"),
        ({LIST: None}, "signature-list-missing"),
    ],
)
def test_a_broken_package_takes_no_further_seal(
    changes: dict[str, bytes | None], reason: str
) -> None:
    """T-OFD-61."""
    with pytest.raises(MalformedDocument) as caught:
        seal_ofd(altered(SEALED, changes))
    assert caught.value.params["reason"] == reason


def test_several_stamps_share_one_signature() -> None:
    spots = [SPOT, replace(SPOT, y_mm=20.5, clip=(0, 0, 21, 42))]
    container = read_container(seal_ofd(placements=spots))
    (signature,) = read_signatures(container, read_document(container))
    assert [s.stamp_id for s in signature.stamps] == ["s002", "s003"]
    assert signature.stamps[1].clip == (0, 0, 21, 42)
    assert b'Boundary="120 20.5 42 42" Clip="0 0 21 42"' in signature.signature_xml
    order = [
        signature.signature_xml.index(f"<ofd:{name}".encode())
        for name in (
            "Provider",
            "SignatureMethod",
            "SignatureDateTime",
            "References ",
            "StampAnnot",
            "Seal>",
            "SignedValue>",
        )
    ]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("spot", "reason"),
    [
        (replace(SPOT, page_number=0), "page-unknown"),
        (replace(SPOT, page_number=2), "page-unknown"),
        (replace(SPOT, width_mm=0), "boundary"),
        (replace(SPOT, height_mm=-1), "boundary"),
        (replace(SPOT, x_mm=float("nan")), "boundary"),
        (replace(SPOT, y_mm=float("inf")), "boundary"),
        (replace(SPOT, x_mm=1e308), "boundary"),
        (replace(SPOT, x_mm=210), "off-page"),
        (replace(SPOT, y_mm=-42), "off-page"),
        (replace(SPOT, clip=(42, 0, 1, 1)), "hidden"),
        (replace(SPOT, clip=(0, 0, 0, 1)), "boundary"),
    ],
)
def test_a_place_where_the_seal_would_not_be_seen_is_refused(
    spot: StampPlacement, reason: str
) -> None:
    """T-OFD-55."""
    with pytest.raises(InvalidPlacement) as caught:
        seal_ofd(placements=[spot])
    assert caught.value.params["reason"] == reason


def test_a_seal_needs_a_place() -> None:
    with pytest.raises(InvalidPlacement):
        seal_ofd(placements=[])


def test_an_unsigned_foreign_package_is_written_anew_in_own_form() -> None:
    foreign = bytearray(b"#!junk before\n" + make_ofd())
    prepared = prepare(bytes(foreign), eseal_der=ESEAL, placements=[SPOT], signed_at=SIGNED_AT)
    assert prepared.own_form
    check_integrity(finish(prepared, SIGNED_VALUE))


def test_a_foreign_document_keeps_its_deviations_and_makes_no_claim_to_own_form() -> None:
    entries = ofd_entries()
    entries["Doc_0/Document.xml"] = entries["Doc_0/Document.xml"].replace(b"Tpls/", b"TPLS/")
    prepared = prepare(
        write_container(entries), eseal_der=ESEAL, placements=[SPOT], signed_at=SIGNED_AT
    )
    assert not prepared.own_form
    sealed = finish(prepared, SIGNED_VALUE)
    check_integrity(sealed, own_form=False)
    container = read_container(sealed)
    (signature,) = read_signatures(container, read_document(container))
    assert signature.provider.name == OWN_PROVIDER.name
    assert not claims_own_form(signature)
    with pytest.raises(SelfCheckFailed):
        check_integrity(sealed)


def test_a_taken_folder_is_passed_by() -> None:
    taken = make_ofd(replace={"Doc_0/Signs/Sign_0/left-over.txt": b"x"})
    prepared = prepare(taken, eseal_der=ESEAL, placements=[SPOT], signed_at=SIGNED_AT)
    assert prepared.property_info == "/Doc_0/Signs_0/Sign_0/Signature.xml"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Doc_0/Pages/Page_0/Content.xml": part("Page", "")}, "digest:"),
        ({"extra.txt": b"x"}, "uncovered"),
        ({"Doc_0/Res/font_2.ttf": None}, "entry-missing"),
    ],
)
def test_the_self_check_finds_what_is_wrong(changes: dict[str, bytes | None], reason: str) -> None:
    """T-OFD-42, 43."""
    with pytest.raises(SelfCheckFailed) as caught:
        check_integrity(altered(SEALED, changes))
    assert str(caught.value.params["reason"]).startswith(reason)


def test_an_unsigned_package_does_not_pass_the_self_check() -> None:
    """T-OFD-50."""
    with pytest.raises(SelfCheckFailed) as caught:
        check_integrity(make_ofd())
    assert caught.value.params["reason"] == "unsigned"


def test_the_same_contents_packed_otherwise_are_not_own_form() -> None:
    """Digests cover contents; the packing digest covers how they are packed."""
    container = read_container(SEALED)
    repacked = []
    for entry in container.stored_entries():
        if entry.path == "Doc_0/Document.xml":
            worker = zlib.compressobj(9, zlib.DEFLATED, -15, 1, zlib.Z_FIXED)
            packed = worker.compress(entry.content()) + worker.flush()
            assert packed != entry.packed
            entry = replace(entry, packed=packed)
        repacked.append(entry)
    changed = read_container(write_container(repacked), strict=True)
    assert dict(changed.entries) == dict(container.entries)
    signatures = read_signatures(changed, read_document(changed), strict=True)
    assert [p.reason for p in own_form_problems(changed, signatures)] == ["packing"]


def test_the_list_and_the_signature_files_have_one_spelling_and_are_stored_plain() -> None:
    """T-OFD-51: MaxSignId altered, list reordered."""
    twice = seal_ofd(SEALED)
    listed = read_container(twice).entries[LIST]
    for changed in (listed.replace(b"s004", b"s009"), listed.replace(b"?>\n", b"?>\n\n")):
        assert changed != listed
        with pytest.raises(SelfCheckFailed) as caught:
            check_integrity(altered(twice, {LIST: changed}))
        assert caught.value.params["reason"] in ("signature-list", "stored-plain")
    entries = [pack(p, c) for p, c in read_container(SEALED).entries.items()]
    container = read_container(write_container(entries), strict=True)
    signatures = read_signatures(container, read_document(container))
    assert "stored-plain" in {p.reason for p in own_form_problems(container, signatures)}


def test_any_changed_byte_of_a_sealed_package_is_found() -> None:
    """Every position once, two hundred positions with all eight bits (T-OFD-40 and the framing)."""
    chooser = random.Random(20261124)  # noqa: S311 - a reproducible choice of positions
    flips = [(position, 1 << chooser.randrange(8)) for position in range(len(SEALED))]
    flips += [(chooser.randrange(len(SEALED)), 1 << bit) for bit in range(8) for _ in range(25)]
    for position, bit in flips:
        changed = bytearray(SEALED)
        changed[position] ^= bit
        with pytest.raises(SelfCheckFailed):
            check_integrity(bytes(changed))


def test_truncation_is_found_at_every_length() -> None:
    """T-OFD-74."""
    for length in range(0, len(SEALED), 37):
        with pytest.raises(ServiceError):
            check_integrity(SEALED[:length])


def test_an_empty_signatures_element_is_filled() -> None:
    root = root_part({}, extra="<ofd:Signatures/>")
    check_integrity(seal_ofd(make_ofd(replace={"OFD.xml": root})))


def test_several_documents_in_one_package_are_not_sealed() -> None:
    """T-OFD-49."""
    body = root_part({}).split(b"<ofd:DocBody>")[1]
    doubled = root_part({}).replace(b"</ofd:OFD>", b"<ofd:DocBody>" + body)
    with pytest.raises(MalformedDocument) as caught:
        seal_ofd(make_ofd(replace={"OFD.xml": doubled}))
    assert caught.value.params["reason"] == "several-documents"


def test_a_package_read_from_a_file_is_sealed_like_its_bytes() -> None:
    assert seal_ofd(read_container(make_ofd())) == SEALED
    assert seal_ofd(read_container(SEALED)) == seal_ofd(SEALED)


def test_own_and_foreign_opinions_on_a_repacked_own_file_differ() -> None:
    """The claim to own form is signed, so a repacked file cannot be passed off as untouched."""
    repacked = altered(SEALED, {})
    with pytest.raises(SelfCheckFailed):
        check_integrity(repacked)
    check_integrity(repacked, own_form=False)
    again = prepare(repacked, eseal_der=ESEAL, placements=[SPOT], signed_at=SIGNED_AT)
    assert not again.own_form
    check_integrity(finish(again, SIGNED_VALUE), own_form=False)


def test_no_more_signatures_are_added_than_will_be_read() -> None:
    package = SEALED
    for _ in range(31):
        package = seal_ofd(package)
    with pytest.raises(LimitExceeded):
        seal_ofd(package)
