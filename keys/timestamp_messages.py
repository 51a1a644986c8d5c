"""Time-stamp requests, answers, and what a token says: encode and read (RFC 3161, 2.4; GB/T 20520).

Tokens themselves are in ``keys.timestamp_tokens``; whether one may be believed is judged in
``keys.timestamps``.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from keys import der
from keys.algorithms import DIGEST_SIZE, OID_BY_DIGEST, DigestAlgorithm, digest_from_oid
from keys.der import Node
from keys.errors import TimestampRefused

MAX_MESSAGE_BYTES = 256 * 1024
MAX_NUMBER_BYTES = 40
"""Of serial numbers and nonces; RFC 3161 asks for 20 at least."""
_GRANTED = (0, 1)
"""granted, and granted with modifications."""
_TIME = re.compile(rb"(\d{14})(?:\.(\d{0,8}[1-9]))?Z")
"""GeneralizedTime as RFC 3161, 2.4.2 allows it: seconds, perhaps a fraction without end zeros."""


class Failure(IntEnum):
    """Bits of PKIFailureInfo (RFC 3161, 2.4.2)."""

    BAD_ALGORITHM = 0
    BAD_REQUEST = 2
    BAD_DATA_FORMAT = 5
    TIME_NOT_AVAILABLE = 14
    UNACCEPTED_POLICY = 15
    UNACCEPTED_EXTENSION = 16
    SYSTEM_FAILURE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Imprint:
    """The digest that is stamped."""

    algorithm: DigestAlgorithm
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampRequest:
    """What is asked of a time-stamp authority."""

    imprint: Imprint
    policy: str | None = None
    nonce: int | None = None
    wants_certificate: bool = True
    has_extensions: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TSTInfo:
    """What a time-stamp authority states."""

    policy: str
    imprint: Imprint
    serial: int
    gen_time: datetime
    accuracy: timedelta | None = None
    nonce: int | None = None
    has_unknown_critical: bool = False


# Requests


def encode_request(request: TimestampRequest) -> bytes:
    """Encode TimeStampReq."""
    return der.sequence(
        der.integer(1),
        _encode_imprint(request.imprint),
        der.oid(request.policy) if request.policy else b"",
        der.integer(request.nonce) if request.nonce is not None else b"",
        der.boolean(True) if request.wants_certificate else b"",
    )


def parse_request(data: bytes) -> TimestampRequest:
    """Read TimeStampReq.

    Raises ``MalformedCertificate``, and ``WeakAlgorithm`` or ``UnsupportedAlgorithm`` for the
    imprint.
    """
    fields = der.read_sequence(_read(data), at_least=2, at_most=6)
    _check_version(fields.pop(0))
    imprint = _read_imprint(fields.pop(0))
    policy = der.read_oid(fields.pop(0)) if _is_next(fields, der.OID) else None
    nonce = _read_number(fields.pop(0)) if _is_next(fields, der.INTEGER) else None
    wants = der.read_boolean(fields.pop(0)) if _is_next(fields, der.BOOLEAN) else False
    has_extensions = _is_next(fields, 0xA0)
    if len(fields) != has_extensions:
        raise der.malformed("timestamp-request")
    return TimestampRequest(
        imprint=imprint,
        policy=policy,
        nonce=nonce,
        wants_certificate=wants,
        has_extensions=has_extensions,
    )


# Answers


def encode_response(token: bytes) -> bytes:
    """Encode TimeStampResp that grants a token."""
    return der.sequence(der.sequence(der.integer(0)), token)


def encode_failure(failure: Failure) -> bytes:
    """Encode TimeStampResp that rejects a request."""
    return der.sequence(der.sequence(der.integer(2), der.bit_flags((failure,))))


def parse_response(data: bytes) -> bytes:
    """Return the token of an answer; raise ``TimestampRefused`` where none was granted."""
    fields = der.read_sequence(_read(data), at_least=1, at_most=2)
    status = der.read_integer(der.read_sequence(fields[0], at_least=1, at_most=3)[0])
    if status not in _GRANTED or len(fields) != 2:
        raise TimestampRefused("the authority refused", reason="not-granted", status=status)
    return fields[1].raw


# What a token says


def encode_tst_info(info: TSTInfo) -> bytes:
    """Encode TSTInfo; time in whole seconds, no authority name, no extensions."""
    accuracy = b""
    if info.accuracy is not None:
        accuracy = der.sequence(der.integer(int(info.accuracy.total_seconds())))
    return der.sequence(
        der.integer(1),
        der.oid(info.policy),
        _encode_imprint(info.imprint),
        der.integer(info.serial),
        der.generalized_time(info.gen_time),
        accuracy,
        der.integer(info.nonce) if info.nonce is not None else b"",
    )


def parse_tst_info(data: bytes) -> TSTInfo:
    """Read TSTInfo; raises as ``parse_request`` does."""
    fields = der.read_sequence(_read(data), at_least=5, at_most=10)
    _check_version(fields.pop(0))
    policy = der.read_oid(fields.pop(0))
    imprint = _read_imprint(fields.pop(0))
    serial = _read_number(fields.pop(0))
    gen_time = _read_time(fields.pop(0))
    accuracy = _read_accuracy(fields.pop(0)) if _is_next(fields, der.SEQUENCE) else None
    if _is_next(fields, der.BOOLEAN):
        der.read_boolean(fields.pop(0))
    nonce = _read_number(fields.pop(0)) if _is_next(fields, der.INTEGER) else None
    if _is_next(fields, 0xA0):
        fields.pop(0)
    has_unknown_critical = _is_next(fields, 0xA1) and _has_critical(fields.pop(0))
    if fields:
        raise der.malformed("tst-info")
    return TSTInfo(
        policy=policy,
        imprint=imprint,
        serial=serial,
        gen_time=gen_time,
        accuracy=accuracy,
        nonce=nonce,
        has_unknown_critical=has_unknown_critical,
    )


def check_answer(info: TSTInfo, request: TimestampRequest) -> None:
    """Raise ``TimestampRefused`` unless a token answers this very request (RFC 3161, 2.2)."""
    if info.imprint != request.imprint:
        raise TimestampRefused("another imprint", reason="imprint")
    if info.nonce != request.nonce:
        raise TimestampRefused("another nonce", reason="nonce")
    if request.policy is not None and info.policy != request.policy:
        raise TimestampRefused("another policy", reason="policy")


def read_digest_algorithm(found: Node) -> DigestAlgorithm:
    """Read AlgorithmIdentifier of a digest: parameters absent or NULL (RFC 5754, 2)."""
    fields = der.read_sequence(found, at_least=1, at_most=2)
    if len(fields) == 2 and fields[1].raw != der.null():
        raise der.malformed("digest-parameters", found.start)
    return digest_from_oid(der.read_oid(fields[0]))


def encode_digest_algorithm(algorithm: DigestAlgorithm) -> bytes:
    """Encode AlgorithmIdentifier of a digest without parameters."""
    return der.sequence(der.oid(OID_BY_DIGEST[algorithm]))


def _read(data: bytes) -> Node:
    if len(data) > MAX_MESSAGE_BYTES:
        raise der.malformed("limit")
    return der.read_der(data)


def _check_version(field: Node) -> None:
    if der.read_integer(der.expect(field, der.INTEGER)) != 1:
        raise der.malformed("version", field.start)


def _is_next(fields: list[Node], tag: int) -> bool:
    return bool(fields) and fields[0].tag == tag


def _read_number(field: Node) -> int:
    return der.read_integer(der.expect(field, der.INTEGER), max_bytes=MAX_NUMBER_BYTES)


def _encode_imprint(imprint: Imprint) -> bytes:
    algorithm = encode_digest_algorithm(imprint.algorithm)
    return der.sequence(algorithm, der.octet_string(imprint.value))


def _read_imprint(field: Node) -> Imprint:
    identifier, value = der.read_sequence(field, at_least=2, at_most=2)
    algorithm = read_digest_algorithm(identifier)
    found = der.read_octets(value)
    if len(found) != DIGEST_SIZE[algorithm]:
        raise der.malformed("imprint-size", value.start)
    return Imprint(algorithm=algorithm, value=found)


def _read_time(field: Node) -> datetime:
    match = _TIME.fullmatch(der.expect(field, der.GENERALIZED_TIME).content)
    if match is None:
        raise der.malformed("time", field.start)
    digits, fraction = match[1].decode(), (match[2] or b"").decode()
    try:
        at = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise der.malformed("time", field.start) from None
    return at + timedelta(microseconds=int(fraction[:6].ljust(6, "0")))


def _read_accuracy(field: Node) -> timedelta:
    """Read Accuracy: whole seconds, then millis [0] and micros [1] from 1 to 999."""
    units = {der.INTEGER: "seconds", 0x80: "milliseconds", 0x81: "microseconds"}
    total = timedelta()
    for part in der.read_sequence(field, at_most=3):
        unit = units.get(part.tag)
        if unit is None or not 1 <= len(part.content) <= 4:
            raise der.malformed("accuracy", part.start)
        total += timedelta(**{unit: int.from_bytes(part.content, "big")})
    return total


def _has_critical(field: Node) -> bool:
    """Tell whether any extension of [1] is critical: we know none."""
    for child in field.children():
        parts = der.read_sequence(child, at_least=2, at_most=3)
        if len(parts) == 3 and der.read_boolean(parts[1]):
            return True
    return False
