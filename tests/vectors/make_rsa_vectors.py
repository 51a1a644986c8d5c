"""Make the RSA verification vectors in the shape of Wycheproof: PKCS#1 v1.5 and PSS (T-SES-18).

The arithmetic (``tests.support.rsa_arithmetic``) imports nothing of the product. Nothing is random:
the same files come out every time (``python -m tests.vectors.make_rsa_vectors``). What a test
should give is computed by encoding again and comparing, as RFC 8017 says; nothing is parsed.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.rsa_arithmetic import (
    NULL,
    OIDS,
    PSS,
    Key,
    digest_info,
    encode_pkcs1,
    encode_pss,
    integer,
    make_key,
    padded,
    spki,
    tlv,
    verify_pkcs1,
    verify_pss,
)

FILES = {
    "pkcs1": Path(__file__).with_name("rsa_signature_sha256_test.json"),
    "pss": Path(__file__).with_name("rsa_pss_test.json"),
}
KEYS = {
    2048: make_key(2048, 65537, (1044, 972)),
    3072: make_key(3072, 65537, (218, 2482)),
    4096: make_key(4096, 65537, (1062, 3278)),
}
CUBIC = make_key(2048, 3, (808, 4676))
"""A key with the exponent 3: careless checks of the padding can be cheated without its owner."""
MESSAGE = b"123400"
DIGEST = hashlib.sha256(MESSAGE).digest()
INFO = digest_info("sha256", DIGEST)

NOTES = {
    "Normal": ("BASIC", "A valid signature."),
    "BerEncodedPadding": ("CAN_OF_WORMS", "DigestInfo in BER that is not DER."),
    "CubeRoot": ("AUTH_BYPASS", "Made without the private key of an exponent of 3."),
    "InvalidAsnInPadding": ("AUTH_BYPASS", "DigestInfo with something more, less or else in it."),
    "InvalidPadding": ("AUTH_BYPASS", "The bytes before DigestInfo are others."),
    "InvalidSignature": ("AUTH_BYPASS", "Special numbers that no signer makes."),
    "MissingNull": ("LEGACY", "DigestInfo without the NULL that is due."),
    "ModifiedPadding": ("AUTH_BYPASS", "One byte of the padded message is another."),
    "ModifiedSignature": ("AUTH_BYPASS", "One bit of the signature is another."),
    "NoHash": ("AUTH_BYPASS", "The message, or its bare digest, is signed without DigestInfo."),
    "ShortPadding": ("CAN_OF_WORMS", "Less padding than is due, garbage for the rest."),
    "SignatureMalleability": ("SIGNATURE_MALLEABILITY", "The same number in other bytes."),
    "SmallPublicKey": ("WEAK_PARAMS", "A valid signature under the exponent 3."),
    "WrongHash": ("WRONG_PRIMITIVE", "Another digest than the one agreed."),
    "WrongPrimitive": ("WRONG_PRIMITIVE", "The other one of the two schemes."),
    "WrongMask": ("WRONG_PRIMITIVE", "PSS whose mask comes from another digest."),
    "WrongSalt": ("WRONG_PRIMITIVE", "PSS with a salt of another length than the one agreed."),
}  # fmt: skip


@dataclass
class Group:
    """Tests under one public key; PSS where ``salt_size`` is given."""

    key: Key
    name: str = "sha256"
    salt_size: int | None = None
    tests: list[dict[str, object]] = field(default_factory=list)

    def put(self, flag: str, comment: str, signature: bytes, message: bytes = MESSAGE) -> None:
        """Put a test; what it should give is computed."""
        if self.salt_size is None:
            good = verify_pkcs1(self.key, message, signature, self.name)
        else:
            good = verify_pss(self.key, message, signature, self.name, self.salt_size)
        self.tests.append(
            {
                "comment": comment,
                "flags": [flag],
                "msg": message.hex(),
                "sig": signature.hex(),
                "result": "valid" if good else "invalid",
            }
        )

    def as_json(self) -> dict[str, object]:
        mask: dict[str, object] = {}
        if self.salt_size is not None:
            mask = {"mgf": "MGF1", "mgfSha": _spoken(self.name), "sLen": self.salt_size}
        return {
            "type": "RsassaPkcs1Verify" if self.salt_size is None else "RsassaPssVerify",
            "publicKey": {
                "modulus": self.key.n.to_bytes(self.key.size + 1, "big").hex(),
                "publicExponent": integer(self.key.e)[2:].hex(),
            },
            "publicKeyDer": spki(self.key).hex(),
            "keySize": self.key.n.bit_length(),
            "sha": _spoken(self.name),
            **mask,
            "tests": self.tests,
        }


def _spoken(name: str) -> str:
    return f"SHA-{name.removeprefix('sha')}"


# PKCS#1 v1.5


def pkcs1_groups() -> Iterator[Group]:
    yield pkcs1_group(KEYS[2048])
    yield sizes_group(KEYS[3072])
    yield sizes_group(KEYS[4096])
    yield cubic_group()


def sizes_group(key: Key) -> Group:
    """A longer key: valid signatures, and values of other sizes."""
    group = Group(key)
    for size in (0, 64, 1000):
        message = bytes(at % 251 for at in range(size))
        value = key.power(encode_pkcs1(message, key.size))
        group.put("Normal", f"message of {size} bytes", value, message)
    good = encode_pkcs1(MESSAGE, key.size)
    for flag, comment, value in numbers(key, key.power(good)):
        group.put(flag, comment, value)
    for flag, comment, encoded in paddings(good, key.size):
        if flag == "ShortPadding":
            group.put(flag, comment, key.power(encoded))
    return group


def pkcs1_group(key: Key) -> Group:
    """One ordinary key: valid signatures, and everything that can be wrong with one."""
    group = Group(key)
    for size in (0, 1, 20, 55, 64, 119, 1000):
        message = bytes(at % 251 for at in range(size))
        value = key.power(encode_pkcs1(message, key.size))
        group.put("Normal", f"message of {size} bytes", value, message)
    good = encode_pkcs1(MESSAGE, key.size)
    group.put("Normal", "base of what follows", key.power(good))
    for flag, comment, info in digest_infos():
        group.put(flag, comment, key.power(padded(info, key.size)))
    for flag, comment, encoded in paddings(good, key.size):
        group.put(flag, comment, key.power(encoded))
    for flag, comment, value in numbers(key, key.power(good)):
        group.put(flag, comment, value)
    group.put("WrongPrimitive", "PSS", key.power(encode_pss(MESSAGE, key, PSS())))
    return group


def digest_infos() -> Iterator[tuple[str, str, bytes]]:
    """Yield what may stand in place of DigestInfo."""
    oid, octets = OIDS["sha256"], tlv(4, DIGEST)
    algorithm = tlv(0x30, oid + NULL)
    body = algorithm + octets
    yield "MissingNull", "no parameters", digest_info("sha256", DIGEST, b"")
    yield "MissingNull", "NULL of length 1", digest_info("sha256", DIGEST, b"\x05\x01\x00")
    ber = "BerEncodedPadding"
    yield ber, "long form of the outer length", b"\x30\x81" + bytes((len(body),)) + body
    yield ber, "outer length of two octets", b"\x30\x82\x00" + bytes((len(body),)) + body
    yield ber, "indefinite outer length", b"\x30\x80" + body + bytes(2)
    yield ber, "long form of the algorithm", tlv(0x30, b"\x30\x81" + algorithm[1:] + octets)
    yield ber, "indefinite algorithm", tlv(0x30, b"\x30\x80" + oid + NULL + bytes(2) + octets)
    yield ber, "long form of NULL", digest_info("sha256", DIGEST, b"\x05\x81\x00")
    yield ber, "long form of the digest", tlv(0x30, algorithm + b"\x04\x81\x20" + DIGEST)
    yield ber, "constructed digest", tlv(0x30, algorithm + tlv(0x24, octets))
    bad = "InvalidAsnInPadding"
    yield bad, "garbage after NULL", digest_info("sha256", DIGEST, NULL + b"\x04\x02\xaa\xbb")
    yield bad, "garbage in NULL", digest_info("sha256", DIGEST, b"\x05\x04\xaa\xbb\xcc\xdd")
    yield bad, "garbage after the digest", tlv(0x30, body + b"\x04\x02\xaa\xbb")
    yield bad, "garbage after DigestInfo", INFO + b"\xaa\xbb"
    yield bad, "zeros after DigestInfo", INFO + bytes(2)
    yield bad, "empty sequence first", tlv(0x30, b"\x30\x00" + body)
    yield bad, "digest of 31 bytes", digest_info("sha256", DIGEST[:31])
    yield bad, "digest of 33 bytes", digest_info("sha256", DIGEST + b"\x00")
    yield bad, "empty digest", digest_info("sha256", b"")
    yield bad, "BIT STRING for the digest", tlv(0x30, algorithm + tlv(3, DIGEST))
    yield bad, "SET for the sequence", tlv(0x31, body)
    yield bad, "digest first", tlv(0x30, octets + algorithm)
    yield (
        bad,
        "identifier with a zero arc",
        tlv(0x30, tlv(0x30, tlv(6, OIDS["sha256"][2:] + b"\x00") + NULL) + octets),
    )
    yield bad, "an incomplete length", INFO[:1] + b"\x80" + INFO[2:]
    for name in ("md5", "sha1", "sha224", "sha384", "sha512"):
        digest = hashlib.new(name, MESSAGE, usedforsecurity=False).digest()
        yield "WrongHash", name, digest_info(name, digest)
    yield "WrongHash", "sm3", digest_info("sm3", hashlib.new("sm3", MESSAGE).digest())
    yield "WrongHash", "named sha512, digest of sha256", digest_info("sha512", DIGEST)
    yield "NoHash", "the bare digest", DIGEST
    yield "NoHash", "the message", MESSAGE
    yield "NoHash", "nothing", b""
    yield "NoHash", "the message in DigestInfo", digest_info("sha256", MESSAGE)


def paddings(good: bytes, size: int) -> Iterator[tuple[str, str, bytes]]:
    """Yield padded messages with other bytes around DigestInfo."""
    head, fill = size - len(INFO), size - 3 - len(INFO)
    bad = "InvalidPadding"
    yield bad, "block type 0", b"\x00\x00" + good[2:]
    yield bad, "block type 2", b"\x00\x02" + good[2:]
    yield bad, "block type 255", b"\x00\xff" + good[2:]
    yield bad, "first byte 1", b"\x01" + good[1:]
    yield bad, "padding of zeros", b"\x00\x01" + bytes(fill + 1) + INFO
    yield bad, "padding of 0xfe", b"\x00\x01" + b"\xfe" * fill + b"\x00" + INFO
    yield bad, "no separator", b"\x00\x01" + b"\xff" * (fill + 1) + INFO
    yield bad, "separator 1", b"\x00\x01" + b"\xff" * fill + b"\x01" + INFO
    yield bad, "two separators", b"\x00\x01" + b"\xff" * (fill - 1) + bytes(2) + INFO
    yield bad, "no padding at all", INFO.rjust(size, b"\x00")
    yield bad, "DigestInfo twice", b"\x00\x01" + b"\xff" * (fill - len(INFO)) + b"\x00" + INFO * 2
    for at in (0, 1, 2, 3, 10, head // 2, head - 2, head - 1, head, head + 1, size - 33, size - 1):
        changed = bytearray(good)
        changed[at] ^= 1
        yield "ModifiedPadding", f"byte {at} changed", bytes(changed)
    for length in (0, 1, 7, 8, 9, fill - 1):
        begin = b"\x00\x01" + b"\xff" * length + b"\x00" + INFO
        rest = size - len(begin)
        yield "ShortPadding", f"{length} bytes, zeros behind", begin + bytes(rest)
        yield "ShortPadding", f"{length} bytes, garbage behind", begin + b"\xaa" * rest
        inside = b"\x00\x01" + b"\xff" * length + b"\x00" + b"\xaa" * rest + INFO
        yield "ShortPadding", f"{length} bytes, garbage before DigestInfo", inside


def numbers(key: Key, good: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Yield special numbers, other lengths, and single bits changed."""
    n, size, value = key.n, key.size, int.from_bytes(good, "big")
    for name, number in {"0": 0, "1": 1, "2": 2, "n - 1": n - 1, "n": n, "n + 1": n + 1}.items():
        yield "InvalidSignature", f"the number {name}", number.to_bytes(size, "big")
    yield "InvalidSignature", "all ones", b"\xff" * size
    yield "InvalidSignature", "n - s", (n - value).to_bytes(size, "big")
    yield "InvalidSignature", "the padded message", encode_pkcs1(MESSAGE, size)
    yield "InvalidSignature", "empty", b""
    malleable = "SignatureMalleability"
    yield malleable, "leading zero", b"\x00" + good
    yield malleable, "trailing zero", good + b"\x00"
    yield malleable, "first byte cut", good[1:]
    yield malleable, "last byte cut", good[:-1]
    yield malleable, "twice", good + good
    yield malleable, "s + n", (value + n).to_bytes(size + 1, "big")
    yield malleable, "reversed", good[::-1]
    yield malleable, "in an OCTET STRING", tlv(4, good)
    for at in range(0, 8 * size, 8 * size // 24 + 1):
        changed = bytearray(good)
        changed[at // 8] ^= 1 << at % 8
        yield "ModifiedSignature", f"bit {at} flipped", bytes(changed)


def cubic_group() -> Group:
    """The exponent 3: right with its key, and roots that need no key."""
    key, group = CUBIC, Group(CUBIC)
    group.put("SmallPublicKey", "valid", key.power(encode_pkcs1(MESSAGE, key.size)))
    for length in (0, 1, 8, 28):
        begin = b"\x00\x01" + b"\xff" * length + b"\x00" + INFO
        target = int.from_bytes(begin + b"\xff" * (key.size - len(begin)), "big")
        root = cube_root(target)
        if not (root**3).to_bytes(key.size, "big").startswith(begin):
            raise ValueError("no root")
        comment = f"cube root, {length} bytes of padding, garbage behind"
        group.put("CubeRoot", comment, root.to_bytes(key.size, "big"))
    garbage = tlv(0x30, OIDS["sha256"] + b"\x05\x80")
    begin = b"\x00\x01" + b"\xff" * 8 + b"\x00\x30\xff" + garbage
    target = int.from_bytes(begin.ljust(key.size, b"\xff"), "big")
    group.put("CubeRoot", "garbage as parameters", cube_root(target).to_bytes(key.size, "big"))
    suffix = inverse_cube(int.from_bytes(b"\x00" + INFO, "big"), 8 * (len(INFO) + 1))
    if suffix is not None:
        group.put("CubeRoot", "right from behind", suffix.to_bytes(key.size, "big"))
    perfect = cube_root(1 << (8 * key.size - 16))
    group.put("CubeRoot", "a root without DigestInfo", perfect.to_bytes(key.size, "big"))
    for flag, comment, info in digest_infos():
        if flag in ("MissingNull", "InvalidAsnInPadding"):
            group.put(flag, comment, key.power(padded(info, key.size)))
    return group


def cube_root(value: int) -> int:
    """Return the largest number whose cube is not above ``value``."""
    low, high = 0, 1 << (value.bit_length() // 3 + 2)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**3 <= value else (low, middle)
    return low


def inverse_cube(value: int, bits: int) -> int | None:
    """Return a number whose cube ends in the bits of ``value``; None for an even one."""
    if value % 2 == 0:
        return None
    root = 1
    for bit in range(1, bits):
        if (root**3 ^ value) >> bit & 1:
            root |= 1 << bit
    return root


# PSS


def pss_groups() -> Iterator[Group]:
    yield pss_group(KEYS[2048], "sha256", 32)
    yield pss_group(KEYS[2048], "sha256", 0)
    yield pss_group(KEYS[3072], "sha384", 48)
    yield pss_group(KEYS[3072], "sha512", 64)
    yield pss_group(CUBIC, "sha256", 20)


def pss_group(key: Key, name: str, salt_size: int) -> Group:
    """One key, digest and length of salt: valid signatures, and what is wrong otherwise."""
    group = Group(key, name, salt_size)
    salt = bytes(range(100, 100 + salt_size))
    for size in (0, 1, 64, 1000):
        message = bytes(at % 251 for at in range(size))
        scheme = PSS(name=name, salt=salt)
        value = key.power(encode_pss(message, key, scheme))
        group.put("Normal", f"message of {size} bytes", value, message)
    if salt_size:
        scheme = PSS(name=name, salt=bytes(salt_size))
        group.put("Normal", "a salt of zeros", key.power(encode_pss(MESSAGE, key, scheme)))
    scheme = PSS(name=name, salt=salt)
    good = encode_pss(MESSAGE, key, scheme)
    group.put("Normal", "base of what follows", key.power(good))
    for flag, comment, other in schemes(name, salt):
        group.put(flag, comment, key.power(encode_pss(MESSAGE, key, other)))
    for at in (0, 1, key.size // 2, key.size - 40, key.size - 2, key.size - 1):
        changed = bytearray(good)
        changed[at] ^= 2
        group.put("ModifiedPadding", f"byte {at} changed", key.power(bytes(changed)))
    for flag, comment, value in numbers(key, key.power(good)):
        group.put(flag, comment, value)
    pkcs1 = encode_pkcs1(MESSAGE, key.size, name)
    group.put("WrongPrimitive", "PKCS#1 v1.5", key.power(pkcs1))
    return group


def schemes(name: str, salt: bytes) -> Iterator[tuple[str, str, PSS]]:
    """Yield parameters other than the ones agreed."""
    for size in sorted({0, 1, 20, 31, 32, 33, 48, 64} - {len(salt)}):
        yield "WrongSalt", f"salt of {size} bytes", PSS(name=name, salt=bytes(range(size)))
    for other in ("sha1", "sha256", "sha384", "sha512"):
        if other != name:
            yield "WrongMask", f"mask of {other}", PSS(name=name, mask_name=other, salt=salt)
            yield "WrongHash", f"digest {other}", PSS(name=other, salt=salt)
            yield (
                "WrongHash",
                f"digest {other}, mask {name}",
                PSS(name=other, mask_name=name, salt=salt),
            )
    bad = "InvalidPadding"
    yield bad, "trailer 0xcc", PSS(name=name, salt=salt, trailer=b"\xcc")
    yield bad, "trailer 0", PSS(name=name, salt=salt, trailer=b"\x00")
    yield bad, "lead 2", PSS(name=name, salt=salt, lead=b"\x02")
    yield bad, "lead 0", PSS(name=name, salt=salt, lead=b"\x00")
    yield bad, "garbage before the salt", PSS(name=name, salt=salt, lead=b"\xaa\x01")
    yield bad, "no zeros before the digest", PSS(name=name, salt=salt, zeros=b"")
    yield bad, "ones before the digest", PSS(name=name, salt=salt, zeros=b"\xff" * 8)


# Files


def make(which: str) -> str:
    """Return a whole file: ``pkcs1`` or ``pss``."""
    made = list(pkcs1_groups() if which == "pkcs1" else pss_groups())
    tests = [test for group in made for test in group.tests]
    for number, test in enumerate(tests, 1):
        test["tcId"] = number
    used = {flag for test in tests for flag in NOTES if flag in str(test["flags"])}
    document = {
        "algorithm": "RSASSA-PKCS1-v1_5" if which == "pkcs1" else "RSASSA-PSS",
        "header": ["Verification of RSA signatures (RFC 8017), own vectors."],
        "notes": {
            flag: {"bugType": kind, "description": text}
            for flag, (kind, text) in NOTES.items()
            if flag in used
        },
        "numberOfTests": len(tests),
        "testGroups": [group.as_json() for group in made],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for which, file in FILES.items():
        file.write_text(make(which), encoding="utf-8")
