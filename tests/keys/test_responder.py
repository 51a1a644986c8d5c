"""What our authorities answer: status of certificates, time stamps (T-PKI-23, T-PKI-24)."""

from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from keys.algorithms import KeyAlgorithm, digest
from keys.certificates import Certificate
from keys.crl import RevocationReason, RevokedEntry
from keys.errors import KeyStoreUnavailable
from keys.ocsp import (
    CertificateID,
    certificate_id,
    encode_ocsp_request,
    parse_ocsp,
    parse_ocsp_request,
)
from keys.pki import PKI
from keys.pki_making import ocsp_key_name
from keys.responder import (
    INTERNAL,
    MALFORMED,
    MOST_REQUEST_BYTES,
    TRY_LATER,
    UNAUTHORISED,
    Responder,
)
from keys.revocation import CertificateStatus, RevocationEvidence, RevocationState, check_revocation
from keys.timestamp_messages import Imprint, TimestampRequest, encode_request, parse_response
from keys.timestamps import verify_token
from tests.support.authority import responder_of
from tests.support.pki import NOW, RSA, SM2, FixedClock, MadePKI, copy_pki, revoke

BOTH = pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
NONCE = b"0123456789abcdef"


def issuer_of(pki: PKI, algorithm: KeyAlgorithm) -> Certificate:
    return pki.certificate(f"{algorithm}-issuing-ca")


def tsa_of(pki: PKI, algorithm: KeyAlgorithm) -> Certificate:
    return pki.certificate(f"{algorithm}-tsa")


def ask(made: MadePKI, leaf: Certificate, responder: Responder | None = None) -> RevocationState:
    """Ask our responder as a relying party does, and judge its answer alone."""
    issuer = issuer_of(made.pki, leaf.public_key.algorithm)
    request = encode_ocsp_request(certificate_id(leaf, issuer), NONCE)
    answer = (responder or responder_of(made)).answer_status(request)
    evidence = RevocationEvidence(ocsp_responses=(answer,), ocsp_nonce=NONCE)
    return check_revocation(leaf, issuer, evidence, at=NOW, now=NOW)


@BOTH
def test_a_certificate_of_ours_is_good_until_it_is_revoked(
    tmp_path: Path, algorithm: KeyAlgorithm
) -> None:
    """An answer is signed by a delegate made on demand, in a folder made before it existed."""
    made = copy_pki(tmp_path)
    leaf = tsa_of(made.pki, algorithm)
    assert not made.store.has(ocsp_key_name(algorithm))
    assert ask(made, leaf).status is CertificateStatus.GOOD
    entry = RevokedEntry(
        serial=leaf.serial,
        revoked_at=NOW,
        reason=RevocationReason.KEY_COMPROMISE,
        invalidity_at=NOW - timedelta(days=3),
    )
    made.pki.revoke(leaf, entry, now=NOW)
    state = ask(made, leaf)
    assert (state.status, state.reason) == (CertificateStatus.REVOKED, "key-compromise")
    assert state.effective_at == NOW - timedelta(days=3)


@BOTH
def test_a_number_nobody_issued_is_unknown_and_not_good(
    tmp_path: Path, algorithm: KeyAlgorithm
) -> None:
    made = copy_pki(tmp_path)
    stranger = replace(tsa_of(made.pki, algorithm), serial=0x7777)
    state = ask(made, stranger)
    assert (state.status, state.reason) == (CertificateStatus.UNKNOWN, "ocsp-unknown")


def test_a_certificate_that_was_renewed_is_still_known(tmp_path: Path) -> None:
    """Renewal overlaps: the old certificate stays good for what was sealed under it."""
    made = copy_pki(tmp_path)
    code, name = "11320500014149587R", "示例市行政审批局"
    old = made.pki.issue_seal_holder(name, code, SM2, now=NOW)
    new = made.pki.issue_seal_holder(name, code, SM2, now=NOW, renew=True)
    assert old.serial != new.serial
    assert old.public_key.spki == new.public_key.spki
    assert made.pki.seal_holder(code, SM2) == new
    assert [ask(made, one).status for one in (old, new)] == [CertificateStatus.GOOD] * 2


def test_the_same_responder_answers_after_a_while_and_a_new_one_after_its_end(
    tmp_path: Path,
) -> None:
    made = copy_pki(tmp_path)
    first = made.pki.issue_ocsp(SM2, now=NOW)
    assert made.pki.issue_ocsp(SM2, now=NOW + timedelta(days=9)) == first
    assert made.pki.issue_ocsp(SM2, now=first.not_after + timedelta(days=1)) != first


