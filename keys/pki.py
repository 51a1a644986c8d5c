"""The test PKI: SM2 and RSA roots, issuing authorities, seal maker, seal holders, time stamps, log.

For demonstrations and closed deployments; every name wears 测试. Private keys are in the key store
alone. The folder holds what anyone may read:

    certificates/NAME.pem   holders/CODE-ALGORITHM.pem   issued/NUMBER.pem
    crls/NAME.crl   trust.pem

``trust.pem`` is written last: a folder without it is no PKI and may be made again. Reading back,
every certificate must belong to its key in the store (T-KEY-04), so no other root can slip in.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from keys.algorithms import KeyAlgorithm, sm3
from keys.authority import Authority, Randomness
from keys.certificates import Certificate
from keys.clock import Clock
from keys.crl import RevokedEntry, parse_crl
from keys.errors import IssuingRefused, TrustRefused
from keys.issued import find_issued, list_in_use, list_issued
from keys.issuing import IssuingDesk
from keys.keystore import KeyMaker
from keys.path import TrustStore
from keys.pki_making import (
    DEFAULT_URL,
    LEAVES,
    LOG_KEY,
    SEAL_MAKER_KEY,
    Making,
    authority_access,
    authority_names,
    certificate_path,
    crl_path,
    crl_validity,
    make_branch,
    ocsp_key_name,
    verifier_key_name,
)
from keys.public_files import load_trust, locked, read_certificate, write_file, write_trust
from keys.seal_holders import Holder, SealHolders, holder_key_name
from keys.service_certificates import ServiceCertificates
from keys.tsa import TSA

__all__ = [
    "DEFAULT_URL",
    "LOG_KEY",
    "PKI",
    "SEAL_MAKER_KEY",
    "holder_key_name",
    "load_pki",
    "make_pki",
    "trust_digest_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Branch:
    """The authorities of one algorithm."""

    root: Authority
    issuing: Authority


class PKI:
    """A PKI that is made: issues to seal holders, stamps, revokes, publishes."""

    def __init__(self, folder: Path, signer: KeyMaker, *, randomness: Randomness) -> None:
        """Read the folder; raise ``TrustRefused`` or ``IssuingRefused`` where it does not fit."""
        self._folder = folder
        self._signer = signer
        self._randomness = randomness
        self._authorities = {
            name: read_certificate(certificate_path(folder, name)) for name in authority_names()
        }
        self._branches = {algorithm: self._branch(algorithm) for algorithm in KeyAlgorithm}
        issuing = {algorithm: branch.issuing for algorithm, branch in self._branches.items()}
        desk = IssuingDesk(folder, signer, issuing)
        self._services, self._holders = ServiceCertificates(desk), SealHolders(desk)
        for name, _, _ in LEAVES:
            self._services.current(name)
        self.trust = TrustStore.of(branch.root.certificate for branch in self._branches.values())
        """The two roots, SM2 and RSA."""
        self.intermediates = tuple(branch.issuing.certificate for branch in self._branches.values())
        """The two issuing authorities."""

    def _branch(self, algorithm: KeyAlgorithm) -> _Branch:
        return _Branch(
            root=self._authority(f"{algorithm}-root"),
            issuing=self._authority(f"{algorithm}-issuing-ca"),
        )

    def _authority(self, name: str) -> Authority:
        """Take an authority; where it publishes follows from its own certificate."""
        certificate = self._authorities[name]
        if len(certificate.crl_urls) != 1:
            raise TrustRefused("no place of publication", reason="certificate-file", file=name)
        folder_url = certificate.crl_urls[0].rpartition("/")[0]
        return Authority(
            signer=self._signer,
            key_name=name,
            certificate=certificate,
            crl_url=f"{folder_url}/{name}.crl",
            access=authority_access(certificate.crl_urls[0], name),
            randomness=self._randomness,
        )

    # Certificates

    def certificate(self, name: str) -> Certificate:
        """Return a certificate by the name of its key, such as ``seal-maker`` or ``sm2-root``.

        That of a service is the one in use now, whoever renewed it. Raises ``TrustRefused`` where
        there is none, or it does not fit its key.
        """
        return self._authorities.get(name) or self._services.current(name)

    @property
    def seal_maker(self) -> Certificate:
        """The seal maker's certificate; its key is ``SEAL_MAKER_KEY``."""
        return self._services.current(SEAL_MAKER_KEY)

    @property
    def log(self) -> Certificate:
        """The certificate of the log of seal uses; its key is ``LOG_KEY``."""
        return self._services.current(LOG_KEY)

    def chain(self, certificate: Certificate) -> tuple[bytes, ...]:
        """Return the certificate and its issuing authority, DER: what travels in a message."""
        branch = self._branches[certificate.public_key.algorithm]
        return (certificate.der, branch.issuing.certificate.der)

    def issue_seal_holder(
        self, name: str, code: str, algorithm: KeyAlgorithm, *, now: datetime, renew: bool = False
    ) -> Certificate:
        """Give a seal holder a key and a certificate, or find those it has.

        ``code`` is the unified social credit code. The key is ``holder_key_name(...)``. Asked
        again, the answer is the same certificate as long as it is valid; then a new one over the
        same key. ``renew`` asks for the new one before the end: the old certificate stays good for
        what was sealed under it, and a seal takes the new one when it is made again.
        Raises ``IssuingRefused`` where the holder stands there under another name, its certificate
        was revoked, or its key is lost: ``rekey_seal_holder`` then gives it a new one.
        """
        return self._holders.issue(_holder(name, code, algorithm), now, renew=renew)

    def rekey_seal_holder(
        self, name: str, code: str, algorithm: KeyAlgorithm, *, now: datetime
    ) -> Certificate:
        """Give a seal holder a new key and a certificate over it, before or after a revocation.

        The old certificate stays on file as it is, the old key is never certified again; a seal
        takes the new key when it is made. Raises ``IssuingRefused`` where the holder stands there
        under another name, and what the key store raises where it makes no keys.
        """
        return self._holders.rekey(_holder(name, code, algorithm), now)

    def seal_holder(self, code: str, algorithm: KeyAlgorithm) -> Certificate | None:
        """Return the certificate of a seal holder, None where it has none."""
        return self._holders.find(code, algorithm)

    def holder_key(self, code: str, algorithm: KeyAlgorithm) -> str:
        """Return the name of the key a seal holder's certificate is over; of the first if none."""
        return self._holders.key_name(code, algorithm)

    def holder_keys(self, code: str, algorithm: KeyAlgorithm) -> tuple[str, ...]:
        """Return the keys a seal holder may sign with, the newest first; the last is ours."""
        return self._holders.key_names(code, algorithm)

    def issued(self) -> tuple[Certificate, ...]:
        """Return every certificate this PKI has on file, the newest first."""
        return list_issued(self._folder)

    def in_use(self) -> tuple[tuple[str, Certificate], ...]:
        """Return the certificates in use, by the name of their file."""
        return list_in_use(self._folder)

    def find_issued(self, issuer: Certificate, serial: int) -> Certificate | None:
        """Return the certificate of this issuer and number, None where we know of none."""
        return find_issued(self._folder, issuer, serial)

    # Certificates of services

    def renew(self, name: str, *, now: datetime) -> Certificate:
        """Put a new certificate of a service in use before the old one ends, over the same key.

        ``name`` is the name of the key: ``seal-maker``, ``log``, ``sm2-tsa``, ``sm2-ocsp`` and so
        on. The old certificate stays on file and good. Every process uses the new one from its next
        use on. Raises ``IssuingRefused`` for an authority, an unknown name, a service that has no
        certificate yet, and a revoked one.
        """
        return self._services.renew(name, now)

    def issue_verifier(self, algorithm: KeyAlgorithm, *, now: datetime) -> Certificate:
        """Return the certificate under which receipts are signed; its key is ``verifier_key_name``.

        Key and certificate are made when first asked for, and the certificate anew when it has
        ended, so that a folder made before there were receipts needs no step of its own. Raises
        ``IssuingRefused`` where it was revoked, ``TrustRefused`` where it does not fit its key.
        """
        return self._services.issue(verifier_key_name(algorithm), now)

    def issue_ocsp(self, algorithm: KeyAlgorithm, *, now: datetime) -> Certificate:
        """Return the certificate of the OCSP responder; its key is ``ocsp_key_name``.

        Made as ``issue_verifier`` makes its own; raises the same.
        """
        return self._services.issue(ocsp_key_name(algorithm), now)

    # Time stamps

    def tsa(self, algorithm: KeyAlgorithm, clock: Clock) -> TSA:
        """Return the time-stamp authority of an algorithm."""
        name = f"{algorithm}-tsa"
        certificate = self._services.current(name)
        return TSA(
            sign=self._sign_with(name),
            certificate=certificate,
            chain=self.chain(certificate)[1:],
            clock=clock,
            randomness=self._randomness,
        )

    def _sign_with(self, name: str) -> Callable[[bytes], bytes]:
        return lambda message: self._signer.sign_with(name, message)

    # Revocation

    @property
    def crls(self) -> tuple[bytes, ...]:
        """The current lists of all four authorities, DER, as they stand in the folder."""
        return tuple(self.crl(name) for name in authority_names())

    def crl_stamps(self) -> tuple[int, ...]:
        """Return when each list was written (ns), to notice that one was published again."""
        paths = [crl_path(self._folder, name) for name in authority_names()]
        return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)

    def crl(self, name: str) -> bytes:
        """Return the current list of an authority such as ``sm2-issuing-ca``; DER."""
        if name not in authority_names():
            raise TrustRefused("no such authority", reason="crl-file")
        try:
            return crl_path(self._folder, name).read_bytes()
        except OSError as error:
            raise TrustRefused("no revocation list", reason="crl-file", file=name) from error

    def revoke(self, certificate: Certificate, entry: RevokedEntry, *, now: datetime) -> bytes:
        """Revoke a certificate of this PKI, publish, and return the new list.

        Raises ``IssuingRefused`` where no authority here issued it.
        """
        if entry.serial != certificate.serial:
            raise IssuingRefused("the entry is for another certificate", reason="serial")
        for name in authority_names():
            if self._authorities[name].subject_der == certificate.issuer_der:
                return self._publish(name, now, (entry,))
        raise IssuingRefused("not a certificate of this PKI", reason="issuer")

    def refresh_crls(self, now: datetime, *, everything: bool = False) -> tuple[str, ...]:
        """Publish lists past half of their period, or all; return the authorities' names."""
        due = []
        for name in authority_names():
            crl = parse_crl(self.crl(name))
            end = crl.next_update or crl.this_update
            if everything or now >= crl.this_update + (end - crl.this_update) / 2:
                self._publish(name, now)
                due.append(name)
        return tuple(due)

    def _publish(self, name: str, now: datetime, revoked: tuple[RevokedEntry, ...] = ()) -> bytes:
        algorithm, _, kind = name.partition("-")
        branch = self._branches[KeyAlgorithm(algorithm)]
        with locked(self._folder):
            crl = (branch.root if kind == "root" else branch.issuing).publish_crl(
                now=now, previous=self.crl(name), revoked=revoked, validity=crl_validity(name)
            )
            write_file(crl_path(self._folder, name), crl)
        return crl


