"""The product's own test PKI, made once per test process, and leaves below it with flaws.

``shared_pki`` is for reading and signing; a test that revokes or publishes takes ``copy_pki``.
Chains that are flawed in themselves are in ``tests.support.chains``.
"""

import atexit
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from keys.algorithms import KeyAlgorithm
from keys.certificates import Certificate, parse_certificate
from keys.crl import RevokedEntry
from keys.keystore import KeyStore
from keys.path import TrustStore
from keys.pki import PKI, load_pki, make_pki
from keys.profiles import SEAL_HOLDER, Profile
from keys.x509_building import (
    CertificatePlan,
    Subject,
    assemble_signed,
    encode_extensions,
    encode_name,
    encode_tbs,
    key_identifier,
)

NOW = datetime(2026, 11, 24, 4, 0, 0, tzinfo=UTC)
PASSPHRASE = b"pass-phrase of tests"
SM2, RSA = KeyAlgorithm.SM2, KeyAlgorithm.RSA
HOLDER_NAME = "示例市行政审批局"
HOLDER_CODE = "11320500014149587R"


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands still."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePKI:
    """A PKI with its key store, on disk."""

    folder: Path
    store: KeyStore
    pki: PKI

    @property
    def trust(self) -> TrustStore:
        return self.pki.trust

    def sign_as(self, key_name: str) -> Callable[[bytes], bytes]:
        """Return the means to sign with one key of the store."""
        return lambda message: self.store.sign_with(key_name, message)


@lru_cache(maxsize=1)
def shared_pki() -> MadePKI:
    """Make keys, certificates and lists as of ``NOW``; SM2 and RSA."""
    folder = Path(tempfile.mkdtemp(prefix="eseal-test-pki-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    store = KeyStore(folder / "keys", PASSPHRASE)
    return MadePKI(folder=folder, store=store, pki=make_pki(folder / "pki", store, NOW))


def copy_pki(folder: Path) -> MadePKI:
    """Copy the shared PKI, so that a test may change it."""
    for part in ("keys", "pki"):
        shutil.copytree(shared_pki().folder / part, folder / part)
    store = KeyStore(folder / "keys", PASSPHRASE)
    return MadePKI(folder=folder, store=store, pki=load_pki(folder / "pki", store))


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafSpec:
    """A certificate below the issuing authority; by default a good one of a seal holder."""

    profile: Profile = SEAL_HOLDER
    algorithm: KeyAlgorithm = SM2
    name: str = HOLDER_NAME
    code: str = HOLDER_CODE
    serial: int = 0x1001
    key_name: str = ""
    """Of the shared store; by default ``leaf_key``."""
    not_before: datetime = NOW - timedelta(days=30)
    not_after: datetime = NOW + timedelta(days=335)
    crl_url: str = ""
    """By default the address its issuer publishes at."""
    is_expired: bool = False
    is_not_yet_valid: bool = False
    is_signed_by_stranger: bool = False
    has_extensions: bool = True
    extra_extensions: tuple[bytes, ...] = ()
    change: Callable[[bytes], bytes] = bytes
    """Turns the finished certificate into what is handed out."""


@lru_cache(maxsize=128)
def make_leaf(spec: LeafSpec | None = None) -> Certificate:
    """Issue a leaf over the seal holder's key of the shared PKI."""
    spec = spec or LeafSpec()
    made = shared_pki()
    signer_name = f"{spec.algorithm}-{'tsa' if spec.is_signed_by_stranger else 'issuing-ca'}"
    issuer = made.pki.certificate(f"{spec.algorithm}-issuing-ca")
    not_before, not_after = spec.not_before, spec.not_after
    if spec.is_expired:
        not_before, not_after = NOW - timedelta(days=60), NOW - timedelta(days=1)
    if spec.is_not_yet_valid:
        not_before = NOW + timedelta(days=1)
    plan = CertificatePlan(
        profile=spec.profile,
        serial=spec.serial,
        issuer_der=issuer.subject_der,
        subject_der=encode_name(
            Subject(common_name=spec.name, organisation=spec.name, organisation_code=spec.code)
        ),
        spki=made.store.public_key(spec.key_name or leaf_key(spec.algorithm)).spki,
        authority_key_id=key_identifier(issuer.public_key.spki),
        not_before=not_before,
        not_after=not_after,
        issuer_algorithm=spec.algorithm,
        crl_urls=(spec.crl_url,)
        if spec.crl_url
        else made.pki.certificate(f"{spec.algorithm}-tsa").crl_urls,
    )
    usual = encode_extensions(plan) if spec.has_extensions else ()
    tbs = encode_tbs(plan, (*usual, *spec.extra_extensions))
    signed = assemble_signed(tbs, spec.algorithm, made.store.sign_with(signer_name, tbs))
    return parse_certificate(spec.change(signed))


def leaf_key(algorithm: KeyAlgorithm = SM2) -> str:
    """Return the name of the key under every leaf, made when first asked for."""
    name = f"leaf-{algorithm}"
    store = shared_pki().store
    if not store.has(name):
        store.generate(name, algorithm)
    return name


def revoke(certificate: Certificate, at: datetime = NOW, made: MadePKI | None = None) -> bytes:
    """Revoke a certificate; without a PKI of one's own only the list is returned."""
    entry = RevokedEntry(serial=certificate.serial, revoked_at=at)
    if made is not None:
        return made.pki.revoke(certificate, entry, now=at)
    folder = Path(tempfile.mkdtemp(prefix="eseal-test-revoke-"))
    try:
        return copy_pki(folder).pki.revoke(certificate, entry, now=at)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
