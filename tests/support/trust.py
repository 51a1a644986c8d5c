"""A small PKI in memory: SM2 and RSA roots, issuing authorities, and whoever they certify.

Keys follow from names, so certificates can be made again; the keywords are flaws. All names and
codes are invented.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from keys import tsa
from keys.algorithms import KeyAlgorithm
from keys.certificates import Certificate, parse_certificate
from keys.crl import CRLPlan, RevokedEntry, encode_crl_tbs
from keys.path import TrustStore
from keys.private_keys import PrivateKey, load_private_key
from keys.profiles import ISSUING_CA, ROOT, SEAL_HOLDER, SEAL_MAKER, TSA, Profile
from keys.revocation import RevocationEvidence
from keys.x509_building import (
    CertificatePlan,
    Subject,
    assemble_signed,
    encode_name,
    encode_tbs,
    key_identifier,
)
from tests.support.messages import rsa_key_der
from tests.support.seals import Party
from verifier.policy import DEFAULT_POLICY, Policy
from verifier.rules.chain import ChainEvidence

NOW = datetime(2026, 11, 24, 4, 0, 0, tzinfo=UTC)
AUTHORITY_CODE = "11320102MB9K00021D"
AUTHORITY_NAME = "金陵市云栖区行政审批局"
SM2, RSA = KeyAlgorithm.SM2, KeyAlgorithm.RSA
YEAR = timedelta(days=365)


@lru_cache(maxsize=64)
def make_key(name: str, algorithm: KeyAlgorithm = SM2) -> PrivateKey:
    """Make the key of a name."""
    if algorithm is SM2:
        return load_private_key(SM2, hashlib.sha256(f"trust {name}".encode()).digest())
    return load_private_key(RSA, rsa_key_der(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSpec:
    """One certificate; by default valid for a year before and two years after ``NOW``."""

    name: str
    profile: Profile
    issuer: str = ""
    """Empty: by itself."""
    algorithm: KeyAlgorithm = SM2
    organisation_code: str = ""
    not_before: datetime = NOW - YEAR
    not_after: datetime = NOW + 2 * YEAR
    serial: int | None = None


@lru_cache(maxsize=256)
def certify(spec: CertificateSpec) -> Certificate:
    """Make the certificate of a spec."""
    issuer_name = spec.issuer or spec.name
    issuer = make_key(issuer_name, spec.algorithm)
    key = make_key(spec.name, spec.algorithm)
    number = hashlib.sha256(f"{spec.name} {issuer_name} {spec.algorithm}".encode()).digest()[:12]
    plan = CertificatePlan(
        profile=spec.profile,
        serial=spec.serial or int.from_bytes(number, "big") + 1,
        issuer_der=encode_name(_subject(issuer_name)),
        subject_der=encode_name(_subject(spec.name, spec.organisation_code)),
        spki=key.public_key.spki,
        authority_key_id=key_identifier(issuer.public_key.spki),
        not_before=spec.not_before,
        not_after=spec.not_after,
        issuer_algorithm=spec.algorithm,
    )
    tbs = encode_tbs(plan)
    return parse_certificate(assemble_signed(tbs, spec.algorithm, issuer.sign(tbs)))


def _subject(name: str, code: str = "") -> Subject:
    return Subject(common_name=name, organisation=name, organisation_code=code)


ROOT_NAME, CA_NAME = "示例根证书", "示例签发机构"
MAKER_NAME, TSA_NAME = "示例市印章制作单位", "示例时间戳机构"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """One family of certificates: a root, an authority below it, and four parties."""

    algorithm: KeyAlgorithm = SM2
    root_name: str = ROOT_NAME

    def _name(self, name: str) -> str:
        return name if self.root_name == ROOT_NAME else f"{self.root_name} {name}"

    @property
    def root(self) -> Certificate:
        """Return the root."""
        name = self.root_name
        return certify(
            CertificateSpec(
                name=name, profile=ROOT, algorithm=self.algorithm, not_after=NOW + 9 * YEAR
            )
        )

    @property
    def authority(self) -> Certificate:
        """Return the issuing authority."""
        return certify(
            CertificateSpec(
                name=self._name(CA_NAME),
                profile=ISSUING_CA,
                issuer=self.root_name,
                algorithm=self.algorithm,
                not_after=NOW + 8 * YEAR,
            )
        )

    def party(self, name: str, kind: Profile, **changes: object) -> Party:
        """Certify somebody below the authority; keywords replace parts of the spec."""
        spec = CertificateSpec(
            name=self._name(name),
            profile=kind,
            issuer=self._name(CA_NAME),
            algorithm=self.algorithm,
        )
        spec = replace(spec, **changes)  # type: ignore[arg-type]  # a builder's keywords are flaws
        key = make_key(spec.name, spec.algorithm)
        return Party(certificate=certify(spec).der, sign=key.sign)

    def maker(self, **changes: object) -> Party:
        """Return the seal maker."""
        return self.party(MAKER_NAME, SEAL_MAKER, **changes)

    def holder(self, **changes: object) -> Party:
        """Return the seal holder, which is also a signer of documents."""
        changes.setdefault("organisation_code", AUTHORITY_CODE)
        return self.party(AUTHORITY_NAME, SEAL_HOLDER, **changes)

    def stamper(self, at: datetime = NOW, **changes: object) -> tsa.TSA:
        """Return a time-stamp authority whose clock stands at an instant."""
        party = self.party(TSA_NAME, TSA, **changes)
        return tsa.TSA(
            sign=party.sign,
            certificate=parse_certificate(party.certificate),
            chain=(self.authority.der,),
            clock=StandingClock(at),
            randomness=lambda length: b"\x01" * length,
        )

    def crl(
        self,
        revoked: Iterable[RevokedEntry] = (),
        *,
        of_root: bool = False,
        this_update: datetime = NOW - timedelta(hours=1),
        next_update: datetime = NOW + timedelta(days=7),
    ) -> bytes:
        """Publish the list of the authority, or of the root."""
        issuer = self.root if of_root else self.authority
        name = self.root_name if of_root else self._name(CA_NAME)
        tbs = encode_crl_tbs(
            CRLPlan(
                issuer_der=issuer.subject_der,
                authority_key_id=key_identifier(issuer.public_key.spki),
                number=7,
                this_update=this_update,
                next_update=next_update,
                entries=tuple(revoked),
                algorithm=self.algorithm,
            )
        )
        return assemble_signed(tbs, self.algorithm, make_key(name, self.algorithm).sign(tbs))


@dataclass(frozen=True, slots=True)
class StandingClock:
    """A clock that stands still."""

    at: datetime

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self.at


SM2_TRUST = Trust()
RSA_TRUST = Trust(algorithm=RSA)
STRANGER = Trust(root_name="陌生根证书")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSpec:
    """What a document is judged against; by default both families, nobody revoked."""

    families: tuple[Trust, ...] = (SM2_TRUST, RSA_TRUST)
    revoked: tuple[RevokedEntry, ...] = ()
    """By the SM2 authority."""
    crls: tuple[bytes, ...] | None = None
    now: datetime = NOW + timedelta(hours=1)
    policy: Policy = field(default_factory=lambda: DEFAULT_POLICY)


def make_evidence(spec: EvidenceSpec | None = None) -> ChainEvidence:
    """Make the evidence for judging chains."""
    spec = spec or EvidenceSpec()
    crls = spec.crls
    if crls is None:
        crls = tuple(
            crl
            for family in spec.families
            for crl in (
                family.crl(spec.revoked if family.algorithm is SM2 else ()),
                family.crl(of_root=True),
            )
        )
    return ChainEvidence(
        trust=TrustStore.of([family.root for family in spec.families]),
        intermediates=tuple(family.authority for family in spec.families),
        revocation=RevocationEvidence(crls=crls),
        now=spec.now,
        policy=spec.policy,
    )


def entry_for(party: Party, revoked_at: datetime, **changes: object) -> RevokedEntry:
    """Make the entry that revokes a party."""
    serial = parse_certificate(party.certificate).serial
    return replace(
        RevokedEntry(serial=serial, revoked_at=revoked_at),
        **changes,  # type: ignore[arg-type]
    )
