"""RSA: what is signed, and every forgery of the padding refused."""

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from keys import der
from keys.algorithms import DigestAlgorithm
from keys.errors import InvalidKey, SignatureMismatch, UnsupportedAlgorithm, WeakAlgorithm
from keys.rsa import RSASigner, find_weakness, generate, verify, verify_pss

MESSAGE = "审批结果".encode()
SHA256 = DigestAlgorithm.SHA256
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def encode_private(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


KEY = rsa.generate_private_key(public_exponent=3, key_size=2048)
SIGNER = RSASigner(encode_private(KEY))
N = KEY.public_key().public_numbers().n
D = KEY.private_numbers().d
SIZE = 256


def test_a_signature_verifies_and_another_message_does_not() -> None:
    signature = SIGNER.sign(MESSAGE)
    verify(SIGNER.spki, MESSAGE, signature, SHA256)
    with pytest.raises(SignatureMismatch):
        verify(SIGNER.spki, MESSAGE + b"\n", signature, SHA256)
    with pytest.raises(SignatureMismatch):
        verify(SIGNER.spki, MESSAGE, signature, DigestAlgorithm.SHA512)


def test_new_keys_have_3072_bits_and_sign() -> None:
    signer = RSASigner(generate())
    assert repr(signer) == "RSASigner(3072 bits)"
    verify(signer.spki, MESSAGE, signer.sign(MESSAGE), SHA256)


@pytest.mark.parametrize("bits", [512, 1024, 2047, 8193, 16384])
def test_keys_of_odd_sizes_are_not_made(bits: int) -> None:
    with pytest.raises(WeakAlgorithm):
        generate(bits)


def test_a_faulty_signature_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """T-KEY-10."""
    other = RSASigner(generate(2048))
    monkeypatch.setattr(SIGNER, "spki", other.spki)
    with pytest.raises(SignatureMismatch):
        SIGNER.sign(MESSAGE)


@pytest.mark.parametrize(
    "data", [b"", b"\x30\x00", encode_private(ec.generate_private_key(ec.SECP256R1()))]
)
def test_what_is_no_rsa_key_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidKey):
        RSASigner(data)
    with pytest.raises(InvalidKey):
        verify(data, MESSAGE, b"", SHA256)


def test_another_kind_of_public_key_is_refused() -> None:
    spki = (
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(InvalidKey):
        verify(spki, MESSAGE, b"", SHA256)


def test_a_public_key_that_the_library_refuses_verifies_nothing() -> None:
    key = der.sequence(der.integer(2**2047 + 1), der.integer(2))
    algorithm = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null())
    with pytest.raises(InvalidKey):
        verify(der.sequence(algorithm, der.bit_string(key)), MESSAGE, bytes(256), SHA256)


def test_a_short_key_does_not_sign() -> None:
    """T-PKI-06."""
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - weak on purpose
    with pytest.raises(WeakAlgorithm):
        RSASigner(encode_private(short))


@pytest.mark.parametrize(
    ("modulus", "exponent", "weakness"),
    [
        (2**2047 + 1, 3, None),
        (2**2047 + 1, 65537, None),
        (2**2046 + 1, 65537, "RSA 2047"),
        (2**2047 + 2, 65537, "RSA even modulus"),
        (2**2047 + 1, 1, "RSA exponent"),
        (2**2047 + 1, 4, "RSA exponent"),
        (2**2047 + 1, 2**2047 + 1, "RSA exponent"),
    ],
)
def test_weak_keys_are_called_weak(modulus: int, exponent: int, weakness: str | None) -> None:
    """T-PKI-06."""
    assert find_weakness(modulus, exponent) == weakness


# Forgeries of PKCS#1 v1.5 (T-SES-18): whoever builds them has the key, so only the padding is wrong


def raw_signature(encoded: bytes) -> bytes:
    return pow(int.from_bytes(encoded, "big"), D, N).to_bytes(SIZE, "big")


HASH = hashlib.sha256(MESSAGE).digest()
GOOD = DIGEST_INFO + HASH


def padded(info: bytes, head: bytes = b"\x00\x01", fill: bytes = b"\xff") -> bytes:
    return head + fill * (SIZE - 3 - len(info)) + b"\x00" + info


WITHOUT_NULL = bytes.fromhex("302f300b06096086480165030402010420") + HASH
LONG_LENGTHS = bytes.fromhex("308131300d060960864801650304020105000420") + HASH
INDEFINITE = bytes.fromhex("3080300d060960864801650304020105000420") + HASH + bytes(2)
OTHER_DIGEST = bytes.fromhex("3031300d060960864801650304020305000420") + HASH
GARBAGE_IN_PARAMETERS = bytes.fromhex("3033300f0609608648016503040201040212340420") + HASH


