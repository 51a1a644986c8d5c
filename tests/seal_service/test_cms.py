import base64
import hashlib
from dataclasses import replace

import pytest
from asn1crypto import cms as reference
from asn1crypto.tsp import SigningCertificateV2
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import sm2
from keys.errors import (
    ServiceError,
    SignatureMismatch,
    UnsupportedAlgorithm,
    WeakAlgorithm,
)
from seal_service.errors import (
    LimitExceeded,
    MalformedDocument,
    SignedContentChanged,
    SignedDataFault,
)
from seal_service.formats import asn1
from seal_service.formats.cms import (
    CMSProfile,
    VerifiedSigner,
    assemble,
    parse_signed_data,
    prepare_signer,
    signed_attributes,
    verify_gbt35275_signer,
    verify_signer,
)
from tests.support import messages
from tests.support.messages import CONTENT, MessageSpec, attribute, make_message, rsa_party
from tests.support.seals import NOW, Party, holder, make_party

ORIGINAL = b"<Signature/>"
ORIGINAL_DIGEST = hashlib.new("sm3", ORIGINAL).digest()


def verify(spec: MessageSpec, content: bytes = CONTENT) -> VerifiedSigner:
    return verify_signer(parse_signed_data(make_message(spec)), [content])


def fault_of(spec: MessageSpec) -> str:
    with pytest.raises(SignedDataFault) as caught:
        verify(spec)
    return str(caught.value.params["reason"])


def notices_of(signer: VerifiedSigner) -> list[str]:
    return [notice.reason for notice in signer.notices]


# Writing


def written(party: Party, profile: CMSProfile, token: bytes | None = None) -> bytes:
    template = prepare_signer(party.certificate, profile=profile)
    digest = hashlib.new(template.digest_algorithm.value, CONTENT).digest()
    attributes = signed_attributes(template, digest)
    return assemble(template, attributes, party.sign(attributes), timestamp_token=token)


PROFILES = [
    (CMSProfile.RSA, rsa_party),
    (CMSProfile.SM2, holder),
    (CMSProfile.GBT_35275, holder),
]


@pytest.mark.parametrize(("profile", "party"), PROFILES)
def test_a_written_message_verifies_with_nothing_to_remark(
    profile: CMSProfile, party: object
) -> None:
    assert callable(party)
    token = asn1.sequence(asn1.null())
    signed_data = parse_signed_data(written(party(), profile, token))
    signer = verify_signer(signed_data, [CONTENT[:5], CONTENT[5:]])
    assert signer.notices == ()
    assert signer.timestamp_tokens == (token,)
    assert signer.signing_time is None
    assert signer.certificate.der == party().certificate
    assert signed_data.is_gbt35275 == (profile is CMSProfile.GBT_35275)


@pytest.mark.parametrize(("profile", "party"), PROFILES)
def test_a_written_message_fails_over_other_content(profile: CMSProfile, party: object) -> None:
    assert callable(party)
    signed_data = parse_signed_data(written(party(), profile))
    with pytest.raises(SignedContentChanged):
        verify_signer(signed_data, [CONTENT + b" "])


def test_a_second_reader_finds_the_same_in_an_rsa_message() -> None:
    party = rsa_party()
    info = reference.ContentInfo.load(written(party, CMSProfile.RSA), strict=True)
    signer = info["content"]["signer_infos"][0]
    oids = [attr["type"].dotted for attr in signer["signed_attrs"]]
    assert oids == [
        messages.CONTENT_TYPE,
        messages.MESSAGE_DIGEST,
        messages.SIGNING_CERTIFICATE_V2,
    ]
    assert signer["signature_algorithm"]["algorithm"].native == "sha256_rsa"
    assert info["content"]["certificates"][0].chosen.dump() == party.certificate
    value = SigningCertificateV2.load(signer["signed_attrs"][2]["values"][0].dump())
    named = value["certs"][0]["cert_hash"].native
    assert named == hashlib.sha256(party.certificate).digest()


def test_a_chain_travels_along_sorted_and_once() -> None:
    party, other = rsa_party(), rsa_party("另一签名人")
    template = prepare_signer(party.certificate, chain=(other.certificate, party.certificate))
    attributes = signed_attributes(template, hashlib.sha256(CONTENT).digest())
    signed_data = parse_signed_data(assemble(template, attributes, party.sign(attributes)))
    assert list(signed_data.certificates) == sorted([party.certificate, other.certificate])
    verify_signer(signed_data, [CONTENT])