def test_a_request_in_a_path_is_the_same_request(tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    leaf = tsa_of(made.pki, RSA)
    request = encode_ocsp_request(certificate_id(leaf, issuer_of(made.pki, RSA)))
    responder = responder_of(made)
    by_path = responder.answer_status_path(b64encode(request).decode())
    assert parse_ocsp(by_path).statuses == parse_ocsp(responder.answer_status(request)).statuses
    assert responder.answer_status_path("no base64!") == MALFORMED


def test_other_issuers_and_roots_are_not_ours_to_answer_for(tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    responder = responder_of(made)
    issuing, root = issuer_of(made.pki, SM2), made.pki.certificate("sm2-root")
    assert responder.answer_status(encode_ocsp_request(certificate_id(issuing, root))) == (
        UNAUTHORISED
    )
    stranger = CertificateID(
        hash_name="sha1", issuer_name_hash=b"n" * 20, issuer_key_hash=b"k" * 20, serial=1
    )
    assert responder.answer_status(encode_ocsp_request(stranger)) == UNAUTHORISED


@pytest.mark.parametrize(
    "request_der",
    [
        b"",
        b"\x30\x00",
        b"garbage",
        b"\x30\x80",
        b"\0" * (MOST_REQUEST_BYTES + 1),
    ],
)
def test_what_is_no_request_is_malformed(tmp_path: Path, request_der: bytes) -> None:
    assert responder_of(copy_pki(tmp_path)).answer_status(request_der) == MALFORMED


@pytest.mark.parametrize("nonce", [b"", b"n" * 129])
def test_a_nonce_of_no_fit_length_is_malformed(tmp_path: Path, nonce: bytes) -> None:
    made = copy_pki(tmp_path)
    wanted = certificate_id(tsa_of(made.pki, SM2), issuer_of(made.pki, SM2))
    request = encode_ocsp_request(wanted, nonce)
    assert parse_ocsp_request(request)[1] == nonce
    assert responder_of(made).answer_status(request) == MALFORMED


def test_a_key_store_that_is_gone_says_try_later(tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    made.pki.issue_ocsp(SM2, now=NOW)

    def fail(_name: str, _message: bytes) -> bytes:
        raise KeyStoreUnavailable("gone", reason="device-gone")

    wanted = certificate_id(tsa_of(made.pki, SM2), issuer_of(made.pki, SM2))
    responder = Responder(made.pki, fail, FixedClock())
    assert responder.answer_status(encode_ocsp_request(wanted)) == TRY_LATER


def test_a_revoked_responder_gives_no_answers(tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    revoke(made.pki.issue_ocsp(SM2, now=NOW), made=made)
    wanted = certificate_id(tsa_of(made.pki, SM2), issuer_of(made.pki, SM2))
    assert responder_of(made).answer_status(encode_ocsp_request(wanted)) == INTERNAL


@BOTH
def test_a_value_is_stamped_with_the_nonce_of_the_request(
    tmp_path: Path, algorithm: KeyAlgorithm
) -> None:
    made = copy_pki(tmp_path)
    tsa = made.pki.tsa(algorithm, FixedClock())
    value = b"what is stamped"
    imprint = Imprint(algorithm=tsa.digest_algorithm, value=digest(tsa.digest_algorithm, value))
    request = encode_request(TimestampRequest(imprint=imprint, nonce=77))
    answer = responder_of(made).answer_timestamp(algorithm, request)
    assert verify_token(parse_response(answer), value).nonce == 77


def test_a_time_stamp_request_that_is_no_request_is_rejected(tmp_path: Path) -> None:
    responder = responder_of(copy_pki(tmp_path))
    for body in (b"", b"garbage", b"\0" * (MOST_REQUEST_BYTES + 1)):
        assert responder.answer_timestamp(SM2, body)[:4] == b"\x30\x09\x30\x07"


def test_lists_and_certificates_of_authorities_alone_are_handed_out(tmp_path: Path) -> None:
    made = copy_pki(tmp_path)
    responder = responder_of(made)
    assert responder.list_of("sm2-root") == made.pki.crl("sm2-root")
    assert responder.certificate_of("rsa-issuing-ca") == issuer_of(made.pki, RSA).der
    for name in ("seal-maker", "..", "", "sm2-tsa", "../keys/keystore"):
        assert responder.certificate_of(name) is None
        assert responder.list_of(name) is None
