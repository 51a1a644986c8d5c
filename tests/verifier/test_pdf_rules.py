"""Genuine and forged PDF files: every known class of attack, every SubFilter, later revisions."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from keys.crl import RevocationReason
from seal_service.formats.cms import CMSProfile
from seal_service.formats.pdf.archiving import add_validation_data, prepare_timestamp
from seal_service.formats.pdf.fields import Permission
from seal_service.formats.pdf.model import ValidationData
from seal_service.formats.pdf.reading import read_pdf
from seal_service.formats.pdf.writing import PreparedPDF, SubFilter, finish
from tests.support import messages, pdf_attacks
from tests.support.messages import MessageSpec, make_message
from tests.support.pdf import approved, seal, twice_sealed
from tests.support.sealed_ofd import SealedSpec
from tests.support.sealed_pdf import PDFSpec, lay_out, make_pdf, sign_pdf
from tests.support.seals import SealSpec
from tests.support.trust import (
    NOW,
    RSA_TRUST,
    SM2_TRUST,
    STRANGER,
    YEAR,
    EvidenceSpec,
    Trust,
    entry_for,
)
from tests.verifier.verdicts import doubts, faults, judge, notices
from verifier import verdict as answers
from verifier.verdict import Integrity, Outcome, TimeSource

HOUR = timedelta(hours=1)
OTHER_RSA = Trust(algorithm=RSA_TRUST.algorithm, root_name="陌生根证书")
CLAIM = ("CertificateIdentifier=1.2.156.3005.2.1",)

GM_CMS = PDFSpec(profile=CMSProfile.SM2, sub_filter=SubFilter.CMS, family=SM2_TRUST)
GM_SEAL = PDFSpec(sub_filter=SubFilter.SES, family=SM2_TRUST)


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        (PDFSpec(), "rsa-pades"),
        (PDFSpec(sub_filter=SubFilter.CMS), "rsa-pades"),
        (PDFSpec(keywords=CLAIM), "rsa-pades"),
        (PDFSpec(certify=None), "rsa-pades"),
        (GM_CMS, "gm-cms"),
        (replace(GM_CMS, profile=CMSProfile.GBT_35275), "gm-cms"),
        (GM_SEAL, "gm-seal"),
    ],
)
def test_a_genuine_signature_of_each_kind_is_valid(spec: PDFSpec, kind: str) -> None:
    verdict = judge(sign_pdf(spec))
    (signature,) = verdict.signatures
    assert (verdict.outcome, verdict.authentic, verdict.in_force) == (Outcome.VALID, True, None)
    assert (signature.kind, signature.name) == (kind, "Seal1")
    assert (signature.integrity, signature.trust) == (Integrity.HOLDS, answers.Trust.TRUSTED)
    assert signature.signed_at == NOW
    assert (signature.seal is not None) is (kind == "gm-seal")


def test_findings_of_a_pdf_stand_in_the_fixed_order() -> None:
    (signature,) = judge(sign_pdf()).signatures
    assert [one.check.value for one in signature.findings] == [
        "structure", "algorithm", "document-digest", "coverage", "later-changes",
        "signature-value", "timestamp", "signing-time", "signer-chain", "revocation", "revocation",
    ]  # fmt: skip


def test_a_digest_in_the_message_under_the_vendor_name_is_read() -> None:
    """GM.sm2cms.detached is not detached: SM3 of the file travels as content."""
    verdict = judge(_vendor_cms(SM2_TRUST.holder().sign))
    (signature,) = verdict.signatures
    assert signature.kind == "gm-cms"
    assert faults(verdict) == set()
    assert ("structure", "deviation") in notices(verdict)
    broken = judge(_vendor_cms(STRANGER.holder().sign))
    assert ("signature-value", "signature-mismatch") in faults(broken)


def _vendor_cms(sign: Callable[[bytes], bytes]) -> bytes:
    prepared = lay_out(replace(GM_CMS, sub_filter=SubFilter.PADES))
    prepared = renamed(prepared, b"GM.sm2cms.detached")
    content = hashlib.new("sm3", b"".join(prepared.pieces)).digest()
    party = replace(SM2_TRUST.holder(), sign=sign)
    return finish(
        prepared,
        make_message(
            MessageSpec(
                is_sm2=True,
                party=party,
                outer_type="1.2.156.10197.6.1.4.2.2",
                inner_type="1.2.156.10197.6.1.4.2.1",
                inner_content=b"\xa0\x22\x04\x20" + content,
                has_attributes=False,
                signed_message=content,
            )
        ),
    )


def renamed(prepared: PreparedPDF, name: bytes) -> PreparedPDF:
    """Put another SubFilter in the place of PAdES, without moving a byte."""
    filler = b" " * (len(b"/ETSI.CAdES.detached") - len(name) - 1)
    first, second = (
        piece.replace(b"/ETSI.CAdES.detached", b"/" + name + filler) for piece in prepared.pieces
    )
    return replace(prepared, pieces=(first, second))


def strange(name: bytes) -> bytes:
    return finish(renamed(lay_out(PDFSpec()), name), b"\x30\x00")


def test_an_unknown_sub_filter_is_unsupported_and_never_unsigned() -> None:
    verdict = judge(strange(b"ACME.secret"))
    (signature,) = verdict.signatures
    assert verdict.outcome is Outcome.INDETERMINATE
    assert signature.kind == "unsupported"
    assert doubts(verdict) == {("structure", "unsupported-signature")}


@pytest.mark.parametrize("name", [b"adbe.x509.rsa_sha1", b"adbe.pkcs7.sha1"])
def test_sub_filters_of_sha1_are_weak(name: bytes) -> None:
    """T-PDF-21."""
    assert faults(judge(strange(name))) == {("algorithm", "weak-algorithm")}


def test_a_file_without_signatures_is_unsigned() -> None:
    """T-PDF-26."""
    verdict = judge(make_pdf())
    assert (verdict.outcome, verdict.authentic) == (Outcome.UNSIGNED, False)


# Attacks

CLASSES: dict[str, Callable[[], pdf_attacks.Variants]] = {
    "T-PDF-01": pdf_attacks.universal_forgeries,
    "T-PDF-02": lambda: pdf_attacks.incremental_savings(seal()),
    "T-PDF-02 approved": lambda: pdf_attacks.incremental_savings(approved()),
    "T-PDF-03": pdf_attacks.wrappings,
    "T-PDF-04": pdf_attacks.bent_ranges,
    "T-PDF-05": pdf_attacks.padded_contents,
    "T-PDF-06": pdf_attacks.shadows,
    "T-PDF-07": pdf_attacks.evil_annotations,
    "T-PDF-08": pdf_attacks.sneaky_signatures,
    "T-PDF-09": pdf_attacks.lowered_permissions,
    "T-PDF-14": pdf_attacks.framed,
}


@pytest.fixture
def _trusted_signer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the attacks start from files that a trusted signer made."""
    monkeypatch.setattr(messages, "rsa_party", lambda: RSA_TRUST.holder())


