"""The certificates of an installation, ours and imported, as an administrator looks at them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from eseal.outside import Outside
from keys.certificates import Certificate
from keys.clock import Clock
from keys.crl import CRL, RevocationReason, find_entry, parse_crl
from keys.errors import CertificateRefused
from keys.path import Usage
from keys.pki import PKI
from keys.pki_making import authority_names
from keys.profiles import SEAL_HOLDER, SEAL_MAKER, TSA, Profile

LEAST_DIGITS = 8
"""Of a number that is given by its beginning."""
KINDS: dict[str, tuple[Profile, Usage]] = {
    "seal-holder": (SEAL_HOLDER, Usage.SEAL_HOLDER),
    "seal-maker": (SEAL_MAKER, Usage.SEAL_MAKER),
    "timestamp": (TSA, Usage.TIMESTAMP),
}
"""What may be requested from an outside authority."""
REASONS = {
    reason.word: reason
    for reason in RevocationReason
    if reason not in (RevocationReason.REMOVE_FROM_CRL, RevocationReason.AA_COMPROMISE)
}
"""Why one of ours may be revoked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCertificate:
    """One certificate with where it comes from and how it stands."""

    certificate: Certificate
    source: str
    """``own``, or for which key it was imported."""
    state: str
    """``valid``, ``expired`` or ``revoked``; of an imported one only the period is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateShelf:
    """All certificates of an installation."""

    pki: PKI
    outside: Outside
    clock: Clock

    def now(self) -> datetime:
        """Return the present in whole seconds, as lists and certificates count."""
        return self.clock.now().replace(microsecond=0)

    def all(self) -> list[KeptCertificate]:
        """Return ours, the newest first, then the imported ones."""
        own = [(certificate, "own") for certificate in self.pki.issued()]
        chains = self.outside.certificates.all_chains()
        imported = [(chain.certificate, f"imported for {chain.key_name}") for chain in chains]
        lists = self._lists()
        return [self._of(certificate, source, lists) for certificate, source in [*own, *imported]]

    def of(self, certificate: Certificate, source: str) -> KeptCertificate:
        """Say how one certificate stands now."""
        return self._of(certificate, source, self._lists())

    def find(self, serial: str) -> KeptCertificate:
        """Find one by its number, hexadecimal, or by a beginning that only one has.

        Raises ``CertificateRefused`` (reason ``unknown``).
        """
        wanted = serial.lower().lstrip("0")
        found = [
            one
            for one in self.all()
            if f"{one.certificate.serial:x}".startswith(wanted) and len(wanted) >= LEAST_DIGITS
        ]
        exact = [one for one in found if f"{one.certificate.serial:x}" == wanted]
        found = exact or found
        if len(found) != 1:
            raise CertificateRefused(f"没有编号为 {serial} 的证书，或不止一张", reason="unknown")
        return found[0]

    def _lists(self) -> dict[bytes, CRL]:
        """Return our revocation lists by the name of their issuer."""
        return {
            self.pki.certificate(name).subject_der: parse_crl(self.pki.crl(name))
            for name in authority_names()
        }

    def _of(
        self, certificate: Certificate, source: str, lists: dict[bytes, CRL]
    ) -> KeptCertificate:
        crl = lists.get(certificate.issuer_der)
        if crl is not None and find_entry(crl, certificate.serial) is not None:
            state = "revoked"
        else:
            state = "expired" if certificate.not_after < self.now() else "valid"
        return KeptCertificate(certificate=certificate, source=source, state=state)


def certificate_to_wire(one: KeptCertificate) -> dict[str, object]:
    """Return what is told of a certificate, over HTTP and in a terminal alike."""
    certificate = one.certificate
    return {
        "serial": f"{certificate.serial:x}",
        "source": one.source,
        "name": certificate.common_name,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "organisation_code": certificate.organisation_code,
        "algorithm": str(certificate.public_key.algorithm),
        "not_before": instant_text(certificate.not_before),
        "not_after": instant_text(certificate.not_after),
        "state": one.state,
        "fingerprint_sm3": certificate.fingerprint,
    }


def instant_text(at: datetime) -> str:
    """Return an instant in UTC and whole seconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
