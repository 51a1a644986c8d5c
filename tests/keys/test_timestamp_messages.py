"""Time-stamp requests, answers and statements: read as written, refused with a reason."""

from dataclasses import replace
from datetime import timedelta

import pytest

from keys import der
from keys.algorithms import DigestAlgorithm, KeyAlgorithm
from keys.errors import ServiceError, TimestampRefused
from keys.timestamp_messages import (
    Failure,
    Imprint,
    TimestampRequest,
    TSTInfo,
    check_answer,
    encode_digest_algorithm,
    encode_request,
    encode_tst_info,
    parse_request,
    parse_response,
    parse_tst_info,
)
from keys.timestamp_tokens import (
    parse_token,
)
from keys.timestamps import verify_token
from keys.tsa import TEST_POLICY
from tests.support.pki import NOW
from tests.support.tokens import (
    BOTH,
    NONCE,
    SHA1_OID,
    VALUE,
    TokenSpec,
    authority,
    failure_of,
    imprint_of,
    make_token,
    refusal,
)


@BOTH
@pytest.mark.parametrize("hashing", list(DigestAlgorithm))
def test_a_request_is_answered(algorithm: KeyAlgorithm, hashing: DigestAlgorithm) -> None:
    request = TimestampRequest(imprint=imprint_of(algorithm=hashing), nonce=NONCE)
    token = parse_response(authority(algorithm).respond(encode_request(request)))
    verified = verify_token(token, VALUE)
    assert verified.nonce == NONCE
    check_answer(parse_tst_info(parse_token(token).tst_info_der), request)


def test_a_request_is_read_as_it_was_written() -> None:
    for request in (
        TimestampRequest(imprint=imprint_of()),
        TimestampRequest(
            imprint=imprint_of(), policy="1.2.3", nonce=2**150, wants_certificate=False
        ),
    ):
        assert parse_request(encode_request(request)) == request


def test_a_certificate_travels_only_when_it_is_wanted() -> None:
    request = TimestampRequest(imprint=imprint_of(), wants_certificate=False)
    token = parse_response(authority().respond(encode_request(request)))
    assert parse_token(token).certificates == ()
    assert refusal(token) == "signer-certificate"


@pytest.mark.parametrize(
    ("request_der", "failure"),
    [
        (b"", Failure.BAD_DATA_FORMAT),
        (b"\x30\x00", Failure.BAD_DATA_FORMAT),
        (encode_request(TimestampRequest(imprint=imprint_of())) + b"\x00", Failure.BAD_DATA_FORMAT),
        (
            encode_request(
                TimestampRequest(imprint=Imprint(algorithm=DigestAlgorithm.SM3, value=b"short"))
            ),
            Failure.BAD_DATA_FORMAT,
        ),
        (
            der.sequence(
                der.integer(1),
                der.sequence(der.sequence(der.oid(SHA1_OID)), der.octet_string(bytes(20))),
            ),
            Failure.BAD_ALGORITHM,
        ),
        (
            encode_request(TimestampRequest(imprint=imprint_of(), policy="1.2.3")),
            Failure.UNACCEPTED_POLICY,
        ),
        (
            der.sequence(
                der.integer(1),
                der.sequence(
                    encode_digest_algorithm(DigestAlgorithm.SM3), der.octet_string(bytes(32))
                ),
                der.explicit(0, der.sequence(der.oid("1.2.3"), der.octet_string(b""))),
            ),
            Failure.UNACCEPTED_EXTENSION,
        ),
    ],
)
def test_a_bad_request_gets_an_answer_that_says_why(request_der: bytes, failure: Failure) -> None:
    answer = authority().respond(request_der)
    assert failure_of(answer) == {failure}
    with pytest.raises(TimestampRefused):
        parse_response(answer)


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"nonce": 1}, "nonce"), ({"policy": "1.2.3"}, "policy"), ({"value": b"other"}, "imprint")],
)
def test_an_answer_to_another_request_is_refused(change: dict[str, object], reason: str) -> None:
    """T-PKI-23 has the same for OCSP."""
    info = TSTInfo(policy=TEST_POLICY, imprint=imprint_of(), serial=7, gen_time=NOW, nonce=NONCE)
    asked = TimestampRequest(imprint=imprint_of(), nonce=NONCE, policy=TEST_POLICY)
    check_answer(info, asked)
    if "value" in change:
        asked = replace(asked, imprint=imprint_of(b"other"))
    else:
        asked = replace(asked, **change)  # type: ignore[arg-type]
    with pytest.raises(TimestampRefused) as caught:
        check_answer(info, asked)
    assert caught.value.params["reason"] == reason