def test_a_claimed_signing_time_is_written_only_when_asked_for() -> None:
    template = prepare_signer(rsa_party().certificate)
    attributes = signed_attributes(template, hashlib.sha256(CONTENT).digest(), signing_time=NOW)
    data = assemble(template, attributes, rsa_party().sign(attributes))
    assert verify_signer(parse_signed_data(data), [CONTENT]).signing_time == NOW


def test_a_digest_of_another_size_is_not_written() -> None:
    with pytest.raises(MalformedDocument):
        signed_attributes(prepare_signer(rsa_party().certificate), bytes(20))


# Reading


@pytest.mark.parametrize("is_sm2", [False, True])
def test_a_message_of_a_second_encoder_verifies(is_sm2: bool) -> None:
    signer = verify(MessageSpec(is_sm2=is_sm2))
    assert signer.notices == ()


def test_a_signer_may_be_named_by_key_identifier() -> None:
    identifier = asn1.element(0x80, b"key of the test signer")
    assert verify(MessageSpec(signer_identifier=identifier)).notices == ()


def test_rsa_encryption_takes_the_digest_beside_it() -> None:
    assert verify(MessageSpec(signature_oid="1.2.840.113549.1.1.1")).notices == ()


@pytest.mark.parametrize("count", [0, 2])
def test_one_signer_is_due(count: int) -> None:
    """T-PDF-19."""
    assert fault_of(MessageSpec(signers=count)) == "signer-count"


def test_dozens_of_signers_are_refused() -> None:
    with pytest.raises(LimitExceeded):
        parse_signed_data(make_message(MessageSpec(signers=9)))


def test_the_message_digest_must_be_there() -> None:
    """T-PDF-19."""
    assert fault_of(MessageSpec(attributes=lambda a: [a[0], a[2]])) == "message-digest-missing"


def test_the_content_type_must_be_there() -> None:
    """T-PDF-19."""
    assert fault_of(MessageSpec(attributes=lambda a: a[1:])) == "content-type"


@pytest.mark.parametrize("which", [0, 1, 2])
def test_an_attribute_stands_once(which: int) -> None:
    """T-PDF-19."""
    spec = MessageSpec(attributes=lambda a: [*a, a[which]])
    assert fault_of(spec) == "attribute-repeated"


def test_an_attribute_has_one_value() -> None:
    """T-PDF-19."""
    right = asn1.octet_string(hashlib.sha256(CONTENT).digest())
    wrong = asn1.octet_string(bytes(32))
    twice = attribute(messages.MESSAGE_DIGEST, right, wrong)
    assert fault_of(MessageSpec(attributes=lambda a: [a[0], twice, a[2]])) == "attribute-repeated"


def test_a_wrong_message_digest_means_changed_content() -> None:
    """T-PDF-19."""
    with pytest.raises(SignedContentChanged):
        verify(MessageSpec(content=b"something else"))


def test_a_wrong_content_type_is_refused() -> None:
    """T-PDF-19."""
    assert fault_of(MessageSpec(inner_type="1.2.840.113549.1.9.16.1.4")) == "content-type"


def test_a_digest_algorithm_that_is_not_announced_is_refused() -> None:
    """T-PDF-19."""
    assert fault_of(MessageSpec(announced_digest=messages.SHA512)) == "digest-algorithm"


def test_digest_and_signature_algorithm_must_agree() -> None:
    """T-PDF-19, T-PDF-22."""
    assert fault_of(MessageSpec(digest_oid=messages.SHA512)) == "algorithm-mismatch"


def test_a_message_without_attributes_is_judged_over_the_content() -> None:
    """T-PDF-19."""
    spec = MessageSpec(has_attributes=False)
    assert notices_of(verify(spec)) == ["no-signed-attributes"]
    with pytest.raises(SignatureMismatch):
        verify(spec, content=b"something else")


def test_attributes_cannot_be_passed_off_as_content() -> None:
    """T-PDF-19."""
    content = asn1.set_of([attribute(messages.MESSAGE_DIGEST, asn1.octet_string(b""))])
    spec = MessageSpec(has_attributes=False, content=content)
    with pytest.raises(SignedDataFault):
        verify(spec, content)


def test_content_inside_must_be_the_content_given() -> None:
    inner = asn1.explicit(0, asn1.octet_string(b"other"))
    with pytest.raises(SignedContentChanged):
        verify(MessageSpec(inner_content=inner))