def _holder(name: str, code: str, algorithm: KeyAlgorithm) -> Holder:
    return Holder(name=name, code=code, algorithm=algorithm)


def make_pki(
    folder: Path,
    store: KeyMaker,
    now: datetime,
    *,
    base_url: str = DEFAULT_URL,
    randomness: Randomness = secrets.token_bytes,
) -> PKI:
    """Make keys, certificates and first revocation lists; takes a few seconds for the RSA keys.

    Raises ``IssuingRefused`` where the folder holds a PKI already. What an interrupted attempt
    left is made again over the same keys.
    """
    if (folder / "trust.pem").exists():
        raise IssuingRefused("the folder holds a PKI already", reason="exists")
    with locked(folder):
        for algorithm in KeyAlgorithm:
            make_branch(folder, store, algorithm, Making(now, base_url, randomness))
        roots = [certificate_path(folder, f"{algorithm}-root") for algorithm in KeyAlgorithm]
        write_trust(folder / "trust.pem", tuple(map(read_certificate, roots)))
    return PKI(folder, store, randomness=randomness)


def load_pki(
    folder: Path,
    store: KeyMaker,
    *,
    trust_digest: str | None = None,
    randomness: Randomness = secrets.token_bytes,
) -> PKI:
    """Read a PKI back; ``trust_digest`` is what ``trust_digest_of`` said, where it is pinned.

    Raises ``TrustRefused`` for anything missing, unreadable or altered (T-PKI-33).
    """
    trust = load_trust(folder / "trust.pem", trust_digest or trust_digest_of(folder))
    pki = PKI(folder, store, randomness=randomness)
    if {root.der for root in trust.roots} != {root.der for root in pki.trust.roots}:
        raise TrustRefused("roots differ from the certificates", reason="altered")
    return pki


def trust_digest_of(folder: Path) -> str:
    """Return the SM3 digest (hex) of the list of trusted roots, for pinning."""
    try:
        return sm3((folder / "trust.pem").read_bytes()).hex()
    except OSError as error:
        raise TrustRefused("file cannot be read", reason="missing") from error
