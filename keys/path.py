"""Build and check certificate chains at a given time, from what is handed in. Pure.

RFC 5280, 6.1; GB/T 20518. For one certificate:

1. Search issuers among the intermediates and the roots, by name; a signature that holds decides.
2. A chain is trusted when it ends in a configured root, byte for byte, of the algorithm of its
   leaf: SM2 roots for SM2 keys, RSA roots for RSA keys.
3. Check every certificate: validity, strength, critical extensions.
4. Check every issuer: CA, keyCertSign, path length; no second certificate under its serial number.
5. Check that the leaf may do what it is used for.

Every problem is reported, not the first alone. Revocation is ``keys.revocation``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from keys.algorithms import KeyAlgorithm
from keys.certificates import Certificate, parse_certificate
from keys.errors import ServiceError, WeakAlgorithm
from keys.extensions import OID_EXTENDED_KEY_USAGE, OID_OCSP_SIGNING, OID_TIME_STAMPING
from keys.public_key import WEAK_SIGNATURE_OIDS, verify_signature

MAX_CHAIN = 8
"""Certificates in a chain, leaf and root included."""
MAX_LINKS = 64
"""Signatures checked in one search: hostile files may bring many namesakes."""

_OTHER_PURPOSES = frozenset(
    {
        OID_TIME_STAMPING,
        OID_OCSP_SIGNING,
        "1.3.6.1.5.5.7.3.1",  # TLS server
        "1.3.6.1.5.5.7.3.3",  # code signing
    }
)
"""A certificate for nothing but these makes no seal and signs no document."""


class Usage(StrEnum):
    """What the leaf is used for."""

    SEAL_MAKER = "seal-maker"
    SEAL_HOLDER = "seal-holder"
    DOCUMENT_SIGNER = "document-signer"
    TIMESTAMP = "timestamp"
    OCSP = "ocsp"
    AUTHORITY = "authority"


class PathReason(StrEnum):
    """Why a chain is not good."""

    UNTRUSTED = "untrusted"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    KEY_USAGE = "key-usage"
    CHAIN = "chain"
    CHAIN_SIGNATURE = "chain-signature"
    WEAK_ALGORITHM = "weak-algorithm"
    UNKNOWN_CRITICAL = "unknown-critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathProblem:
    """One thing wrong with a chain."""

    reason: PathReason
    subject: str
    """Name of the certificate concerned, ready to be shown."""
    detail: str
    """Plain English for logs: which rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathReport:
    """A certificate, the chain found for it, and all that is wrong."""

    certificate: Certificate
    chain: tuple[Certificate, ...]
    """From the leaf to the root, as far as found."""
    problems: tuple[PathProblem, ...]

    @property
    def is_trusted(self) -> bool:
        """The chain ends in a configured root; other problems may remain."""
        return all(problem.reason is not PathReason.UNTRUSTED for problem in self.problems)

    @property
    def is_good(self) -> bool:
        """The chain ends in a configured root and nothing at all is wrong with it."""
        return not self.problems

    @property
    def issuer(self) -> Certificate | None:
        """The issuer of the leaf, where it was found."""
        return self.chain[1] if len(self.chain) > 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustStore:
    """The roots an operator trusts."""

    roots: tuple[Certificate, ...] = ()

    @classmethod
    def of(cls, certificates: Iterable[Certificate]) -> "TrustStore":
        """Trust these certificates, each once."""
        return cls(roots=_each_once(certificates))

    @property
    def sm2(self) -> tuple[Certificate, ...]:
        """Roots for SM2 chains."""
        return self.roots_for(KeyAlgorithm.SM2)

    @property
    def rsa(self) -> tuple[Certificate, ...]:
        """Roots for RSA chains."""
        return self.roots_for(KeyAlgorithm.RSA)

    def roots_for(self, algorithm: KeyAlgorithm) -> tuple[Certificate, ...]:
        """Return the roots that may end a chain of this algorithm (T-PKI-08)."""
        return tuple(root for root in self.roots if root.public_key.algorithm is algorithm)


def check_path(
    certificate: Certificate,
    *,
    usage: Usage,
    at: datetime,
    trust: TrustStore,
    intermediates: Iterable[Certificate] = (),
) -> PathReport:
    """Find the best chain of ``certificate`` and report all that is wrong with it at ``at``."""
    search = _Search(certificate, trust, _each_once(intermediates))
    reports = [
        PathReport(
            certificate=certificate,
            chain=chain,
            problems=(
                *search.problems_of(chain),
                *_check_certificates(chain, at, search.roots),
                *_check_issuers(chain),
                *_check_leaf(certificate, usage),
            ),
        )
        for chain in search.chains()
    ]
    return min(reports, key=_rank)


def _each_once(certificates: Iterable[Certificate]) -> tuple[Certificate, ...]:
    return tuple({one.der: one for one in certificates}.values())


