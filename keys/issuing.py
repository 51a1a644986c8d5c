"""The desk of our issuing authorities: certifies keys of the store, keeps what it issued on file.

A certificate that is replaced stays on file, because files sealed under it are judged by it. Over a
key that may be in other hands nothing is certified again (T-KEY-07). Whoever asks holds the
folder's lock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from keys.algorithms import KeyAlgorithm
from keys.authority import Authority, CertificateOrder
from keys.certificates import Certificate, parse_certificate
from keys.crl import CRL, RevocationReason, find_entry, parse_crl, read_entries
from keys.errors import IssuingRefused, TrustRefused
from keys.issued import find_issued, keep_issued
from keys.keystore import KeyMaker
from keys.pki_making import crl_path
from keys.profiles import Profile
from keys.public_files import read_certificate, write_certificate
from keys.public_key import PublicKey
from keys.x509_building import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOrder:
    """A key of the store that is to be certified, and the place of its certificate."""

    key_name: str
    algorithm: KeyAlgorithm
    profile: Profile
    subject: Subject
    path: Path


class IssuingDesk:
    """The issuing authorities of a PKI, at work in its folder."""

    def __init__(
        self, folder: Path, signer: KeyMaker, authorities: Mapping[KeyAlgorithm, Authority]
    ) -> None:
        self.folder = folder
        self.signer = signer
        self._authorities = authorities

    def certify(self, order: KeyOrder, now: datetime) -> Certificate:
        """Certify a key, which is made if it is not there yet, and put the certificate in use.

        Raises ``IssuingRefused`` for a key that is lost, and as the authority does.
        """
        if not self.signer.has(order.key_name):
            self.signer.generate(order.key_name, order.algorithm)
        key = self.signer.public_key(order.key_name)
        self.check_key(key)
        issued = self._authorities[order.algorithm].issue_certificate(
            CertificateOrder(profile=order.profile, subject=order.subject, public_key=key, now=now)
        )
        if order.path.exists():
            # Folders of an older make have it at this place only.
            keep_issued(self.folder, read_certificate(order.path).der)
        keep_issued(self.folder, issued)
        write_certificate(order.path, issued)
        return parse_certificate(issued)

    def check_certificate(self, certificate: Certificate) -> None:
        """Raise ``IssuingRefused`` where it is revoked, for whatever reason."""
        if find_entry(self._crl(certificate.public_key.algorithm), certificate.serial) is not None:
            raise IssuingRefused("the certificate is revoked", reason="revoked")

    def check_key(self, key: PublicKey) -> None:
        """Raise ``IssuingRefused`` where any certificate was revoked because this key is lost."""
        issuer = self._authorities[key.algorithm].certificate
        for entry in read_entries(self._crl(key.algorithm)):
            if entry.reason is RevocationReason.KEY_COMPROMISE:
                found = find_issued(self.folder, issuer, entry.serial)
                if found is not None and found.public_key.spki == key.spki:
                    raise IssuingRefused("the key may be in other hands", reason="revoked")

    def _crl(self, algorithm: KeyAlgorithm) -> CRL:
        name = f"{algorithm}-issuing-ca"
        try:
            return parse_crl(crl_path(self.folder, name).read_bytes())
        except OSError as error:
            raise TrustRefused("no revocation list", reason="crl-file", file=name) from error
