import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import sm2
from keys.errors import (
    MalformedCertificate,
    MalformedSignature,
    ServiceError,
    SignatureMismatch,
    UnsupportedAlgorithm,
)
from seal_service.errors import LimitExceeded, MalformedDocument, SignerNotInSeal
from seal_service.formats import asn1
from seal_service.formats.ses import (
    CertificateListType,
    SealExtension,
    SealInfo,
    SealPicture,
    SESVersion,
    SignedPart,
    TBSSign,
    check_signer_listed,
    encode_seal,
    encode_seal_info,
    encode_seal_signature,
    encode_tbs_sign,
    parse_seal,
    parse_seal_signature,
    verify_seal_value,
    verify_signature_value,
)
from tests.support.seals import (
    DATA_HASH,
    NOW,
    PATH,
    PICTURE,
    SEAL_ID,
    SEAL_NAME,
    SealSpec,
    SignatureSpec,
    holder,
    make_party,
    make_seal,
    make_seal_signature,
    maker,
)

STRANGER = make_party("另一单位")
SIGNED_ONCE = make_seal_signature()
"""For properties: SM2 signatures differ in length from one to the next."""


def raw_value(der: bytes) -> bytes:
    r, s = sm2.decode_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def reason_of(spec: SignatureSpec) -> str:
    with pytest.raises(MalformedDocument) as caught:
        parse_seal_signature(make_seal_signature(spec))
    return str(caught.value.params["reason"])


def seal_reason_of(spec: SealSpec) -> str:
    with pytest.raises(MalformedDocument) as caught:
        parse_seal(make_seal(spec))
    return str(caught.value.params["reason"])


def notices_of(spec: SignatureSpec) -> list[str]:
    return [notice.reason for notice in parse_seal_signature(make_seal_signature(spec)).notices]


# Reading and writing


@pytest.mark.parametrize("version", [1, 4, 5])
def test_a_signature_reads_and_verifies_in_every_generation(version: int) -> None:
    signed = parse_seal_signature(make_seal_signature(SignatureSpec(version=version)))
    assert signed.version == signed.seal.version == version
    assert (signed.seal.seal_id, signed.seal.name) == (SEAL_ID, SEAL_NAME)
    assert (signed.data_hash, signed.property_info, signed.signed_at) == (DATA_HASH, PATH, NOW)
    assert signed.notices == ()
    verify_signature_value(signed)
    verify_seal_value(signed.seal)
    check_signer_listed(signed.seal, signed.certificate)


def seal_info(version: SESVersion) -> SealInfo:
    return SealInfo(
        version=version,
        vendor_id="TEST",
        seal_id=SEAL_ID,
        seal_type=1,
        name=SEAL_NAME,
        certificates=(holder().certificate,),
        created_at=NOW - timedelta(days=30),
        valid_from=NOW - timedelta(days=30),
        valid_until=NOW + timedelta(days=335),
        picture=SealPicture(format="PNG", data=PICTURE, width_mm=42, height_mm=42),
    )


def written_seal(version: SESVersion, timestamp: bytes | None = None) -> bytes:
    info = encode_seal_info(seal_info(version))
    part = SignedPart(
        certificate=maker().certificate, value=maker().sign(info), timestamp=timestamp
    )
    return encode_seal(info, part, version=version)


@pytest.mark.parametrize("version", [SESVersion.V4, SESVersion.V5])
def test_the_writer_agrees_with_a_second_encoding(version: SESVersion) -> None:
    built = parse_seal(make_seal(SealSpec(version=version)))
    assert encode_seal_info(seal_info(version)) == built.info_raw


@pytest.mark.parametrize("version", [SESVersion.V4, SESVersion.V5])
def test_what_is_written_reads_back_with_nothing_to_remark(version: SESVersion) -> None:
    eseal = written_seal(version)
    extension = SealExtension(oid="1.2.156.10197.6.7.2.2.1", is_critical=True, value=b"2.1")
    tbs = encode_tbs_sign(
        TBSSign(
            version=version,
            eseal_der=eseal,
            signed_at=NOW,
            data_hash=DATA_HASH,
            property_info=PATH,
            extensions=(extension,),
        )
    )
    part = SignedPart(
        certificate=holder().certificate, value=holder().sign(tbs), timestamp=b"token"
    )
    signed = parse_seal_signature(encode_seal_signature(tbs, part))
    assert signed.notices == ()
    assert (signed.eseal_raw, signed.tbs_raw) == (eseal, tbs)
    assert (signed.extensions, signed.timestamp) == ((extension,), b"token")
    assert signed.seal.list_type is CertificateListType.CERTIFICATES
    verify_signature_value(signed)
    verify_seal_value(signed.seal)


