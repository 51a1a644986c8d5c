"""Forged seal values, tokens and seals as verdicts; each is made with the means of its attacker.

``test_seal_rules`` covers what is wrong with a seal; here it is the value under it that was made
otherwise, the encoding that was changed, the evidence of time that was taken away, or a good seal
that belongs to somebody else.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from keys.algorithms import sm3
from keys.certificates import parse_certificate
from keys.profiles import SEAL_HOLDER, TSA, Profile
from keys.timestamp_messages import TSTInfo
from keys.tsa import TEST_POLICY
from licence_store.states import LicenceState, Validity
from seal_service.formats import asn1
from seal_service.formats.ofd.container import read_container
from seal_service.formats.ofd.model import OFDProvider
from seal_service.formats.ofd.own_form import OWN_PROVIDER
from tests.support import sm2_arithmetic as arithmetic
from tests.support.sealed_ofd import FOREIGN, SealedSpec, seal_document, seal_of, with_entries
from tests.support.seals import SEAL_ID, Party, SealSpec, SignatureSpec
from tests.support.tokens import TokenSpec, imprint_of, make_token
from tests.support.trust import (
    AUTHORITY_CODE,
    AUTHORITY_NAME,
    NOW,
    SM2_TRUST,
    YEAR,
    EvidenceSpec,
    entry_for,
)
from tests.support.verdicts import make_facts
from tests.verifier.verdicts import doubts, faults, judge, notices
from verifier.records import LibraryRecords, LicenceRecord, SealRecord
from verifier.verdict import Integrity, Outcome, TimeSource

HOUR = timedelta(hours=1)
STAMPED = NOW + timedelta(seconds=2)
VALUE = "Doc_0/Signs/Sign_0/SignedValue.dat"
BOTH_FORMS = pytest.mark.parametrize("provider", [OWN_PROVIDER, FOREIGN], ids=["own", "foreign"])

D = int.from_bytes(hashlib.sha256(f"trust {AUTHORITY_NAME}".encode()).digest(), "big")
PUBLIC = arithmetic.known(arithmetic.multiply(D))
K = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21


def holder_who_signs(sign: Callable[[bytes], tuple[int, int]]) -> Party:
    """Return the seal holder, whose key is used in another way."""

    def to_der(message: bytes) -> bytes:
        return arithmetic.encode(*sign(message))

    return replace(SM2_TRUST.holder(), sign=to_der)


def under_id(user_id: bytes) -> Callable[[bytes], tuple[int, int]]:
    return lambda message: arithmetic.sign(D, arithmetic.message_e(PUBLIC, message, user_id), K)


def over(digest: Callable[[bytes], bytes]) -> Callable[[bytes], tuple[int, int]]:
    return lambda message: arithmetic.sign(D, int.from_bytes(digest(message), "big"), K)


def ecdsa(message: bytes) -> tuple[int, int]:
    r = arithmetic.known(arithmetic.multiply(K))[0] % arithmetic.N
    e = int.from_bytes(arithmetic.sm3(message), "big")
    return r, pow(K, -1, arithmetic.N) * (e + r * D) % arithmetic.N


def test_the_arithmetic_of_the_forgeries_signs_properly_under_the_right_id() -> None:
    spec = SealedSpec(signer=holder_who_signs(under_id(arithmetic.DEFAULT_ID)))
    assert judge(seal_document(spec)).outcome is Outcome.VALID


WRONG_SIGNERS: dict[str, Callable[[bytes], tuple[int, int]]] = {
    "T-SES-14 empty": under_id(b""),
    "T-SES-14 the name": under_id(AUTHORITY_NAME.encode()),
    "T-SES-14 31 bytes": under_id(b"1234567812345678123456781234567"),
    "T-SES-14 the standard's example": under_id(b"ALICE123@YAHOO.COM"),
    "T-SES-15 bare SM3": over(arithmetic.sm3),
    "T-SES-11 SHA-1": over(lambda message: hashlib.sha1(message, usedforsecurity=False).digest()),
    "T-SES-11 SHA-256": over(lambda message: hashlib.sha256(message).digest()),
    "T-SES-17 ECDSA": ecdsa,
}


@BOTH_FORMS
@pytest.mark.parametrize("name", WRONG_SIGNERS)
def test_the_right_key_used_in_another_way_signs_nothing(name: str, provider: OFDProvider) -> None:
    """T-SES-14, T-SES-15, T-SES-17: one way of signing counts, and no other one is tried."""
    spec = SealedSpec(
        provider=provider,
        signer=holder_who_signs(WRONG_SIGNERS[name]),
    )
    verdict = judge(seal_document(spec))
    assert faults(verdict) == {("signature-value", "signature-mismatch")}
    assert verdict.outcome is Outcome.INVALID


@BOTH_FORMS
@pytest.mark.parametrize("version", [1, 4, 5])
def test_another_certificate_beside_a_good_value_is_invalid(
    version: int, provider: OFDProvider
) -> None:
    """T-SES-41: also where the seal lists that other one."""
    other = SM2_TRUST.party("另一持章人", SEAL_HOLDER)
    spec = SealedSpec(
        provider=provider,
        seal=SealSpec(version=version, signer=other),
        signature=SignatureSpec(version=version, certificate=other.certificate),
    )
    verdict = judge(seal_document(spec))
    assert ("signature-value", "signature-mismatch") in faults(verdict)
    assert verdict.outcome is Outcome.INVALID


# Encodings


def long_form(value: bytes) -> bytes:
    """Spell the outer length with one octet more than is due."""
    body = value[4:]
    return b"\x30\x83" + len(body).to_bytes(3, "big") + body


def first_integer_padded(value: bytes) -> bytes:
    """Put a superfluous zero before the version number inside TBS_Sign."""
    outer = asn1.read_sequence(asn1.read_der(value))
    inside = asn1.read_sequence(outer[0])
    wide = asn1.element(asn1.Tag.INTEGER, b"\x00" + inside[0].content)
    tbs = asn1.sequence(wide, *(one.raw for one in inside[1:]))
    return asn1.sequence(tbs, *(one.raw for one in outer[1:]))


def constructed(value: bytes) -> bytes:
    """Spell the certificate as a constructed OCTET STRING."""
    outer = asn1.read_sequence(asn1.read_der(value))
    string = asn1.element(0x24, outer[1].raw)
    return asn1.sequence(outer[0].raw, string, *(one.raw for one in outer[2:]))


ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "T-SES-04 long form": long_form,
    "T-SES-04 indefinite": lambda value: b"\x30\x80" + value[4:] + bytes(2),
    "T-SES-04 padded integer": first_integer_padded,
    "T-SES-04 constructed": constructed,
    "T-SES-02 twice": lambda value: value * 2,
    "T-SES-02 trailing": lambda value: value + b"\x00",
    "T-SES-03 cut": lambda value: value[:-1],
    "T-SES-03 empty": lambda value: b"",
    "T-SES-05 longer than the input": lambda value: b"\x30\x84\x7f\xff\xff\xff" + value[4:],
    "T-SES-05 2^32-1": lambda value: b"\x30\x84\xff\xff\xff\xff" + value[4:],
    "T-SES-05 2^63": lambda value: b"\x30\x88\x80" + bytes(7) + value[4:],
    "T-SES-05 nested": lambda value: b"\x30\x80" * 10_000 + bytes(20_000),
}


@BOTH_FORMS
@pytest.mark.parametrize("name", ENCODINGS)
def test_a_value_that_is_not_strictly_encoded_is_refused(name: str, provider: OFDProvider) -> None:
    """T-SES-02 to T-SES-05, T-SES-04."""
    document = seal_document(SealedSpec(provider=provider))
    value = read_container(document).entries[VALUE]
    verdict = judge(with_entries(document, {VALUE: ENCODINGS[name](value)}))
    assert verdict.outcome is Outcome.INVALID
    assert verdict.signatures[0].integrity is not Integrity.HOLDS


@BOTH_FORMS
@pytest.mark.parametrize(
    ("seal", "checks"),
    [
        (SealSpec(name=asn1.element(asn1.Tag.UTF8_STRING, b"\xff\xfe")), "structure"),
        (SealSpec(name=asn1.utf8("公章\x00别的")), "structure"),
        (SealSpec(seal_id=asn1.element(asn1.Tag.IA5_STRING, b"\x07\x08")), "structure"),
        (SealSpec(name=asn1.utf8("章" * 2**18)), "structure"),
    ],
    ids=["not-utf8", "nul", "controls", "mebibyte"],
)
def test_a_seal_with_hostile_text_is_refused(
    seal: SealSpec, checks: str, provider: OFDProvider
) -> None:
    """T-SES-39."""
    verdict = judge(seal_document(SealedSpec(seal=seal, provider=provider)))
    assert checks in {check for check, _ in faults(verdict)}
    assert verdict.outcome is Outcome.INVALID


def test_direction_controls_in_a_seal_are_shown_escaped_and_refused_in_ours() -> None:
    """T-SES-39."""
    seal = SealSpec(name=asn1.utf8("印\u202e章"))
    theirs = judge(seal_document(SealedSpec(seal=seal, provider=FOREIGN)))
    assert theirs.signatures[0].seal is not None
    assert theirs.signatures[0].seal.name == "印\\u202e章"
    assert judge(seal_document(SealedSpec(seal=seal))).outcome is Outcome.INVALID


# Evidence of time


def without_stamp(document: bytes) -> bytes:
    """Take the time stamp out of the seal signature; nothing signed changes."""
    value = read_container(document).entries[VALUE]
    kept = asn1.read_sequence(asn1.read_der(value))[:4]
    return with_entries(document, {VALUE: asn1.sequence(*(one.raw for one in kept))})


def test_a_stripped_stamp_takes_the_proof_of_time_with_it() -> None:
    """T-SES-32: what the stamp alone kept valid is open without it."""
    document = seal_document(SealedSpec(provider=FOREIGN, stamped_at=STAMPED))
    later = EvidenceSpec(revoked=(entry_for(SM2_TRUST.holder(), NOW + HOUR / 2),))
    assert judge(document, later).outcome is Outcome.VALID
    stripped = judge(without_stamp(document), later)
    assert stripped.signatures[0].time_source is TimeSource.CLAIMED
    assert doubts(stripped) == {("revocation", "revoked-no-proof-of-time")}
    assert stripped.outcome is Outcome.INDETERMINATE


def test_a_later_stamp_in_place_of_the_first_proves_only_the_later_time() -> None:
    """T-SES-33."""
    document = seal_document(SealedSpec(provider=FOREIGN, stamped_at=STAMPED))
    parts = asn1.read_sequence(asn1.read_der(read_container(document).entries[VALUE]))
    value = parts[3].content[1:]
    token = SM2_TRUST.stamper(NOW + HOUR * 3 / 4).stamp(value)
    replaced = asn1.sequence(
        *(one.raw for one in parts[:4]), asn1.explicit(0, asn1.bit_string(token))
    )
    again = with_entries(document, {VALUE: replaced})
    verdict = judge(again)
    assert verdict.signatures[0].signed_at == NOW + HOUR * 3 / 4
    revoked = EvidenceSpec(revoked=(entry_for(SM2_TRUST.holder(), NOW + HOUR / 2),))
    assert judge(again, revoked).outcome is not Outcome.VALID


def tsa_profile(**changes: object) -> Profile:
    return replace(TSA, **changes)  # type: ignore[arg-type]  # keywords are flaws


def stamp_by(value: bytes, **changes: object) -> bytes:
    """Let a party stamp whatever its certificate says, as our own authority would not."""
    party = SM2_TRUST.party("示例时间戳机构", TSA, **changes)
    info = TSTInfo(policy=TEST_POLICY, imprint=imprint_of(value), serial=7, gen_time=STAMPED)
    certificate = parse_certificate(party.certificate)
    return make_token(TokenSpec(certificate=certificate, sign=party.sign, info=info))


def test_the_stamps_of_the_forgeries_count_where_the_authority_may_stamp() -> None:
    verdict = judge(seal_document(SealedSpec(token=stamp_by, provider=FOREIGN)))
    assert (verdict.outcome, verdict.signatures[0].signed_at) == (Outcome.VALID, STAMPED)


@pytest.mark.parametrize(
    "changes",
    [
        {"profile": tsa_profile(is_extended_usage_critical=False)},
        {"profile": tsa_profile(extended_key_usage=())},
        {"profile": tsa_profile(extended_key_usage=("1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.3"))},
        {"profile": tsa_profile(extended_key_usage=("1.3.6.1.5.5.7.3.9",))},
        {"not_after": NOW - HOUR},
        {"not_before": NOW + HOUR},
    ],
    ids=["not-critical", "no-usage", "two-usages", "another-usage", "ended", "not-begun"],
)
@BOTH_FORMS
def test_a_stamp_of_an_authority_that_may_not_stamp_is_no_evidence(
    changes: dict[str, object], provider: OFDProvider
) -> None:
    """T-SES-31."""
    spec = SealedSpec(
        provider=provider,
        token=lambda value: stamp_by(value, **changes),
    )
    verdict = judge(seal_document(spec))
    assert ("timestamp", "timestamp-bad") in faults(verdict)
    assert verdict.signatures[0].time_source is TimeSource.CLAIMED
    assert verdict.outcome is Outcome.INVALID


def test_a_stamp_of_the_future_is_no_evidence() -> None:
    """T-SES-29, T-SES-31."""
    verdict = judge(seal_document(SealedSpec(stamped_at=NOW + 3 * HOUR)))
    assert faults(verdict) == {("timestamp", "time-in-future")}
    assert verdict.signatures[0].time_source is TimeSource.CLAIMED


def test_a_stamp_of_a_revoked_authority_is_no_evidence() -> None:
    """T-SES-31."""
    party = SM2_TRUST.party("示例时间戳机构", TSA)
    spec = EvidenceSpec(revoked=(entry_for(party, NOW - HOUR),))
    verdict = judge(seal_document(SealedSpec(stamped_at=STAMPED)), spec)
    assert verdict.outcome is Outcome.INVALID
    assert verdict.signatures[0].time_source is TimeSource.CLAIMED


def test_a_stamp_over_a_weak_digest_is_no_evidence() -> None:
    """T-SES-31."""

    def stamp(value: bytes) -> bytes:
        digest = hashlib.sha1(value, usedforsecurity=False).digest()
        imprint = asn1.sequence(asn1.sequence(asn1.oid("1.3.14.3.2.26")), asn1.octet_string(digest))
        info = asn1.sequence(
            asn1.integer(1),
            asn1.oid(TEST_POLICY),
            imprint,
            asn1.integer(7),
            asn1.generalized_time(STAMPED),
        )
        return make_token(TokenSpec(info_der=info))

    verdict = judge(seal_document(SealedSpec(token=stamp)))
    assert faults(verdict) == {("timestamp", "timestamp-bad")}
    assert verdict.signatures[0].time_source is TimeSource.CLAIMED


@pytest.mark.parametrize(
    ("at", "is_fault"), [(NOW - timedelta(days=29), False), (NOW - timedelta(days=31), True)]
)
def test_a_seal_stamped_before_it_was_made_is_invalid(at: datetime, is_fault: bool) -> None:
    """T-SES-29, T-SES-31: GM/T 0031-2025 lets the maker stamp the seal itself."""
    kept: list[bytes] = []

    def keep(value: bytes) -> bytes:
        kept[:] = kept or [value]
        return kept[0]

    plain = SealSpec(version=5, value=keep)
    seal_of(SealedSpec(seal=plain))
    token = SM2_TRUST.stamper(at).stamp(kept[0])
    stamped = replace(plain, timestamp=asn1.explicit(0, asn1.bit_string(token)))
    spec = SealedSpec(
        provider=FOREIGN, seal_der=seal_of(SealedSpec(seal=stamped)), seal=SealSpec(version=5)
    )
    verdict = judge(seal_document(spec))
    assert (("timestamp", "time-after-timestamp") in faults(verdict)) is is_fault
    assert (verdict.outcome is Outcome.VALID) is not is_fault


# A good seal that is somebody else's

IDENTIFIER = "1.2.156.3005.2.11100000MB0143028R001.11320102MB9K00021D.2026NJ00000001.001.E"
OTHER_CODE = "11320100MB9K00013M"
CLAIMS = {"CertificateIdentifier": IDENTIFIER}
USED = ((NOW - timedelta(days=30), None),)


def library_for(document: bytes, seal: SealRecord, issuer: str = AUTHORITY_CODE) -> LibraryRecords:
    """Return a library that holds this very file, issued by an authority."""
    licence = LicenceRecord(
        facts=make_facts(),
        authority_code=issuer,
        state=LicenceState.IN_FORCE,
        validity=Validity(valid_from=date(2026, 11, 24), valid_until=None),
        metadata=CLAIMS,
        file_digests={"ofd": sm3(document).hex()},
        issued_at=NOW,
    )
    return LibraryRecords(
        authorities=frozenset({issuer}),
        licences={IDENTIFIER: licence},
        seals={SEAL_ID: (seal,)},
    )


def sealed_licence(**changes: object) -> tuple[bytes, bytes]:
    """Return a licence and the seal on it."""
    seal = seal_of(SealedSpec())
    spec = SealedSpec(seal_der=seal, custom_datas=CLAIMS)
    return seal_document(replace(spec, **changes)), seal  # type: ignore[arg-type]


def row(seal: bytes, **changes: object) -> SealRecord:
    record = SealRecord(
        seal_id=SEAL_ID, digest=sm3(seal), authority_code=AUTHORITY_CODE, active_periods=USED
    )
    return replace(record, **changes)  # type: ignore[arg-type]


def test_a_licence_under_the_seal_of_its_issuer_is_valid() -> None:
    document, seal = sealed_licence()
    verdict = judge(document, records=library_for(document, row(seal)))
    assert (verdict.outcome, faults(verdict)) == (Outcome.VALID, set())


def test_a_licence_under_the_seal_of_another_organ_is_invalid() -> None:
    """T-SES-28: the register knows the seal, and it is not the issuer's."""
    document, seal = sealed_licence()
    verdict = judge(document, records=library_for(document, row(seal, authority_code=OTHER_CODE)))
    assert faults(verdict) == {("issuer-match", "issuer-mismatch")}
    assert (verdict.outcome, verdict.authentic) == (Outcome.INVALID, False)


