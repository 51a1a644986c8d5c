"""Changed and forged OFD packages: containers, digests, coverage, several seals, other types."""

import base64
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from keys.algorithms import DigestAlgorithm, digest, sm3
from seal_service.formats.cms import CMSProfile, assemble, prepare_signer, signed_attributes
from seal_service.formats.ofd.container import read_container, write_container
from tests.support.messages import MessageSpec, make_message
from tests.support.ofd import SPOT, make_ofd, make_png, page_part, part
from tests.support.sealed_ofd import (
    FOREIGN,
    SealedSpec,
    resigned,
    seal_document,
    seal_of,
    with_entries,
)
from tests.support.trust import NOW, SM2_TRUST, STRANGER, EvidenceSpec
from tests.verifier.verdicts import doubts, faults, judge, notices, subjects
from verifier.policy import DEFAULT_POLICY, Severity
from verifier.verdict import Integrity, Outcome, TimeSource

LIST = "Doc_0/Signs/Signatures.xml"
SIGNATURE = "Doc_0/Signs/Sign_0/Signature.xml"
VALUE = "Doc_0/Signs/Sign_0/SignedValue.dat"
PAGE = "Doc_0/Pages/Page_0/Content.xml"
THEIRS = SealedSpec(provider=FOREIGN)


def entries_of(document: bytes) -> dict[str, bytes]:
    return dict(read_container(document).entries)


def without_reference(path: str) -> Callable[[bytes], bytes]:
    """Leave one entry out of the references, as some issuers do."""
    pattern = rf'<ofd:Reference FileRef="/{re.escape(path)}">.*?</ofd:Reference>'.encode()
    return lambda xml: re.sub(pattern, b"", xml)


def uncovered(path: str, changed: bytes | None = None) -> bytes:
    """Make a foreign document whose seal leaves an entry out; then change that entry."""
    spec = replace(THEIRS, edit_xml=without_reference(path))
    document = resigned(seal_document(THEIRS), spec, {})
    return document if changed is None else with_entries(document, {path: changed})


# Digests


@pytest.mark.parametrize(
    "path", sorted(set(entries_of(seal_document())) - {LIST, SIGNATURE, VALUE})
)
def test_every_changed_entry_is_named(path: str) -> None:
    """T-OFD-40, T-OFD-44 to T-OFD-48: page, template, resource, font, picture, annotation."""
    document = seal_document(THEIRS)
    content = entries_of(document)[path]
    changed = content[:-1] + bytes((content[-1] ^ 1,)) if content[-1:] != b">" else content + b" "
    verdict = judge(with_entries(document, {path: changed}))
    assert verdict.outcome is Outcome.INVALID
    if ("container", "malformed") not in faults(verdict):
        assert path in subjects(verdict, "digest-changed")


def test_a_removed_entry_is_named() -> None:
    """T-OFD-47: a font that is gone would be drawn as another."""
    verdict = judge(with_entries(seal_document(THEIRS), {"Doc_0/Res/font_2.ttf": None}))
    assert subjects(verdict, "digest-missing") == ["Doc_0/Res/font_2.ttf"]
    assert verdict.outcome is Outcome.INVALID


def test_a_changed_signature_file_no_longer_fits_the_signed_digest() -> None:
    """T-OFD-52."""
    document = seal_document(THEIRS)
    xml = entries_of(document)[SIGNATURE].replace(b'Version="2"', b'Version="3"')
    verdict = judge(with_entries(document, {SIGNATURE: xml}))
    assert ("document-digest", "data-hash-mismatch") in faults(verdict)


def test_a_value_from_another_document_is_invalid() -> None:
    """T-OFD-53, T-OFD-62, T-SES-08."""
    spec = replace(THEIRS, seal_der=seal_of(THEIRS))
    other = entries_of(seal_document(replace(spec, package=make_ofd(lines=["别的"]))))[VALUE]
    verdict = judge(with_entries(seal_document(spec), {VALUE: other}))
    assert faults(verdict) == {("document-digest", "data-hash-mismatch")}