def test_a_v5_seal_has_room_for_a_time_stamp_and_a_v4_seal_has_none() -> None:
    assert parse_seal(written_seal(SESVersion.V5, timestamp=b"token")).timestamp == b"token"
    with pytest.raises(MalformedDocument):
        written_seal(SESVersion.V4, timestamp=b"token")


def test_v1_is_not_written() -> None:
    with pytest.raises(MalformedDocument):
        encode_seal_info(replace(seal_info(SESVersion.V4), version=SESVersion.V1))


def test_a_data_hash_of_another_size_is_not_written() -> None:
    tbs = TBSSign(eseal_der=b"", signed_at=NOW, data_hash=b"short", property_info=PATH)
    with pytest.raises(MalformedDocument):
        encode_tbs_sign(tbs)


# Structure


@pytest.mark.parametrize("tail", [b"\x00", make_seal_signature()])
def test_nothing_may_follow_the_signature(tail: bytes) -> None:
    """T-SES-02."""
    with pytest.raises(MalformedDocument):
        parse_seal_signature(make_seal_signature() + tail)


@pytest.mark.parametrize("version", [1, 4])
def test_a_truncated_signature_is_refused_at_every_byte(version: int) -> None:
    """T-SES-03."""
    data = make_seal_signature(SignatureSpec(version=version))
    for size in range(len(data)):
        with pytest.raises(MalformedDocument):
            parse_seal_signature(data[:size])


def test_a_header_that_does_not_say_es_is_refused() -> None:
    """T-SES-06."""
    assert seal_reason_of(SealSpec(header_id=asn1.ia5("SE"))) == "version"


@pytest.mark.parametrize(("shape", "number"), [(1, 4), (1, 5), (4, 1), (4, 6), (5, 1), (4, 11)])
def test_version_and_shape_must_agree(shape: int, number: int) -> None:
    """T-SES-06."""
    spec = SealSpec(version=shape, header_version=asn1.integer(number))
    assert seal_reason_of(spec) == "version"


def test_a_v4_seal_with_a_time_stamp_is_a_format_error() -> None:
    """T-SES-06: five elements belong to v5."""
    stamp = asn1.explicit(0, asn1.bit_string(b"token"))
    assert seal_reason_of(SealSpec(version=4, timestamp=stamp)) == "version"


def test_an_unnatural_v1_number_is_remarked() -> None:
    seal = parse_seal(make_seal(SealSpec(version=1, header_version=asn1.integer(11))))
    assert [notice.reason for notice in seal.notices] == ["odd-version"]


@pytest.mark.parametrize(("version", "inner"), [(1, 4), (4, 1), (4, 5), (5, 4)])
def test_signature_and_seal_must_be_of_one_version(version: int, inner: int) -> None:
    """T-SES-06."""
    spec = SignatureSpec(version=version, seal=make_seal(SealSpec(version=inner)))
    assert reason_of(spec) == "version"


def test_the_signature_repeats_the_version_of_its_seal() -> None:
    """T-SES-06."""
    assert reason_of(SignatureSpec(tbs_version=5)) == "version"


def test_a_huge_version_number_is_refused() -> None:
    """T-SES-40."""
    huge = asn1.element(asn1.Tag.INTEGER, b"\x01" * 4096)
    assert seal_reason_of(SealSpec(header_version=huge)) == "version"


@pytest.mark.parametrize(
    "element",
    [
        asn1.bit_string(b""),
        asn1.bit_string(DATA_HASH[:-1]),
        asn1.bit_string(DATA_HASH + b"\x00"),
        asn1.bit_string(hashlib.sha512(b"").digest()),
        asn1.element(asn1.Tag.BIT_STRING, b"\x01" + DATA_HASH),
        asn1.element(asn1.Tag.BIT_STRING, b""),
    ],
)
def test_a_data_hash_has_one_form(element: bytes) -> None:
    """T-SES-07."""
    assert reason_of(SignatureSpec(data_hash=element)) == "data-hash"


def test_a_sha1_data_hash_is_read_in_v1_only_and_called_weak() -> None:
    """T-SES-11."""
    element = asn1.bit_string(bytes(20))
    assert "weak-digest" in notices_of(SignatureSpec(version=1, data_hash=element))
    assert reason_of(SignatureSpec(data_hash=element)) == "data-hash"


# Deviations of real issuers


