"""OCSP responses: who may answer, what is believed, what leaves the status open."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from keys import der
from keys.algorithms import KeyAlgorithm
from keys.certificates import Certificate
from keys.crl import (
    RevocationReason,
    RevokedEntry,
)
from keys.errors import MalformedCertificate, StatusRolledBack
from keys.extensions import OID_TIME_STAMPING
from keys.ocsp import (
    CertificateID,
    RevokedInfo,
    certificate_id,
    check_answer_not_older,
    encode_ocsp_error,
    encode_ocsp_request,
    parse_ocsp,
    parse_ocsp_request,
    read_answer,
)
from keys.profiles import OCSP, SEAL_HOLDER
from keys.revocation import (
    MAX_EVIDENCE,
    CertificateStatus,
    RevocationEvidence,
    Source,
    check_revocation,
)
from keys.x509_building import extension
from tests.support.pki import NOW, LeafSpec, make_leaf, shared_pki
from tests.support.status import (
    HOUR,
    ListSpec,
    ResponseSpec,
    assert_unknown,
    issuer_of,
    judge,
    make_list,
    make_response,
    raw_entry,
)

DAY = timedelta(days=1)
BOTH = pytest.mark.parametrize("algorithm", list(KeyAlgorithm))


@BOTH
@pytest.mark.parametrize("is_by_issuer", [True, False])
def test_a_responder_says_good(algorithm: KeyAlgorithm, is_by_issuer: bool) -> None:
    spec = ResponseSpec(algorithm=algorithm, is_by_issuer=is_by_issuer)
    state = judge(make_response(spec), certificate=make_leaf(LeafSpec(algorithm=algorithm)))
    assert (state.status, state.source) == (CertificateStatus.GOOD, Source.OCSP)


def test_a_responder_says_revoked() -> None:
    """T-PKI-27."""
    info = RevokedInfo(
        revoked_at=NOW - DAY,
        reason=RevocationReason.KEY_COMPROMISE,
        invalidity_at=NOW - 5 * DAY,
    )
    state = judge(make_response(ResponseSpec(revoked=info)))
    assert state.status is CertificateStatus.REVOKED
    assert (state.revoked_at, state.invalidity_at) == (NOW - DAY, NOW - 5 * DAY)
    assert state.reason == "key-compromise"


def without_nocheck() -> Certificate:
    return make_leaf(LeafSpec(profile=replace(OCSP, has_no_revocation_check=False), serial=9))


def stranger() -> Certificate:
    return make_leaf(LeafSpec(profile=OCSP, serial=10, is_signed_by_stranger=True))


FLAWED_RESPONSES: dict[str, tuple[ResponseSpec, str]] = {
    "responder without the usage": (ResponseSpec(profile=SEAL_HOLDER), "ocsp-responder"),
    "responder for time stamps": (
        ResponseSpec(profile=replace(OCSP, extended_key_usage=(OID_TIME_STAMPING,))),
        "ocsp-responder",
    ),
    "responder not in the response": (ResponseSpec(embedded=()), "ocsp-responder"),
    "another certificate": (
        ResponseSpec(certificate=make_leaf(LeafSpec(serial=99))),
        "no-evidence",
    ),
    "signed by another": (ResponseSpec(signer="sm2-root"), "signature-mismatch"),
    "stale": (ResponseSpec(next_update=NOW - timedelta(minutes=1)), "stale"),
    "old without an end": (
        ResponseSpec(next_update=None, this_update=NOW - 2 * DAY, produced_at=NOW - 2 * DAY),
        "stale",
    ),
    "from the future": (ResponseSpec(this_update=NOW + HOUR), "in-future"),
    "produced in the future": (ResponseSpec(produced_at=NOW + HOUR), "in-future"),
    "not known": (ResponseSpec(is_known=False), "ocsp-unknown"),
    "two answers": (ResponseSpec(copies=2), "ocsp-repeated"),
    "cut off": (ResponseSpec(change=lambda data: data[:-1]), "truncated"),
    "more bytes": (ResponseSpec(change=lambda data: data + b"\x00"), "trailing"),
}


@pytest.mark.parametrize("flaw", FLAWED_RESPONSES)
def test_a_flawed_response_leaves_the_status_open(flaw: str) -> None:
    """T-PKI-23, T-PKI-24."""
    spec, reason = FLAWED_RESPONSES[flaw]
    response = make_response(spec)
    evidence = RevocationEvidence(ocsp_responses=(response,))
    state = check_revocation(make_leaf(), issuer_of(), evidence, at=NOW, now=NOW)
    assert_unknown(state, reason)


@pytest.mark.parametrize("is_expired", [True, False])
def test_a_responder_must_be_valid_now(is_expired: bool) -> None:
    """T-PKI-23."""
    responder = make_leaf(
        LeafSpec(profile=OCSP, serial=8, is_expired=is_expired, is_not_yet_valid=not is_expired)
    )
    assert_unknown(judge(make_response(ResponseSpec(responder=responder))), "ocsp-responder")


def test_a_responder_must_be_delegated_by_the_issuer_itself() -> None:
    """T-PKI-23."""
    assert_unknown(judge(make_response(ResponseSpec(responder=stranger()))), "ocsp-responder")


def test_a_responder_that_may_be_revoked_is_looked_up_in_the_lists() -> None:
    """T-PKI-23: its own answer about itself would prove nothing."""
    responder = without_nocheck()
    response = make_response(ResponseSpec(responder=responder))
    assert_unknown(judge(response), "ocsp-responder")
    state = judge(response, make_list())
    assert state.status is CertificateStatus.GOOD
    revoked = raw_entry(RevokedEntry(serial=responder.serial, revoked_at=NOW))
    state = judge(response, make_list(ListSpec(entries=(revoked,))))
    assert (state.status, state.source) == (CertificateStatus.GOOD, Source.CRL)


@pytest.mark.parametrize("status", [1, 2, 3, 5, 6])
def test_an_answer_without_content_leaves_the_status_open(status: int) -> None:
    """T-PKI-23: tryLater and its kind."""
    assert_unknown(judge(encode_ocsp_error(status)), "ocsp-not-successful")


def test_the_nonce_must_come_back_where_one_was_sent() -> None:
    """T-PKI-23."""
    wanted = RevocationEvidence(ocsp_nonce=b"n" * 16)
    right = make_response(ResponseSpec(nonce=b"n" * 16))
    assert judge(right, evidence=wanted).status is CertificateStatus.GOOD
    for nonce in (b"m" * 16, None):
        state = judge(make_response(ResponseSpec(nonce=nonce)), evidence=wanted)
        assert_unknown(state, "ocsp-nonce")


def test_an_answer_without_an_end_is_good_for_its_age() -> None:
    assert judge(make_response(ResponseSpec(next_update=None))).status is CertificateStatus.GOOD


def test_revoked_by_a_responder_wins_over_a_good_list() -> None:
    info = RevokedInfo(revoked_at=NOW - DAY)
    stale = ResponseSpec(revoked=info, next_update=NOW - HOUR)
    assert judge(make_list(), make_response(stale)).status is CertificateStatus.REVOKED


def test_every_flipped_byte_of_a_response_is_noticed() -> None:
    """T-PKI-23."""
    response = make_response(ResponseSpec(is_by_issuer=True))
    for at in range(len(response)):
        changed = bytearray(response)
        changed[at] ^= 1
        evidence = RevocationEvidence(ocsp_responses=(bytes(changed),))
        state = check_revocation(make_leaf(), issuer_of(), evidence, at=NOW, now=NOW)
        assert state.status is CertificateStatus.UNKNOWN, at


CRITICAL = extension("1.2.3.4", der.null(), is_critical=True)


def with_response_extensions(*extensions: bytes) -> ResponseSpec:
    """Add extensions to the whole response."""

    def change(tbs: bytes) -> bytes:
        parts = [node.raw for node in der.read_sequence(der.read_der(tbs))]
        return der.sequence(*parts[:3], der.explicit(1, der.sequence(*extensions)))

    return ResponseSpec(change_tbs=change)


def with_status(change: Callable[[list[bytes]], list[bytes]]) -> ResponseSpec:
    """Change the fields of the one status of a response."""

    def change_tbs(tbs: bytes) -> bytes:
        parts = der.read_sequence(der.read_der(tbs))
        fields = [node.raw for node in der.read_sequence(der.read_sequence(parts[2])[0])]
        statuses = der.sequence(der.sequence(*change(fields)))
        return der.sequence(parts[0].raw, parts[1].raw, statuses)

    return ResponseSpec(change_tbs=change_tbs)


def with_head(*head: bytes) -> ResponseSpec:
    """Put elements before the response's data."""
    return ResponseSpec(
        change_tbs=lambda tbs: der.sequence(
            *head, *(node.raw for node in der.read_sequence(der.read_der(tbs)))
        )
    )


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (with_response_extensions(CRITICAL), "unknown-critical"),
        (
            with_status(lambda fields: [*fields, der.explicit(1, der.sequence(CRITICAL))]),
            "unknown-critical",
        ),
        (
            with_status(lambda fields: [fields[0], der.implicit(0, b"x"), *fields[2:]]),
            "ocsp-status",
        ),
        (with_status(lambda fields: [fields[0], der.element(0xA1), *fields[2:]]), "ocsp-status"),
        (with_status(lambda fields: [*fields, fields[3]]), "unexpected-element"),
        (with_status(lambda fields: [*fields[:3], fields[2], fields[2]]), "ocsp-response"),
        (with_head(der.explicit(0, der.integer(1))), "version"),
        (
            ResponseSpec(
                change_tbs=lambda tbs: der.sequence(
                    der.explicit(0, der.integer(0)),
                    *(node.raw for node in der.read_sequence(der.read_der(tbs))[:2]),
                )
            ),
            "ocsp-response",
        ),
    ],
)
def test_a_response_of_another_form_leaves_the_status_open(spec: ResponseSpec, reason: str) -> None:
    """T-PKI-23."""
    assert_unknown(judge(make_response(spec)), reason)


