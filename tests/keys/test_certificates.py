"""Certificates: what is read, what is remarked, what is refused."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from keys import der
from keys.algorithms import KeyAlgorithm, sm3
from keys.certificates import (
    MAX_CERTIFICATE_BYTES,
    Certificate,
    encode_pem,
    parse_certificate,
    parse_certificates,
)
from keys.errors import InvalidKey, MalformedCertificate, ServiceError, UnsupportedAlgorithm
from keys.extensions import OID_ACCESS_OCSP, OID_AUTHORITY_ACCESS
from tests.support import chains
from tests.support.chains import (
    CRITICAL,
    NOT_CRITICAL,
    NOW,
    CertificateSpec,
    basic_constraints,
    extended_key_usage,
    extension,
    key_usage,
    make_certificate,
    rsa_key,
    simple_name,
    sm2_key,
)

SUBJECT = simple_name("示例市行政审批局")
KEY = sm2_key("leaf")
SPEC = CertificateSpec(subject=SUBJECT, key=KEY)
DER = make_certificate(SPEC)


def parse(**changes: object) -> Certificate:
    return parse_certificate(make_certificate(changed(changes)))


def changed(changes: Mapping[str, object]) -> CertificateSpec:
    return replace(SPEC, **changes)  # type: ignore[arg-type] # field names are the callers'


def refuse(**changes: object) -> MalformedCertificate:
    with pytest.raises(MalformedCertificate) as caught:
        parse(**changes)
    return caught.value


# Reading


def test_every_field_is_read() -> None:
    certificate = parse(
        serial=der.integer(4711),
        extensions=(
            basic_constraints(3),
            key_usage(0, 1, 8),
            extended_key_usage("1.3.6.1.5.5.7.3.8"),
        ),
    )
    assert certificate.serial == 4711
    assert certificate.subject == certificate.issuer == "C=CN, CN=示例市行政审批局"
    assert certificate.subject_der == certificate.issuer_der == SUBJECT
    assert certificate.is_self_issued
    assert certificate.common_name == "示例市行政审批局"
    assert certificate.not_before == NOW - timedelta(days=365)
    assert certificate.not_after == NOW + timedelta(days=730)
    assert certificate.public_key.algorithm is KeyAlgorithm.SM2
    assert certificate.public_key.spki == KEY.spki
    assert certificate.public_key.point == KEY.spki[-65:]
    assert certificate.public_key.bits == 256
    assert certificate.signature_oid == "1.2.156.10197.1.501"
    assert certificate.signature_parameters is None
    assert certificate.subject_key_id == certificate.authority_key_id == KEY.key_id
    assert certificate.key_usage == frozenset(
        {"digital_signature", "non_repudiation", "decipher_only"}
    )
    assert certificate.extended_key_usage == frozenset({"1.3.6.1.5.5.7.3.8"})
    assert (certificate.is_ca, certificate.path_length) == (True, 3)
    assert (certificate.crl_urls, certificate.ocsp_urls) == ((), ())
    assert certificate.unknown_critical == ()
    assert certificate.notices == ()
    assert certificate.fingerprint == sm3(certificate.der).hex()


@pytest.mark.parametrize("key", [sm2_key("leaf"), rsa_key("leaf")])
def test_another_reader_reads_the_same(key: chains.ChainKey) -> None:
    ours = parse(key=key, extensions=(basic_constraints(0), key_usage(5, 6)))
    theirs = x509.load_der_x509_certificate(ours.der)
    assert ours.tbs_raw == theirs.tbs_certificate_bytes
    assert ours.signature == theirs.signature
    assert ours.serial == theirs.serial_number
    assert ours.subject_der == theirs.subject.public_bytes()
    assert ours.not_before == theirs.not_valid_before_utc
    assert ours.not_after == theirs.not_valid_after_utc
    assert ours.signature_oid == theirs.signature_algorithm_oid.dotted_string
    usage = theirs.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.key_cert_sign
    assert ours.key_usage == frozenset({"key_cert_sign", "crl_sign"})


def test_a_certificate_without_extensions_grants_nothing() -> None:
    certificate = parse(has_key_ids=False, version=b"")
    assert not certificate.is_ca
    assert certificate.key_usage is None
    assert certificate.extended_key_usage is None
    assert certificate.subject_key_id is None
    assert certificate.notices == ()


def test_unique_identifiers_are_stepped_over() -> None:
    tail = der.element(0x81, b"\x00id") + der.element(0x82, b"\x00id")
    assert parse(tail=tail).subject_key_id == KEY.key_id
    assert parse(tail=tail, has_key_ids=False).subject_key_id is None


# Deviations of real issuers


def test_null_parameters_of_sm2_are_remarked() -> None:
    algorithm = der.sequence(der.oid(chains.SM2_WITH_SM3), der.null())
    certificate = parse(inner_algorithm=algorithm)
    assert certificate.signature_parameters == der.null()
    assert certificate.notices == ("algorithm-parameters",)


def test_inner_and_outer_algorithm_are_the_same_bytes() -> None:
    with_null = der.sequence(der.oid(chains.SM2_WITH_SM3), der.null())
    assert refuse(outer_algorithm=with_null).params["reason"] == "algorithm-mismatch"


def test_explicit_defaults_are_remarked_and_hide_nothing() -> None:
    constraints = extension("2.5.29.19", der.sequence(der.boolean(False)), NOT_CRITICAL)
    certificate = parse(extensions=(constraints, key_usage(0, 1)))
    assert not certificate.is_ca
    assert certificate.key_usage == frozenset({"digital_signature", "non_repudiation"})
    assert certificate.notices == ("explicit-default 2.5.29.19", "explicit-default 2.5.29.19")


def test_an_explicit_version_1_is_read() -> None:
    assert parse(version=der.explicit(0, der.integer(0))).serial


def test_utf8_in_an_ia5_string_is_read_as_what_it_is() -> None:
    mail = der.element(der.IA5_STRING, "印章@example.cn".encode())
    subject = chains.name((chains.COMMON_NAME, "甲"), ("1.2.840.113549.1.9.1", mail))
    certificate = parse(subject=subject)
    assert certificate.subject == "CN=甲, emailAddress=印章@example.cn"
    assert certificate.notices == ("odd-name",)


BROKEN = b"\x30\x03\x02\x01"


@pytest.mark.parametrize(
    ("oid", "value"),
    [
        ("2.5.29.15", BROKEN),
        ("2.5.29.15", b""),
        ("2.5.29.15", der.octet_string(b"x")),
        ("2.5.29.15", b"\x03\x01\x07"),
        ("2.5.29.15", b"\x03\x02\x08\x80"),
        ("2.5.29.37", der.sequence()),
        ("2.5.29.37", der.sequence(der.integer(1))),
        ("2.5.29.19", der.sequence(der.integer(1), der.boolean(True))),
        ("2.5.29.19", der.sequence(der.boolean(True), der.integer(-1))),
        ("2.5.29.19", der.sequence(b"\x01\x01\x01")),
        ("2.5.29.14", der.integer(1)),
        ("2.5.29.35", der.integer(1)),
        ("2.5.29.31", der.sequence(der.integer(1))),
    ],
)
def test_an_odd_extension_grants_nothing_and_hides_nothing(oid: str, value: bytes) -> None:
    others = tuple(
        one
        for one in (key_usage(0), basic_constraints(is_ca=False), extended_key_usage("1.2.3"))
        if der.oid(oid) not in one
    )
    for critical, unknown in ((b"", ()), (CRITICAL, (oid,))):
        certificate = parse(
            extensions=(extension(oid, value, critical), *others), has_key_ids=False
        )
        assert f"odd-extension {oid}" in certificate.notices
        assert certificate.unknown_critical == unknown
        assert not certificate.is_ca
        wanted = frozenset(() if oid == "2.5.29.15" else ("digital_signature",))
        assert certificate.key_usage == wanted
        wanted = frozenset(() if oid == "2.5.29.37" else ("1.2.3",))
        assert certificate.extended_key_usage == wanted


def test_an_extension_that_stands_twice_grants_nothing() -> None:
    twice = parse(extensions=(basic_constraints(), basic_constraints(), key_usage(0), key_usage(5)))
    assert not twice.is_ca
    assert twice.key_usage == frozenset()
    assert set(twice.unknown_critical) == {"2.5.29.19", "2.5.29.15"}
    assert "repeated-extension 2.5.29.15" in twice.notices


def test_an_odd_criticality_counts_as_critical() -> None:
    certificate = parse(extensions=(extension("1.2.3.4", b"\x05\x00", b"\x01\x01\x01"),))
    assert certificate.unknown_critical == ("1.2.3.4",)
    assert certificate.notices == ("odd-boolean 1.2.3.4",)


def test_usage_bits_beyond_the_known_ones_are_ignored() -> None:
    assert parse(extensions=(key_usage(0, 9, 12),)).key_usage == frozenset({"digital_signature"})


def test_crl_addresses_are_read_and_nothing_else_in_there() -> None:
    names = (
        der.element(0x86, b"http://crl.example.cn/1.crl")
        + der.element(0x86, "http://例".encode())
        + der.element(0xA4, SUBJECT)
        + der.element(0x86, b"ldap://crl.example.cn/cn=1")
    )
    points = der.sequence(
        der.sequence(der.explicit(0, der.element(0xA0, names))),
        der.sequence(der.element(0x81, b"\x01\x02")),
        der.sequence(der.explicit(0, der.element(0xA1, b""))),
    )
    certificate = parse(extensions=(extension("2.5.29.31", points),))
    assert certificate.crl_urls == ("http://crl.example.cn/1.crl", "ldap://crl.example.cn/cn=1")
    assert certificate.notices == ()


def test_addresses_of_responders_are_read_and_others_are_not() -> None:
    places = (
        (OID_ACCESS_OCSP, der.element(0x86, b"http://ocsp.example.cn/")),
        ("1.3.6.1.5.5.7.48.2", der.element(0x86, b"http://ca.example.cn/ca.cer")),
        (OID_ACCESS_OCSP, der.element(0x86, "http://中文/".encode())),
        (OID_ACCESS_OCSP, der.element(0x82, b"ocsp.example.cn")),
    )
    access = der.sequence(*(der.sequence(der.oid(method), place) for method, place in places))
    certificate = parse(extensions=(extension(OID_AUTHORITY_ACCESS, access),))
    assert certificate.ocsp_urls == ("http://ocsp.example.cn/",)
    assert certificate.notices == ()
    odd = parse(extensions=(extension(OID_AUTHORITY_ACCESS, der.sequence(der.integer(1))),))
    assert (odd.ocsp_urls, odd.notices) == ((), (f"odd-extension {OID_AUTHORITY_ACCESS}",))


# Time


def utc(text: str) -> bytes:
    return der.element(der.UTC_TIME, text.encode())


def general(text: str) -> bytes:
    return der.element(der.GENERALIZED_TIME, text.encode())


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (utc("491231235959Z"), datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (utc("500101000000Z"), datetime(1950, 1, 1, tzinfo=UTC)),
        (utc("000229000000Z"), datetime(2000, 2, 29, tzinfo=UTC)),
        (utc("380119031408Z"), datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)),
        (general("20500101000000Z"), datetime(2050, 1, 1, tzinfo=UTC)),
        (general("99991231235959Z"), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (general("20300101000000Z"), datetime(2030, 1, 1, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_written(element: bytes, expected: datetime) -> None:
    """T-PKI-10, T-PKI-32."""
    certificate = parse(not_after=element)
    assert certificate.not_after == expected
    assert certificate.notices == ()


@pytest.mark.parametrize("element", [utc("261124120000+0800"), general("20261124120000+0800")])
def test_an_offset_is_applied_and_remarked(element: bytes) -> None:
    certificate = parse(not_before=element)
    assert certificate.not_before == datetime(2026, 11, 24, 4, tzinfo=UTC)
    assert certificate.notices == ("odd-time",)


@pytest.mark.parametrize(
    "element",
    [
        utc("261124120000"),
        utc("2611241200Z"),
        utc("260230000000Z"),
        utc("261124240000Z"),
        utc("261124120000+1500"),
        utc("261124120000+0860"),
        utc("261124120000 0800"),
        utc("２６1124120000Z"),
        utc("26112412000aZ"),
        general("20261124120000"),
        general("20261124120000.5Z"),
        general("00000101000000Z"),
        general("00010101000000+0800"),
        general("20260431000000Z"),
        der.printable("261124120000Z"),
        der.integer(1),
    ],
)
def test_other_times_are_refused(element: bytes) -> None:
    """T-PKI-10, T-SES-30."""
    refuse(not_after=element)


# Refusals


@pytest.mark.parametrize("serial", [0, -1, -(2**70), 2**160, 2**200])
def test_serial_numbers_out_of_range_are_refused(serial: int) -> None:
    """T-PKI-09."""
    refuse(serial=der.integer(serial))


@pytest.mark.parametrize("serial", [1, 127, 128, 2**159, 2**160 - 1])
def test_serial_numbers_of_up_to_twenty_octets_are_read(serial: int) -> None:
    """T-PKI-09."""
    assert parse(serial=der.integer(serial)).serial == serial


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"\xff\xff"])
def test_serial_numbers_are_in_their_shortest_form(content: bytes) -> None:
    refuse(serial=der.element(der.INTEGER, content))


@pytest.mark.parametrize("version", [3, -1, 255])
def test_unknown_versions_are_refused(version: int) -> None:
    refuse(version=der.explicit(0, der.integer(version)))


@pytest.mark.parametrize(
    "tail",
    [
        der.null(),
        der.element(0x82, b"\x00") + der.element(0x81, b"\x00"),
        der.element(0x81, b"\x00") * 2,
        der.explicit(4, der.null()),
    ],
)
def test_unknown_fields_are_refused(tail: bytes) -> None:
    refuse(tail=tail)


def ec_spki(curve: bytes, point: bytes) -> bytes:
    algorithm = der.sequence(der.oid("1.2.840.10045.2.1"), curve)
    return der.sequence(algorithm, der.bit_string(point))


SM2_CURVE = der.oid("1.2.156.10197.1.301")
POINT = KEY.spki[-65:]


@pytest.mark.parametrize(
    "spki",
    [
        ec_spki(der.oid("1.2.840.10045.3.1.7"), POINT),
        ec_spki(der.sequence(der.integer(1)), POINT),
        ec_spki(b"", POINT),
        ec_spki(der.null(), POINT),
        der.sequence(der.sequence(der.oid("1.3.101.112")), der.bit_string(bytes(32))),
    ],
)
def test_keys_of_other_algorithms_are_not_supported(spki: bytes) -> None:
    """T-PKI-07: another curve, explicit parameters, none."""
    with pytest.raises(UnsupportedAlgorithm):
        parse(spki=spki)


@pytest.mark.parametrize(
    "point",
    [
        b"\x02" + POINT[1:33],
        b"\x06" + POINT[1:],
        b"\x00",
        POINT[:-1] + bytes((POINT[-1] ^ 1,)),
        POINT + b"\x00",
        b"",
    ],
)
def test_points_that_are_none_are_refused(point: bytes) -> None:
    """T-SES-16, T-PKI-07."""
    with pytest.raises(InvalidKey):
        parse(spki=ec_spki(SM2_CURVE, point))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30\x00",
        DER + b"\x00",
        DER[:-1],
        der.sequence(der.sequence(), der.sequence(), der.bit_string(b"")),
        der.sequence(*[der.null()] * 3),
        der.sequence(*[der.sequence(*[der.null()] * 7)] * 2, der.bit_string(b"")),
        der.sequence(der.octet_string(bytes(MAX_CERTIFICATE_BYTES))),
        der.sequence(
            der.sequence(der.explicit(0, der.integer(2)), *[der.null()] * 5),
            der.sequence(),
            der.bit_string(b""),
        ),
    ],
)
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedCertificate):
        parse_certificate(data)


@given(st.binary(max_size=400))
def test_random_bytes_raise_only_service_errors(data: bytes) -> None:
    with pytest.raises(ServiceError):
        parse_certificate(data)


@given(st.integers(0, len(DER) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_read_as_another_certificate(at: int, change: int) -> None:
    mutated = bytearray(DER)
    mutated[at] ^= change
    try:
        certificate = parse_certificate(bytes(mutated))
    except ServiceError:
        return
    assert certificate.der == bytes(mutated)
    assert certificate.tbs_raw in certificate.der


# Files


def test_pem_der_and_rows_of_both_are_read() -> None:
    other = make_certificate(changed({"serial": der.integer(5)}))
    text = "说明\n" + encode_pem(DER) + "\n" + encode_pem(other)
    for data in (DER + other, text.encode(), text.replace("\n", "\r\n").encode()):
        assert [one.der for one in parse_certificates(data)] == [DER, other]
    assert parse_certificates(DER)[0] is parse_certificate(DER)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text",
        b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n",
        encode_pem(DER).replace("CERTIFICATE", "PRIVATE KEY").encode(),
        DER + b"\x00",
    ],
)
def test_files_with_something_else_are_refused(data: bytes) -> None:
    """T-PKI-33."""
    with pytest.raises(MalformedCertificate):
        parse_certificates(data)