def test_a_licence_of_another_organ_than_the_signers_is_invalid() -> None:
    """T-SES-28: the code in the signer's certificate is not the issuer's."""
    document, seal = sealed_licence()
    foreign_row = row(seal, authority_code=OTHER_CODE)
    records = library_for(document, foreign_row, issuer=OTHER_CODE)
    assert faults(judge(document, records=records)) == {("issuer-match", "issuer-mismatch")}


@BOTH_FORMS
def test_a_document_that_names_another_issuer_than_its_signer_is_invalid(
    provider: OFDProvider,
) -> None:
    """T-SES-28: without any library."""
    named = {"CertificateIssuingAuthorityCode": OTHER_CODE}
    spec = SealedSpec(provider=provider, custom_datas=named)
    assert faults(judge(seal_document(spec))) == {("issuer-match", "issuer-mismatch")}
    right = replace(spec, custom_datas={"CertificateIssuingAuthorityCode": AUTHORITY_CODE})
    assert judge(seal_document(right)).outcome is Outcome.VALID


def test_the_seal_of_a_person_does_not_seal_for_an_organ() -> None:
    """T-SES-28: type 2 is for persons."""
    seal = seal_of(SealedSpec(seal=SealSpec(seal_type=2)))
    document, _ = sealed_licence(seal_der=seal)
    verdict = judge(document, records=library_for(document, row(seal)))
    assert ("issuer-match", "issuer-mismatch") in faults(verdict)


