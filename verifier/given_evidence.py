"""Evidence that comes with a request: anchors, intermediates, revocation data, policy, instant.

Files as they stand on a disk, PEM or DER, SM2 or RSA. Each is read in full before anything is
judged: one that is not what it should be is refused by name, since a list that is silently left out
would only show as "status unknown". Nothing is ever fetched.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from keys.certificates import Certificate, parse_certificates
from keys.crl import parse_crl, read_crl_file
from keys.errors import Kind, MalformedCertificate, ServiceError
from keys.ocsp import parse_ocsp
from keys.path import TrustStore
from keys.revocation import RevocationEvidence
from verifier.policy import DEFAULT_POLICY, Policy, PolicyRefused, parse_policy
from verifier.rules.chain import ChainEvidence
from verifier.verdict import InstantSource

MOST_FILES = 64
"""Of one kind."""
LARGEST_POLICY = 16 * 1024
_PEM_RESPONSE = re.compile(
    rb"\s*-----BEGIN OCSP RESPONSE-----([A-Za-z0-9+/=\s]*)-----END OCSP RESPONSE-----\s*"
)
T = TypeVar("T")


class EvidenceRefused(ServiceError):
    """A piece of evidence is not what it should be; ``part`` and ``file`` name it."""

    code = "evidence-refused"
    kind = Kind.INVALID
    title = "所给的核验依据无法使用"
    title_en = "The evidence given cannot be used"
    advice = "请检查所指文件：证书、吊销列表与状态应答须为 PEM 或 DER 格式，且未损坏。"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFile:
    """One file: what to call it, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenEvidence:
    """Everything that may be given; without anchors nothing can be trusted."""

    trust: tuple[GivenFile, ...] = ()
    intermediates: tuple[GivenFile, ...] = ()
    crls: tuple[GivenFile, ...] = ()
    ocsp_responses: tuple[GivenFile, ...] = ()
    policy: GivenFile | None = None
    at: datetime | None = None
    """Aware: judge as of this instant instead of now."""

    @property
    def is_any(self) -> bool:
        """Tell whether anything was given."""
        lists = (self.trust, self.intermediates, self.crls, self.ocsp_responses)
        return any(lists) or self.policy is not None or self.at is not None


def read_evidence(given: GivenEvidence, *, now: datetime) -> ChainEvidence:
    """Read what was given; SM2 and RSA anchors may come in one list, they are kept apart by key.

    Raises ``EvidenceRefused`` or ``PolicyRefused``.
    """
    return ChainEvidence(
        trust=TrustStore.of(_certificates("trust", given.trust)),
        intermediates=tuple(_certificates("intermediates", given.intermediates)),
        revocation=RevocationEvidence(
            crls=_read_each("crls", given.crls, _read_crl),
            ocsp_responses=_read_each("ocsp_responses", given.ocsp_responses, _read_response),
        ),
        policy=_policy(given.policy),
        now=given.at or now,
        now_source=InstantSource.CLOCK if given.at is None else InstantSource.GIVEN,
    )


def _certificates(part: str, files: tuple[GivenFile, ...]) -> Iterable[Certificate]:
    for certificates in _read_each(part, files, parse_certificates):
        yield from certificates


def _read_each(
    part: str, files: tuple[GivenFile, ...], read: Callable[[bytes], T]
) -> tuple[T, ...]:
    if len(files) > MOST_FILES:
        raise EvidenceRefused("too many files", part=part, reason="too-many")
    found = []
    for file in files:
        try:
            found.append(read(file.data))
        except ServiceError as error:
            raise EvidenceRefused(
                f"{file.name}: {error.detail}", part=part, file=file.name, reason=error.code
            ) from error
    return tuple(found)


def _read_crl(data: bytes) -> bytes:
    crl = read_crl_file(data)
    parse_crl(crl)
    return crl


def _read_response(data: bytes) -> bytes:
    response = data
    if data.lstrip().startswith(b"-----BEGIN"):
        block = _PEM_RESPONSE.fullmatch(data)
        if block is None:
            raise MalformedCertificate("one OCSP response is due", reason="pem")
        try:
            response = base64.b64decode(b"".join(block[1].split()), validate=True)
        except binascii.Error:
            raise MalformedCertificate("no base64", reason="pem") from None
    parse_ocsp(response)
    return response


def _policy(file: GivenFile | None) -> Policy:
    if file is None:
        return DEFAULT_POLICY
    if len(file.data) > LARGEST_POLICY:
        raise PolicyRefused("too long", reason="too-long")
    try:
        return parse_policy(file.data.decode("utf-8"))
    except UnicodeDecodeError:
        raise PolicyRefused("not UTF-8", reason="encoding") from None
