"""RSA by plain numbers (RFC 8017): makes vectors and forgeries; imports nothing of the product.

Not for keys that matter: it is not constant time, and the primes follow from public labels.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

NULL = b"\x05\x00"
OIDS = {
    "sha1": bytes.fromhex("06052b0e03021a"),
    "sha224": bytes.fromhex("0609608648016503040204"),
    "sha256": bytes.fromhex("0609608648016503040201"),
    "sha384": bytes.fromhex("0609608648016503040202"),
    "sha512": bytes.fromhex("0609608648016503040203"),
    "md5": bytes.fromhex("06082a864886f70d0205"),
    "sm3": bytes.fromhex("06082a811ccf55018311"),
}
"""Object identifiers of digests, as whole elements."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key pair."""

    p: int
    q: int
    e: int

    @property
    def n(self) -> int:
        """Return the modulus."""
        return self.p * self.q

    @property
    def size(self) -> int:
        """Return the length of a signature."""
        return (self.n.bit_length() + 7) // 8

    def power(self, encoded: bytes | int) -> bytes:
        """Apply the private key to a padded message."""
        value = encoded if isinstance(encoded, int) else int.from_bytes(encoded, "big")
        d = pow(self.e, -1, (self.p - 1) * (self.q - 1))
        at_p, at_q = (pow(value, d % (prime - 1), prime) for prime in (self.p, self.q))
        more = (at_p - at_q) * pow(self.q, -1, self.p) % self.p
        return (at_q + more * self.q).to_bytes(self.size, "big")


def _start(label: str, bits: int) -> int:
    """Return where the search for a prime begins: the two top bits set, odd."""
    wide = b"".join(
        hashlib.sha512(f"{label} {part}".encode()).digest() for part in range(bits // 512 + 1)
    )
    return int.from_bytes(wide, "big") >> (8 * len(wide) - bits) | 3 << (bits - 2) | 1


def find_offset(label: str, bits: int, e: int) -> int:
    """Search the next prime p, with p - 1 prime to e, and return how far it is away."""
    start, offset = _start(label, bits), 0
    while not (pow(2, start + offset - 1, start + offset) == 1 and (start + offset - 1) % e):
        offset += 2
    return offset


@lru_cache(maxsize=8)
def make_key(bits: int, e: int, offsets: tuple[int, int]) -> Key:
    """Make the key of a size; ``offsets`` is what ``find_offset`` gives for "p" and "q"."""
    p, q = (
        _start(f"{name} {bits} {e}", bits // 2) + offset
        for name, offset in zip("pq", offsets, strict=True)
    )
    if any(pow(2, prime - 1, prime) != 1 for prime in (p, q)):
        raise ValueError("not prime")
    return Key(p, q, e)


def tlv(tag: int, content: bytes) -> bytes:
    """Encode an element in DER."""
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def integer(value: int) -> bytes:
    """Encode a positive INTEGER."""
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def spki(key: Key) -> bytes:
    """Encode the public key as SubjectPublicKeyInfo."""
    algorithm = tlv(0x30, bytes.fromhex("06092a864886f70d010101") + NULL)
    numbers = tlv(0x30, integer(key.n) + integer(key.e))
    return tlv(0x30, algorithm + tlv(3, b"\x00" + numbers))


# PKCS#1 v1.5


def digest_info(name: str, digest: bytes, parameters: bytes = NULL) -> bytes:
    """Encode DigestInfo."""
    return tlv(0x30, tlv(0x30, OIDS[name] + parameters) + tlv(4, digest))


def padded(info: bytes, size: int) -> bytes:
    """Pad what is signed (9.2)."""
    return b"\x00\x01" + b"\xff" * (size - 3 - len(info)) + b"\x00" + info


def encode_pkcs1(message: bytes, size: int, name: str = "sha256") -> bytes:
    """Encode a message (9.2)."""
    return padded(digest_info(name, hashlib.new(name, message).digest()), size)


def opened(key: Key, signature: bytes) -> bytes | None:
    """Apply the public key; None for a value that is no signature at all (8.2.2, 1. and 2.)."""
    value = int.from_bytes(signature, "big")
    if len(signature) != key.size or value >= key.n:
        return None
    return pow(value, key.e, key.n).to_bytes(key.size, "big")


def verify_pkcs1(key: Key, message: bytes, signature: bytes, name: str = "sha256") -> bool:
    """Verify by encoding again and comparing (8.2.2)."""
    return opened(key, signature) == encode_pkcs1(message, key.size, name)


# PSS


def mgf1(seed: bytes, size: int, name: str) -> bytes:
    """Derive a mask (B.2.1)."""
    blocks = -(-size // hashlib.new(name).digest_size)
    mask = b"".join(
        hashlib.new(name, seed + count.to_bytes(4, "big")).digest() for count in range(blocks)
    )
    return mask[:size]


@dataclass(frozen=True, slots=True, kw_only=True)
class PSS:
    """Parameters of the scheme; every default is what a signer should use."""

    name: str = "sha256"
    mask_name: str = ""
    """Empty: as ``name``."""
    salt: bytes = bytes(range(32))
    zeros: bytes = bytes(8)
    """Before digest and salt in M'."""
    lead: bytes = b"\x01"
    """Between the zeros and the salt in DB."""
    trailer: bytes = b"\xbc"
    top_bit: bool = False
    """Whether the bit that must be zero is set."""


def encode_pss(message: bytes, key: Key, scheme: PSS) -> bytes:
    """Encode a message (9.1.1) for a modulus whose size is a multiple of eight bits."""
    digest = hashlib.new(scheme.name, message).digest()
    hashed = hashlib.new(scheme.name, scheme.zeros + digest + scheme.salt).digest()
    block = (scheme.lead + scheme.salt).rjust(key.size - len(hashed) - 1, b"\x00")
    mask = mgf1(hashed, len(block), scheme.mask_name or scheme.name)
    masked = bytes(one ^ other for one, other in zip(block, mask, strict=True))
    first = masked[0] & 0x7F | (0x80 if scheme.top_bit else 0)
    return bytes((first,)) + masked[1:] + hashed + scheme.trailer


def verify_pss(key: Key, message: bytes, signature: bytes, name: str, salt_size: int) -> bool:
    """Verify (9.1.2): take the salt out, encode again with it, and compare."""
    encoded = opened(key, signature)
    length = hashlib.new(name).digest_size
    if encoded is None:
        return False
    masked, hashed = encoded[: -length - 1], encoded[-length - 1 : -1]
    mask = mgf1(hashed, len(masked), name)
    block = bytes(one ^ other for one, other in zip(masked, mask, strict=True))
    salt = block[len(block) - salt_size :]
    return encoded == encode_pss(message, key, PSS(name=name, salt=salt))