@pytest.mark.usefixtures("_trusted_signer")
@pytest.mark.parametrize("name", CLASSES)
def test_no_forged_file_of_a_known_class_is_valid(name: str) -> None:
    """T-PDF-01 to T-PDF-11, T-PDF-12, T-PDF-14: one verdict, and never a green mark."""
    assert judge(seal()).outcome is Outcome.VALID
    assert judge(approved()).outcome is Outcome.VALID
    survivors = {
        variant
        for variant, pdf in CLASSES[name]().items()
        if judge(pdf).outcome in (Outcome.VALID, Outcome.UNSIGNED)
    }
    assert survivors == set()


@pytest.mark.usefixtures("_trusted_signer")
def test_a_seal_in_a_field_that_waited_for_it_is_an_allowed_change() -> None:
    verdict = judge(twice_sealed())
    assert verdict.outcome is Outcome.VALID
    first, second = verdict.signatures
    assert ("later-changes", "allowed-later-changes") in {
        (one.check.value, one.reason) for one in first.findings
    }
    assert ("later-changes", "no-later-changes") in {
        (one.check.value, one.reason) for one in second.findings
    }


def test_contents_in_mixed_case_are_not_as_anybody_writes_them() -> None:
    """T-PDF-05: no signature covers the case of the digits."""
    pdf = bytearray(sign_pdf())
    at = next(at for at in range(pdf.index(b"/Contents<") + 10, len(pdf)) if pdf[at] in b"abcdef")
    pdf[at] ^= 0x20
    assert faults(judge(bytes(pdf))) == {("structure", "own-form")}


# Revisions that follow


def archived(pdf: bytes) -> bytes:
    """Add validation data, then a time stamp over everything (B-LTA)."""
    crls = (RSA_TRUST.crl(), RSA_TRUST.crl(of_root=True))
    longer = add_validation_data(pdf, ValidationData(crls=crls))
    prepared = prepare_timestamp(longer, field_name="Archive")
    return finish(prepared, RSA_TRUST.stamper(NOW + HOUR / 2).stamp(b"".join(prepared.pieces)))


def test_validation_data_and_a_document_time_stamp_may_follow() -> None:
    """T-PDF-10, T-PDF-25: their lists count like any others."""
    pdf = archived(sign_pdf())
    verdict = judge(pdf, EvidenceSpec(crls=()))
    assert verdict.outcome is Outcome.VALID
    assert [one.kind for one in verdict.signatures] == ["rsa-pades", "timestamp"]
    assert verdict.signatures[1].signed_at == NOW + HOUR / 2