def test_a_value_made_with_a_copied_seal_by_a_stranger_is_invalid() -> None:
    """T-OFD-53: the signer is not in the seal."""
    genuine = THEIRS.family.holder()
    spec = replace(THEIRS, seal=replace(THEIRS.seal, signer=genuine), signer=STRANGER.holder())
    verdict = judge(seal_document(spec))
    assert ("signer-bound-to-seal", "signer-not-in-seal") in faults(verdict)


# Methods


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        (b"MD5", "weak-algorithm"),
        (b"SHA1", "weak-algorithm"),
        (b"1.3.14.3.2.26", "weak-algorithm"),
        (b"1.2.156.10197.1.401.2", "unsupported-algorithm"),
        (b"CRC32", "unsupported-algorithm"),
        (b"SHA256", "algorithm-mismatch"),
    ],
)
def test_weak_and_strange_digest_methods_are_invalid(method: bytes, reason: str) -> None:
    """T-OFD-56, T-SES-11."""

    def edit(xml: bytes) -> bytes:
        return xml.replace(b'CheckMethod="1.2.156.10197.1.401"', b'CheckMethod="' + method + b'"')

    verdict = judge(resigned(seal_document(THEIRS), replace(THEIRS, edit_xml=edit), {}))
    assert ("algorithm", reason) in faults(verdict)


def test_an_absent_digest_method_means_md5_and_is_invalid() -> None:
    """T-OFD-56."""
    spec = replace(
        THEIRS, edit_xml=lambda xml: xml.replace(b' CheckMethod="1.2.156.10197.1.401"', b"")
    )
    verdict = judge(resigned(seal_document(THEIRS), spec, {}))
    assert ("algorithm", "weak-algorithm") in faults(verdict)


def test_another_signature_method_in_the_file_is_invalid() -> None:
    """T-OFD-57."""
    spec = replace(
        THEIRS,
        edit_xml=lambda xml: xml.replace(
            b"<ofd:SignatureMethod>1.2.156.10197.1.501",
            b"<ofd:SignatureMethod>1.2.840.113549.1.1.11",
        ),
    )
    verdict = judge(resigned(seal_document(THEIRS), spec, {}))
    assert ("algorithm", "algorithm-mismatch") in faults(verdict)


# Coverage


def test_empty_references_protect_nothing() -> None:
    """T-OFD-41."""
    spec = replace(
        THEIRS, edit_xml=lambda xml: re.sub(rb"<ofd:Reference .*</ofd:Reference>", b"", xml)
    )
    verdict = judge(resigned(seal_document(THEIRS), spec, {}))
    assert ("coverage", "no-coverage") in faults(verdict)
    assert verdict.outcome is Outcome.INVALID


@pytest.mark.parametrize(
    "path",
    [
        "OFD.xml",
        "Doc_0/Document.xml",
        PAGE,
        "Doc_0/Tpls/Tpl_0/Content.xml",
        "Doc_0/PublicRes.xml",
        "Doc_0/DocumentRes.xml",
        "Doc_0/Res/font_2.ttf",
        "Doc_0/Res/image_4.png",
        "Doc_0/Annots/Annotations.xml",
        "Doc_0/Annots/Page_0/Annotation.xml",
        "Doc_0/Attachs/licence.json",
        "Doc_0/Tags/Tag.xml",
    ],
)
def test_an_entry_that_is_drawn_or_read_and_not_protected_is_invalid(path: str) -> None:
    """T-OFD-42: all listed digests still fit."""
    verdict = judge(uncovered(path))
    assert verdict.coverage.uncovered == (path,)
    assert faults(verdict) == {("coverage", "uncovered")}
    assert ("document-digest", "digest-holds") in {
        (one.check.value, one.reason) for one in verdict.all_findings()
    }


def test_an_altered_page_that_no_reference_covers_is_invalid() -> None:
    """T-OFD-42, T-OFD-44, T-OFD-64."""
    verdict = judge(uncovered(PAGE, page_part(1000, ["改过的内容"])))
    assert (verdict.outcome, verdict.coverage.uncovered) == (Outcome.INVALID, (PAGE,))


