"""Certificates that outside authorities issue over our keys: requested, imported, renewed.

A key is made in the store and stays there; what leaves is a request, what comes back are
certificates. The folder holds what anyone may read:

    NAME.csr             the last request
    NAME/NUMBER.pem      each certificate imported, with its chain below the root
    crls/KEYID.crl       the last list fetched of an issuer
    ocsp/KEYID-NUMBER.ors   the last answer about one of its certificates

The newest certificate is the one in use. Those before it stay: what was sealed under them is judged
by them, and a seal takes the new one only when it is made again.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from keys.algorithms import KeyAlgorithm
from keys.certificates import Certificate, encode_pem, parse_certificates
from keys.errors import CertificateRefused, ServiceError, TrustRefused
from keys.keystore import KeyMaker
from keys.path import TrustStore, Usage, check_path
from keys.profiles import Profile
from keys.public_files import locked, write_file
from keys.requests import encode_request_pem, encode_request_tbs, parse_certificate_request
from keys.x509_building import Subject, assemble_signed, key_identifier

OUTSIDE_FOLDER = "outside"
"""Of the PKI's folder."""
_OTHERS = ("crls", "ocsp")
"""Folders that belong to no key."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,95}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    """What is expected of a certificate that comes back."""

    key_name: str
    usage: Usage
    trust: TrustStore
    """The roots it may lead to."""
    organisation_code: str | None = None
    """Whose it must be; None where it is nobody's seal, such as a time-stamp authority's."""
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedChain:
    """A certificate over a key of ours and its issuers, the root left out."""

    key_name: str
    certificate: Certificate
    issuers: tuple[Certificate, ...]

    @property
    def encoded(self) -> tuple[bytes, ...]:
        """The chain as it travels in a message, DER."""
        return (self.certificate.der, *(issuer.der for issuer in self.issuers))


class OutsideCertificates:
    """Requests to outside authorities and what they returned."""

    def __init__(self, folder: Path, signer: KeyMaker) -> None:
        self._folder = folder
        self._signer = signer

    def request(
        self, key_name: str, algorithm: KeyAlgorithm, subject: Subject, profile: Profile
    ) -> str:
        """Return a request for a key, PEM; the key is made where it is not there yet.

        Asked again it renews: the same key, a new certificate. Raises ``CertificateRefused`` where
        the key is of another algorithm, and what the key store raises.
        """
        self._check_name(key_name)
        if not self._signer.has(key_name):
            self._signer.generate(key_name, algorithm)
        key = self._signer.public_key(key_name)
        if key.algorithm is not algorithm:
            raise CertificateRefused("the key is of another algorithm", reason="algorithm")
        tbs = encode_request_tbs(subject, key.spki, profile)
        request = assemble_signed(tbs, algorithm, self._signer.sign_with(key_name, tbs))
        parse_certificate_request(request)
        text = encode_request_pem(request)
        write_file(self._folder / f"{key_name}.csr", text.encode())
        return text

    def import_chain(self, data: bytes, order: ImportOrder) -> ImportedChain:
        """Check and keep what an authority returned: PEM or DER, in any order.

        Raises ``CertificateRefused`` with a ``reason``: ``unreadable``, ``key-mismatch``,
        ``organisation-code``, a reason of the path (``untrusted``, ``expired``, ``key-usage`` and
        so on), or ``not-newer`` where the one in use lasts longer.
        """
        self._check_name(order.key_name)
        try:
            certificates = parse_certificates(data)
        except ServiceError as error:
            raise CertificateRefused("no certificates", reason="unreadable") from error
        found = self._check(certificates, order)
        with locked(self._folder):
            for earlier in self.chains(order.key_name):
                if earlier.certificate.not_after > found.certificate.not_after:
                    raise CertificateRefused("the one in use lasts longer", reason="not-newer")
            text = "".join(map(encode_pem, found.encoded))
            write_file(self._path(found), text.encode())
        return found

    def _check(self, certificates: tuple[Certificate, ...], order: ImportOrder) -> ImportedChain:
        spki = self._signer.public_key(order.key_name).spki
        own = [one for one in certificates if one.public_key.spki == spki and not one.is_ca]
        if len(own) != 1:
            # An authority that returns a pair sends one over a key it made itself: not ours.
            raise CertificateRefused("not over our key", reason="key-mismatch")
        leaf = own[0]
        report = check_path(
            leaf,
            usage=order.usage,
            at=order.now,
            trust=order.trust,
            intermediates=tuple(one for one in certificates if one.is_ca),
        )
        if not report.is_good:
            problem = report.problems[0]
            raise CertificateRefused(problem.detail, reason=str(problem.reason))
        code = order.organisation_code
        if code is not None and leaf.organisation_code != code:
            raise CertificateRefused("another organisation's", reason="organisation-code")
        issuers = tuple(one for one in report.chain[1:] if not one.is_self_issued)
        return ImportedChain(key_name=order.key_name, certificate=leaf, issuers=issuers)

    def chains(self, key_name: str) -> tuple[ImportedChain, ...]:
        """Return what was imported for a key, the newest first; checked against the key again.

        Raises ``TrustRefused`` for a file that does not fit its key (T-KEY-04).
        """
        self._check_name(key_name)
        folder = self._folder / key_name
        found = [self._read(key_name, path) for path in sorted(folder.glob("*.pem"))]
        return tuple(sorted(found, key=_age, reverse=True))

    def current(self, key_name: str) -> ImportedChain | None:
        """Return the newest chain of a key, None where nothing was imported."""
        return next(iter(self.chains(key_name)), None)

    def stamps(self) -> tuple[tuple[str, int], ...]:
        """Return when each certificate, list and answer was written (ns), to notice new ones."""
        patterns = ("*/*.pem", "crls/*.crl", "ocsp/*.ors")
        paths = sorted(path for pattern in patterns for path in self._folder.glob(pattern))
        return tuple((path.name, path.stat().st_mtime_ns) for path in paths)

    def all_chains(self) -> tuple[ImportedChain, ...]:
        """Return everything that was imported, by key, the newest first."""
        names = sorted({path.parent.name for path in self._folder.glob("*/*.pem")})
        return tuple(chain for name in names for chain in self.chains(name))

    def _read(self, key_name: str, path: Path) -> ImportedChain:
        try:
            leaf, *issuers = parse_certificates(path.read_bytes())
        except (OSError, ServiceError) as error:
            raise TrustRefused("no chain", reason="certificate-file", file=path.name) from error
        if leaf.public_key.spki != self._signer.public_key(key_name).spki:
            raise TrustRefused("key and certificate differ", reason="key-mismatch", file=path.name)
        return ImportedChain(key_name=key_name, certificate=leaf, issuers=tuple(issuers))

    def _path(self, chain: ImportedChain) -> Path:
        return self._folder / chain.key_name / f"{chain.certificate.serial:x}.pem"

    @staticmethod
    def _check_name(key_name: str) -> None:
        if not _NAME.fullmatch(key_name) or key_name in _OTHERS:
            raise CertificateRefused("no name of a key", reason="key-name")

    # Revocation lists of their issuers, answers of responders

    def crl(self, issuer: Certificate) -> bytes | None:
        """Return the list of an issuer that was kept last, DER."""
        try:
            return self._crl_path(issuer).read_bytes()
        except OSError:
            return None

    def keep_crl(self, issuer: Certificate, crl: bytes) -> None:
        """Keep a list that was checked."""
        write_file(self._crl_path(issuer), crl)

    def _crl_path(self, issuer: Certificate) -> Path:
        return self._folder / "crls" / f"{_key_id(issuer)}.crl"

    def answer(self, certificate: Certificate, issuer: Certificate) -> bytes | None:
        """Return the OCSP response about a certificate that was kept last, DER."""
        try:
            return self._answer_path(certificate, issuer).read_bytes()
        except OSError:
            return None

    def keep_answer(self, certificate: Certificate, issuer: Certificate, response: bytes) -> None:
        """Keep a response that was checked."""
        write_file(self._answer_path(certificate, issuer), response)

    def _answer_path(self, certificate: Certificate, issuer: Certificate) -> Path:
        return self._folder / "ocsp" / f"{_key_id(issuer)}-{certificate.serial:x}.ors"


def is_known_outside(pki_folder: Path, key_name: str) -> bool:
    """Tell whether an outside authority was asked for a certificate over this key, or gave one."""
    folder = pki_folder / OUTSIDE_FOLDER
    return (folder / f"{key_name}.csr").exists() or (folder / key_name).exists()


def _key_id(issuer: Certificate) -> str:
    return key_identifier(issuer.public_key.spki).hex()


def _age(chain: ImportedChain) -> tuple[datetime, datetime]:
    return (chain.certificate.not_after, chain.certificate.not_before)