def test_validation_data_alone_leaves_the_last_signature_short_of_the_end() -> None:
    """T-PDF-11: a notice in foreign files, a fault in ours, which never grow."""
    crls = ValidationData(crls=(RSA_TRUST.crl(), RSA_TRUST.crl(of_root=True)))
    theirs = judge(add_validation_data(sign_pdf(), crls))
    assert theirs.outcome is Outcome.VALID
    assert ("coverage", "covers-revision") in notices(theirs)
    ours = judge(add_validation_data(sign_pdf(PDFSpec(keywords=CLAIM)), crls))
    assert ("coverage", "uncovered") in faults(ours)


def test_a_document_time_stamp_proves_that_signing_came_first() -> None:
    """T-PKI-02."""
    pdf = sign_pdf(PDFSpec(stamped_at=None))
    crl = RSA_TRUST.crl([entry_for(RSA_TRUST.holder(), NOW + HOUR * 3 / 4)])
    spec = EvidenceSpec(crls=(crl, RSA_TRUST.crl(of_root=True)))
    assert doubts(judge(pdf, spec)) == {("revocation", "revoked-no-proof-of-time")}
    prepared = prepare_timestamp(pdf, field_name="Archive")
    token = RSA_TRUST.stamper(NOW + HOUR / 2).stamp(b"".join(prepared.pieces))
    proven = judge(finish(prepared, token), spec)
    assert proven.outcome is Outcome.VALID
    assert ("revocation", "revoked-later") in notices(proven)


# Certificates, time, messages


def test_an_unknown_root_leaves_it_open() -> None:
    """T-PKI-05."""
    verdict = judge(sign_pdf(PDFSpec(family=OTHER_RSA)))
    assert verdict.outcome is Outcome.INDETERMINATE
    assert doubts(verdict) >= {("signer-chain", "untrusted"), ("timestamp", "timestamp-untrusted")}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"not_after": NOW - HOUR}, "expired"), ({"not_before": NOW + HOUR}, "not-yet-valid")],
)
def test_a_signer_outside_its_period_is_invalid(changes: dict[str, object], reason: str) -> None:
    """T-PKI-01, T-PDF-23."""
    verdict = judge(sign_pdf(PDFSpec(signer=RSA_TRUST.holder(**changes))))
    assert ("signer-chain", reason) in faults(verdict)


def test_a_revoked_signer_is_invalid_even_without_a_distribution_point() -> None:
    """T-PKI-02: no status is no answer, and a given list always counts."""
    crl = RSA_TRUST.crl([entry_for(RSA_TRUST.holder(), NOW - HOUR)])
    spec = EvidenceSpec(crls=(crl, RSA_TRUST.crl(of_root=True)))
    assert faults(judge(sign_pdf(), spec)) == {("revocation", "revoked")}
    none = judge(sign_pdf(), EvidenceSpec(crls=()))
    assert none.outcome is Outcome.INDETERMINATE


def test_a_lost_key_counts_from_its_invalidity_date() -> None:
    """T-PKI-27."""
    lost = entry_for(
        RSA_TRUST.holder(),
        NOW + HOUR / 2,
        reason=RevocationReason.KEY_COMPROMISE,
        invalidity_at=NOW - HOUR,
    )
    spec = EvidenceSpec(crls=(RSA_TRUST.crl([lost]), RSA_TRUST.crl(of_root=True)))
    assert faults(judge(sign_pdf(), spec)) == {("revocation", "revoked")}


def test_a_stamp_over_another_value_is_invalid() -> None:
    """T-PDF-24, T-SES-31."""
    spec = PDFSpec(token=lambda value: RSA_TRUST.stamper(NOW).stamp(value + b"x"))
    verdict = judge(sign_pdf(spec))
    assert faults(verdict) == {("timestamp", "timestamp-bad")}
    assert verdict.signatures[0].time_source is TimeSource.CLAIMED


def test_a_stamp_with_a_broken_signature_is_invalid() -> None:
    """T-PDF-24."""
    spec = PDFSpec(token=lambda value: RSA_TRUST.stamper(NOW).stamp(value)[:-3] + b"abc")
    assert faults(judge(sign_pdf(spec))) == {("timestamp", "timestamp-bad")}


def test_a_claimed_time_after_the_stamp_is_invalid() -> None:
    """T-PDF-23, T-SES-29."""
    verdict = judge(sign_pdf(PDFSpec(stamped_at=NOW - HOUR)))
    assert faults(verdict) == {("signing-time", "time-after-timestamp")}