def test_a_stated_default_version_changes_nothing() -> None:
    state = judge(make_response(with_head(der.explicit(0, der.integer(0)))))
    assert state.status is CertificateStatus.GOOD


def test_a_bare_nonce_is_read() -> None:
    bare = with_response_extensions(extension("1.3.6.1.5.5.7.48.1.2", b"\x01bare"))
    wanted = RevocationEvidence(ocsp_nonce=b"\x01bare")
    assert judge(make_response(bare), evidence=wanted).status is CertificateStatus.GOOD


def test_a_responder_named_by_its_name_is_found() -> None:
    issuer = issuer_of()

    def by_name(tbs: bytes) -> bytes:
        parts = der.read_sequence(der.read_der(tbs))
        name = der.explicit(1, issuer.subject_der)
        return der.sequence(name, *(node.raw for node in parts[1:]))

    state = judge(make_response(ResponseSpec(is_by_issuer=True, change_tbs=by_name)))
    assert state.status is CertificateStatus.GOOD


def test_a_responder_without_extensions_needs_looking_up() -> None:
    """T-PKI-23."""
    bare = make_leaf(LeafSpec(profile=OCSP, serial=12, has_extensions=False))
    assert_unknown(judge(make_response(ResponseSpec(responder=bare))), "ocsp-responder")


