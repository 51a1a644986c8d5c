"""Public keys, and signatures checked by the identifier of their algorithm."""

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from keys import der
from keys.algorithms import KeyAlgorithm
from keys.errors import (
    InvalidKey,
    MalformedCertificate,
    ServiceError,
    SignatureMismatch,
    UnsupportedAlgorithm,
    WeakAlgorithm,
)
from keys.public_key import parse_public_key, verify_signature
from tests.support.chains import RSA_WITH_SHA256, SM2_WITH_SM3, rsa_key, sm2_key

MESSAGE = b"message"
SM2 = sm2_key("leaf")
RSA = rsa_key("leaf")
SM2_PUBLIC, RSA_PUBLIC = parse_public_key(SM2.spki), parse_public_key(RSA.spki)
PSS = "1.2.840.113549.1.1.10"
SHA1, SHA256, SHA384, SHA512 = (
    "1.3.14.3.2.26",
    "2.16.840.1.101.3.4.2.1",
    "2.16.840.1.101.3.4.2.2",
    "2.16.840.1.101.3.4.2.3",
)
MGF1 = "1.2.840.113549.1.1.8"
RSA_IDENTIFIER = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null())


def rsa_spki(*numbers: int, identifier: bytes = RSA_IDENTIFIER) -> bytes:
    return der.sequence(identifier, der.bit_string(der.sequence(*map(der.integer, numbers))))


# Keys


def test_both_kinds_of_key_are_read() -> None:
    assert (SM2_PUBLIC.algorithm, SM2_PUBLIC.bits) == (KeyAlgorithm.SM2, 256)
    assert SM2_PUBLIC.point == SM2.spki[-65:]
    assert (RSA_PUBLIC.algorithm, RSA_PUBLIC.bits) == (KeyAlgorithm.RSA, 2048)
    assert RSA_PUBLIC.point is None
    assert RSA_PUBLIC.weakness is SM2_PUBLIC.weakness is None


def test_rsa_parameters_are_null_or_absent() -> None:
    absent = der.sequence(der.oid("1.2.840.113549.1.1.1"))
    odd = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.integer(1))
    assert parse_public_key(rsa_spki(2**2047 + 1, 3, identifier=absent)).bits == 2048
    with pytest.raises(MalformedCertificate):
        parse_public_key(rsa_spki(2**2047 + 1, 3, identifier=odd))


@pytest.mark.parametrize("numbers", [(-5, 3), (2**2047 + 1, -3), (0, 3), (2**2047 + 1, 0)])
def test_rsa_numbers_are_positive(numbers: tuple[int, int]) -> None:
    with pytest.raises(InvalidKey):
        parse_public_key(rsa_spki(*numbers))


def test_very_long_rsa_keys_are_refused() -> None:
    assert parse_public_key(rsa_spki(2**8191 + 1, 3)).bits == 8192
    with pytest.raises(InvalidKey):
        parse_public_key(rsa_spki(2**8192 + 1, 3))


@pytest.mark.parametrize("numbers", [(2**9000 + 1, 3), (5,), (5, 3, 1)])
def test_rsa_keys_of_another_shape_are_refused(numbers: tuple[int, ...]) -> None:
    with pytest.raises(MalformedCertificate):
        parse_public_key(rsa_spki(*numbers))


@pytest.mark.parametrize("numbers", [(2**1023 + 1, 65537), (2**2047 + 1, 1), (2**2047, 3)])
def test_weak_rsa_keys_are_read_and_verify_nothing(numbers: tuple[int, int]) -> None:
    """T-PKI-06."""
    weak = parse_public_key(rsa_spki(*numbers))
    assert weak.weakness
    with pytest.raises(WeakAlgorithm):
        verify_signature(weak, MESSAGE, bytes(256), RSA_WITH_SHA256)


# Signatures


def test_signatures_of_both_kinds_verify() -> None:
    verify_signature(SM2_PUBLIC, MESSAGE, SM2.sign(MESSAGE), SM2_WITH_SM3)
    verify_signature(SM2_PUBLIC, MESSAGE, SM2.sign(MESSAGE), SM2_WITH_SM3, der.null())
    verify_signature(RSA_PUBLIC, MESSAGE, RSA.sign(MESSAGE), RSA_WITH_SHA256, der.null())
    verify_signature(RSA_PUBLIC, MESSAGE, RSA.sign(MESSAGE), RSA_WITH_SHA256)