def _rank(report: PathReport) -> tuple[bool, int, int]:
    """Put chains with a root first, then those with fewer problems, then the longest."""
    return not report.is_trusted, len(report.problems), -len(report.chain)


def _problem(reason: PathReason, certificate: Certificate, detail: str) -> PathProblem:
    return PathProblem(reason=reason, subject=certificate.subject, detail=detail)


# 1. and 2. Search


class _Link(StrEnum):
    """How a certificate relates to a possible issuer."""

    HOLDS = "holds"
    WEAK = "weak"
    BROKEN = "broken"


@lru_cache(maxsize=2048)
def _check_link(issuer_der: bytes, certificate_der: bytes) -> _Link:
    """Check one signature; the same two certificates need the curve arithmetic only once.

    The key of the cache is the whole of both certificates, so a changed byte is another question.
    """
    issuer, certificate = parse_certificate(issuer_der), parse_certificate(certificate_der)
    try:
        verify_signature(
            issuer.public_key,
            certificate.tbs_raw,
            certificate.signature,
            certificate.signature_oid,
            certificate.signature_parameters,
        )
    except WeakAlgorithm:
        return _Link.WEAK
    except ServiceError as error:
        if error.kind is error.kind.UNAVAILABLE:
            # An engine at fault says nothing about the certificate, and must not be remembered.
            raise
        return _Link.BROKEN
    return _Link.HOLDS


class _Search:
    """One search for chains above a leaf."""

    def __init__(
        self, leaf: Certificate, trust: TrustStore, intermediates: tuple[Certificate, ...]
    ) -> None:
        algorithm = leaf.public_key.algorithm
        self._leaf = leaf
        self.roots = frozenset(root.der for root in trust.roots_for(algorithm))
        self._pool = [
            *trust.roots_for(algorithm),
            *(one for one in intermediates if one.public_key.algorithm is algorithm),
        ]
        self._links_left = MAX_LINKS

    def chains(self) -> Iterator[tuple[Certificate, ...]]:
        """Yield every chain that cannot be made longer, at least the leaf alone."""
        yield from self._extend((self._leaf,))

    def _extend(self, chain: tuple[Certificate, ...]) -> Iterator[tuple[Certificate, ...]]:
        last = chain[-1]
        found = False
        if last.der not in self.roots and len(chain) < MAX_CHAIN:
            for issuer in self._candidates(chain):
                if self._link(issuer, last) is not _Link.BROKEN:
                    found = True
                    yield from self._extend((*chain, issuer))
        if not found:
            yield chain

    def _candidates(self, chain: tuple[Certificate, ...]) -> list[Certificate]:
        """Return those that bear the issuer's name and are not in the chain, best first."""
        last = chain[-1]
        used = {one.der for one in chain}
        named = [
            one
            for one in self._pool
            if (one.subject_der == last.issuer_der or one.subject == last.issuer)
            and one.der not in used
        ]
        return sorted(named, key=lambda one: not _has_key_id(one, last))

    def _link(self, issuer: Certificate, certificate: Certificate) -> _Link:
        if self._links_left == 0:
            return _Link.BROKEN
        self._links_left -= 1
        return _check_link(issuer.der, certificate.der)

    def problems_of(self, chain: tuple[Certificate, ...]) -> Iterator[PathProblem]:
        """Say why a chain ends before a root, and which serial numbers were given twice."""
        last = chain[-1]
        if last.der not in self.roots:
            yield _problem(PathReason.UNTRUSTED, last, "no configured root above it")
            if len(chain) == MAX_CHAIN:
                yield _problem(PathReason.CHAIN, last, "chain too long")
            elif self._is_disowned(chain):
                yield _problem(
                    PathReason.CHAIN_SIGNATURE, last, "its issuer's key does not verify it"
                )
        for certificate, issuer in pairwise(chain):
            if self._has_double(certificate, issuer):
                yield _problem(PathReason.CHAIN, certificate, "serial number given twice")

    def _is_disowned(self, chain: tuple[Certificate, ...]) -> bool:
        """Tell whether the very key that is named as the issuer's does not verify the last one.

        A namesake with another key, or one that signed itself, is merely somebody else (T-PKI-05).
        """
        last = chain[-1]
        if last.is_self_issued and self._link(last, last) is _Link.HOLDS:
            return False
        return any(
            _has_key_id(issuer, last) and self._link(issuer, last) is _Link.BROKEN
            for issuer in self._candidates(chain)
        )

    def _has_double(self, certificate: Certificate, issuer: Certificate) -> bool:
        """Look for another certificate with issuer and serial number of this one (T-PKI-09)."""
        return any(
            other.serial == certificate.serial
            and other.issuer_der == certificate.issuer_der
            and other.der != certificate.der
            and self._link(issuer, other) is _Link.HOLDS
            for other in self._pool
        )


