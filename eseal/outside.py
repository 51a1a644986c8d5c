"""What stands outside: authorities whose certificates we use, that stamp for us, that revoke.

Nothing here is needed in a trial. With the settings ``ESEAL_TSA_URL`` and the like, time stamps
come from an outside authority; what ``eseal ca import`` accepted takes the place of certificates of
the test PKI. Only sealing and maintenance connect (T-PKI-25); judging takes what lies in the
folder.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from eseal.installation import Installation
from eseal.outside_status import Link, StatusUpkeep
from eseal.settings import Settings
from keys.algorithms import DigestAlgorithm, KeyAlgorithm
from keys.certificates import Certificate
from keys.clients import CRLClient, TSAClient, TSAPlan
from keys.clock import Clock
from keys.crl import parse_crl
from keys.errors import ServiceError, TrustRefused
from keys.fetching import Fetcher, FetchRules
from keys.keystore import KeyMaker
from keys.outside import OUTSIDE_FOLDER, ImportedChain, OutsideCertificates
from keys.path import TrustStore
from keys.pki import PKI
from keys.public_files import load_trust
from seal_service.errors import TSAUnavailable
from seal_service.plumbing.logging import log_alarm, log_fact

RETRY = timedelta(minutes=10)
"""How long a host is left alone after it was asked for a list."""
_DIGESTS = {KeyAlgorithm.SM2: DigestAlgorithm.SM3, KeyAlgorithm.RSA: DigestAlgorithm.SHA256}


def read_hosts(setting: str) -> frozenset[str]:
    """Read a list of hosts, separated by commas or spaces."""
    return frozenset(setting.replace(",", " ").lower().split())


class Outside:
    """The outside authorities of one installation."""

    def __init__(self, settings: Settings, pki: PKI, store: KeyMaker, clock: Clock) -> None:
        """Read the roots; raises ``TrustRefused`` where they are not the pinned ones (T-PKI-33)."""
        self._settings = settings
        self._pki = pki
        self._clock = clock
        self.certificates = OutsideCertificates(
            settings.data_folder / "pki" / OUTSIDE_FOLDER, store
        )
        self.roots = _load_roots(settings)
        self.trust = TrustStore.of((*pki.trust.roots, *self.roots))
        """Our own roots and those of the configuration."""
        self._tried: dict[bytes, datetime] = {}
        """When the list of an issuer was asked for last."""
        self.fetcher = Fetcher(
            FetchRules(
                hosts=read_hosts(settings.outside_hosts),
                private_hosts=read_hosts(settings.outside_private_hosts),
            )
        )
        self._status = StatusUpkeep(self.certificates, self.fetcher, clock)

    # Time stamps

    def stamp(self, algorithm: KeyAlgorithm) -> Callable[[bytes], bytes]:
        """Return what stamps values: the outside authority that is configured, else our own.

        Raises ``AddressRefused`` at once where its address is not on the list. When it is down or
        its answer proves nothing, ``TSAUnavailable`` stops the sealing: there is no silent change
        to another authority (T-STO-15).
        """
        settings = self._settings
        url = settings.tsa_url if algorithm is KeyAlgorithm.SM2 else settings.tsa_rsa_url
        if not url:
            # Asked for with every stamp: its certificate may have been renewed.
            return lambda value: self._pki.tsa(algorithm, self._clock).stamp(value)
        plan = TSAPlan(url=url, digest_algorithm=_DIGESTS[algorithm], trust=self.trust)
        client = TSAClient(plan, self.fetcher, self._clock)

        def stamp(value: bytes) -> bytes:
            try:
                return client.stamp(value)
            except ServiceError as error:
                reason = str(error.params.get("reason", error.code))
                log_alarm("time_stamp_refused", code=error.code, reason=reason)
                raise TSAUnavailable(error.detail, reason=reason) from error

        return stamp

    # Certificates

    def current(self, key_name: str) -> ImportedChain | None:
        """Return the imported chain of a key that is valid now, the newest."""
        now = self._clock.now()
        return next(
            (
                chain
                for chain in self.certificates.chains(key_name)
                if chain.certificate.not_before <= now <= chain.certificate.not_after
            ),
            None,
        )

    def issuers(self) -> tuple[Certificate, ...]:
        """Return the issuing authorities of everything imported."""
        chains = self.certificates.all_chains()
        return tuple(dict.fromkeys(one for chain in chains for one in chain.issuers))

    # Revocation

    def lists_in_use(self) -> tuple[tuple[Certificate, bytes], ...]:
        """Return the lists of outside issuers as they lie in the folder."""
        found = ((issuer, self.certificates.crl(issuer)) for issuer, _ in self._lists())
        return tuple((issuer, crl) for issuer, crl in found if crl is not None)

    def crls(self) -> dict[bytes, bytes]:
        """Return the same by issuer (DER)."""
        return {issuer.der: crl for issuer, crl in self.lists_in_use()}

    def refresh_crls(self, now: datetime) -> int:
        """Fetch each outside list past half of its period; return how many came.

        One issuer that does not answer does not keep the others from being asked.
        """
        fetching = CRLClient(self.fetcher, self._clock)
        fetched = 0
        for issuer, url in self._lists():
            known = self.certificates.crl(issuer)
            is_tried = now < self._tried.get(issuer.der, now - RETRY) + RETRY
            if (known is not None and not _is_due(known, now)) or is_tried:
                continue
            self._tried[issuer.der] = now
            try:
                self.certificates.keep_crl(issuer, fetching.fetch(url, issuer, known))
            except ServiceError as error:
                reason = str(error.params.get("reason", error.code))
                log_alarm("outside_list_missing", issuer=issuer.common_name, reason=reason)
                continue
            log_fact("outside_list_fetched", issuer=issuer.common_name)
            fetched += 1
        return fetched

    def answers(self) -> dict[Link, bytes]:
        """Return the OCSP responses about imported certificates and their issuers, as kept."""
        found = {link: self.certificates.answer(*link) for link in self._links()}
        return {link: answer for link, answer in found.items() if answer is not None}

    def refresh_ocsp(self, now: datetime) -> int:
        """Ask responders for each status past half of its period; return how many came."""
        return self._status.refresh(self._links(), now)

    def _lists(self) -> tuple[tuple[Certificate, str], ...]:
        """Return every issuer of an imported chain with the address of its list."""
        found: dict[bytes, tuple[Certificate, str]] = {}
        for certificate, issuer in self._links():
            if certificate.crl_urls:
                found.setdefault(issuer.der, (issuer, certificate.crl_urls[0]))
        return tuple(found.values())

    def _links(self) -> tuple[Link, ...]:
        """Return every certificate of the imported chains with its issuer, each once."""
        roots = {root.subject_der: root for root in self.roots}
        found: dict[bytes, Link] = {}
        for chain in self.certificates.all_chains():
            links = (chain.certificate, *chain.issuers)
            for link, issuer in zip(links, (*chain.issuers, None), strict=True):
                above = issuer or roots.get(link.issuer_der)
                if above is not None:
                    found.setdefault(link.der, (link, above))
        return tuple(found.values())


def build_outside(installation: Installation, clock: Clock) -> Outside:
    """Build the outside authorities of an installation."""
    return Outside(installation.settings, installation.pki, installation.store, clock)


def _is_due(known: bytes, now: datetime) -> bool:
    try:
        crl = parse_crl(known)
    except ServiceError:
        return True
    if crl.next_update is None:
        return True
    return now >= crl.this_update + (crl.next_update - crl.this_update) / 2


def _load_roots(settings: Settings) -> tuple[Certificate, ...]:
    if settings.outside_roots is None:
        return ()
    if not settings.outside_roots_digest:
        raise TrustRefused("the digest of the file is not configured", reason="digest")
    return load_trust(settings.outside_roots, settings.outside_roots_digest).roots