@pytest.mark.parametrize(
    "text", [b"20261124040000.5Z", b"20261124040000.123456789Z", b"20261124040000Z"]
)
def test_a_fraction_of_a_second_is_read(text: bytes) -> None:
    info = encode_tst_info(
        TSTInfo(policy=TEST_POLICY, imprint=imprint_of(), serial=7, gen_time=NOW)
    )
    plain = der.generalized_time(NOW)
    parts = [node.raw for node in der.read_sequence(der.read_der(info))]
    parts[parts.index(plain)] = der.element(der.GENERALIZED_TIME, text)
    assert abs(parse_tst_info(der.sequence(*parts)).gen_time - NOW) < timedelta(seconds=1)


@pytest.mark.parametrize(
    "text",
    [b"20261124040000", b"20261124040000+0800", b"20261124040000.50Z", b"20260431040000Z", b"Z"],
)
def test_another_form_of_time_is_refused(text: bytes) -> None:
    """T-SES-30."""
    info = encode_tst_info(
        TSTInfo(policy=TEST_POLICY, imprint=imprint_of(), serial=7, gen_time=NOW)
    )
    parts = [node.raw for node in der.read_sequence(der.read_der(info))]
    parts[4] = der.element(der.GENERALIZED_TIME, text)
    assert refusal(make_token(TokenSpec(info_der=der.sequence(*parts)))) == "time"


def test_ordering_and_authority_name_are_read_over() -> None:
    info = encode_tst_info(
        TSTInfo(policy=TEST_POLICY, imprint=imprint_of(), serial=7, gen_time=NOW)
    )
    parts = [node.raw for node in der.read_sequence(der.read_der(info))]
    name = der.element(0xA0, der.element(0xA4, der.sequence()))
    changed = der.sequence(*parts, der.boolean(True), der.integer(5), name)
    assert verify_token(make_token(TokenSpec(info_der=changed)), VALUE).nonce == 5


def test_the_accuracy_may_have_parts_of_a_second() -> None:
    info = encode_tst_info(
        TSTInfo(policy=TEST_POLICY, imprint=imprint_of(), serial=7, gen_time=NOW)
    )
    parts = [node.raw for node in der.read_sequence(der.read_der(info))]
    exact = der.sequence(der.integer(1), der.implicit(0, b"\x05"), der.implicit(1, b"\x07"))
    assert parse_tst_info(der.sequence(*parts, exact)).accuracy == timedelta(
        seconds=1, milliseconds=5, microseconds=7
    )
    with pytest.raises(ServiceError):
        parse_tst_info(der.sequence(*parts, der.sequence(der.null())))


def test_a_request_with_a_field_too_many_is_refused() -> None:
    request = encode_request(TimestampRequest(imprint=imprint_of()))
    parts = [node.raw for node in der.read_sequence(der.read_der(request))]
    with pytest.raises(ServiceError):
        parse_request(der.sequence(*parts, parts[1]))


def test_an_unknown_critical_statement_is_refused() -> None:
    info = encode_tst_info(
        TSTInfo(policy=TEST_POLICY, imprint=imprint_of(), serial=7, gen_time=NOW)
    )
    parts = [node.raw for node in der.read_sequence(der.read_der(info))]
    for critical, is_refused in ((der.boolean(True), True), (b"", False)):
        extension = der.sequence(der.oid("1.2.3"), critical, der.octet_string(b""))
        changed = der.sequence(*parts, der.element(0xA1, extension))
        token = make_token(TokenSpec(info_der=changed))
        if is_refused:
            assert refusal(token) == "unknown-critical"
        else:
            assert verify_token(token, VALUE).serial == 7
