"""SM2 values without an engine: curve, points, Z and e, signature encodings.

Pure. GB/T 32918.2 (Z, e, ranges), GB/T 32918.5 (curve), GB/T 35276 (encodings, default ID). What
is refused here never reaches the library, so no reading of a value is left to its parser.
"""

import hashlib
from functools import lru_cache

from keys.errors import InvalidKey, MalformedSignature

DEFAULT_ID = b"1234567812345678"
"""The user ID of certificates, seals and signatures (GB/T 35276); no other is ever tried."""

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0

SCALAR_SIZE = 32
POINT_SIZE = 65
MAX_SIGNATURE_SIZE = 72
SPKI_PREFIX = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
"""SubjectPublicKeyInfo up to the point: id-ecPublicKey, SM2 curve, BIT STRING."""

_Z_PREFIX = (
    (8 * len(DEFAULT_ID)).to_bytes(2, "big")
    + DEFAULT_ID
    + b"".join(value.to_bytes(32, "big") for value in (A, B, GX, GY))
)


@lru_cache(maxsize=1024)
def check_point(point: bytes) -> None:
    """Raise ``InvalidKey`` unless ``point`` is ``04 || X || Y`` on the SM2 curve (T-SES-16)."""
    if len(point) != POINT_SIZE or point[0] != 4:
        raise InvalidKey("an SM2 point has 65 bytes and begins with 04", reason="form")
    x = int.from_bytes(point[1:33], "big")
    y = int.from_bytes(point[33:], "big")
    if x >= P or y >= P:
        raise InvalidKey("coordinate out of range", reason="range")
    if (x * x * x + A * x + B - y * y) % P:
        raise InvalidKey("the point is not on the SM2 curve", reason="off-curve")


def check_scalar(scalar: bytes) -> None:
    """Raise ``InvalidKey`` unless ``scalar`` is 32 bytes and 1 <= d <= n-2.

    n-1 has no signatures, since (1+d) has no inverse: some libraries never return from the call.
    """
    if len(scalar) != SCALAR_SIZE:
        raise InvalidKey("an SM2 private key has 32 bytes", reason="form")
    if not 1 <= int.from_bytes(scalar, "big") <= N - 2:
        raise InvalidKey("private key out of range", reason="range")


def message_digest(point: bytes, message: bytes) -> bytes:
    """Return e = SM3(Z || message) for the key ``point`` and the default ID: 32 bytes.

    Raises ``InvalidKey`` for a point off the curve.
    """
    running = hashlib.new("sm3", _z(point))
    running.update(message)
    return running.digest()


@lru_cache(maxsize=1024)
def _z(point: bytes) -> bytes:
    """Return Z of the key under the default ID (GB/T 32918.2, 5.5)."""
    check_point(point)
    return hashlib.new("sm3", _Z_PREFIX + point[1:]).digest()


def encode_signature(r: int, s: int) -> bytes:
    """Encode (r, s) as DER; raise ``MalformedSignature`` outside of 1..n-1."""
    _check_range(r, s)
    body = _encode_integer(r) + _encode_integer(s)
    return bytes((0x30, len(body))) + body


def _encode_integer(value: int) -> bytes:
    content = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return bytes((2, len(content))) + content


def decode_signature(der: bytes) -> tuple[int, int]:
    """Return (r, s) of a signature in strict DER, both in 1..n-1 and r+s not n.

    Raises ``MalformedSignature`` for everything else (T-SES-12, T-SES-13).
    """
    r_content, s_content = _integer_contents(der)
    for content in (r_content, s_content):
        if content[0] >= 0x80 or (len(content) > 1 and content[0] == 0 and content[1] < 0x80):
            raise MalformedSignature("INTEGER not in shortest positive form", reason="integer")
    r = int.from_bytes(r_content, "big")
    s = int.from_bytes(s_content, "big")
    _check_range(r, s)
    return r, s


def _integer_contents(der: bytes) -> tuple[bytes, bytes]:
    """Return the contents of exactly two INTEGERs in a SEQUENCE that fills ``der``."""
    if not 8 <= len(der) <= MAX_SIGNATURE_SIZE or der[0] != 0x30 or der[1] != len(der) - 2:
        raise MalformedSignature("not one short SEQUENCE", reason="sequence")
    r_end = 4 + der[3]
    if der[2] != 2 or not 1 <= der[3] <= 33 or r_end + 3 > len(der):
        raise MalformedSignature("r is no INTEGER", reason="integer")
    s_size = der[r_end + 1]
    if der[r_end] != 2 or not 1 <= s_size <= 33 or r_end + 2 + s_size != len(der):
        raise MalformedSignature("s is no INTEGER", reason="integer")
    return der[4:r_end], der[r_end + 2 :]


def _check_range(r: int, s: int) -> None:
    if not (1 <= r < N and 1 <= s < N) or r + s == N:
        raise MalformedSignature("r or s out of range", reason="range")


def normalise_foreign(value: bytes) -> tuple[bytes, str | None]:
    """Return a foreign signature value as strict DER, with a remark where it was not.

    Remarks: ``raw`` for 64 bytes r||s, ``unpadded`` for INTEGERs that lack their leading zero
    octet; both are written by real devices. Anything else comes back as it is, for the strict
    reader to refuse.
    """
    if len(value) == 2 * SCALAR_SIZE and not _is_strict(value):
        r, s = int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big")
        return _encode_or_keep(value, r, s, "raw")
    try:
        r_content, s_content = _integer_contents(value)
    except MalformedSignature:
        return value, None
    if any(len(part) == 32 and part[0] >= 0x80 for part in (r_content, s_content)):
        r, s = int.from_bytes(r_content, "big"), int.from_bytes(s_content, "big")
        return _encode_or_keep(value, r, s, "unpadded")
    return value, None


def _is_strict(value: bytes) -> bool:
    try:
        decode_signature(value)
    except MalformedSignature:
        return False
    return True


def _encode_or_keep(value: bytes, r: int, s: int, remark: str) -> tuple[bytes, str | None]:
    try:
        return encode_signature(r, s), remark
    except MalformedSignature:
        return value, None
