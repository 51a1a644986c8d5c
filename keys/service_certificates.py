"""Certificates of the services: seal maker, log, time stamps, receipts, certificate status.

The file of a certificate is what counts. It is looked at whenever the certificate is asked for, and
read again when it changed: one process renews, every other one notices with its next use. What is
read must belong to its key in the store (T-KEY-04).
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from keys.algorithms import KeyAlgorithm
from keys.certificates import Certificate
from keys.errors import IssuingRefused, TrustRefused
from keys.issuing import IssuingDesk, KeyOrder
from keys.pki_making import (
    LEAVES,
    OCSP_SUBJECT,
    SUBJECTS,
    VERIFIER_SUBJECT,
    authority_names,
    certificate_path,
    ocsp_key_name,
    verifier_key_name,
)
from keys.profiles import OCSP, VERIFIER, Profile
from keys.public_files import locked, read_certificate
from keys.x509_building import Subject


@dataclass(frozen=True, slots=True)
class _Service:
    """What a service's certificate is."""

    algorithm: KeyAlgorithm
    profile: Profile
    subject: Subject


_SERVICES = {
    **{name: _Service(algorithm, kind, SUBJECTS[name]) for name, algorithm, kind in LEAVES},
    **{verifier_key_name(one): _Service(one, VERIFIER, VERIFIER_SUBJECT) for one in KeyAlgorithm},
    **{ocsp_key_name(one): _Service(one, OCSP, OCSP_SUBJECT) for one in KeyAlgorithm},
}

_Stamp = tuple[int, int]


class ServiceCertificates:
    """The services' certificates in one folder. May be shared between threads."""

    def __init__(self, desk: IssuingDesk) -> None:
        self._desk = desk
        self._known: dict[str, tuple[_Stamp, Certificate]] = {}

    def current(self, name: str) -> Certificate:
        """Return the certificate in use over the key of this name.

        Raises ``TrustRefused`` where there is none, or it is not the key's.
        """
        if name not in _SERVICES:
            raise TrustRefused("no service has this name", reason="certificate-file", file=name)
        path = self._path(name)
        stamp = _stamp(path)
        known = self._known.get(name)
        if known is None or known[0] != stamp:
            # The stamp is the older of the two: a file changed in between is read once more.
            known = (stamp, self._read(path, name))
            self._known[name] = known
        return known[1]

    def issue(self, name: str, now: datetime) -> Certificate:
        """Return the certificate in use; make it where there is none yet or it ended.

        Raises ``IssuingRefused`` where it was revoked, ``TrustRefused`` as ``current``.
        """
        with locked(self._desk.folder):
            if not self._path(name).exists():
                return self._certify(name, _SERVICES[name].subject, now)
            found = self.current(name)
            self._desk.check_certificate(found)
            return found if now <= found.not_after else self._certify(name, _own(found), now)

    def renew(self, name: str, now: datetime) -> Certificate:
        """Put a new certificate in use, over the same key, before the old one ends.

        Raises ``IssuingRefused`` with a ``reason``: ``authority``, ``unknown``, ``not-made``,
        ``revoked``, or one of the issuing authority; ``TrustRefused`` as ``current``.
        """
        if name in authority_names():
            raise IssuingRefused("an authority is not renewed here", reason="authority")
        if name not in _SERVICES:
            raise IssuingRefused("no service has this name", reason="unknown")
        with locked(self._desk.folder):
            if not self._path(name).exists():
                raise IssuingRefused("it is made when first asked for", reason="not-made")
            found = self.current(name)
            self._desk.check_certificate(found)
            return self._certify(name, _own(found), now)

    def _certify(self, name: str, subject: Subject, now: datetime) -> Certificate:
        service = _SERVICES[name]
        order = KeyOrder(
            key_name=name,
            algorithm=service.algorithm,
            profile=service.profile,
            subject=subject,
            path=self._path(name),
        )
        return self._desk.certify(order, now)

    def _read(self, path: Path, name: str) -> Certificate:
        certificate = read_certificate(path)
        if certificate.public_key.spki != self._desk.signer.public_key(name).spki:
            raise TrustRefused("key and certificate differ", reason="key-mismatch", file=name)
        return certificate

    def _path(self, name: str) -> Path:
        return certificate_path(self._desk.folder, name)


def _own(certificate: Certificate) -> Subject:
    """Return the name a certificate was made for."""
    return Subject(
        common_name=certificate.common_name,
        organisation=certificate.organisation,
        organisation_code=certificate.organisation_code or "",
    )


def _stamp(path: Path) -> _Stamp:
    """Return what differs when a file was replaced: every writer puts a new one in its place."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_ino)