def test_a_responder_with_a_repeated_extension_needs_looking_up() -> None:
    """T-PKI-23: which of the two would count is nobody's choice."""
    twice = (extension("1.2.3", der.null()), extension("1.2.3", der.null()))
    odd = make_leaf(LeafSpec(profile=OCSP, serial=14, extra_extensions=twice))
    assert_unknown(judge(make_response(ResponseSpec(responder=odd))), "ocsp-responder")


def test_a_responder_that_cannot_be_read_is_passed_over() -> None:
    responder = make_leaf(LeafSpec(profile=OCSP, serial=13))
    spec = ResponseSpec(responder=responder, embedded=(der.sequence(), responder.der))
    assert judge(make_response(spec)).status is CertificateStatus.GOOD


@pytest.mark.parametrize("size", [256 * 1024 + 1])
def test_an_endless_answer_or_request_is_refused(size: int) -> None:
    """T-PKI-22."""
    for parse in (parse_ocsp, parse_ocsp_request):
        with pytest.raises(MalformedCertificate) as caught:
            parse(bytes(size))
        assert caught.value.params["reason"] == "limit"


def test_a_request_may_name_its_version_and_who_asks() -> None:
    wanted = certificate_id(make_leaf(), issuer_of())
    listed = der.read_sequence(der.read_sequence(der.read_der(encode_ocsp_request(wanted)))[0])[0]
    version, name = der.explicit(0, der.integer(0)), der.explicit(1, der.sequence())
    request = der.sequence(der.sequence(version, name, listed.raw))
    assert parse_ocsp_request(request) == ((wanted,), None)
    with pytest.raises(MalformedCertificate):
        parse_ocsp_request(der.sequence(der.sequence(version, name)))


