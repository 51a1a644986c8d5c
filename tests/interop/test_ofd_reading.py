"""Sealed OFD files made by others: what their README says of them is what we read.

The files are looked for beside the project (``../shared/interop/ofd``) and not kept in it.
"""

from collections import Counter
from pathlib import Path

import pytest

from keys.algorithms import sm3
from seal_service.errors import AlreadySealed, MalformedDocument
from seal_service.formats.ofd.container import OFDContainer, append_entries, read_container
from seal_service.formats.ofd.coverage import coverage, locking_signatures_passed_over
from seal_service.formats.ofd.document import read_document
from seal_service.formats.ofd.model import OFDDocument, OFDSignature, SignatureKind
from seal_service.formats.ofd.sealing import StampPlacement, check_integrity, finish, prepare
from seal_service.formats.ofd.signatures import ReferenceResult, check_references, read_signatures
from seal_service.formats.ofd.text import find_text, text_of_pages
from tests.support.ofd import SIGNED_AT

FOLDER = Path(__file__).parents[3] / "shared" / "interop" / "ofd"
VALID, TAMPERED = "v4-tax-test-valid.ofd", "v4-tax-test-tampered.ofd"
LOCKED, APPENDED = "v4-whole-protected-valid.ofd", "v4-append-after-lock.ofd"
VENDOR = "v1-nonconforming-vendor.ofd"
ALL = (VALID, TAMPERED, LOCKED, APPENDED, VENDOR)
DATA_HASH = "14859b925039a50fe268d40e4a903da44d64cc56b1eebd0902d45a5a41a134b5"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the interop files are not here")


def read(name: str) -> tuple[OFDContainer, OFDDocument, tuple[OFDSignature, ...]]:
    container = read_container((FOLDER / name).read_bytes())
    document = read_document(container)
    return container, document, read_signatures(container, document)


def results(name: str) -> list[Counter[str]]:
    container, _, signatures = read(name)
    return [Counter(r.result.value for r in check_references(container, s)) for s in signatures]


def bad_paths(name: str) -> list[list[str]]:
    container, _, signatures = read(name)
    return [
        [r.path for r in check_references(container, s) if r.result is not ReferenceResult.OK]
        for s in signatures
    ]


def reasons(name: str) -> set[str]:
    container, document, signatures = read(name)
    found = {notice.reason for notice in (*container.notices, *document.notices)}
    return found.union(notice.reason for s in signatures for notice in s.notices)


def test_the_valid_tax_invoice_has_thirteen_good_references_and_full_coverage() -> None:
    container, document, signatures = read(VALID)
    assert results(VALID) == [Counter({"ok": 13})]
    assert sm3(signatures[0].signature_xml).hex() == DATA_HASH
    open_paths = coverage(container, document, signatures=signatures, holding=signatures)
    assert open_paths.is_complete
    assert "Doc_0/Signs/Signatures.xml" in open_paths.exempt
    assert signatures[0].seal_path is None
    assert not signatures[0].locks_list
    assert len(signatures[0].signed_value or b"") == 6439


def test_the_valid_tax_invoice_is_read_over_its_deviations_with_notices() -> None:
    """T-OFD-30, T-OFD-66 in foreign files: read, never silently."""
    assert reasons(VALID) == {
        "data-descriptor",
        "location-case",
        "max-unit-id",
        "namespace-missing",
        "type-missing",
    }
    with pytest.raises(MalformedDocument):
        read_container((FOLDER / VALID).read_bytes(), strict=True)


def test_the_tampered_tax_invoice_has_exactly_one_bad_reference() -> None:
    """T-OFD-44."""
    container, document, signatures = read(TAMPERED)
    assert results(TAMPERED) == [Counter({"ok": 12, "changed": 1})]
    assert bad_paths(TAMPERED) == [["Doc_0/Document.xml"]]
    assert sm3(signatures[0].signature_xml).hex() == DATA_HASH
    assert coverage(container, document, signatures=signatures, holding=signatures).uncovered == (
        "Doc_0/Document.xml",
    )