def test_a_policy_may_accept_partial_coverage_with_a_notice() -> None:
    policy = replace(DEFAULT_POLICY, uncovered_drawn=Severity.NOTICE)
    verdict = judge(uncovered("Doc_0/Tags/Tag.xml"), EvidenceSpec(policy=policy))
    assert verdict.outcome is Outcome.VALID
    assert ("coverage", "uncovered") in notices(verdict)


def test_a_file_that_nothing_refers_to_stays_open_in_foreign_and_fails_in_own_packages() -> None:
    """T-OFD-43."""
    theirs = judge(with_entries(seal_document(THEIRS), {"Doc_0/extra.bin": b"smuggled"}))
    assert theirs.outcome is Outcome.INDETERMINATE
    assert theirs.coverage.unreferenced == ("Doc_0/extra.bin",)
    assert doubts(theirs) == {("coverage", "unreferenced")}
    ours = judge(with_entries(seal_document(), {"Doc_0/extra.bin": b"smuggled"}))
    assert ("coverage", "unreferenced") in faults(ours)


def test_an_annotation_added_behind_an_existing_pointer_is_invalid() -> None:
    """T-OFD-45."""
    more = part("PageAnnot", "<ofd:Annot/>")
    document = with_entries(seal_document(THEIRS), {"Doc_0/Annots/Page_0/Annotation.xml": more})
    assert "Doc_0/Annots/Page_0/Annotation.xml" in subjects(judge(document), "digest-changed")


def test_a_second_document_in_the_package_stays_open() -> None:
    """T-OFD-49."""
    root = entries_of(seal_document(THEIRS))["OFD.xml"]
    body = root[root.index(b"<ofd:DocBody>") : root.index(b"</ofd:OFD>")]
    plain = re.sub(rb"<ofd:Signatures>.*</ofd:Signatures>", b"", body)
    doubled = root.replace(b"</ofd:OFD>", plain + b"</ofd:OFD>")

    def edit(xml: bytes) -> bytes:
        old, new = (base64.b64encode(sm3(content)) for content in (root, doubled))
        return xml.replace(old, new)

    spec = replace(THEIRS, edit_xml=edit)
    verdict = judge(resigned(seal_document(THEIRS), spec, {"OFD.xml": doubled}))
    assert verdict.outcome is not Outcome.VALID
    assert ("container", "several-documents") in doubts(verdict)


# Containers


def test_bytes_around_a_foreign_package_leave_it_open_and_break_an_own_one() -> None:
    """T-OFD-06."""
    theirs, ours = seal_document(THEIRS), seal_document()
    for junk in (b"MZ stub" + theirs, theirs + b"tail"):
        verdict = judge(junk)
        assert verdict.outcome is Outcome.INDETERMINATE
        assert doubts(verdict) == {("container", "container-extra")}
    for junk in (b"MZ stub" + ours, ours + b"tail"):
        assert judge(junk).outcome is Outcome.INVALID


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data + data, "container-extra"),
        (
            lambda data: data.replace(b"Doc_0/Tags/Tag.xml", b"Doc_0/tags/tag.xml", 1),
            "container-damaged",
        ),
        (lambda data: data.replace(b"Doc_0/Tags/Tag.xml", b"Doc_0/Tags/../a.xm"), "entry-name"),
        (
            lambda data: data.replace(b"Doc_0/Tags/Tag.xml", b"OFD.xml/Tags/Tag.x"),
            "duplicate-entry",
        ),
        (lambda data: data[:-30], "malformed"),
    ],
    ids=["twice", "local-name", "climbing", "file-as-folder", "cut"],
)
def test_packages_that_two_readers_see_differently_are_invalid(
    damage: Callable[[bytes], bytes], reason: str
) -> None:
    """T-OFD-01, T-OFD-03, T-OFD-04, T-OFD-08."""
    verdict = judge(damage(seal_document(THEIRS)))
    assert verdict.outcome is Outcome.INVALID
    assert reason in {found for _, found in faults(verdict)} or reason == "malformed"
    assert verdict.signatures == ()