@BOTH
def test_a_request_is_read_as_it_was_written(algorithm: KeyAlgorithm) -> None:
    leaf = make_leaf(LeafSpec(algorithm=algorithm))
    wanted = certificate_id(leaf, issuer_of(algorithm))
    assert parse_ocsp_request(encode_ocsp_request(wanted, b"nonce")) == ((wanted,), b"nonce")
    assert parse_ocsp_request(encode_ocsp_request(wanted)) == ((wanted,), None)


@pytest.mark.parametrize("name", ["sha1", "sha256", "sm3"])
def test_issuers_are_named_by_several_hashes(name: str) -> None:
    issuer, leaf = issuer_of(), make_leaf()
    bits = issuer.public_key.point
    assert bits is not None
    wanted = CertificateID(
        hash_name=name,
        issuer_name_hash=hashlib.new(name, issuer.subject_der).digest(),
        issuer_key_hash=hashlib.new(name, bits).digest(),
        serial=leaf.serial,
    )
    assert wanted.is_for(leaf, issuer)
    assert parse_ocsp_request(encode_ocsp_request(wanted))[0] == (wanted,)
    assert not replace(wanted, serial=1).is_for(leaf, issuer)
    assert not wanted.is_for(leaf, shared_pki().pki.certificate("sm2-root"))


# Kept answers


def test_what_a_response_says_of_a_certificate_is_found() -> None:
    issuer, leaf = issuer_of(), make_leaf()
    answer = make_response(ResponseSpec(this_update=NOW - HOUR))
    assert read_answer(answer, leaf, issuer).this_update == NOW - HOUR
    with pytest.raises(MalformedCertificate):
        read_answer(answer, make_leaf(LeafSpec(serial=9)), issuer)
    with pytest.raises(MalformedCertificate):
        read_answer(encode_ocsp_error(6), leaf, issuer)


def test_a_response_older_than_the_one_in_use_is_refused() -> None:
    """T-PKI-21."""
    link = (make_leaf(), issuer_of())
    old = make_response(ResponseSpec(this_update=NOW - 2 * HOUR))
    new = make_response(ResponseSpec(this_update=NOW - HOUR))
    check_answer_not_older(new, old, *link)
    check_answer_not_older(new, new, *link)
    with pytest.raises(StatusRolledBack):
        check_answer_not_older(old, new, *link)


@pytest.mark.parametrize("is_last", [True, False])
def test_among_many_responses_the_one_about_the_certificate_is_found(is_last: bool) -> None:
    others = tuple(
        make_response(ResponseSpec(certificate=make_leaf(LeafSpec(serial=0x3001 + number))))
        for number in range(MAX_EVIDENCE)
    )
    mine = make_response()
    found = (*others, mine) if is_last else (mine, *others)
    assert judge(*found).status is CertificateStatus.GOOD
    assert_unknown(judge(*others, others[0]), "no-evidence")