def test_the_builder_of_forgeries_makes_good_ones_too() -> None:
    verify(SIGNER.spki, MESSAGE, raw_signature(padded(GOOD)), SHA256)


@pytest.mark.parametrize(
    "encoded",
    [
        padded(WITHOUT_NULL),
        padded(LONG_LENGTHS),
        padded(INDEFINITE),
        padded(OTHER_DIGEST),
        padded(GARBAGE_IN_PARAMETERS),
        padded(HASH),
        padded(GOOD, head=b"\x00\x02"),
        padded(GOOD, head=b"\x00\x00"),
        padded(GOOD, fill=b"\xfe"),
        padded(GOOD, fill=b"\x00"),
        b"\x00\x01" + b"\xff" * 8 + b"\x00" + GOOD + bytes(SIZE - 11 - len(GOOD)),
        b"\x00\x01" + b"\xff" * 8 + b"\x00" + GOOD + b"\xaa" * (SIZE - 11 - len(GOOD)),
        b"\x00\x01" + b"\xff" * (SIZE - 4 - len(GOOD)) + b"\x00" + GOOD + b"\x00",
        b"\x00\x01\x00" + GOOD + bytes(SIZE - 3 - len(GOOD)),
        bytes(SIZE),
    ],
)
def test_wrong_padding_is_refused(encoded: bytes) -> None:
    """T-SES-18: garbage, short padding, BER, missing NULL."""
    with pytest.raises(SignatureMismatch):
        verify(SIGNER.spki, MESSAGE, raw_signature(encoded), SHA256)


def cube_root(value: int) -> int:
    low, high = 0, 1 << (value.bit_length() // 3 + 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if middle**3 >= value else (middle + 1, high)
    return low


def test_a_cube_root_is_no_signature() -> None:
    """T-SES-18: exponent 3, made without the key; the garbage after the digest absorbs the rest."""
    start = b"\x00\x01" + b"\xff" * 8 + b"\x00" + GOOD
    target = int.from_bytes(start + bytes(SIZE - len(start)), "big")
    root = cube_root(target)
    forged = (root**3).to_bytes(SIZE, "big")
    assert forged.startswith(start)
    with pytest.raises(SignatureMismatch):
        verify(SIGNER.spki, MESSAGE, root.to_bytes(SIZE, "big"), SHA256)


@pytest.mark.parametrize("change", [b"", bytes(1), bytes(SIZE), b"\xff" * SIZE])
def test_values_of_another_size_or_range_are_refused(change: bytes) -> None:
    good = SIGNER.sign(MESSAGE)
    for value in (change, good[:-1], good + b"\x00", b"\x00" + good):
        with pytest.raises(SignatureMismatch):
            verify(SIGNER.spki, MESSAGE, value, SHA256)
    above = int.from_bytes(good, "big") + N
    with pytest.raises(SignatureMismatch):
        verify(SIGNER.spki, MESSAGE, above.to_bytes(SIZE + 1, "big"), SHA256)


# PSS


def pss(salt_size: int, mask: hashes.HashAlgorithm | None = None) -> bytes:
    scheme = padding.PSS(padding.MGF1(mask or hashes.SHA256()), salt_size)
    return KEY.sign(MESSAGE, scheme, hashes.SHA256())


def test_pss_verifies_with_its_salt_and_no_other() -> None:
    """T-SES-18."""
    signature = pss(32)
    verify_pss(SIGNER.spki, MESSAGE, signature, SHA256, 32)
    for size in (0, 20, 31, 33):
        with pytest.raises(SignatureMismatch):
            verify_pss(SIGNER.spki, MESSAGE, signature, SHA256, size)
    with pytest.raises(SignatureMismatch):
        verify_pss(SIGNER.spki, MESSAGE, pss(32, hashes.SHA384()), SHA256, 32)
    with pytest.raises(SignatureMismatch):
        verify_pss(SIGNER.spki, MESSAGE, SIGNER.sign(MESSAGE), SHA256, 32)
    with pytest.raises(SignatureMismatch):
        verify(SIGNER.spki, MESSAGE, signature, SHA256)


@pytest.mark.parametrize("size", [-1, 65, 10_000])
def test_odd_sizes_of_salt_are_refused(size: int) -> None:
    with pytest.raises(UnsupportedAlgorithm):
        verify_pss(SIGNER.spki, MESSAGE, pss(32), SHA256, size)


def test_rsa_does_not_go_with_sm3() -> None:
    """T-PDF-22."""
    with pytest.raises(UnsupportedAlgorithm):
        verify(SIGNER.spki, MESSAGE, SIGNER.sign(MESSAGE), DigestAlgorithm.SM3)
    with pytest.raises(UnsupportedAlgorithm):
        verify_pss(SIGNER.spki, MESSAGE, pss(32), DigestAlgorithm.SM3, 32)