def test_a_doctype_is_refused() -> None:
    """T-OFD-20."""
    document = seal_document(THEIRS)
    page = entries_of(document)[PAGE].replace(
        b"?>\n", b'?>\n<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>', 1
    )
    verdict = judge(with_entries(document, {PAGE: page}))
    assert verdict.outcome is Outcome.INVALID
    assert ("container", "unsafe-xml") in faults(verdict)


def test_the_same_entries_packed_otherwise_are_not_our_form() -> None:
    """T-OFD-51: every digest fits, and still this is not the file we made."""
    ours = seal_document()
    again = write_container(dict(reversed(list(entries_of(ours).items()))))
    verdict = judge(again)
    assert faults(verdict) == {("container", "own-form")}
    reordered = entries_of(ours)[LIST].replace(b"s002", b"s009")
    assert judge(with_entries(ours, {LIST: reordered})).outcome is Outcome.INVALID


def test_a_signature_list_that_is_gone_is_not_the_same_as_unsigned() -> None:
    verdict = judge(with_entries(seal_document(THEIRS), {LIST: None}))
    assert verdict.outcome is Outcome.INVALID
    assert ("container", "signature-list-missing") in faults(verdict)


def test_a_package_without_any_seal_is_unsigned() -> None:
    """T-OFD-50, T-OFD-63: a picture of a seal is no seal."""
    verdict = judge(make_ofd(replace={"Doc_0/Res/image_4.png": make_png(40, 40)}))
    assert (verdict.outcome, verdict.authentic, verdict.signatures) == (
        Outcome.UNSIGNED,
        False,
        (),
    )


# Stamps


@pytest.mark.parametrize(
    ("edit", "is_fault"),
    [
        (lambda xml: xml.replace(b'PageRef="1000"', b'PageRef="77"'), False),
        (lambda xml: xml.replace(b'Boundary="120 200', b'Boundary="900 200'), False),
        (lambda xml: xml.replace(b'Boundary="120 200 42 42"', b'Boundary="120 200 0 42"'), True),
        (lambda xml: xml.replace(b'Boundary="120 200 42 42"', b'Boundary="NaN 0 1e308 1"'), True),
        (
            lambda xml: xml.replace(
                b'Boundary="120 200 42 42"', b'Boundary="120 200 42 42" Clip="90 90 1 1"'
            ),
            True,
        ),
    ],
    ids=["no-page", "off-page", "zero", "nan", "hidden"],
)
def test_stamps_out_of_place_are_shown_or_refused(
    edit: Callable[[bytes], bytes], is_fault: bool
) -> None:
    """T-OFD-55: real files have seals off the page; none has a hidden one."""
    verdict = judge(resigned(seal_document(THEIRS), replace(THEIRS, edit_xml=edit), {}))
    place = ("stamp-placement", "stamp-misplaced")
    assert (place in faults(verdict)) is is_fault
    assert (place in notices(verdict)) is not is_fault
    assert (verdict.outcome is Outcome.INVALID) is is_fault


# Several seals


def test_two_seals_are_judged_alone_and_both_must_hold() -> None:
    first = seal_document(THEIRS)
    verdict = judge(seal_document(replace(THEIRS, package=first)))
    assert verdict.outcome is Outcome.VALID
    assert [one.name for one in verdict.signatures] == [
        "/Doc_0/Signs/Sign_0/Signature.xml",
        "/Doc_0/Signs/Sign_1/Signature.xml",
    ]


def test_what_one_seal_leaves_open_another_may_cover() -> None:
    both = seal_document(replace(THEIRS, package=uncovered("Doc_0/Tags/Tag.xml")))
    verdict = judge(both)
    assert verdict.outcome is Outcome.VALID
    assert ("coverage", "covered-by-another") in notices(verdict)
    assert verdict.coverage.uncovered == ()


def test_content_changed_after_two_seals_breaks_both() -> None:
    both = seal_document(replace(THEIRS, package=seal_document(THEIRS)))
    verdict = judge(with_entries(both, {"Doc_0/Attachs/licence.json": b"{}"}))
    assert verdict.outcome is Outcome.INVALID
    assert [one.integrity for one in verdict.signatures] == [Integrity.BROKEN] * 2


