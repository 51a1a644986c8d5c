"""SM2 spelt out once more, slowly and plainly, importing nothing of the product.

Makes vectors and checks the product from outside. Not for keys that matter: it is not constant
time, and its nonces are the caller's.
"""

import hashlib

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
DEFAULT_ID = b"1234567812345678"
Point = tuple[int, int] | None


def add(first: Point, second: Point) -> Point:
    if first is None or second is None:
        return first or second
    if first[0] == second[0]:
        if (first[1] + second[1]) % P == 0:
            return None
        slope = (3 * first[0] * first[0] + A) * pow(2 * first[1], -1, P) % P
    else:
        slope = (second[1] - first[1]) * pow(second[0] - first[0], -1, P) % P
    x = (slope * slope - first[0] - second[0]) % P
    return x, (slope * (first[0] - x) - first[1]) % P


def multiply(scalar: int, point: Point = G) -> Point:
    result: Point = None
    for bit in f"{scalar % N:b}":
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


def known(point: Point) -> tuple[int, int]:
    """Return a point that is known not to be infinity."""
    if point is None:
        raise ValueError("infinity")
    return point


def opposite(point: Point) -> Point:
    return None if point is None else (point[0], P - point[1])


def lift(x: int) -> Point:
    """Return a point with this x, or None where there is none."""
    square = (x * x * x + A * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    return (x, y) if y * y % P == square else None


def octets(value: int) -> bytes:
    return value.to_bytes(32, "big")


def sm3(data: bytes) -> bytes:
    return hashlib.new("sm3", data).digest()


def message_e(public: Point, message: bytes, user_id: bytes = DEFAULT_ID) -> int:
    """Return e = SM3(Z || message)."""
    numbers = (A, B, *G, *known(public))
    head = (8 * len(user_id)).to_bytes(2, "big") + user_id
    z = sm3(head + b"".join(octets(value) for value in numbers))
    return int.from_bytes(sm3(z + message), "big")


def sign(d: int, e: int, k: int) -> tuple[int, int]:
    """Sign e with nonce k (GB/T 32918.2, 6.1)."""
    r = (e + known(multiply(k))[0]) % N
    s = pow(1 + d, -1, N) * (k - r * d) % N
    return r, s


def verify(public: Point, e: int, r: int, s: int) -> bool:
    """Check (r, s) over e (GB/T 32918.2, 7.1): what the generator itself believes."""
    if not (0 < r < N and 0 < s < N) or (r + s) % N == 0:
        return False
    point = add(multiply(s), multiply(r + s, public))
    return point is not None and (e + point[0] - r) % N == 0


# Encoding, also of what is wrong


def tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes((size,)) if size < 0x80 else bytes((0x81, size))
    return bytes((tag,)) + length + content


def integer(value: int) -> bytes:
    size = (value + (value < 0)).bit_length() // 8 + 1
    return tlv(2, value.to_bytes(size, "big", signed=True))


def encode(r: int, s: int) -> bytes:
    return tlv(0x30, integer(r) + integer(s))
