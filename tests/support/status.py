"""Build revocation lists and OCSP responses; every default is good, every keyword is a flaw."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from keys import der
from keys.algorithms import KeyAlgorithm
from keys.certificates import Certificate
from keys.crl import RevokedEntry
from keys.errors import MalformedCertificate
from keys.ocsp import (
    OCSPPlan,
    RevokedInfo,
    SingleStatus,
    assemble_ocsp,
    certificate_id,
    encode_ocsp_tbs,
)
from keys.profiles import OCSP, Profile
from keys.revocation import CertificateStatus, RevocationEvidence, RevocationState, check_revocation
from keys.x509_building import (
    authority_key_id,
    extension,
    key_identifier,
    signature_algorithm,
)
from tests.support.pki import NOW, SM2, LeafSpec, leaf_key, make_leaf, shared_pki

HOUR = timedelta(hours=1)
RESPONDER = LeafSpec(profile=OCSP, name="测试状态响应者", serial=0x2001)


def issuer_of(algorithm: KeyAlgorithm = SM2) -> Certificate:
    """Return the issuing authority of every leaf."""
    return shared_pki().pki.certificate(f"{algorithm}-issuing-ca")


def raw_entry(entry: RevokedEntry, *extensions: bytes) -> bytes:
    """Encode an entry with whatever extensions."""
    listed = der.sequence(*extensions) if extensions else b""
    return der.sequence(der.integer(entry.serial), der.time(entry.revoked_at), listed)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSpec:
    """What a list contains; by default nobody is revoked."""

    algorithm: KeyAlgorithm = SM2
    entries: tuple[bytes, ...] = ()
    this_update: datetime = NOW - HOUR
    next_update: datetime | None = NOW + timedelta(days=7)
    number: int = 5
    extensions: tuple[bytes, ...] = ()
    issuer_der: bytes | None = None
    key_id: bytes | None = None
    signer: str = ""
    version: bytes = der.integer(1)
    outer_algorithm: bytes | None = None
    change: Callable[[bytes], bytes] = bytes


def make_list(spec: ListSpec | None = None) -> bytes:
    """Build a revocation list."""
    spec = spec or ListSpec()
    issuer = issuer_of(spec.algorithm)
    algorithm = signature_algorithm(spec.algorithm)
    tbs = der.sequence(
        spec.version,
        algorithm,
        spec.issuer_der or issuer.subject_der,
        der.time(spec.this_update),
        der.time(spec.next_update) if spec.next_update else b"",
        der.sequence(*spec.entries) if spec.entries else b"",
        der.explicit(
            0,
            der.sequence(
                authority_key_id(spec.key_id or key_identifier(issuer.public_key.spki)),
                extension("2.5.29.20", der.integer(spec.number)),
                *spec.extensions,
            ),
        ),
    )
    signer = spec.signer or f"{spec.algorithm}-issuing-ca"
    value = shared_pki().store.sign_with(signer, tbs)
    return spec.change(der.sequence(tbs, spec.outer_algorithm or algorithm, der.bit_string(value)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseSpec:
    """What a response says; by default a delegated responder says "good"."""

    algorithm: KeyAlgorithm = SM2
    certificate: Certificate | None = None
    revoked: RevokedInfo | None = None
    is_known: bool = True
    this_update: datetime = NOW - HOUR
    next_update: datetime | None = NOW + HOUR
    produced_at: datetime = NOW - HOUR
    nonce: bytes | None = None
    responder: Certificate | None = None
    embedded: tuple[bytes, ...] | None = None
    signer: str = ""
    copies: int = 1
    is_by_issuer: bool = False
    profile: Profile = OCSP
    change_tbs: Callable[[bytes], bytes] = bytes
    change: Callable[[bytes], bytes] = bytes


def make_response(spec: ResponseSpec | None = None) -> bytes:
    """Build an OCSP response."""
    spec = spec or ResponseSpec()
    issuer = issuer_of(spec.algorithm)
    certificate = spec.certificate or make_leaf(LeafSpec(algorithm=spec.algorithm))
    responder = spec.responder or (
        issuer
        if spec.is_by_issuer
        else make_leaf(
            LeafSpec(
                profile=spec.profile,
                name=RESPONDER.name,
                serial=RESPONDER.serial,
                algorithm=spec.algorithm,
            )
        )
    )
    signer = spec.signer or (
        f"{spec.algorithm}-issuing-ca" if spec.is_by_issuer else leaf_key(spec.algorithm)
    )
    status = SingleStatus(
        certificate_id=certificate_id(certificate, issuer),
        is_known=spec.is_known,
        revoked=spec.revoked,
        this_update=spec.this_update,
        next_update=spec.next_update,
    )
    plan = OCSPPlan(
        responder_spki=responder.public_key.spki,
        produced_at=spec.produced_at,
        statuses=(status,) * spec.copies,
        nonce=spec.nonce,
    )
    tbs = spec.change_tbs(encode_ocsp_tbs(plan))
    embedded = spec.embedded
    if embedded is None:
        embedded = () if spec.is_by_issuer else (responder.der,)
    value = shared_pki().store.sign_with(signer, tbs)
    return spec.change(assemble_ocsp(tbs, spec.algorithm, value, embedded))


def judge(
    *data: bytes,
    certificate: Certificate | None = None,
    now: datetime = NOW,
    at: datetime | None = None,
    evidence: RevocationEvidence | None = None,
) -> RevocationState:
    """Judge a leaf by lists and responses, told apart by their first field."""
    certificate = certificate or make_leaf()
    responses = tuple(one for one in data if der_head(one) == b"\x0a\x01")
    crls = tuple(one for one in data if one not in responses)
    found = replace(evidence or RevocationEvidence(), crls=crls, ocsp_responses=responses)
    issuer = issuer_of(certificate.public_key.algorithm)
    return check_revocation(certificate, issuer, found, at=at or now, now=now)


def der_head(data: bytes) -> bytes:
    try:
        return der.read_der(data).content[:2]
    except MalformedCertificate:
        return b""


def assert_unknown(state: RevocationState, reason: str) -> None:
    assert (state.status, state.reason) == (CertificateStatus.UNKNOWN, reason)