@pytest.mark.parametrize(
    ("public", "oid"),
    [
        (SM2_PUBLIC, RSA_WITH_SHA256),
        (RSA_PUBLIC, SM2_WITH_SM3),
        (SM2_PUBLIC, "1.2.840.10045.4.3.2"),
        (SM2_PUBLIC, "1.2.156.10197.1.501.1"),
        (SM2_PUBLIC, PSS),
        (RSA_PUBLIC, "1.2.156.10197.1.504"),
        (RSA_PUBLIC, "1.2.840.113549.1.1.1"),
        (RSA_PUBLIC, ""),
    ],
)
def test_algorithm_and_key_belong_together(public: object, oid: str) -> None:
    """T-SES-10, T-SES-17."""
    key = SM2_PUBLIC if public is SM2_PUBLIC else RSA_PUBLIC
    for value in (SM2.sign(MESSAGE), RSA.sign(MESSAGE)):
        with pytest.raises(UnsupportedAlgorithm):
            verify_signature(key, MESSAGE, value, oid)


@pytest.mark.parametrize(
    "oid", ["1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.156.10197.1.502"]
)
def test_weak_algorithms_are_called_weak(oid: str) -> None:
    """T-SES-11."""
    for public in (SM2_PUBLIC, RSA_PUBLIC):
        with pytest.raises(WeakAlgorithm):
            verify_signature(public, MESSAGE, bytes(256), oid)


def test_parameters_other_than_null_are_refused() -> None:
    for public, key, oid in ((SM2_PUBLIC, SM2, SM2_WITH_SM3), (RSA_PUBLIC, RSA, RSA_WITH_SHA256)):
        with pytest.raises(UnsupportedAlgorithm):
            verify_signature(public, MESSAGE, key.sign(MESSAGE), oid, der.integer(1))


# PSS

PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PSS_PUBLIC = parse_public_key(
    PRIVATE.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
)


def sign_pss(algorithm: hashes.HashAlgorithm, salt_size: int) -> bytes:
    return PRIVATE.sign(MESSAGE, padding.PSS(padding.MGF1(algorithm), salt_size), algorithm)


def identifier(oid: str) -> bytes:
    return der.sequence(der.oid(oid), der.null())


def pss_parameters(
    digest: str | None = SHA256,
    mask: str | None = SHA256,
    salt: int | None = 32,
    trailer: int | None = None,
    function: str = MGF1,
) -> bytes:
    fields = []
    if digest is not None:
        fields.append(der.explicit(0, identifier(digest)))
    if mask is not None:
        fields.append(der.explicit(1, der.sequence(der.oid(function), identifier(mask))))
    if salt is not None:
        fields.append(der.explicit(2, der.integer(salt)))
    if trailer is not None:
        fields.append(der.explicit(3, der.integer(trailer)))
    return der.sequence(*fields)


@pytest.mark.parametrize(
    ("oid", "algorithm", "salt"),
    [
        (SHA256, hashes.SHA256(), 32),
        (SHA384, hashes.SHA384(), 48),
        (SHA512, hashes.SHA512(), 64),
        (SHA256, hashes.SHA256(), 0),
        (SHA256, hashes.SHA256(), 20),
    ],
)
def test_pss_verifies_as_its_parameters_say(
    oid: str, algorithm: hashes.HashAlgorithm, salt: int
) -> None:
    value = sign_pss(algorithm, salt)
    verify_signature(PSS_PUBLIC, MESSAGE, value, PSS, pss_parameters(oid, oid, salt))
    verify_signature(PSS_PUBLIC, MESSAGE, value, PSS, pss_parameters(oid, oid, salt, 1))
    with pytest.raises(SignatureMismatch):
        verify_signature(PSS_PUBLIC, MESSAGE + b"x", value, PSS, pss_parameters(oid, oid, salt))


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        b"",
        der.null(),
        pss_parameters(mask=SHA512),
        pss_parameters(function="1.2.3"),
        pss_parameters(trailer=2),
        pss_parameters(salt=-1),
        pss_parameters(salt=1_000),
        der.sequence(der.explicit(0, der.null())),
    ],
)
def test_odd_pss_parameters_are_refused(parameters: bytes | None) -> None:
    """T-SES-18."""
    with pytest.raises(UnsupportedAlgorithm):
        verify_signature(PSS_PUBLIC, MESSAGE, sign_pss(hashes.SHA256(), 32), PSS, parameters)


@pytest.mark.parametrize(
    "parameters",
    [
        der.sequence(),
        pss_parameters(digest=None),
        pss_parameters(mask=None),
        pss_parameters(digest=SHA1, mask=SHA1, salt=20),
    ],
)
def test_pss_defaults_are_sha_1_and_so_weak(parameters: bytes) -> None:
    """T-SES-11, T-SES-18."""
    with pytest.raises(WeakAlgorithm):
        verify_signature(PSS_PUBLIC, MESSAGE, sign_pss(hashes.SHA256(), 32), PSS, parameters)


@pytest.mark.parametrize(("size", "mask"), [(31, SHA256), (33, SHA256), (20, SHA256)])
def test_another_salt_than_announced_is_refused(size: int, mask: str) -> None:
    """T-SES-18."""
    value = sign_pss(hashes.SHA256(), 32)
    with pytest.raises(ServiceError):
        verify_signature(PSS_PUBLIC, MESSAGE, value, PSS, pss_parameters(SHA256, mask, size))
