"""Time stamps: what our authority makes, what the check refuses, what it remarks."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import der
from keys.algorithms import DigestAlgorithm, KeyAlgorithm
from keys.certificates import Certificate
from keys.errors import EngineUnavailable, ServiceError, TimestampRefused, WeakAlgorithm
from keys.path import Usage, check_path
from keys.private_keys import load_private_key
from keys.profiles import TSA as TSA_PROFILE
from keys.sm2 import SM2Signer
from keys.sm2_values import N
from keys.timestamp_messages import (
    Failure,
    TimestampRequest,
    TSTInfo,
    encode_digest_algorithm,
    encode_request,
    parse_request,
    parse_response,
    parse_tst_info,
)
from keys.timestamp_tokens import (
    OID_CONTENT_TYPE,
    OID_MESSAGE_DIGEST,
    OID_SIGNING_CERTIFICATE,
    OID_SIGNING_CERTIFICATE_V2,
    OID_SIGNING_TIME,
    parse_token,
)
from keys.timestamps import VerifiedTimestamp, verify_token
from keys.tsa import TEST_POLICY, TSA
from keys.x509_building import signature_algorithm
from tests.support.pki import NOW, RSA, SM2, FixedClock, LeafSpec, make_leaf, shared_pki
from tests.support.tokens import (
    BOTH,
    SHA1_OID,
    VALUE,
    TokenSpec,
    attribute,
    authority,
    failure_of,
    imprint_of,
    make_token,
    refusal,
    remarks,
)

# What our authority makes


@BOTH
def test_a_token_of_ours_holds_and_leaves_nothing_to_remark(algorithm: KeyAlgorithm) -> None:
    verified = verify_token(authority(algorithm).stamp(VALUE), VALUE)
    pki = shared_pki().pki
    assert verified.notices == ()
    assert (verified.gen_time, verified.policy) == (NOW, TEST_POLICY)
    assert verified.accuracy == timedelta(seconds=1)
    assert verified.certificate == pki.certificate(f"{algorithm}-tsa")
    report = check_path(
        verified.certificate,
        usage=Usage.TIMESTAMP,
        at=verified.gen_time,
        trust=pki.trust,
        intermediates=pki.intermediates,
    )
    assert report.problems == ()


@BOTH
def test_the_test_writer_and_the_authority_agree(algorithm: KeyAlgorithm) -> None:
    assert remarks(TokenSpec(algorithm=algorithm)) == []


def test_every_token_has_its_own_serial_number() -> None:
    own = authority()
    serials = {verify_token(own.stamp(VALUE), VALUE).serial for _ in range(20)}
    assert len(serials) == 20


def test_an_authority_outside_its_certificate_stamps_nothing() -> None:
    """T-KEY-07."""
    late = authority(at=NOW + timedelta(days=365 * 30))
    with pytest.raises(TimestampRefused):
        late.stamp(VALUE)
    answer = late.respond(encode_request(TimestampRequest(imprint=imprint_of())))
    assert failure_of(answer) == {Failure.TIME_NOT_AVAILABLE}


# What is refused


@BOTH
def test_a_token_over_other_bytes_is_refused(algorithm: KeyAlgorithm) -> None:
    """T-SES-31."""
    token = authority(algorithm).stamp(VALUE)
    assert refusal(token, VALUE + b".") == "imprint"


def test_a_weak_imprint_is_refused() -> None:
    """T-SES-31."""
    sha1 = der.sequence(der.sequence(der.oid(SHA1_OID)), der.octet_string(bytes(20)))
    parts = [
        der.integer(1), der.oid(TEST_POLICY), sha1, der.integer(7), der.generalized_time(NOW)
    ]  # fmt: skip
    assert refusal(make_token(TokenSpec(info_der=der.sequence(*parts)))) == "weak-algorithm"
    with pytest.raises(WeakAlgorithm):
        parse_tst_info(der.sequence(*parts))


def tsa_leaf(**changes: object) -> Certificate:
    profile = replace(TSA_PROFILE, **changes)  # type: ignore[arg-type]
    return make_leaf(LeafSpec(profile=profile, serial=0x3001))


@pytest.mark.parametrize(
    "changes",
    [
        {"is_extended_usage_critical": False},
        {"extended_key_usage": ()},
        {"extended_key_usage": ("1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.4")},
        {"extended_key_usage": ("1.3.6.1.5.5.7.3.9",)},
    ],
)
def test_a_certificate_must_be_for_time_stamping_alone(changes: dict[str, object]) -> None:
    """T-SES-31: the extended usage must be there, critical, and the only one."""
    assert remarks(TokenSpec(certificate=tsa_leaf())) == []
    assert refusal(make_token(TokenSpec(certificate=tsa_leaf(**changes)))) == "key-usage"


@pytest.mark.parametrize("days", [-31, 400])
def test_a_time_outside_the_certificate_is_refused(days: int) -> None:
    """T-SES-31."""
    info = TSTInfo(
        policy=TEST_POLICY,
        imprint=imprint_of(),
        serial=7,
        gen_time=NOW + timedelta(days=days),
    )
    spec = TokenSpec(certificate=tsa_leaf(), info=info)
    assert refusal(make_token(spec)) == "certificate-period"


def without(index: int) -> Callable[[list[bytes]], list[bytes]]:
    return lambda entries: entries[:index] + entries[index + 1 :]


def exchanged(index: int, entry: bytes) -> Callable[[list[bytes]], list[bytes]]:
    return lambda entries: [*entries[:index], entry, *entries[index + 1 :]]


OTHER_DIGEST = attribute(OID_MESSAGE_DIGEST, der.octet_string(bytes(32)))
OTHER_NAMED = attribute(
    OID_SIGNING_CERTIFICATE_V2,
    der.sequence(der.sequence(der.sequence(der.octet_string(bytes(32))))),
)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without(0), "content-type"),
        (without(2), "message-digest"),
        (without(3), "signing-certificate"),
        (
            exchanged(0, attribute(OID_CONTENT_TYPE, der.oid("1.2.840.113549.1.7.1"))),
            "content-type",
        ),
        (exchanged(2, OTHER_DIGEST), "message-digest"),
        (exchanged(3, OTHER_NAMED), "signing-certificate"),
        (lambda entries: [*entries, OTHER_DIGEST], "attribute-repeated"),
        (lambda entries: [*entries, entries[1]], "attribute-repeated"),
        (
            exchanged(1, attribute(OID_SIGNING_TIME, der.time(NOW), der.utf8("2026"))),
            "attribute-repeated",
        ),
        (
            exchanged(3, attribute(OID_SIGNING_CERTIFICATE_V2, der.sequence(der.sequence()))),
            "element-count",
        ),
    ],
)
def test_signed_attributes_stand_once_and_hold(
    change: Callable[[list[bytes]], list[bytes]], reason: str
) -> None:
    """T-SES-31."""
    assert refusal(make_token(TokenSpec(attributes=change))) == reason


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (TokenSpec(outer_type="1.2.156.10197.6.1.4.2.2"), "content-type"),
        (TokenSpec(inner_type="1.2.840.113549.1.7.1"), "content-type"),
        (TokenSpec(version=1), "version"),
        (TokenSpec(version=4), "version"),
        (TokenSpec(signer_version=3), "version"),
        (TokenSpec(signer_version=0), "version"),
        (TokenSpec(signers=2), "signer-count"),
        (TokenSpec(signers=0), "signer-count"),
        (TokenSpec(embedded=()), "signer-certificate"),
        (
            TokenSpec(digest_oids=(encode_digest_algorithm(DigestAlgorithm.SHA256),)),
            "digest-algorithm",
        ),
        (TokenSpec(signature_oid=signature_algorithm(RSA)), "algorithm-mismatch"),
        (TokenSpec(algorithm=RSA, signature_oid=signature_algorithm(SM2)), "algorithm-mismatch"),
        (
            TokenSpec(signature_oid=der.sequence(der.oid("1.2.840.10045.2.1"))),
            "algorithm-mismatch",
        ),
    ],
)
def test_a_token_of_another_form_is_refused(spec: TokenSpec, reason: str) -> None:
    """T-SES-31."""
    assert refusal(make_token(spec)) == reason


def test_another_certificate_in_place_of_the_signers_is_refused() -> None:
    other = shared_pki().pki.certificate("rsa-tsa")
    assert refusal(make_token(TokenSpec(embedded=(other.der,)))) == "signer-certificate"


# SM2: which bytes are signed


def tsa_scalar_signer() -> tuple[Certificate, SM2Signer]:
    """Return a time-stamp certificate over a key that the test holds itself."""
    scalar = bytes(31) + b"\x05"
    store = shared_pki().store
    if not store.has("open-tsa"):
        store.import_key("open-tsa", SM2, scalar)
    leaf = make_leaf(LeafSpec(profile=TSA_PROFILE, serial=0x3002, key_name="open-tsa"))
    return leaf, SM2Signer(scalar)


def test_an_sm2_token_without_z_holds_with_a_remark() -> None:
    certificate, signer = tsa_scalar_signer()

    def sign(attributes: bytes) -> bytes:
        return signer.sign_digest(hashlib.new("sm3", attributes).digest())

    assert remarks(TokenSpec(certificate=certificate, sign=sign)) == ["sm2-without-z"]


def test_an_sm2_token_under_the_empty_id_is_refused() -> None:
    """T-PKI-07: what OpenSSL 3.0 signs when nobody sets an ID."""
    certificate, signer = tsa_scalar_signer()
    curve = (
        "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc"
        "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93"
        "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
        "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
    )

    def sign(attributes: bytes) -> bytes:
        z = hashlib.new("sm3", b"\x00\x00" + bytes.fromhex(curve) + signer.point[1:]).digest()
        return signer.sign_digest(hashlib.new("sm3", z + attributes).digest())

    spec = TokenSpec(certificate=certificate, sign=sign)
    assert refusal(make_token(spec)) == "signature-mismatch"


def test_a_raw_sm2_value_holds_with_a_remark() -> None:
    certificate, signer = tsa_scalar_signer()

    def sign(attributes: bytes) -> bytes:
        r, s = (der.read_integer(n, max_bytes=33) for n in der.read_sequence(
            der.read_der(signer.sign(attributes))
        ))  # fmt: skip
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    assert remarks(TokenSpec(certificate=certificate, sign=sign)) == ["raw-signature"]


@pytest.mark.parametrize("value", [b"", b"\x30\x00", der.sequence(der.integer(N), der.integer(1))])
def test_a_value_out_of_range_is_refused(value: bytes) -> None:
    token = make_token(TokenSpec(sign=lambda attributes: value))
    with pytest.raises(TimestampRefused):
        verify_token(token, VALUE)


# What is remarked


ISSUING = "sm2-issuing-ca"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"unsigned": der.element(0xA1, attribute("1.2.3", der.null()))}, "unsigned-attributes"),
        ({"crls": der.element(0xA1, der.sequence())}, "unused-revocation-data"),
        (
            {
                "digest_oids": (
                    encode_digest_algorithm(DigestAlgorithm.SM3),
                    encode_digest_algorithm(DigestAlgorithm.SHA256),
                )
            },
            "extra-digest-algorithm",
        ),
        ({"sort": lambda entries: sorted(entries, reverse=True)}, "unsorted-set"),
        (
            {"signature_oid": der.sequence(der.oid("1.2.156.10197.1.301.1"))},
            "generic-signature-algorithm",
        ),
        (
            {
                "algorithm": RSA,
                "signature_oid": der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null()),
            },
            "generic-signature-algorithm",
        ),
    ],
)
def test_what_no_check_covers_is_remarked(change: dict[str, object], expected: str) -> None:
    spec = replace(TokenSpec(), **change)  # type: ignore[arg-type]
    assert remarks(spec) == [expected]


def test_a_certificate_outside_the_chain_is_remarked() -> None:
    pki = shared_pki().pki
    own = pki.certificate("sm2-tsa").der
    chain = (own, pki.certificate(ISSUING).der, pki.certificate("sm2-root").der)
    assert remarks(TokenSpec(embedded=chain)) == []
    for other in (pki.certificate("rsa-root").der, pki.seal_maker.der, der.sequence()):
        assert remarks(TokenSpec(embedded=(own, other))) == ["unused-certificate"]
    assert "odd-certificate" in remarks(TokenSpec(embedded=(own, own)))


def test_a_certificate_named_by_sha1_is_remarked() -> None:
    certificate = shared_pki().pki.certificate("sm2-tsa")
    old = hashlib.sha1(certificate.der, usedforsecurity=False).digest()
    named = der.sequence(der.sequence(der.sequence(der.octet_string(old))))
    change = exchanged(3, attribute(OID_SIGNING_CERTIFICATE, named))
    assert remarks(TokenSpec(attributes=change)) == ["signing-certificate-weak"]


def test_the_signer_may_be_named_by_its_key() -> None:
    certificate = shared_pki().pki.certificate("sm2-tsa")
    assert certificate.subject_key_id is not None
    identifier = der.implicit(0, certificate.subject_key_id)
    assert remarks(TokenSpec(identifier=identifier, signer_version=3)) == []
    assert refusal(make_token(TokenSpec(identifier=identifier))) == "version"


def test_digest_parameters_may_be_null() -> None:
    with_null = der.sequence(der.oid("1.2.156.10197.1.401"), der.null())
    assert remarks(TokenSpec(digest_oids=(with_null,))) == []
    odd = der.sequence(der.oid("1.2.156.10197.1.401"), der.integer(1))
    assert refusal(make_token(TokenSpec(digest_oids=(odd,)))) == "digest-parameters"


@pytest.mark.parametrize("parse", [parse_request, parse_response, parse_tst_info, parse_token])
def test_an_endless_message_is_refused(parse: Callable[[bytes], object]) -> None:
    with pytest.raises(ServiceError) as caught:
        parse(bytes(256 * 1024 + 1))
    assert caught.value.params["reason"] == "limit"


def test_too_many_certificates_are_refused() -> None:
    own = shared_pki().pki.certificate("sm2-tsa").der
    extra = tuple(der.sequence(der.integer(number)) for number in range(40))
    assert refusal(make_token(TokenSpec(embedded=(own, *extra)))) == "limit"


def test_a_certificate_that_cannot_be_read_is_passed_over() -> None:
    own = shared_pki().pki.certificate("sm2-tsa").der
    assert remarks(TokenSpec(embedded=(der.sequence(), own))) == ["unused-certificate"]


def test_another_certificate_with_a_key_name_is_passed_over() -> None:
    pki = shared_pki().pki
    certificate = pki.certificate("sm2-tsa")
    assert certificate.subject_key_id is not None
    spec = TokenSpec(
        identifier=der.implicit(0, certificate.subject_key_id),
        signer_version=3,
        embedded=(pki.certificate(ISSUING).der, certificate.der),
    )
    assert remarks(spec) == []


def test_a_fault_of_the_engine_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be checked must not be taken for a token that does not hold."""

    def fail(*_: object) -> None:
        raise EngineUnavailable("gone")

    token = make_token(TokenSpec())
    monkeypatch.setattr("keys.timestamps.sm2.verify", fail)
    with pytest.raises(EngineUnavailable):
        verify_token(token, VALUE)