def test_a_second_good_seal_does_not_save_an_untrusted_first() -> None:
    """The worst decides."""
    untrusted = replace(THEIRS, seal=replace(THEIRS.seal, maker=STRANGER.maker()))
    both = seal_document(replace(THEIRS, package=seal_document(untrusted)))
    verdict = judge(both)
    assert [one.outcome for one in verdict.signatures] == [Outcome.INDETERMINATE, Outcome.VALID]
    assert verdict.outcome is Outcome.INDETERMINATE


def test_a_seal_added_after_the_lock_is_reported_on_the_first() -> None:
    """T-OFD-60."""
    locked = seal_document(replace(THEIRS, lock=True))
    entries = entries_of(locked)
    more = entries_of(seal_document(replace(THEIRS, package=seal_document(THEIRS))))
    for name in ("Seal.esl", "Signature.xml", "SignedValue.dat"):
        entries[f"Doc_0/Signs/Sign_1/{name}"] = more[f"Doc_0/Signs/Sign_1/{name}"]
    entries[LIST] = more[LIST]
    verdict = judge(write_container(entries))
    assert verdict.outcome is Outcome.INVALID
    assert ("later-changes", "appended-after-lock") in faults(verdict)


def test_a_stripped_second_seal_leaves_the_first_as_it_was() -> None:
    """T-OFD-51: the verdict lists what is there."""
    both = seal_document(replace(THEIRS, package=seal_document(THEIRS)))
    one = entries_of(seal_document(THEIRS))[LIST]
    gone = {f"Doc_0/Signs/Sign_1/{name}": None for name in ("Seal.esl", "Signature.xml")}
    verdict = judge(
        with_entries(both, {**gone, "Doc_0/Signs/Sign_1/SignedValue.dat": None, LIST: one})
    )
    assert len(verdict.signatures) == 1


# Plain signatures


def signed(make: Callable[[bytes], bytes], *, kind: bytes = b"Sign") -> bytes:
    """Turn the seal of a foreign package into a plain signature whose value ``make`` builds."""
    document = seal_document(THEIRS)
    entries = entries_of(document)
    xml = re.sub(rb"<ofd:StampAnnot[^>]*/>", b"", entries[SIGNATURE])
    xml = re.sub(rb"<ofd:Seal>.*</ofd:Seal>", b"", xml)
    xml = without_reference("Doc_0/Signs/Sign_0/Seal.esl")(xml)
    del entries["Doc_0/Signs/Sign_0/Seal.esl"]
    entries[SIGNATURE] = xml
    entries[VALUE] = make(xml)
    entries[LIST] = entries[LIST].replace(b'Type="Seal"', b'Type="' + kind + b'"')
    return write_container(entries)


def form_b(xml: bytes) -> bytes:
    signer = SM2_TRUST.holder()
    template = prepare_signer(signer.certificate, profile=CMSProfile.GBT_35275)
    attributes = signed_attributes(template, sm3(xml), signing_time=NOW)
    return assemble(template, attributes, signer.sign(attributes))


def test_a_plain_signature_in_form_b_is_valid() -> None:
    verdict = judge(signed(form_b))
    (signature,) = verdict.signatures
    assert verdict.outcome is Outcome.VALID
    assert (signature.kind, signature.seal) == ("ofd-sign", None)
    assert (signature.signed_at, signature.time_source) == (NOW, TimeSource.CLAIMED)


def test_a_plain_signature_in_form_a_is_read_with_a_notice_and_has_no_time() -> None:
    def form_a(xml: bytes) -> bytes:
        content = digest(DigestAlgorithm.SM3, xml)
        return make_message(
            MessageSpec(
                is_sm2=True,
                party=SM2_TRUST.holder(),
                outer_type="1.2.156.10197.6.1.4.2.2",
                inner_type="1.2.156.10197.6.1.4.2.1",
                inner_content=b"\xa0\x22\x04\x20" + content,
                has_attributes=False,
                signed_message=content,
            )
        )

    verdict = judge(signed(form_a))
    assert faults(verdict) == set()
    assert ("structure", "deviation") in notices(verdict)
    assert doubts(verdict) == {("signing-time", "time-unknown")}