def test_the_whole_protected_file_locks_its_list_and_holds() -> None:
    container, document, signatures = read(LOCKED)
    assert results(LOCKED) == [Counter({"ok": 6})]
    assert signatures[0].locks_list
    assert locking_signatures_passed_over(signatures) == ()
    assert coverage(container, document, signatures=signatures, holding=signatures).is_complete
    assert signatures[0].check_method == "SM3"


def test_the_signature_appended_after_a_lock_breaks_the_first_only() -> None:
    """T-OFD-60."""
    _, document, signatures = read(APPENDED)
    assert bad_paths(APPENDED) == [["Doc_0/Signs/Signatures.xml"], []]
    assert results(APPENDED)[1] == Counter({"ok": 11})
    assert [s.signature_id for s in locking_signatures_passed_over(signatures)] == ["s001"]
    assert [stamp.page_number for stamp in signatures[0].stamps] == [1, 2, 3, 4, 5]
    assert [stamp.problems for stamp in signatures[0].stamps] == [()] * 5
    assert [entry.path for entry in document.missing] == ["Doc_0/PublicRes.xml"]


def test_the_nonconforming_vendor_file_is_reported_and_does_not_crash() -> None:
    """T-OFD-56: the keyed SM3 identifier is no plain digest."""
    container, document, signatures = read(VENDOR)
    assert results(VENDOR) == [Counter({"unsupported-algorithm": 6})]
    assert signatures[0].provider.company == "dms360.cn"
    assert signatures[0].kind is SignatureKind.SEAL
    assert {"type-missing", "provider-form", "directory-entry"} <= reasons(VENDOR)
    assert not coverage(container, document, signatures=signatures, holding=signatures).is_complete


@pytest.mark.parametrize("name", ALL)
def test_their_text_is_found_with_its_place(name: str) -> None:
    container, document, _ = read(name)
    assert len(text_of_pages(container, document)) == len(document.pages)
    if name == VALID:
        spots = find_text(container, document, "科游迈利有限公司")
        assert [(s.page_number, s.x_mm, round(s.width_mm, 2)) for s in spots] == [(1, 36.0, 25.4)]


@pytest.mark.parametrize("name", ALL)
def test_adding_an_entry_keeps_every_earlier_record_byte_for_byte(name: str) -> None:
    original = (FOLDER / name).read_bytes()
    container = read_container(original)
    longer = read_container(append_entries(original, {"added.txt": b"more"}))
    for before, after in zip(container.members, longer.members, strict=False):
        assert original[before.start : before.end] == longer.data[after.start : after.end]
    assert longer.entries["added.txt"] == b"more"


def test_a_valid_foreign_file_takes_a_second_seal_and_the_first_still_holds() -> None:
    original = (FOLDER / VALID).read_bytes()
    spot = StampPlacement(page_number=1, x_mm=20, y_mm=20, width_mm=42, height_mm=42)
    prepared = prepare(original, eseal_der=b"\x30\x00", placements=[spot], signed_at=SIGNED_AT)
    assert not prepared.own_form
    sealed = finish(prepared, b"\x30\x00")
    check_integrity(sealed, own_form=False)
    container = read_container(sealed)
    signatures = read_signatures(container, read_document(container))
    assert [s.signature_id for s in signatures] == ["1", "s002"]
    assert len(signatures[1].references) == 16


@pytest.mark.parametrize(
    ("name", "error"),
    [
        (LOCKED, AlreadySealed),
        (APPENDED, AlreadySealed),
        (TAMPERED, MalformedDocument),
        (VENDOR, MalformedDocument),
    ],
)
def test_locked_and_broken_files_take_no_further_seal(name: str, error: type[Exception]) -> None:
    spot = StampPlacement(page_number=1, x_mm=20, y_mm=20, width_mm=42, height_mm=42)
    with pytest.raises(error):
        prepare((FOLDER / name).read_bytes(), eseal_der=b"", placements=[spot], signed_at=SIGNED_AT)