def test_a_claim_in_the_future_is_invalid() -> None:
    """T-PDF-23."""
    spec = PDFSpec(signed_at=NOW + 3 * HOUR, stamped_at=None)
    assert faults(judge(sign_pdf(spec))) == {("signing-time", "time-in-future")}


def test_a_message_over_other_content_is_invalid() -> None:
    """T-PDF-19."""
    other = make_message(MessageSpec(party=RSA_TRUST.holder(), content=b"other"))
    verdict = judge(sign_pdf(PDFSpec(message=lambda _: other)))
    assert ("document-digest", "data-hash-mismatch") in faults(verdict)
    assert verdict.signatures[0].integrity is Integrity.BROKEN


def test_a_message_that_names_no_certificate_fails_the_pades_profile() -> None:
    """T-PDF-20."""
    prepared = lay_out(PDFSpec())
    message = make_message(
        MessageSpec(
            party=RSA_TRUST.holder(),
            content=b"".join(prepared.pieces),
            attributes=lambda entries: entries[:2],
        )
    )
    verdict = judge(finish(prepared, message))
    assert faults(verdict) == {("structure", "signing-certificate-missing")}


def test_two_signers_in_one_message_are_refused() -> None:
    """T-PDF-19."""
    prepared = lay_out(PDFSpec())
    spec = MessageSpec(party=RSA_TRUST.holder(), content=b"".join(prepared.pieces), signers=2)
    verdict = judge(finish(prepared, make_message(spec)))
    assert verdict.outcome is Outcome.INVALID


def test_mixed_algorithms_are_refused() -> None:
    """T-PDF-22."""
    prepared = lay_out(PDFSpec())
    spec = MessageSpec(
        party=SM2_TRUST.holder(),
        content=b"".join(prepared.pieces),
        signature_oid="1.2.840.10045.4.3.2",
    )
    verdict = judge(finish(prepared, make_message(spec)))
    assert ("algorithm", "algorithm-mismatch") in faults(verdict)


def test_a_seal_in_a_pdf_is_judged_like_any_seal() -> None:
    """T-SES-19, T-SES-21, T-SES-08."""
    broken = SealedSpec(seal=SealSpec(value=lambda value: value[:-1] + bytes((value[-1] ^ 1,))))
    assert faults(judge(sign_pdf(replace(GM_SEAL, seal=broken)))) == {
        ("seal-value", "seal-signature-mismatch")
    }
    stranger = SealedSpec(seal=SealSpec(signer=STRANGER.holder()))
    assert faults(judge(sign_pdf(replace(GM_SEAL, seal=stranger)))) == {
        ("signer-bound-to-seal", "signer-not-in-seal")
    }
    contents = read_pdf(sign_pdf(GM_SEAL)).signatures[0].contents or b""
    moved = judge(sign_pdf(replace(GM_SEAL, message=lambda _: contents, keywords=("other",))))
    assert faults(moved) == {("document-digest", "data-hash-mismatch")}


@pytest.mark.parametrize("value", [b"", b"\x30\x00", b"\x30\x03\x02\x01\x04", b"a seal"])
def test_a_field_for_a_seal_that_holds_none_is_invalid(value: bytes) -> None:
    """T-PDF-01, T-SES-02."""
    verdict = judge(sign_pdf(replace(GM_SEAL, message=lambda _: value.ljust(200, b"\x00"))))
    assert ("structure", "malformed") in faults(verdict)
    assert verdict.outcome is Outcome.INVALID


def test_an_encrypted_or_cut_file_is_an_answer() -> None:
    """T-PDF-15, T-PDF-13."""
    pdf = sign_pdf()
    for damaged in (pdf[:-200], pdf.replace(b"startxref", b"startxrfe"), pdf[:900]):
        verdict = judge(damaged)
        assert verdict.outcome in (Outcome.INVALID, Outcome.INDETERMINATE)
    encrypted = judge(pdf.replace(b"/Root 1 0 R /Info", b"/Encrypt 1 0 R/Info"))
    assert encrypted.outcome is Outcome.INVALID


def test_years_later_a_stamped_signature_needs_fresh_status() -> None:
    late = EvidenceSpec(now=NOW + YEAR, crls=())
    assert judge(sign_pdf(), late).outcome is Outcome.INDETERMINATE
    fresh = tuple(
        RSA_TRUST.crl(of_root=of_root, this_update=NOW + YEAR - HOUR, next_update=NOW + YEAR + HOUR)
        for of_root in (False, True)
    )
    assert judge(sign_pdf(), EvidenceSpec(now=NOW + YEAR, crls=fresh)).outcome is Outcome.VALID


def test_certification_is_not_needed_for_a_valid_answer() -> None:
    assert judge(sign_pdf(PDFSpec(certify=Permission.FORM_FILLING))).outcome is Outcome.VALID