def test_an_explicit_default_is_remarked_and_hashed_as_it_stands() -> None:
    entry = asn1.sequence(asn1.oid("1.2.3"), asn1.boolean(False), asn1.octet_string(b"2.1"))
    seal = parse_seal(make_seal(SealSpec(extensions=asn1.sequence(entry))))
    assert [notice.reason for notice in seal.notices] == ["explicit-default"]
    verify_seal_value(seal)


def test_tagged_seal_extensions_and_untagged_signature_extensions_are_remarked() -> None:
    entries = asn1.sequence(asn1.sequence(asn1.oid("1.2.3"), asn1.octet_string(b"")))
    seal = make_seal(SealSpec(extensions=asn1.explicit(0, entries)))
    spec = SignatureSpec(seal=seal, extensions=entries)
    assert notices_of(spec) == ["extensions-tagged", "extensions-not-tagged"]


@pytest.mark.parametrize("version", [1, 4])
def test_raw_signature_values_are_read_with_a_notice(version: int) -> None:
    """T-SES-13."""
    seal = make_seal(SealSpec(version=version, value=raw_value))
    data = make_seal_signature(SignatureSpec(version=version, seal=seal, value=raw_value))
    signed = parse_seal_signature(data)
    assert [notice.reason for notice in signed.notices] == ["raw-signature", "raw-signature"]
    verify_signature_value(signed)
    verify_seal_value(signed.seal)


@pytest.mark.parametrize(
    "form",
    [
        lambda der: raw_value(der)[:-1],
        lambda der: raw_value(der) + b"\x00",
        lambda der: der + b"\x00",
        lambda der: asn1.sequence(der[2:], asn1.null()),
        lambda der: b"\x30\x81" + der[1:],
        lambda _: b"",
    ],
)
def test_other_forms_of_a_signature_value_do_not_verify(form: object) -> None:
    """T-SES-13."""
    assert callable(form)
    signed = parse_seal_signature(make_seal_signature(SignatureSpec(value=form)))
    with pytest.raises((MalformedSignature, SignatureMismatch)):
        verify_signature_value(signed)


@pytest.mark.parametrize(
    ("element", "at", "reason"),
    [
        (b"20261124040000+0800", NOW - timedelta(hours=8), "odd-time"),
        (b"20261124040000.25Z", NOW + timedelta(milliseconds=250), "odd-time"),
        (b"20261124040000", None, "time-without-zone"),
    ],
)
def test_odd_times_are_remarked_and_never_local(
    element: bytes, at: datetime | None, reason: str
) -> None:
    """T-SES-30."""
    spec = SignatureSpec(time=asn1.element(asn1.Tag.GENERALIZED_TIME, element))
    signed = parse_seal_signature(make_seal_signature(spec))
    assert (signed.signed_at, signed.time_text) == (at, element.decode())
    assert [notice.reason for notice in signed.notices] == [reason]


@pytest.mark.parametrize("text", [b"20261124240000Z", b"20260431000000Z", b"00000101000000Z"])
def test_times_that_do_not_exist_are_refused(text: bytes) -> None:
    """T-SES-30."""
    spec = SignatureSpec(time=asn1.element(asn1.Tag.GENERALIZED_TIME, text))
    assert reason_of(spec) == "time"


def test_utc_time_in_v4_is_remarked() -> None:
    """T-SES-30."""
    assert notices_of(SignatureSpec(time=asn1.utc_time(NOW))) == ["odd-time"]


@pytest.mark.parametrize(
    ("content", "at"),
    [
        (b"2020-01-25T07:31:56.377Z", datetime(2020, 1, 25, 7, 31, 56, 377_000, tzinfo=UTC)),
        (b"2020-01-25 07:31:56", None),
        (b"2020-01-25T07:31:56+08:00", datetime(2020, 1, 24, 23, 31, 56, tzinfo=UTC)),
        (b"200125073156Z", datetime(2020, 1, 25, 7, 31, 56, tzinfo=UTC)),
        (asn1.generalized_time(NOW), NOW),
    ],
)
def test_v1_times_are_read_as_vendors_write_them(content: bytes, at: datetime | None) -> None:
    spec = SignatureSpec(version=1, time=asn1.bit_string(content))
    signed = parse_seal_signature(make_seal_signature(spec))
    assert signed.signed_at == at
    assert {notice.reason for notice in signed.notices} <= {"odd-time", "time-without-zone"}
    assert signed.notices


def test_v1_may_carry_a_time_stamp_token_in_place_of_the_time() -> None:
    token = asn1.sequence(asn1.null())
    spec = SignatureSpec(version=1, time=asn1.bit_string(token))
    signed = parse_seal_signature(make_seal_signature(spec))
    assert (signed.signed_at, signed.time_token) == (None, token)