def test_a_plain_signature_over_another_file_is_invalid() -> None:
    verdict = judge(signed(lambda xml: form_b(xml + b" ")))
    assert faults(verdict) == {("document-digest", "data-hash-mismatch")}


def test_a_switched_type_is_never_a_weaker_check() -> None:
    """T-OFD-66."""
    document = seal_document(THEIRS)
    switched = entries_of(document)[LIST].replace(b'Type="Seal"', b'Type="Sign"')
    assert ("structure", "type-switched") in faults(judge(with_entries(document, {LIST: switched})))
    assert judge(signed(form_b, kind=b"Seal")).outcome is Outcome.INVALID
    missing = entries_of(document)[LIST].replace(b' Type="Seal"', b"")
    plain = judge(with_entries(document, {LIST: missing}))
    assert plain.outcome is Outcome.VALID
    ours = entries_of(seal_document())[LIST].replace(b' Type="Seal"', b"")
    assert judge(with_entries(seal_document(), {LIST: ours})).outcome is Outcome.INVALID


def test_a_raw_value_without_certificate_is_not_valid() -> None:
    verdict = judge(signed(lambda xml: SM2_TRUST.holder().sign(xml)))
    assert verdict.outcome is Outcome.INVALID


# The listing of a whole package


def with_listing(document: bytes, *, leave_out: str = "", more: str = "") -> bytes:
    """Add OFDEntries.xml and its signature (GM/T 0099)."""
    entries = entries_of(document)
    paths = [path for path in entries if path != leave_out]
    files = "".join(
        f'<ofd:File ID="{number}"><ofd:FileLoc>/{path}</ofd:FileLoc></ofd:File>'
        for number, path in enumerate([*paths, *([more] if more else [])])
    )
    listing = part(
        "DocEntries",
        "<ofd:SignedValueLoc>/signedvalue.dat</ofd:SignedValueLoc>"
        f"<ofd:FileList>{files}</ofd:FileList>",
    )
    return with_entries(document, {"OFDEntries.xml": listing, "signedvalue.dat": form_b(listing)})


def test_a_whole_listing_is_one_more_signature() -> None:
    """GM/T 0099."""
    verdict = judge(with_listing(seal_document(THEIRS)))
    assert verdict.outcome is Outcome.VALID
    assert [one.name for one in verdict.signatures][-1] == "/OFDEntries.xml"
    assert verdict.coverage.unreferenced == ()


def test_what_the_listing_does_not_name_is_smuggled_and_what_is_gone_is_named() -> None:
    """T-OFD-43."""
    smuggled = judge(with_listing(seal_document(THEIRS), leave_out="Doc_0/Tags/Tag.xml"))
    assert doubts(smuggled) == {("coverage", "unlisted")}
    gone = judge(with_listing(seal_document(THEIRS), more="Doc_0/gone.xml"))
    assert ("document-digest", "digest-missing") in faults(gone)
    forged = with_entries(with_listing(seal_document(THEIRS)), {"signedvalue.dat": b"\x30\x00"})
    assert judge(forged).outcome is Outcome.INVALID
    unsigned = with_entries(with_listing(seal_document(THEIRS)), {"signedvalue.dat": None})
    assert ("structure", "malformed") in faults(judge(unsigned))
    broken = with_entries(with_listing(seal_document(THEIRS)), {"OFDEntries.xml": b"<a/>"})
    assert judge(broken).outcome is Outcome.INVALID


def test_a_listing_alone_protects_nothing() -> None:
    """T-OFD-41."""
    verdict = judge(with_listing(make_ofd()))
    assert verdict.outcome is Outcome.INVALID
    assert ("coverage", "no-coverage") in faults(verdict)


def test_placement_of_the_builder_is_on_the_page() -> None:
    assert (SPOT.x_mm, SPOT.y_mm) == (120, 200)