def test_a_missing_signing_certificate_is_remarked() -> None:
    """T-PDF-20."""
    spec = MessageSpec(attributes=lambda a: a[:2])
    assert notices_of(verify(spec)) == ["signing-certificate-missing"]


def test_another_signing_certificate_is_refused() -> None:
    """T-PDF-20."""
    other = messages.signing_certificate(rsa_party("另一签名人").certificate)
    named = attribute(messages.SIGNING_CERTIFICATE_V2, other)
    assert fault_of(MessageSpec(attributes=lambda a: [*a[:2], named])) == "signing-certificate"


def old_signing_certificate(certificate: bytes) -> bytes:
    entry = asn1.sequence(asn1.octet_string(hashlib.sha1(certificate).digest()))  # noqa: S324
    return attribute(messages.SIGNING_CERTIFICATE, asn1.sequence(asn1.sequence(entry)))


def test_a_signing_certificate_by_sha1_is_remarked_as_weak() -> None:
    """T-PDF-20."""
    right = old_signing_certificate(rsa_party().certificate)
    spec = MessageSpec(attributes=lambda a: [*a[:2], right])
    assert notices_of(verify(spec)) == ["signing-certificate-weak"]
    wrong = old_signing_certificate(b"another")
    assert fault_of(replace(spec, attributes=lambda a: [*a[:2], wrong])) == "signing-certificate"


def test_a_signing_certificate_by_a_weak_digest_is_refused() -> None:
    """T-PDF-20."""
    entry = asn1.sequence(messages.algorithm("1.3.14.3.2.26"), asn1.octet_string(bytes(20)))
    weak = attribute(messages.SIGNING_CERTIFICATE_V2, asn1.sequence(asn1.sequence(entry)))
    with pytest.raises(WeakAlgorithm):
        verify(MessageSpec(attributes=lambda a: [*a[:2], weak]))


def protection(digest_oid: str, signature_oid: str) -> bytes:
    value = asn1.sequence(
        messages.algorithm(digest_oid), asn1.element(0xA1, asn1.oid(signature_oid))
    )
    return attribute(messages.ALGORITHM_PROTECTION, value)


def test_algorithm_protection_must_repeat_the_algorithms() -> None:
    good = protection(messages.SHA256, messages.RSA_SHA256)
    verify(MessageSpec(attributes=lambda a: [*a, good]))
    bad = protection(messages.SHA512, messages.RSA_SHA256)
    assert fault_of(MessageSpec(attributes=lambda a: [*a, bad])) == "algorithm-protection"


def test_unsorted_attributes_are_remarked_and_verified_as_they_stand() -> None:
    """T-SES-04."""
    spec = MessageSpec(sort=lambda a: sorted(a, reverse=True))
    assert notices_of(verify(spec)) == ["unsorted-set"]


@pytest.mark.parametrize("oid", ["1.3.14.3.2.26", "1.2.840.113549.2.5"])
def test_weak_digests_prove_nothing(oid: str) -> None:
    """T-PDF-21."""
    with pytest.raises(WeakAlgorithm):
        verify(MessageSpec(digest_oid=oid))


def test_an_unknown_digest_is_unsupported() -> None:
    with pytest.raises(UnsupportedAlgorithm):
        verify(MessageSpec(digest_oid="1.2.3.4"))


@pytest.mark.parametrize(
    "spec",
    [
        MessageSpec(is_sm2=True, signature_oid="1.2.840.10045.4.3.2"),
        MessageSpec(is_sm2=True, signature_oid=messages.RSA_SHA256),
        MessageSpec(is_sm2=True, digest_oid=messages.SHA256),
        MessageSpec(signature_oid=messages.SM2_SM3),
        MessageSpec(digest_oid=messages.SM3),
    ],
)
def test_algorithms_of_two_worlds_do_not_mix(spec: MessageSpec) -> None:
    """T-PDF-22."""
    assert fault_of(spec) == "algorithm-mismatch"


@pytest.mark.parametrize("oid", ["1.2.156.10197.1.301.1", "1.2.156.10197.501"])
def test_other_names_of_the_sm2_signature_are_read(oid: str) -> None:
    expected = ["odd-algorithm"] if oid.endswith("7.501") else []
    assert notices_of(verify(MessageSpec(is_sm2=True, signature_oid=oid))) == expected


def test_raw_sm2_values_are_read_with_a_notice() -> None:
    def raw(der: bytes) -> bytes:
        r, s = sm2.decode_signature(der)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    assert notices_of(verify(MessageSpec(is_sm2=True, value=raw))) == ["raw-signature"]