def test_v1_times_that_are_none_are_refused() -> None:
    assert reason_of(SignatureSpec(version=1, time=asn1.bit_string(b"yesterday"))) == "time"
    spec = SignatureSpec(version=1, time=asn1.bit_string(b"2020-01-25x07:31:56Z"))
    assert reason_of(spec) == "time"


def test_a_seal_period_without_a_zone_is_refused() -> None:
    odd = asn1.element(asn1.Tag.GENERALIZED_TIME, b"20271124000000")
    assert seal_reason_of(SealSpec(valid_until=odd)) == "time"


def test_a_seal_may_be_valid_before_it_was_created() -> None:
    spec = SealSpec(valid_from=asn1.generalized_time(NOW - timedelta(days=31)))
    assert parse_seal(make_seal(spec)).notices == ()


@pytest.mark.parametrize("version", [1, 4])
def test_seal_times_of_the_other_type_are_remarked(version: int) -> None:
    time = asn1.generalized_time(NOW) if version == 1 else asn1.utc_time(NOW)
    seal = parse_seal(make_seal(SealSpec(version=version, created_at=time)))
    assert [notice.reason for notice in seal.notices] == ["odd-time"]


def test_picture_types_compare_without_regard_to_case() -> None:
    picture = asn1.sequence(
        asn1.ia5("png"), asn1.octet_string(PICTURE), asn1.integer(40), asn1.integer(40)
    )
    assert parse_seal(make_seal(SealSpec(picture=picture))).picture.format == "PNG"


@pytest.mark.parametrize("side", [0, 1_001, 60_000])
def test_pictures_of_no_size_or_of_metres_are_refused(side: int) -> None:
    """T-SES-35."""
    picture = asn1.sequence(
        asn1.ia5("PNG"), asn1.octet_string(PICTURE), asn1.integer(42), asn1.integer(side)
    )
    assert seal_reason_of(SealSpec(picture=picture)) == "picture-size"


def test_pictures_over_a_mebibyte_are_refused() -> None:
    """T-SES-35."""
    picture = asn1.sequence(
        asn1.ia5("PNG"), asn1.octet_string(bytes(2**20 + 1)), asn1.integer(42), asn1.integer(42)
    )
    with pytest.raises(LimitExceeded):
        parse_seal(make_seal(SealSpec(picture=picture)))


# Text


@pytest.mark.parametrize("content", [b"\xff\xfe", b"seal\x00name", b"seal\nname", b"\x7f"])
def test_text_with_control_characters_or_broken_encoding_is_refused(content: bytes) -> None:
    """T-SES-39."""
    assert seal_reason_of(SealSpec(name=asn1.element(asn1.Tag.UTF8_STRING, content))) == "text"


def test_text_of_a_mebibyte_is_refused() -> None:
    """T-SES-39."""
    with pytest.raises(LimitExceeded):
        parse_seal(make_seal(SealSpec(name=asn1.utf8("章" * 2**18))))


def test_direction_controls_are_shown_escaped() -> None:
    """T-SES-39."""
    seal = parse_seal(make_seal(SealSpec(name=asn1.utf8("印\u202e章"))))
    assert seal.name == "印\\u202e章"
    assert [notice.reason for notice in seal.notices] == ["bidi-control"]


def test_strings_of_another_type_are_remarked() -> None:
    chinese = asn1.element(asn1.Tag.IA5_STRING, "示例".encode())
    spec = SealSpec(vendor_id=chinese, seal_id=asn1.utf8(SEAL_ID))
    seal = parse_seal(make_seal(spec))
    assert (seal.vendor_id, seal.seal_id) == ("示例", SEAL_ID)
    assert [notice.reason for notice in seal.notices] == ["odd-string", "odd-string"]


# Who may sign


def test_a_stranger_is_not_in_the_list() -> None:
    """T-SES-21."""
    with pytest.raises(SignerNotInSeal):
        check_signer_listed(parse_seal(make_seal()), STRANGER.certificate)


def test_an_empty_list_names_nobody() -> None:
    """T-SES-21."""
    seal = parse_seal(make_seal(SealSpec(certificate_list=asn1.sequence())))
    with pytest.raises(SignerNotInSeal):
        check_signer_listed(seal, holder().certificate)