# Every byte


def is_unremarked(token: bytes) -> bool:
    try:
        verified: VerifiedTimestamp = verify_token(token, VALUE)
    except TimestampRefused:
        return False
    return not verified.notices


@BOTH
def test_no_byte_of_a_token_can_change_unnoticed(algorithm: KeyAlgorithm) -> None:
    """T-SES-31: with the authority's certificate alone inside, all is covered."""
    pki = shared_pki()
    certificate = pki.pki.certificate(f"{algorithm}-tsa")
    own = TSA(
        sign=pki.sign_as(f"{algorithm}-tsa"),
        certificate=certificate,
        chain=(),
        clock=FixedClock(),
    )
    token = own.stamp(VALUE)
    assert is_unremarked(token)
    for at in range(len(token)):
        for mask in (0x01, 0x80, 0x0A):
            changed = bytearray(token)
            changed[at] ^= mask
            assert not is_unremarked(bytes(changed)), (at, mask)


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_random_bytes_are_refused_with_our_own_error(data: bytes) -> None:
    with pytest.raises(TimestampRefused):
        verify_token(data, VALUE)
    for parse in (parse_request, parse_response, parse_tst_info):
        with pytest.raises(ServiceError):
            parse(data)


def test_a_private_key_shows_nothing() -> None:
    """T-KEY-03."""
    key = load_private_key(SM2, bytes(31) + b"\x05")
    assert "05" * 2 not in repr(key)
    assert "secret" not in repr(key)
