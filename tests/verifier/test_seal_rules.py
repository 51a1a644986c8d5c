"""Forged seals and seal signatures: each class fails in the check that names it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from keys.crl import RevocationReason
from keys.profiles import SEAL_HOLDER, TSA, Profile
from seal_service.formats import asn1
from seal_service.formats.ofd.model import OFDProvider
from seal_service.formats.ofd.own_form import OWN_PROVIDER
from tests.support.ofd import SPOT
from tests.support.sealed_ofd import FOREIGN, SealedSpec, seal_document, seal_of
from tests.support.seals import PICTURE, Party, SealSpec, SignatureSpec, make_party
from tests.support.trust import (
    NOW,
    RSA_TRUST,
    SM2_TRUST,
    STRANGER,
    YEAR,
    EvidenceSpec,
    entry_for,
    make_key,
)
from tests.verifier.verdicts import doubts, faults, judge, notices, subjects
from verifier.policy import DEFAULT_POLICY, MakerJudgedAt, Severity
from verifier.verdict import Integrity, Outcome, TimeSource, Trust

ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
HOUR = timedelta(hours=1)
STAMPED = NOW + timedelta(seconds=2)


def foreign(**changes: object) -> SealedSpec:
    return replace(SealedSpec(provider=FOREIGN), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("version", [1, 4, 5])
@pytest.mark.parametrize("lock", [False, True])
def test_a_genuine_seal_of_each_generation_is_valid(version: int, lock: bool) -> None:
    spec = foreign(
        seal=SealSpec(version=version), signature=SignatureSpec(version=version), lock=lock
    )
    verdict = judge(seal_document(spec))
    (signature,) = verdict.signatures
    assert (verdict.outcome, verdict.authentic, verdict.in_force) == (Outcome.VALID, True, None)
    assert (signature.integrity, signature.trust) == (Integrity.HOLDS, Trust.TRUSTED)
    assert signature.time_source is TimeSource.CLAIMED
    assert signature.seal is not None
    assert signature.seal.version == version


def test_findings_stand_in_the_fixed_order_and_each_check_is_named() -> None:
    verdict = judge(seal_document(SealedSpec(stamped_at=STAMPED)))
    (signature,) = verdict.signatures
    assert list(dict.fromkeys(one.check.value for one in signature.findings)) == [
        "structure", "algorithm", "document-digest", "coverage", "later-changes",
        "signature-value", "signer-bound-to-seal", "seal-value", "seal-copy", "seal-maker-chain",
        "seal-period", "stamp-placement", "timestamp", "signing-time", "signer-chain",
        "revocation",
    ]  # fmt: skip
    assert signature.signed_at == STAMPED
    assert signature.time_source is TimeSource.TIMESTAMP


# Trust


def test_without_trust_anchors_nothing_is_valid_and_integrity_still_holds() -> None:
    verdict = judge(seal_document(), EvidenceSpec(families=()))
    (signature,) = verdict.signatures
    assert verdict.outcome is Outcome.INDETERMINATE
    assert (signature.integrity, signature.trust) == (Integrity.HOLDS, Trust.UNTRUSTED)
    assert doubts(verdict) >= {("seal-maker-chain", "untrusted"), ("signer-chain", "untrusted")}


def test_a_seal_of_an_unknown_maker_stays_open() -> None:
    """T-SES-20, T-PKI-05: altered and signed again by a maker nobody configured."""
    verdict = judge(seal_document(SealedSpec(seal=SealSpec(maker=STRANGER.maker()))))
    assert verdict.outcome is Outcome.INDETERMINATE
    assert doubts(verdict) >= {("seal-maker-chain", "untrusted")}
    assert faults(verdict) == set()


def test_a_self_signed_stranger_stays_open() -> None:
    """T-PKI-05."""
    stranger = make_party("陌生人")
    spec = SealedSpec(signer=stranger, seal=SealSpec(maker=stranger))
    verdict = judge(seal_document(spec))
    assert verdict.outcome is Outcome.INDETERMINATE
    assert verdict.signatures[0].trust is Trust.UNTRUSTED


def test_an_rsa_root_does_not_vouch_for_an_sm2_chain() -> None:
    """T-PKI-08: the lists are separate."""
    verdict = judge(seal_document(), EvidenceSpec(families=(RSA_TRUST,)))
    assert verdict.outcome is Outcome.INDETERMINATE


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"not_after": NOW - HOUR}, "expired"),
        ({"not_before": NOW + HOUR}, "not-yet-valid"),
        (
            {
                "profile": Profile(
                    name="x", key_usage=frozenset({"key_encipherment"}), validity=YEAR
                )
            },
            "key-usage",
        ),
        (
            {
                "profile": Profile(
                    name="x",
                    key_usage=frozenset({"digital_signature", "key_cert_sign"}),
                    validity=YEAR,
                    path_length=0,
                )
            },
            "key-usage",
        ),
    ],
)
def test_a_signer_who_may_not_sign_makes_it_invalid(
    changes: dict[str, object], reason: str
) -> None:
    """T-PKI-01, T-PKI-03, T-SES-42."""
    signer = SM2_TRUST.holder(**changes)
    verdict = judge(seal_document(SealedSpec(signer=signer)))
    assert ("signer-chain", reason) in faults(verdict)
    assert verdict.outcome is Outcome.INVALID


def test_a_maker_who_expired_after_making_the_seal_is_a_notice_by_default() -> None:
    maker = SM2_TRUST.maker(not_after=NOW - timedelta(days=10))
    document = seal_document(SealedSpec(seal=SealSpec(maker=maker)))
    verdict = judge(document)
    assert verdict.outcome is Outcome.VALID
    assert ("seal-maker-chain", "expired-later") in notices(verdict)
    strict = replace(DEFAULT_POLICY, maker_judged_at=MakerJudgedAt.SIGNING)
    assert ("seal-maker-chain", "expired") in faults(judge(document, EvidenceSpec(policy=strict)))


def test_a_maker_who_had_expired_when_the_seal_was_made_is_invalid() -> None:
    maker = SM2_TRUST.maker(not_after=NOW - timedelta(days=40))
    verdict = judge(seal_document(SealedSpec(seal=SealSpec(maker=maker))))
    assert faults(verdict) == {("seal-maker-chain", "expired")}


def test_a_holder_certificate_makes_no_seals_only_where_its_usage_forbids() -> None:
    """A timestamp authority cannot make a seal."""
    maker = SM2_TRUST.party("示例时间戳机构", TSA)
    verdict = judge(seal_document(SealedSpec(seal=SealSpec(maker=maker))))
    assert ("seal-maker-chain", "key-usage") in faults(verdict)


# Values and binding


def test_a_broken_maker_signature_is_found_under_a_good_signature() -> None:
    """T-SES-19."""
    spec = SealedSpec(seal=SealSpec(value=lambda value: value[:-1] + bytes((value[-1] ^ 1,))))
    verdict = judge(seal_document(spec))
    assert faults(verdict) == {("seal-value", "seal-signature-mismatch")}
    assert verdict.signatures[0].integrity is Integrity.BROKEN


def test_a_maker_certificate_of_another_key_is_found() -> None:
    maker = replace(SM2_TRUST.maker(), sign=make_key("somebody else").sign)
    verdict = judge(seal_document(SealedSpec(seal=SealSpec(maker=maker))))
    assert faults(verdict) == {("seal-value", "seal-signature-mismatch")}


def listed(*entries: bytes) -> bytes:
    return asn1.sequence(*entries)


OTHER = SM2_TRUST.party("另一持章人", SEAL_HOLDER).certificate


@pytest.mark.parametrize(
    "seal",
    [
        SealSpec(certificate_list=listed(asn1.octet_string(OTHER))),
        SealSpec(certificate_list=listed()),
        SealSpec(
            list_type=2,
            certificate_list=listed(
                asn1.sequence(asn1.printable("SM3"), asn1.octet_string(bytes(32)))
            ),
        ),
        SealSpec(
            list_type=2,
            certificate_list=listed(
                asn1.sequence(asn1.printable("SHA1"), asn1.octet_string(bytes(20)))
            ),
        ),
    ],
)
def test_a_signer_who_is_not_in_the_seal_makes_it_invalid(seal: SealSpec) -> None:
    """T-SES-21."""
    verdict = judge(seal_document(SealedSpec(seal=seal)))
    assert faults(verdict) == {("signer-bound-to-seal", "signer-not-in-seal")}


def test_a_renewed_certificate_with_the_same_key_is_not_in_the_seal() -> None:
    """T-PKI-13."""
    old = SM2_TRUST.holder(serial=77)
    verdict = judge(seal_document(SealedSpec(seal=SealSpec(signer=old))))
    assert faults(verdict) == {("signer-bound-to-seal", "signer-not-in-seal")}


def der_pair(r: int, s: int) -> bytes:
    return asn1.sequence(asn1.integer(r), asn1.integer(s))


def read_pair(value: bytes) -> tuple[int, int]:
    r, s = asn1.read_sequence(asn1.read_der(value))
    return int.from_bytes(r.content, "big"), int.from_bytes(s.content, "big")


@pytest.mark.parametrize(
    "forge",
    [
        lambda r, s: der_pair(0, s),
        lambda r, s: der_pair(r, 0),
        lambda r, s: der_pair(ORDER, s),
        lambda r, s: der_pair(r, ORDER),
        lambda r, s: der_pair(r, ORDER - s),
        lambda r, s: der_pair(r + ORDER, s),
        lambda r, s: der_pair(r, s + ORDER),
        lambda r, s: der_pair(r, ORDER - r),
    ],
    ids=["r0", "s0", "rn", "sn", "n-s", "r+n", "s+n", "r+s=n"],
)
def test_sm2_values_out_of_range_are_invalid(forge: Callable[[int, int], bytes]) -> None:
    """T-SES-12."""
    value = SignatureSpec(value=lambda good: forge(*read_pair(good)))
    verdict = judge(seal_document(SealedSpec(signature=value)))
    assert ("signature-value", "signature-mismatch") in faults(verdict)


def raw_64(value: bytes) -> bytes:
    return b"".join(part.to_bytes(32, "big") for part in read_pair(value))


def test_a_raw_value_is_a_notice_in_foreign_files_and_a_fault_in_ours() -> None:
    """T-SES-13."""
    raw = SignatureSpec(value=raw_64)
    theirs = judge(seal_document(foreign(signature=raw)))
    assert theirs.outcome is Outcome.VALID
    assert ("structure", "deviation") in notices(theirs)
    ours = judge(seal_document(SealedSpec(signature=raw)))
    assert faults(ours) == {("structure", "malformed")}


def test_a_value_with_trailing_bytes_is_invalid_everywhere() -> None:
    """T-SES-13."""
    spec = foreign(signature=SignatureSpec(value=lambda value: value + b"\x00"))
    assert ("signature-value", "signature-mismatch") in faults(judge(seal_document(spec)))


# Algorithms


@pytest.mark.parametrize("oid", ["1.2.840.10045.4.3.2", "1.2.840.113549.1.1.5", "1.2.3"])
def test_algorithms_that_disagree_are_invalid(oid: str) -> None:
    """T-SES-10, T-SES-11, T-SES-17, T-OFD-57."""
    verdict = judge(seal_document(SealedSpec(signature=SignatureSpec(signature_oid=oid))))
    assert ("algorithm", "algorithm-mismatch") in faults(verdict)


def test_an_rsa_certificate_under_an_sm2_identifier_is_invalid() -> None:
    """T-SES-10."""
    verdict = judge(seal_document(SealedSpec(signer=RSA_TRUST.holder())))
    assert ("algorithm", "algorithm-mismatch") in faults(verdict)


def test_a_sha1_document_digest_is_weak() -> None:
    """T-SES-11: only the first generation could carry one."""
    spec = foreign(
        seal=SealSpec(version=1),
        signature=SignatureSpec(version=1, data_hash=asn1.bit_string(bytes(20))),
    )
    verdict = judge(seal_document(spec))
    assert ("algorithm", "weak-algorithm") in faults(verdict)


# What is sealed


def test_a_seal_of_another_document_is_invalid() -> None:
    """T-SES-08, T-OFD-62."""
    spec = SealedSpec(signature=SignatureSpec(data_hash=asn1.bit_string(b"\x07" * 32)))
    assert faults(judge(seal_document(spec))) == {("document-digest", "data-hash-mismatch")}


@pytest.mark.parametrize("data_hash", [b"\x03\x01\x00", asn1.bit_string(b"\x07" * 31)])
def test_a_data_hash_of_another_length_is_refused(data_hash: bytes) -> None:
    """T-SES-07."""
    verdict = judge(seal_document(SealedSpec(signature=SignatureSpec(data_hash=data_hash))))
    assert verdict.outcome is Outcome.INVALID
    assert ("structure", "malformed") in faults(verdict)


@pytest.mark.parametrize(
    "place",
    [
        "/Doc_0/Signs/Sign_1/Signature.xml",
        "/doc_0/signs/sign_0/signature.xml",
        "/Doc_1/Signs/Sign_0/Signature.xml",
        "Signature.xml",
        "",
    ],
)
def test_a_seal_that_names_another_place_is_invalid(place: str) -> None:
    """T-SES-09."""
    verdict = judge(
        seal_document(SealedSpec(signature=SignatureSpec(property_info=asn1.ia5(place))))
    )
    assert faults(verdict) == {("document-digest", "property-info-mismatch")}


def test_a_missing_leading_slash_is_read() -> None:
    place = asn1.ia5("Doc_0/Signs/Sign_0/Signature.xml")
    verdict = judge(seal_document(foreign(signature=SignatureSpec(property_info=place))))
    assert verdict.outcome is Outcome.VALID


def test_trailing_bytes_and_wrong_versions_are_refused() -> None:
    """T-SES-02, T-SES-06."""
    trailing = SealedSpec(signature=SignatureSpec(timestamp=b"\x05\x00"))
    assert judge(seal_document(trailing)).outcome is Outcome.INVALID
    other = SealedSpec(signature=SignatureSpec(tbs_version=5))
    assert ("structure", "unsupported-version") in faults(judge(seal_document(other)))


# Periods and time


@pytest.mark.parametrize(
    ("seal", "reason"),
    [
        (SealSpec(valid_until=asn1.generalized_time(NOW - HOUR)), "seal-expired"),
        (SealSpec(valid_from=asn1.generalized_time(NOW + HOUR)), "seal-not-yet-valid"),
    ],
)
def test_a_seal_outside_its_period_when_it_was_used_is_invalid(seal: SealSpec, reason: str) -> None:
    """T-SES-22."""
    assert faults(judge(seal_document(SealedSpec(seal=seal)))) == {("seal-period", reason)}


def test_a_seal_that_ended_later_is_valid() -> None:
    late = EvidenceSpec(now=NOW + 2 * YEAR - HOUR, crls=fresh_crls(NOW + 2 * YEAR - 2 * HOUR))
    assert judge(seal_document(), late).outcome is Outcome.VALID


def fresh_crls(at: datetime) -> tuple[bytes, ...]:
    return tuple(
        SM2_TRUST.crl(of_root=of_root, this_update=at, next_update=at + YEAR / 52)
        for of_root in (False, True)
    )


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        (NOW + 2 * HOUR, "time-in-future"),
        (NOW - timedelta(days=31), "time-before-seal"),
    ],
)
def test_an_impossible_signing_time_is_invalid(moment: datetime, reason: str) -> None:
    """T-SES-29."""
    verdict = judge(seal_document(SealedSpec(signed_at=moment)))
    assert ("signing-time", reason) in faults(verdict)


def test_a_claim_before_the_certificate_began_is_invalid() -> None:
    """T-SES-29."""
    signer = SM2_TRUST.holder(not_before=NOW + HOUR / 2)
    verdict = judge(seal_document(SealedSpec(signer=signer)))
    assert ("signing-time", "time-before-certificate") in faults(verdict)


def test_small_skew_is_allowed() -> None:
    soon = SealedSpec(signed_at=NOW + HOUR + timedelta(seconds=200))
    assert judge(seal_document(soon)).outcome is Outcome.VALID


@pytest.mark.parametrize("text", [b"20261124120000", b"20261124120000+0800", b"20261124040000.5Z"])
def test_odd_times_are_never_read_as_local_time(text: bytes) -> None:
    """T-SES-30."""
    time = asn1.element(asn1.Tag.GENERALIZED_TIME, text)
    theirs = judge(seal_document(foreign(signature=SignatureSpec(time=time))))
    assert theirs.outcome is Outcome.INDETERMINATE
    assert ("signing-time", "time-ambiguous") in doubts(theirs)
    ours = judge(seal_document(SealedSpec(signature=SignatureSpec(time=time))))
    assert ours.outcome is Outcome.INVALID


def test_a_written_time_that_differs_from_the_signed_one_is_a_fault_in_ours() -> None:
    """T-OFD-67: foreign files are shown by the signed time."""
    time = asn1.generalized_time(NOW - timedelta(minutes=5))
    ours = judge(seal_document(SealedSpec(signature=SignatureSpec(time=time))))
    assert faults(ours) == {("signing-time", "time-mismatch")}
    theirs = judge(seal_document(foreign(signature=SignatureSpec(time=time))))
    assert theirs.outcome is Outcome.VALID
    assert theirs.signatures[0].signed_at == NOW - timedelta(minutes=5)


# Time stamps


def test_a_stamp_over_other_bytes_is_no_evidence() -> None:
    """T-SES-31."""
    spec = SealedSpec(token=lambda value: SM2_TRUST.stamper(NOW).stamp(value + b"x"))
    verdict = judge(seal_document(spec))
    assert faults(verdict) == {("timestamp", "timestamp-bad")}
    assert verdict.signatures[0].time_source is TimeSource.CLAIMED


def test_a_broken_token_is_no_evidence() -> None:
    """T-SES-31."""
    verdict = judge(seal_document(SealedSpec(token=lambda _: b"\x30\x03\x02\x01\x01")))
    assert faults(verdict) == {("timestamp", "timestamp-bad")}


def test_an_unknown_stamp_authority_stays_open() -> None:
    """T-SES-31."""
    spec = SealedSpec(token=lambda value: STRANGER.stamper(NOW).stamp(value))
    verdict = judge(seal_document(spec))
    assert verdict.outcome is Outcome.INDETERMINATE
    assert doubts(verdict) == {("timestamp", "timestamp-untrusted")}
    assert verdict.signatures[0].time_source is TimeSource.CLAIMED


def test_an_rsa_stamp_under_a_seal_counts() -> None:
    spec = SealedSpec(token=lambda value: RSA_TRUST.stamper(STAMPED).stamp(value))
    verdict = judge(seal_document(spec))
    assert verdict.outcome is Outcome.VALID
    assert verdict.signatures[0].signed_at == STAMPED


def test_a_claim_later_than_its_stamp_is_invalid() -> None:
    """T-SES-29."""
    verdict = judge(seal_document(SealedSpec(stamped_at=NOW - HOUR)))
    assert faults(verdict) == {("signing-time", "time-after-timestamp")}


# Revocation


def revoked(party: Party, at: datetime, **changes: object) -> EvidenceSpec:
    return EvidenceSpec(revoked=(entry_for(party, at, **changes),))


def test_a_signer_revoked_before_signing_is_invalid() -> None:
    """T-PKI-02."""
    spec = revoked(SM2_TRUST.holder(), NOW - HOUR)
    assert faults(judge(seal_document(), spec)) == {("revocation", "revoked")}


def test_a_signer_revoked_later_needs_proof_of_time() -> None:
    """T-PKI-02: valid with a time stamp, open without."""
    spec = revoked(SM2_TRUST.holder(), NOW + HOUR / 2)
    open_verdict = judge(seal_document(), spec)
    assert doubts(open_verdict) == {("revocation", "revoked-no-proof-of-time")}
    assert open_verdict.outcome is Outcome.INDETERMINATE
    proven = judge(seal_document(SealedSpec(stamped_at=STAMPED)), spec)
    assert proven.outcome is Outcome.VALID
    assert ("revocation", "revoked-later") in notices(proven)


def test_a_compromised_key_counts_from_its_invalidity_date() -> None:
    """T-PKI-27."""
    spec = revoked(
        SM2_TRUST.holder(),
        NOW + HOUR / 2,
        reason=RevocationReason.KEY_COMPROMISE,
        invalidity_at=NOW - HOUR,
    )
    verdict = judge(seal_document(SealedSpec(stamped_at=STAMPED)), spec)
    assert faults(verdict) == {("revocation", "revoked")}


def test_a_maker_revoked_after_making_the_seal_is_a_notice_unless_its_key_was_lost() -> None:
    later = revoked(SM2_TRUST.maker(), NOW - HOUR)
    verdict = judge(seal_document(), later)
    assert verdict.outcome is Outcome.VALID
    assert ("revocation", "revoked-later") in notices(verdict)
    lost = revoked(SM2_TRUST.maker(), NOW - HOUR, reason=RevocationReason.KEY_COMPROMISE)
    assert judge(seal_document(), lost).outcome is Outcome.INDETERMINATE


def test_without_status_nothing_is_valid() -> None:
    """T-PKI-20: no list at all, and a list that has ended."""
    bare = judge(seal_document(), EvidenceSpec(crls=()))
    assert bare.outcome is Outcome.INDETERMINATE
    assert ("revocation", "status-unknown") in doubts(bare)
    stale = tuple(
        SM2_TRUST.crl(of_root=of_root, this_update=NOW - YEAR, next_update=NOW - YEAR / 2)
        for of_root in (False, True)
    )
    assert judge(seal_document(), EvidenceSpec(crls=stale)).outcome is Outcome.INDETERMINATE


def test_a_list_signed_by_somebody_else_says_nothing() -> None:
    """T-PKI-20."""
    crls = (STRANGER.crl(), STRANGER.crl(of_root=True))
    assert judge(seal_document(), EvidenceSpec(crls=crls)).outcome is Outcome.INDETERMINATE


def test_a_policy_may_accept_missing_status() -> None:
    policy = replace(DEFAULT_POLICY, revocation_unknown=Severity.NOTICE)
    verdict = judge(seal_document(), EvidenceSpec(crls=(), policy=policy))
    assert verdict.outcome is Outcome.VALID
    assert ("revocation", "status-unknown") in notices(verdict)


# Extensions, picture, copy, stamps


def extension(critical: bool) -> bytes:
    flag = asn1.boolean(True) if critical else b""
    return asn1.sequence(asn1.sequence(asn1.oid("1.2.3.4"), flag, asn1.octet_string(b"x")))


def test_an_unknown_critical_extension_stays_open() -> None:
    """T-SES-34."""
    verdict = judge(seal_document(SealedSpec(seal=SealSpec(extensions=extension(True)))))
    assert doubts(verdict) == {("structure", "unknown-critical")}
    plain = judge(seal_document(SealedSpec(seal=SealSpec(extensions=extension(False)))))
    assert plain.outcome is Outcome.VALID
    outer = SignatureSpec(extensions=asn1.explicit(0, extension(True)))
    assert doubts(judge(seal_document(SealedSpec(signature=outer)))) == {
        ("structure", "unknown-critical")
    }


SVG = b"<svg xmlns='http://www.w3.org/2000/svg'>%b</svg>"
HUGE = PICTURE[:16] + (60_000).to_bytes(4, "big") * 2 + PICTURE[24:]


@pytest.mark.parametrize("provider", [OWN_PROVIDER, FOREIGN], ids=["own", "foreign"])
@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("PNG", b"<svg>"),
        ("PNG", HUGE),
        ("PNG", PICTURE + b"PK\x03\x04"),
        ("SVG", SVG % b"<script>alert(1)</script>"),
        ("SVG", SVG % b"<image href='http://127.0.0.1/a.png'/>"),
        ("SVG", b"<!DOCTYPE svg [<!ENTITY a 'b'>]>" + SVG % b"&a;"),
    ],
    ids=["lies", "huge", "polyglot", "script", "external", "entity"],
)
def test_a_seal_with_an_unsafe_picture_is_refused(
    kind: str, data: bytes, provider: OFDProvider
) -> None:
    """T-SES-35, T-SES-36."""
    picture = asn1.sequence(
        asn1.ia5(kind), asn1.octet_string(data), asn1.integer(42), asn1.integer(42)
    )
    spec = SealedSpec(seal=SealSpec(picture=picture), provider=provider)
    verdict = judge(seal_document(spec))
    assert faults(verdict) == {("structure", "picture-unsafe")}


def test_a_seal_file_that_differs_from_the_seal_inside_is_invalid() -> None:
    """T-OFD-54."""
    other = SealedSpec(seal=SealSpec(name=asn1.utf8("别的印章")))
    from_other = seal_document(SealedSpec(seal_copy=seal_of(other)))
    assert faults(judge(from_other)) == {("seal-copy", "seal-mismatch")}


def test_a_stretched_stamp_is_a_notice_in_foreign_files_and_a_fault_in_ours() -> None:
    """T-SES-38."""
    wide = (replace(SPOT, width_mm=60),)
    assert ("stamp-placement", "stamp-stretched") in notices(
        judge(seal_document(foreign(placements=wide)))
    )
    ours = judge(seal_document(SealedSpec(placements=wide)))
    assert faults(ours) == {("stamp-placement", "stamp-stretched")}


def test_the_reasons_name_what_they_are_about() -> None:
    verdict = judge(seal_document(SealedSpec(signer=SM2_TRUST.holder(not_after=NOW - HOUR))))
    assert "金陵市云栖区行政审批局" in subjects(verdict, "expired")[0]