def test_a_seal_revoked_after_a_trusted_stamp_is_valid_with_a_note() -> None:
    """T-SES-25: and open where nothing proves that the signature came first (T-SES-24)."""
    stopped = ((NOW - timedelta(days=30), NOW + HOUR / 2),)
    document, seal = sealed_licence(custom_datas=None, stamped_at=STAMPED)
    revoked = {SEAL_ID: (row(seal, active_periods=stopped, state="revoked"),)}
    records = LibraryRecords(authorities=frozenset(), seals=revoked)
    proven = judge(document, records=records)
    assert proven.outcome is Outcome.VALID
    assert ("seal-state", "revoked-later") in notices(proven)
    plain, seal = sealed_licence(custom_datas=None)
    revoked = {SEAL_ID: (row(seal, active_periods=stopped, state="revoked"),)}
    claimed = judge(plain, records=LibraryRecords(authorities=frozenset(), seals=revoked))
    assert claimed.outcome is Outcome.INDETERMINATE
    assert doubts(claimed) == {("seal-state", "revoked-no-proof-of-time")}


def test_a_seal_revoked_or_suspended_before_the_proven_time_is_invalid() -> None:
    """T-SES-23: an earlier claim does not help against the stamp."""
    document, seal = sealed_licence(custom_datas=None, stamped_at=NOW + HOUR / 2)
    for until in (NOW - HOUR, NOW + HOUR / 4):
        stopped = row(seal, active_periods=((NOW - YEAR, until),), state="suspended")
        records = LibraryRecords(authorities=frozenset(), seals={SEAL_ID: (stopped,)})
        verdict = judge(document, records=records)
        assert faults(verdict) == {("seal-state", "seal-stopped")}
        assert verdict.outcome is Outcome.INVALID
