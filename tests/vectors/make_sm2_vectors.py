"""Make ``sm2_sm3_test.json``: SM2 verification vectors in the shape of Wycheproof.

The arithmetic (``tests.support.sm2_arithmetic``) imports nothing of the product. Nothing is random:
the same file comes out every time (``python -m tests.vectors.make_sm2_vectors``).

Two kinds of groups. ``Sm2Verify`` has a message; e follows from it, the key and the default ID.
``Sm2DigestVerify`` has e itself: only so can edge cases be reached, since Z binds e to the key.
With R = sG + tP and t = r + s any s and t may be chosen, then r = t - s and e = r - x(R).
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.sm2_arithmetic import (
    DEFAULT_ID,
    A,
    B,
    G,
    N,
    P,
    Point,
    add,
    encode,
    integer,
    known,
    lift,
    message_e,
    multiply,
    octets,
    opposite,
    sign,
    sm3,
    tlv,
    verify,
)

FILE = Path(__file__).with_name("sm2_sm3_test.json")

SPKI_PREFIX = "3059301306072a8648ce3d020106082a811ccf5501822d034200"

NOTES = {
    "ValidSignature": ("BASIC", "A pseudorandom signature, valid."),
    "ArithmeticError": ("EDGE_CASE", "A sum e + x wraps around, or x is not less than n."),
    "BerEncodedSignature": ("BER_ENCODING", "BER but not DER: two encodings of one signature."),
    "EdgeCasePublicKey": ("EDGE_CASE", "A public key with unusual coordinates or logarithm."),
    "EdgeCaseShamirMultiplication": ("EDGE_CASE", "Unusual scalars in sG + tP."),
    "IntegerOverflow": ("CAN_OF_WORMS", "An integer of more than 256 bits that fits modulo them."),
    "InvalidEncoding": ("CAN_OF_WORMS", "No encoding of a signature at all."),
    "InvalidSignature": ("AUTH_BYPASS", "Special values of r and s that no signer makes."),
    "InvalidTypesInSignature": ("AUTH_BYPASS", "r or s is of another ASN.1 type."),
    "MissingZero": ("LEGACY", "An INTEGER without its leading zero: negative when read strictly."),
    "ModifiedInteger": ("CAN_OF_WORMS", "r or s changed by a multiple of something."),
    "ModifiedSignature": ("AUTH_BYPASS", "One bit is another."),
    "ModularInverse": ("EDGE_CASE", "A key where the inverse of 1 + d is unusual."),
    "PointDuplication": ("EDGE_CASE", "sG and tP are equal or opposite."),
    "RangeCheck": ("CAN_OF_WORMS", "r or s out of 1 to n-1, though equal modulo n."),
    "SmallRandS": ("EDGE_CASE", "r or s is small."),
    "SpecialCaseHash": ("EDGE_CASE", "e is zero, close to n, above n, or has a pattern."),
    "WrongId": ("AUTH_BYPASS", "Right key and message, but Z of another ID (T-SES-14)."),
    "MissingZ": ("AUTH_BYPASS", "e is the bare digest of the message (T-SES-15)."),
    "OtherAlgorithm": ("AUTH_BYPASS", "ECDSA by the same key, or another digest (T-SES-17)."),
}


# Groups


def number(label: str) -> int:
    """Return a number from 1 to n-2 that follows from the label."""
    wide = hashlib.sha512(label.encode()).digest()
    return 1 + int.from_bytes(wide, "big") % (N - 2)


@dataclass
class Group:
    """Tests under one public key."""

    kind: str
    public: Point
    tests: list[dict[str, object]] = field(default_factory=list)

    def put(self, flag: str, comment: str, subject: bytes, signature: bytes, good: bool) -> None:
        name = "msg" if self.kind == "Sm2Verify" else "digest"
        self.tests.append(
            {
                "comment": comment,
                "flags": [flag],
                name: subject.hex(),
                "sig": signature.hex(),
                "result": "valid" if good else "invalid",
            }
        )

    def put_digest(self, flag: str, comment: str, e: int, r: int, s: int) -> None:
        """Put a test on e; what it should give is computed."""
        good = verify(self.public, e, r, s)
        self.put(flag, comment, octets(e), encode(r, s), good)

    def as_json(self) -> dict[str, object]:
        x, y = known(self.public)
        point = "04" + octets(x).hex() + octets(y).hex()
        return {
            "type": self.kind,
            "publicKey": {
                "type": "EcPublicKey",
                "curve": "sm2",
                "keySize": 256,
                "uncompressed": point,
                "wx": octets(x).hex(),
                "wy": octets(y).hex(),
            },
            "publicKeyDer": SPKI_PREFIX + point,
            "sha": "SM3",
            "id": DEFAULT_ID.hex(),
            "tests": self.tests,
        }


def groups() -> Iterator[Group]:
    yield standard_example()
    yield main_group()
    yield from inverse_groups()
    yield special_hashes()
    yield shamir_group()
    yield duplication_group()
    yield from small_groups()
    yield from large_x_groups()
    yield from edge_keys()


def standard_example() -> Group:
    """The example of GM/T 0003.5 on the recommended curve."""
    d = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
    k = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
    group = Group("Sm2Verify", multiply(d))
    message = b"message digest"
    r, s = sign(d, message_e(group.public, message), k)
    if r != 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3:
        raise ValueError("not the example of the standard")
    group.put("ValidSignature", "GM/T 0003.5, example", message, encode(r, s), True)
    group.put("InvalidSignature", "r and s exchanged", message, encode(s, r), False)
    return group


def main_group() -> Group:
    """One ordinary key: valid signatures, and everything that can be wrong with one."""
    d = number("main key")
    group = Group("Sm2Verify", multiply(d))
    for size in (0, 1, 3, 16, 31, 32, 55, 56, 63, 64, 65, 119, 128, 1000):
        message = bytes(at % 251 for at in range(size))
        r, s = sign(d, message_e(group.public, message), number(f"nonce {size}"))
        group.put("ValidSignature", f"message of {size} bytes", message, encode(r, s), True)
    message = b"123400"
    e = message_e(group.public, message)
    # Both numbers have their top bit set, so that every encoding flaw below shows.
    r, s = next(
        pair
        for pair in (sign(d, e, number(f"nonce {at}")) for at in range(100))
        if all(value >> 255 for value in pair)
    )
    group.put("ValidSignature", "base of what follows", message, encode(r, s), True)
    for flag, comment, signature in (*encodings(r, s), *values(r, s)):
        group.put(flag, comment, message, signature, False)
    for flag, comment, other in confusions(d, group.public, message):
        group.put(flag, comment, message, encode(*other), False)
    return group


def encodings(r: int, s: int) -> Iterator[tuple[str, str, bytes]]:
    """Yield encodings of a good pair that are not strict DER."""
    good, body, first, second = encode(r, s), integer(r) + integer(s), integer(r), integer(s)
    ber = "BerEncodedSignature"
    yield ber, "long form of the length", b"\x30\x81" + bytes((len(body),)) + body
    yield ber, "length of two octets", b"\x30\x82\x00" + bytes((len(body),)) + body
    yield ber, "indefinite length", b"\x30\x80" + body + b"\x00\x00"
    yield ber, "long form in r", tlv(0x30, b"\x02\x81" + first[1:] + second)
    yield ber, "long form in s", tlv(0x30, first + b"\x02\x81" + second[1:])
    yield ber, "leading zeros in r", tlv(0x30, tlv(2, b"\x00" + first[2:]) + second)
    yield ber, "leading zeros in s", tlv(0x30, first + tlv(2, b"\x00" + second[2:]))
    yield ber, "leading zeros in both", tlv(0x30, tlv(2, bytes(3) + octets(r)) + second)
    for name, pair in (
        ("r", tlv(2, octets(r)) + second),
        ("s", first + tlv(2, octets(s))),
        ("r and s", tlv(2, octets(r)) + tlv(2, octets(s))),
    ):
        yield "MissingZero", f"no leading zero in {name}", tlv(0x30, pair)
    bad = "InvalidEncoding"
    yield bad, "empty", b""
    yield bad, "empty sequence", b"\x30\x00"
    yield bad, "sequence of one", tlv(0x30, first)
    yield bad, "sequence of three", tlv(0x30, body + integer(1))
    yield bad, "NULL after s", tlv(0x30, body + b"\x05\x00")
    yield bad, "octets after the sequence", good + b"\x00"
    yield bad, "signature twice", good + good
    yield bad, "raw r and s", octets(r) + octets(s)
    yield bad, "raw r and s, 128 bytes", bytes(32) + octets(r) + bytes(32) + octets(s)
    yield bad, "text of the hex", good.hex().encode()
    yield bad, "one octet cut", good[:-1]
    yield bad, "half of it", good[: len(good) // 2]
    yield bad, "header alone", good[:2]
    yield bad, "length one too large", bytes((good[0], good[1] + 1)) + good[2:]
    yield bad, "length one too small", bytes((good[0], good[1] - 1)) + good[2:]
    yield bad, "SET in place of SEQUENCE", tlv(0x31, body)
    yield bad, "primitive SEQUENCE tag", tlv(0x10, body)
    yield bad, "nested sequence", tlv(0x30, good)
    yield bad, "OCTET STRING around it", tlv(4, good)
    yield bad, "length of r runs over s", tlv(0x30, b"\x02\x7f" + first[2:] + second)
    yield bad, "empty integer for r", tlv(0x30, b"\x02\x00" + second)
    yield bad, "empty integer for s", tlv(0x30, first + b"\x02\x00")
    wrong = "InvalidTypesInSignature"
    for name, tag in (
        ("BOOLEAN", 1),
        ("BIT STRING", 3),
        ("OCTET STRING", 4),
        ("OID", 6),
        ("REAL", 9),
        ("ENUMERATED", 10),
        ("UTF8String", 12),
        ("context 0", 0x80),
        ("constructed", 0x22),
    ):
        yield wrong, f"r is {name}", tlv(0x30, bytes((tag,)) + first[1:] + second)
        yield wrong, f"s is {name}", tlv(0x30, first + bytes((tag,)) + second[1:])
    yield wrong, "r is NULL", tlv(0x30, b"\x05\x00" + second)
    yield wrong, "s is a sequence", tlv(0x30, first + tlv(0x30, second))


def values(r: int, s: int) -> Iterator[tuple[str, str, bytes]]:
    """Yield pairs near a good one, and pairs that nobody makes."""
    for name, change in (("n", N), ("2^256", 1 << 256), ("p", P)):
        flag = "RangeCheck" if name == "n" else "IntegerOverflow"
        yield flag, f"r + {name}", encode(r + change, s)
        yield flag, f"s + {name}", encode(r, s + change)
    yield "RangeCheck", "r - n", encode(r - N, s)
    yield "RangeCheck", "s - n", encode(r, s - N)
    yield "RangeCheck", "-r", encode(-r, s)
    yield "RangeCheck", "-s", encode(r, -s)
    yield "IntegerOverflow", "r + 2^320", encode(r + (1 << 320), s)
    yield "IntegerOverflow", "s + 2^320", encode(r, s + (1 << 320))
    yield "IntegerOverflow", "r + 2^512", encode(r + (1 << 512), s)
    for name, other in (
        ("r + 1", (r + 1, s)),
        ("s + 1", (r, s + 1)),
        ("r - 1", (r - 1, s)),
        ("s - 1", (r, s - 1)),
        ("2r", (2 * r % N, s)),
        ("2s", (r, 2 * s % N)),
        ("n - r", (N - r, s)),
        ("n - s", (r, N - s)),
        ("n - r - s for s", (r, (N - r - s) % N)),
        ("both negated", (N - r, N - s)),
        ("r inverted", (pow(r, -1, N), s)),
        ("s inverted", (r, pow(s, -1, N))),
    ):
        yield "ModifiedInteger", name, encode(*other)
    special = {
        "0": 0,
        "1": 1,
        "-1": -1,
        "n": N,
        "n - 1": N - 1,
        "n + 1": N + 1,
        "p": P,
        "p + 1": P + 1,
    }
    for first, r_value in special.items():
        for second, s_value in special.items():
            yield "InvalidSignature", f"r = {first}, s = {second}", encode(r_value, s_value)
    for name, value in special.items():
        yield "InvalidSignature", f"r = {name}", encode(value, s)
        yield "InvalidSignature", f"s = {name}", encode(r, value)
    yield "InvalidSignature", "s = n - r", encode(r, N - r)
    yield "InvalidSignature", "r = n - s", encode(N - s, s)
    yield "InvalidSignature", "r and s exchanged", encode(s, r)
    good = encode(r, s)
    for at in range(0, 8 * len(good), 37):
        changed = bytearray(good)
        changed[at // 8] ^= 1 << at % 8
        yield "ModifiedSignature", f"bit {at} flipped", bytes(changed)


def confusions(d: int, public: Point, message: bytes) -> Iterator[tuple[str, str, tuple[int, int]]]:
    """Yield signatures that are right for something else."""
    k = number("nonce of confusions")
    for name, user_id in (
        ("empty", b""),
        ("ALICE123@YAHOO.COM", b"ALICE123@YAHOO.COM"),
        ("31 bytes", b"1234567812345678123456781234567"),
        ("default ID and a zero", DEFAULT_ID + b"\x00"),
        ("default ID reversed", DEFAULT_ID[::-1]),
        ("an organisation", "示例市行政审批局".encode()),
    ):
        yield "WrongId", f"ID: {name}", sign(d, message_e(public, message, user_id), k)
    x, y = known(public)
    no_length = sm3(DEFAULT_ID + b"".join(map(octets, (A, B, *G, x, y))))
    e = int.from_bytes(sm3(no_length + message), "big")
    yield "WrongId", "Z without the length of the ID", sign(d, e, k)
    bare = int.from_bytes(sm3(message), "big")
    yield "MissingZ", "e = SM3(M)", sign(d, bare, k)
    double = int.from_bytes(sm3(octets(message_e(public, message))), "big")
    yield "MissingZ", "e digested once more", sign(d, double, k)
    sha = int.from_bytes(hashlib.sha256(message).digest(), "big")
    yield "OtherAlgorithm", "e = SHA-256(M)", sign(d, sha, k)
    for name, digest in (("SM3(M)", bare), ("e", message_e(public, message)), ("SHA-256(M)", sha)):
        r = known(multiply(k))[0] % N
        s = pow(k, -1, N) * (digest + r * d) % N
        yield "OtherAlgorithm", f"ECDSA over {name}", (r, s)


def inverse_groups() -> Iterator[Group]:
    """Keys at the ends of the range, and where 1 + d or its inverse is small."""
    for name, d in (
        ("d = 1", 1),
        ("d = 2", 2),
        ("d = n - 2", N - 2),
        ("d = n - 3", N - 3),
        ("1 + d = (n + 1) / 2", (N + 1) // 2 - 1),
        ("inverse of 1 + d is 3", pow(3, -1, N) - 1),
        ("1 + d = 2^128", (1 << 128) - 1),
    ):
        group = Group("Sm2Verify", multiply(d))
        message = name.encode()
        r, s = sign(d, message_e(group.public, message), number(name))
        group.put("ModularInverse", name, message, encode(r, s), True)
        group.put("ModifiedSignature", f"{name}, s + 1", message, encode(r, (s + 1) % N), False)
        yield group


def special_hashes() -> Group:
    d = number("hash key")
    group = Group("Sm2DigestVerify", multiply(d))
    top = (1 << 256) - 1
    for name, e in {
        "0": 0,
        "1": 1,
        "2^256 - 1": top,
        "n": N,
        "n - 1": N - 1,
        "n + 1": N + 1,
        "p": P,
        "p - 1": P - 1,
        "2^255": 1 << 255,
        "2^128": 1 << 128,
        "2^32": 1 << 32,
        "2n mod 2^256": 2 * N & top,
        "leading zeros": number("e") >> 100,
        "trailing zeros": number("e") >> 100 << 100,
        "words of ones": int("ffffffff00000000" * 4, 16),
        "words of zeros": int("00000000ffffffff" * 4, 16),
    }.items():
        r, s = sign(d, e % N, number(f"hash {name}"))
        group.put_digest("SpecialCaseHash", f"e = {name}", e, r, s)
        group.put_digest("SpecialCaseHash", f"e = {name}, one bit off", e ^ 1, r, s)
    return group


def shamir_group() -> Group:
    """Scalars s and t with patterns that trip up simultaneous multiplication."""
    group = Group("Sm2DigestVerify", multiply(number("shamir key")))
    patterns = {
        "1": 1,
        "2": 2,
        "3": 3,
        "2^32": 1 << 32,
        "2^64 - 1": (1 << 64) - 1,
        "2^128": 1 << 128,
        "2^255": 1 << 255,
        "n - 1": N - 1,
        "n - 2": N - 2,
        "(n - 1) / 2": (N - 1) // 2,
        "ones": int("55" * 32, 16),
        "nibbles": int("f0" * 31, 16),
        "zeros inside": (1 << 254) + 1,
    }
    names = list(patterns)
    for at, first in enumerate(names):
        for second in (names[(at + 1) % len(names)], names[(at + 5) % len(names)]):
            s, t = patterns[first], patterns[second]
            r = (t - s) % N
            x = known(add(multiply(s), multiply(t, group.public)))[0]
            comment = f"s = {first}, t = {second}"
            group.put_digest("EdgeCaseShamirMultiplication", comment, (r - x) % N, r, s)
    return group


def duplication_group() -> Group:
    """The sum of sG and tP is a doubling, or infinity."""
    d = number("duplication key")
    group = Group("Sm2DigestVerify", multiply(d))
    for at in range(4):
        s = number(f"duplication {at}")
        t = s * pow(d, -1, N) % N
        r = (t - s) % N
        e = (r - known(multiply(2 * s))[0]) % N
        group.put_digest("PointDuplication", "sG = tP", e, r, s)
        group.put_digest("PointDuplication", "sG = tP, taken for infinity", r, r, s)
        r = (-t - s) % N
        group.put_digest("PointDuplication", "sG = -tP, e = r", r, r, s)
        group.put_digest(
            "PointDuplication", "sG = -tP, x of sG", (r - known(multiply(s))[0]) % N, r, s
        )
    return group


def small_groups() -> Iterator[Group]:
    """Small r and s, under keys made for them."""
    for r, s in (
        (1, 1),
        (1, 2),
        (2, 1),
        (3, 1),
        (1, 1 << 31),
        (1 << 64, 3),
        (127, 128),
        (255, 256),
        (N - 1, 2),
        (2, N - 1),
        (N - 2, 1),
        (1, N - 2),
    ):
        label = f"r = {r:x}, s = {s:x}"
        yield solved("SmallRandS", label, r, s, known(multiply(number(label))))


def solved(flag: str, comment: str, r: int, s: int, target: tuple[int, int]) -> Group:
    """Return a group under the key with which sG + (r+s)P is ``target``."""
    difference = add(target, opposite(multiply(s)))
    group = Group("Sm2DigestVerify", multiply(pow(r + s, -1, N), difference))
    e = (r - target[0]) % N
    group.put_digest(flag, comment, e, r, s)
    group.put_digest(flag, f"{comment}, e + 1", (e + 1) % N, r, s)
    return group


def large_x_groups() -> Iterator[Group]:
    """The x of sG + tP is between n and p, so it is reduced before it is compared."""
    found = [point for point in (lift(N + at) for at in range(12)) if point is not None][:3]
    found += [point for point in (lift(P - 1 - at) for at in range(12)) if point is not None][:2]
    for point in found:
        label = f"x = {point[0]:x}"
        r, s = number(f"r {label}"), number(f"s {label}")
        group = solved("ArithmeticError", label, r, s, point)
        e = r - point[0]
        while e < 0:
            e += N
        if e + N < 1 << 256:
            group.put_digest("ArithmeticError", f"{label}, e + n", e + N, r, s)
        yield group


def edge_keys() -> Iterator[Group]:
    """Keys with unusual coordinates; most of their logarithms nobody knows."""
    keys: dict[str, Point] = {
        "G": G,
        "-G": opposite(G),
        "2G": multiply(2),
        "G/2": multiply(pow(2, -1, N)),
        "x = 0": lift(0),
        "x begins with zeros": next(filter(None, map(lift, range(1, 100)))),
        "x begins with 04": next(filter(None, (lift((4 << 248) + at) for at in range(100)))),
        "x is close to p": next(filter(None, (lift(P - 1 - at) for at in range(100)))),
        "x has a word of zeros": next(filter(None, (lift((1 << 255) + at) for at in range(100)))),
    }
    for name, public in keys.items():
        if public is None:
            continue
        for suffix, key in (("", public), (", other y", opposite(public))):
            group = Group("Sm2DigestVerify", key)
            s, t = number(f"s {name}"), number(f"t {name}")
            x = known(add(multiply(s), multiply(t, key)))[0]
            r = (t - s) % N
            group.put_digest("EdgeCasePublicKey", name + suffix, (r - x) % N, r, s)
            group.put_digest("EdgeCasePublicKey", f"{name}{suffix}, s + 1", (r - x) % N, r, s + 1)
            yield group


def make() -> str:
    """Return the whole file."""
    made = [group.as_json() for group in groups()]
    number_of_tests = 0
    for group in made:
        tests = group["tests"]
        if not isinstance(tests, list):
            raise TypeError
        for test in tests:
            number_of_tests += 1
            test["tcId"] = number_of_tests
    document = {
        "algorithm": "SM2",
        "header": ["Signature verification on the curve of GB/T 32918.5 with SM3, own vectors."],
        "notes": {
            flag: {"bugType": kind, "description": text} for flag, (kind, text) in NOTES.items()
        },
        "numberOfTests": number_of_tests,
        "testGroups": made,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(make(), encoding="utf-8")
