"""Evidence given with a request: read in full, kept apart by algorithm, refused by name."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keys.certificates import encode_pem, parse_certificate
from keys.crl import RevokedEntry
from keys.ocsp import (
    OCSPPlan,
    SingleStatus,
    assemble_ocsp,
    certificate_id,
    encode_ocsp_tbs,
)
from tests.support.sealed_ofd import seal_document
from tests.support.sealed_pdf import sign_pdf
from tests.support.trust import (
    CA_NAME,
    NOW,
    RSA_TRUST,
    SM2_TRUST,
    STRANGER,
    Trust,
    make_key,
)
from verifier.given_evidence import (
    MOST_FILES,
    EvidenceRefused,
    GivenEvidence,
    GivenFile,
    read_evidence,
)
from verifier.judge import JudgeContext, judge_document
from verifier.policy import PolicyRefused
from verifier.verdict import InstantSource, Outcome, Verdict

LATER = NOW + timedelta(hours=1)


def file(data: bytes, name: str = "given") -> GivenFile:
    return GivenFile(name=name, data=data)


def pem_crl(der: bytes) -> bytes:
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN X509 CRL-----\n{text}-----END X509 CRL-----\n".encode()


def evidence_of(
    *families: Trust,
    spell: Callable[[bytes], bytes] = bytes,
    spell_crl: Callable[[bytes], bytes] = bytes,
) -> GivenEvidence:
    return GivenEvidence(
        trust=tuple(file(spell(family.root.der)) for family in families),
        intermediates=tuple(file(spell(family.authority.der)) for family in families),
        crls=tuple(
            file(spell_crl(crl))
            for family in families
            for crl in (family.crl(), family.crl(of_root=True))
        ),
    )


def judge(data: bytes, given: GivenEvidence) -> Verdict:
    evidence = read_evidence(given, now=LATER)
    return judge_document(data, JudgeContext(evidence=evidence))


@pytest.mark.parametrize("is_pem", [False, True])
def test_files_are_read_as_pem_or_der_sm2_or_rsa(is_pem: bool) -> None:
    given = evidence_of(SM2_TRUST, RSA_TRUST)
    if is_pem:
        given = evidence_of(
            SM2_TRUST,
            RSA_TRUST,
            spell=lambda der: encode_pem(der).encode(),
            spell_crl=pem_crl,
        )
    assert judge(seal_document(), given).outcome is Outcome.VALID
    assert judge(sign_pdf(), given).outcome is Outcome.VALID


def test_one_file_may_hold_several_certificates() -> None:
    given = evidence_of(SM2_TRUST, RSA_TRUST)
    joined = b"".join(one.data for one in given.trust)
    assert judge(sign_pdf(), replace(given, trust=(file(joined),))).outcome is Outcome.VALID


def test_an_anchor_of_one_algorithm_vouches_for_no_chain_of_the_other() -> None:
    """T-PKI-08."""
    sm2_only = evidence_of(SM2_TRUST)
    assert judge(seal_document(), sm2_only).outcome is Outcome.VALID
    verdict = judge(sign_pdf(), sm2_only)
    assert verdict.outcome is Outcome.INDETERMINATE
    evidence = read_evidence(evidence_of(SM2_TRUST, RSA_TRUST), now=LATER)
    assert evidence.trust.sm2 == (SM2_TRUST.root,)
    assert evidence.trust.rsa == (RSA_TRUST.root,)


def test_an_intermediate_is_trusted_no_more_than_a_stranger() -> None:
    """T-PKI-05."""
    given = evidence_of(SM2_TRUST)
    untrusted = replace(given, trust=(), intermediates=(*given.trust, *given.intermediates))
    assert judge(seal_document(), untrusted).outcome is Outcome.INDETERMINATE
    assert judge(seal_document(), evidence_of(STRANGER)).outcome is Outcome.INDETERMINATE


def test_without_revocation_data_nothing_is_confirmed() -> None:
    """No status is no answer, and nothing is fetched (T-PKI-20)."""
    assert judge(seal_document(), replace(evidence_of(SM2_TRUST), crls=())).outcome is (
        Outcome.INDETERMINATE
    )


def test_a_revocation_list_given_is_believed() -> None:
    entry = RevokedEntry(serial=_signer_serial(), revoked_at=NOW - timedelta(days=1))
    crls = (file(SM2_TRUST.crl([entry])), file(SM2_TRUST.crl(of_root=True)))
    verdict = judge(seal_document(), replace(evidence_of(SM2_TRUST), crls=crls))
    assert verdict.outcome is Outcome.INVALID


def _signer_serial() -> int:
    return parse_certificate(SM2_TRUST.holder().certificate).serial


def ocsp_response() -> bytes:
    """Let the SM2 authority say that seal maker and holder are good."""
    authority = SM2_TRUST.authority
    parties = (SM2_TRUST.maker(), SM2_TRUST.holder())
    tbs = encode_ocsp_tbs(
        OCSPPlan(
            responder_spki=authority.public_key.spki,
            produced_at=NOW,
            statuses=tuple(
                SingleStatus(
                    certificate_id=certificate_id(parse_certificate(party.certificate), authority),
                    this_update=NOW,
                    next_update=NOW + timedelta(days=1),
                )
                for party in parties
            ),
        )
    )
    return assemble_ocsp(tbs, SM2_TRUST.algorithm, make_key(CA_NAME).sign(tbs))


@pytest.mark.parametrize("is_pem", [False, True])
def test_status_responses_count_like_lists(is_pem: bool) -> None:
    response = ocsp_response()
    if is_pem:
        text = base64.encodebytes(response).decode()
        response = f"-----BEGIN OCSP RESPONSE-----\n{text}-----END OCSP RESPONSE-----\n".encode()
    given = replace(
        evidence_of(SM2_TRUST),
        crls=(file(SM2_TRUST.crl(of_root=True)),),
        ocsp_responses=(file(response),),
    )
    assert judge(seal_document(), given).outcome is Outcome.VALID
    assert judge(seal_document(), replace(given, ocsp_responses=())).outcome is (
        Outcome.INDETERMINATE
    )


def test_the_instant_is_the_one_given_and_the_verdict_says_so() -> None:
    at = datetime(2040, 1, 1, tzinfo=UTC)
    given = evidence_of(SM2_TRUST)
    now = judge(seal_document(), given)
    assert (now.judged_at, now.judged_at_source) == (LATER, InstantSource.CLOCK)
    then = judge(seal_document(), replace(given, at=at))
    assert (then.judged_at, then.judged_at_source) == (at, InstantSource.GIVEN)
    assert then.outcome is Outcome.INDETERMINATE


def test_the_policy_is_the_one_given_and_the_verdict_names_it() -> None:
    lenient = file(b'name = "lenient"\nrevocation_unknown = "notice"\n')
    given = replace(evidence_of(SM2_TRUST), crls=(), policy=lenient)
    verdict = judge(seal_document(), given)
    assert (verdict.outcome, verdict.policy_name) == (Outcome.VALID, "lenient")


def with_part(part: str, one: GivenFile) -> GivenEvidence:
    changes: dict[str, tuple[GivenFile, ...]] = {part: (one,)}
    return replace(GivenEvidence(), **changes)  # type: ignore[arg-type]  # a list in each case


@pytest.mark.parametrize("part", ["trust", "intermediates", "crls", "ocsp_responses"])
@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\x30\x03\x02\x01", b"-----BEGIN X-----\n-----END X-----\n"]
)
def test_a_file_that_is_not_what_it_should_be_is_refused_by_name(part: str, data: bytes) -> None:
    given = with_part(part, file(data, "odd.bin"))
    with pytest.raises(EvidenceRefused) as refusal:
        read_evidence(given, now=NOW)
    assert (refusal.value.params["part"], refusal.value.params["file"]) == (part, "odd.bin")


def test_a_certificate_is_no_revocation_data() -> None:
    for part in ("crls", "ocsp_responses"):
        given = with_part(part, file(SM2_TRUST.root.der))
        with pytest.raises(EvidenceRefused):
            read_evidence(given, now=NOW)


def test_too_many_files_are_refused() -> None:
    many = (file(SM2_TRUST.root.der),) * (MOST_FILES + 1)
    with pytest.raises(EvidenceRefused):
        read_evidence(GivenEvidence(trust=many), now=NOW)


@pytest.mark.parametrize("text", [b"\xff", b"colour = 1", b"name = ", b"#" * 20_000])
def test_a_policy_that_cannot_be_used_is_refused(text: bytes) -> None:
    with pytest.raises(PolicyRefused):
        read_evidence(GivenEvidence(policy=file(text)), now=NOW)