@pytest.mark.parametrize("certificates", [(), (make_party("另一单位").certificate,)])
def test_the_signers_certificate_must_be_inside(certificates: tuple[bytes, ...]) -> None:
    assert fault_of(MessageSpec(certificates=certificates)) == "signer-certificate"


def test_a_broken_certificate_is_refused() -> None:
    with pytest.raises(MalformedDocument):
        verify(MessageSpec(certificates=(asn1.sequence(asn1.null()),)))


def test_dozens_of_certificates_are_refused() -> None:
    with pytest.raises(LimitExceeded):
        parse_signed_data(make_message(MessageSpec(certificates=(asn1.sequence(),) * 33)))


def test_other_kinds_of_certificates_are_remarked() -> None:
    party = rsa_party()
    spec = MessageSpec(certificates=(party.certificate, asn1.element(0xA2, b"")))
    assert notices_of(verify(spec)) == ["odd-certificate"]


def test_an_odd_claimed_time_is_remarked_and_never_a_fault() -> None:
    odd = attribute(messages.SIGNING_TIME, asn1.element(asn1.Tag.UTC_TIME, b"261340040000Z"))
    signer = verify(MessageSpec(attributes=lambda a: [*a, odd]))
    assert (signer.signing_time, notices_of(signer)) == (None, ["odd-time"])


def test_other_content_types_are_no_signed_data() -> None:
    with pytest.raises(MalformedDocument):
        parse_signed_data(make_message(MessageSpec(outer_type=messages.DATA)))


# GB/T 35275 inside OFD


def gbt(form: MessageSpec, original: bytes = ORIGINAL) -> VerifiedSigner:
    message = make_message(replace(form, is_sm2=True, outer_type=messages.GM_SIGNED_DATA))
    return verify_gbt35275_signer(parse_signed_data(message), original)


FORM_A = MessageSpec(
    inner_type="1.2.156.10197.6.1.4.2.1",
    inner_content=asn1.explicit(0, asn1.octet_string(ORIGINAL_DIGEST)),
    has_attributes=False,
    signed_message=ORIGINAL_DIGEST,
)
FORM_B = MessageSpec(content=ORIGINAL, attributes=lambda a: a[:2])
BASE64_DIGEST = base64.b64encode(ORIGINAL_DIGEST)
FORM_C = replace(
    FORM_A,
    inner_content=asn1.explicit(0, asn1.octet_string(BASE64_DIGEST)),
    signed_message=BASE64_DIGEST,
)


@pytest.mark.parametrize(
    ("form", "remarks"),
    [
        (FORM_A, ["no-signed-attributes"]),
        (FORM_B, ["signing-certificate-missing"]),
        (FORM_C, ["content-base64", "no-signed-attributes"]),
    ],
)
def test_three_forms_of_gbt35275_are_read(form: MessageSpec, remarks: list[str]) -> None:
    assert notices_of(gbt(form)) == remarks


@pytest.mark.parametrize("form", [FORM_A, FORM_B, FORM_C])
def test_no_form_of_gbt35275_verifies_over_another_original(form: MessageSpec) -> None:
    with pytest.raises(SignedContentChanged):
        gbt(form, original=b"<Other/>")


def test_a_digest_beside_attributes_is_checked_twice() -> None:
    spec = replace(FORM_A, has_attributes=True, content=ORIGINAL_DIGEST, inner_type=messages.DATA)
    gbt(spec)
    with pytest.raises(SignedContentChanged):
        gbt(replace(spec, content=b"other"))


def test_content_that_is_no_digest_is_refused() -> None:
    inner = asn1.explicit(0, asn1.octet_string(b"\xff no digest"))
    with pytest.raises(SignedDataFault):
        gbt(replace(FORM_A, inner_content=inner))


# Damage


@settings(max_examples=300)
@given(st.data())
def test_a_changed_byte_never_verifies_unremarked(data: st.DataObject) -> None:
    """Bytes outside the signature (NULL parameters, versions) may change; what is said may not."""
    original = make_message()
    damaged = bytearray(original)
    at = data.draw(st.integers(0, len(damaged) - 1))
    damaged[at] ^= data.draw(st.integers(1, 255))
    try:
        signer = verify_signer(parse_signed_data(bytes(damaged)), [CONTENT])
    except ServiceError:
        return
    assert signer.certificate.der == rsa_party().certificate


@given(st.binary(max_size=300))
def test_random_bytes_raise_only_service_errors(data: bytes) -> None:
    with pytest.raises(ServiceError):
        parse_signed_data(data)