def _has_key_id(issuer: Certificate, certificate: Certificate) -> bool:
    """Tell whether the key identifiers fit, or one of them is absent."""
    wanted = certificate.authority_key_id
    return wanted is None or issuer.subject_key_id in (None, wanted)


# 3. Every certificate


def _check_certificates(
    chain: tuple[Certificate, ...], at: datetime, roots: frozenset[bytes]
) -> Iterator[PathProblem]:
    for certificate in chain:
        if at < certificate.not_before:
            yield _problem(PathReason.NOT_YET_VALID, certificate, "before notBefore")
        if at > certificate.not_after:
            yield _problem(PathReason.EXPIRED, certificate, "after notAfter")
        weakness = certificate.public_key.weakness
        if weakness is not None:
            yield _problem(PathReason.WEAK_ALGORITHM, certificate, weakness)
        # Nobody relies on the signature of a configured root (T-PKI-06).
        if certificate.signature_oid in WEAK_SIGNATURE_OIDS and certificate.der not in roots:
            weakness = WEAK_SIGNATURE_OIDS[certificate.signature_oid]
            yield _problem(PathReason.WEAK_ALGORITHM, certificate, weakness)
        for oid in certificate.unknown_critical:
            yield _problem(PathReason.UNKNOWN_CRITICAL, certificate, f"critical extension {oid}")


# 4. Every issuer


def _check_issuers(chain: tuple[Certificate, ...]) -> Iterator[PathProblem]:
    below = 0
    for issuer in chain[1:]:
        if not issuer.is_ca:
            yield _problem(PathReason.CHAIN, issuer, "not a CA")
        if not _may(issuer, "key_cert_sign"):
            yield _problem(PathReason.CHAIN, issuer, "may not sign certificates")
        if issuer.path_length is not None and below > issuer.path_length:
            yield _problem(PathReason.CHAIN, issuer, "path length exceeded")
        # RFC 5280, 6.1.4 (l): a certificate of the same name does not count.
        below += not issuer.is_self_issued


def _may(certificate: Certificate, usage: str) -> bool:
    """Tell whether keyUsage allows it; without that extension everything is allowed."""
    return certificate.key_usage is None or usage in certificate.key_usage


# 5. The leaf


def _check_leaf(leaf: Certificate, usage: Usage) -> Iterator[PathProblem]:
    if usage is Usage.AUTHORITY:
        details = _authority_faults(leaf)
    elif usage is Usage.TIMESTAMP:
        details = _timestamp_faults(leaf)
    elif usage is Usage.OCSP:
        details = _ocsp_faults(leaf)
    else:
        details = _signer_faults(leaf)
    for detail in details:
        yield _problem(PathReason.KEY_USAGE, leaf, detail)


def _authority_faults(leaf: Certificate) -> Iterator[str]:
    if not leaf.is_ca:
        yield "not a CA"
    if not _may(leaf, "key_cert_sign"):
        yield "may not sign certificates"


def _signer_faults(leaf: Certificate) -> Iterator[str]:
    """Seal makers, seal holders and signers of documents (T-PKI-03, T-SES-42).

    The encryption half of a pair of certificates has neither usage. Absence of the extension is no
    permission here: every certificate of GB/T 20518 has it.
    """
    if leaf.is_ca:
        yield "a CA certificate signs no documents"
    if not {"digital_signature", "non_repudiation"} & (leaf.key_usage or frozenset()):
        yield "neither digitalSignature nor nonRepudiation"
    purposes = leaf.extended_key_usage
    if purposes is not None and purposes <= _OTHER_PURPOSES:
        yield "certified for another purpose only"


def _timestamp_faults(leaf: Certificate) -> Iterator[str]:
    """RFC 3161, 2.3: one purpose, critical."""
    if leaf.is_ca:
        yield "a CA certificate makes no time stamps"
    if leaf.extended_key_usage != frozenset({OID_TIME_STAMPING}):
        yield "timeStamping is not its only purpose"
    elif OID_EXTENDED_KEY_USAGE not in leaf.extensions.critical:
        yield "extended key usage is not critical"
    if not (_may(leaf, "digital_signature") or _may(leaf, "non_repudiation")):
        yield "neither digitalSignature nor nonRepudiation"


def _ocsp_faults(leaf: Certificate) -> Iterator[str]:
    """RFC 6960, 4.2.2.2: a responder that the CA has named."""
    if leaf.is_ca:
        yield "a CA certificate is no delegated responder"
    if OID_OCSP_SIGNING not in (leaf.extended_key_usage or frozenset()):
        yield "not certified for OCSP"
    if not (_may(leaf, "digital_signature") or _may(leaf, "non_repudiation")):
        yield "neither digitalSignature nor nonRepudiation"