def digest_list(algorithm: str, value: bytes) -> bytes:
    return asn1.sequence(asn1.sequence(asn1.printable(algorithm), asn1.octet_string(value)))


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("SM3", "sm3"),
        ("sm3", "sm3"),
        ("1.2.156.10197.1.401", "sm3"),
        ("SHA256", "sha256"),
        ("2.16.840.1.101.3.4.2.1", "sha256"),
    ],
)
def test_a_digest_list_names_the_signer(spelling: str, name: str) -> None:
    value = hashlib.new(name, holder().certificate).digest()
    seal = parse_seal(
        make_seal(SealSpec(list_type=2, certificate_list=digest_list(spelling, value)))
    )
    assert seal.list_type is CertificateListType.DIGESTS
    check_signer_listed(seal, holder().certificate)
    with pytest.raises(SignerNotInSeal):
        check_signer_listed(seal, STRANGER.certificate)


@pytest.mark.parametrize("spelling", ["SHA1", "MD5", "SHA256", "", "1.3.14.3.2.26"])
def test_a_digest_of_a_weak_or_other_algorithm_names_nobody(spelling: str) -> None:
    """T-SES-21."""
    name = {"SHA1": "sha1", "1.3.14.3.2.26": "sha1", "MD5": "md5"}.get(spelling, "sm3")
    value = hashlib.new(name, holder().certificate).digest()
    seal = parse_seal(
        make_seal(SealSpec(list_type=2, certificate_list=digest_list(spelling, value)))
    )
    with pytest.raises(SignerNotInSeal):
        check_signer_listed(seal, holder().certificate)


def test_an_unknown_kind_of_list_is_refused() -> None:
    assert seal_reason_of(SealSpec(list_type=3)) == "certificate-list-type"


def test_list_entries_that_are_no_certificates_are_remarked_and_name_nobody() -> None:
    seal = parse_seal(make_seal(SealSpec(certificate_list=asn1.sequence(asn1.ia5("1")))))
    assert [notice.reason for notice in seal.notices] == ["certificate-list"]
    assert seal.certificates == ()


def test_hundreds_of_certificates_are_refused() -> None:
    entries = asn1.sequence(*[asn1.octet_string(b"") for _ in range(201)])
    with pytest.raises(LimitExceeded):
        parse_seal(make_seal(SealSpec(certificate_list=entries)))


def test_dozens_of_extensions_are_refused() -> None:
    entry = asn1.sequence(asn1.oid("1.2.3"), asn1.octet_string(b""))
    with pytest.raises(LimitExceeded):
        parse_seal(make_seal(SealSpec(extensions=asn1.sequence(*[entry] * 65))))


# Signatures


def test_a_seal_signed_by_another_key_does_not_verify() -> None:
    """T-SES-19."""
    stranger = replace(STRANGER, certificate=maker().certificate)
    signed = parse_seal_signature(
        make_seal_signature(SignatureSpec(seal=make_seal(SealSpec(maker=stranger))))
    )
    verify_signature_value(signed)
    with pytest.raises(SignatureMismatch):
        verify_seal_value(signed.seal)


@pytest.mark.parametrize("version", [1, 4, 5])
def test_an_exchanged_certificate_does_not_verify(version: int) -> None:
    """T-SES-41."""
    spec = SignatureSpec(version=version, certificate=STRANGER.certificate)
    signed = parse_seal_signature(make_seal_signature(spec))
    with pytest.raises(SignatureMismatch):
        verify_signature_value(signed)


@pytest.mark.parametrize(
    "oid", ["1.2.840.10045.4.3.2", "1.2.840.113549.1.1.11", "1.2.156.10197.1.501.1"]
)
def test_an_algorithm_that_does_not_fit_the_key_is_refused(oid: str) -> None:
    """T-SES-10, T-SES-17."""
    signed = parse_seal_signature(make_seal_signature(SignatureSpec(signature_oid=oid)))
    with pytest.raises((UnsupportedAlgorithm, SignatureMismatch, MalformedSignature)):
        verify_signature_value(signed)


def test_a_certificate_that_is_none_is_refused() -> None:
    spec = SignatureSpec(certificate=b"\x30\x03\x02\x01\x01")
    signed = parse_seal_signature(make_seal_signature(spec))
    with pytest.raises(MalformedCertificate):
        verify_signature_value(signed)


@given(st.binary(max_size=300))
def test_random_bytes_raise_only_service_errors(data: bytes) -> None:
    for read in (parse_seal, parse_seal_signature):
        with pytest.raises(ServiceError):
            read(data)


@given(st.data())
def test_a_changed_byte_raises_only_service_errors(data: st.DataObject) -> None:
    encoded = bytearray(SIGNED_ONCE)
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ServiceError):
        check_all(bytes(encoded))


def check_all(encoded: bytes) -> None:
    signed = parse_seal_signature(encoded)
    check_signer_listed(signed.seal, signed.certificate)
    verify_signature_value(signed)
    verify_seal_value(signed.seal)
