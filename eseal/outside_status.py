"""The status of outside certificates from OCSP responders, asked for in time and kept.

1. Asked is for each certificate that is not ended and names a responder on the list of hosts, half
   way before the kept answer ends. What was revoked for good is not asked for again.
2. An answer is checked before it is kept; one that is older than the kept one is refused.
3. A host that does not answer is left alone for a while, for all of its certificates; so is a
   certificate whose status the answer leaves open.

Judging takes what was kept and asks nobody (T-PKI-25).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from keys.certificates import Certificate
from keys.clients import OCSPClient
from keys.clock import Clock
from keys.crl import RevocationReason
from keys.errors import AddressRefused, ServiceError, StatusRolledBack, StatusUnknown
from keys.fetching import Fetcher
from keys.ocsp import SingleStatus, read_answer
from keys.outside import OutsideCertificates
from keys.revocation import RevocationEvidence
from seal_service.plumbing.logging import log_alarm, log_fact

Link = tuple[Certificate, Certificate]
"""A certificate and its issuer."""

RETRY = timedelta(minutes=10)
"""How long a host or a certificate is left alone after asking was in vain."""


class StatusUpkeep:
    """Keeps answers fresh in the folder of outside certificates."""

    def __init__(self, certificates: OutsideCertificates, fetcher: Fetcher, clock: Clock) -> None:
        self._certificates = certificates
        self._fetcher = fetcher
        self._client = OCSPClient(fetcher, clock)
        self._tried: dict[str, datetime] = {}
        """When a responder, or about a certificate, was asked last in vain."""

    def refresh(self, links: Iterable[Link], now: datetime) -> int:
        """Ask for what is due; return how many answers were kept."""
        return sum(self._refresh(*link, now) for link in links)

    def _refresh(self, certificate: Certificate, issuer: Certificate, now: datetime) -> bool:
        url = self._responder(certificate)
        known = self._certificates.answer(certificate, issuer)
        status = _read(known, certificate, issuer)
        is_ended = certificate.not_after < now
        if url is None or is_ended or not _is_due(status, now):
            return False
        if self._is_left_alone(url, now) or self._is_left_alone(certificate.fingerprint, now):
            return False
        try:
            usable = None if status is None else known
            answer = self._client.fetch(url, certificate, issuer, usable)
        except ServiceError as error:
            is_answered = isinstance(error, StatusUnknown | StatusRolledBack)
            self._tried[certificate.fingerprint if is_answered else url] = now
            reason = str(error.params.get("reason", error.code))
            log_alarm("outside_status_missing", serial=f"{certificate.serial:x}", reason=reason)
            return False
        self._certificates.keep_answer(certificate, issuer, answer)
        log_fact("outside_status_fetched", serial=f"{certificate.serial:x}")
        return True

    def _responder(self, certificate: Certificate) -> str | None:
        """Return the first address that may be asked (step 1)."""
        for url in certificate.ocsp_urls:
            try:
                self._fetcher.check(url)
            except AddressRefused:
                continue
            return url
        return None

    def _is_left_alone(self, what: str, now: datetime) -> bool:
        tried = self._tried.get(what)
        return tried is not None and now < tried + RETRY


def _read(
    known: bytes | None, certificate: Certificate, issuer: Certificate
) -> SingleStatus | None:
    """Return what a kept answer says; None where it cannot be read."""
    try:
        return None if known is None else read_answer(known, certificate, issuer)
    except ServiceError:
        return None


def _is_due(status: SingleStatus | None, now: datetime) -> bool:
    if status is None:
        return True
    revoked = status.revoked
    if revoked is not None and revoked.reason is not RevocationReason.CERTIFICATE_HOLD:
        return False
    ends_at = status.next_update or status.this_update + RevocationEvidence().max_age
    return now >= status.this_update + (ends_at - status.this_update) / 2
