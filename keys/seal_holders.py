"""Certificates of seal holders, ours: issued, renewed over the same key, given over a new one.

Keys are numbered: ``holder-CODE-ALGORITHM``, then ``holder-CODE-ALGORITHM-2`` and so on. The
certificate in use says which of them the holder signs with; those before it stay on file.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from keys.algorithms import KeyAlgorithm
from keys.certificates import Certificate
from keys.errors import IssuingRefused, TrustRefused
from keys.issued import list_issued
from keys.issuing import IssuingDesk, KeyOrder
from keys.outside import is_known_outside
from keys.profiles import SEAL_HOLDER
from keys.public_files import locked, read_certificate
from keys.x509_building import Subject

_CODE = re.compile(r"[0-9A-Z]{18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """An organisation that seals, and the kind of key it is about."""

    name: str
    code: str
    """Unified social credit code."""
    algorithm: KeyAlgorithm


class SealHolders:
    """The seal holders of one folder."""

    def __init__(self, desk: IssuingDesk) -> None:
        self._desk = desk

    def find(self, code: str, algorithm: KeyAlgorithm) -> Certificate | None:
        """Return the certificate in use, None where there is none."""
        path = self._path(code, algorithm)
        if not _CODE.fullmatch(code) or not path.exists():
            return None
        certificate = read_certificate(path)
        if certificate.public_key.algorithm is not algorithm:
            raise TrustRefused("key of another algorithm", reason="certificate-file")
        return certificate

    def issue(self, holder: Holder, now: datetime, *, renew: bool = False) -> Certificate:
        """Return the certificate in use; a new one over the same key where it ended or is asked."""
        _check_holder(holder)
        with locked(self._desk.folder):
            found = self._find_own(holder)
            if found is None:
                return self._certify(holder, holder_key_name(holder.code, holder.algorithm), now)
            self._desk.check_certificate(found)
            self._desk.check_key(found.public_key)
            if now <= found.not_after and not renew:
                return found
            return self._certify(holder, self.key_name(holder.code, holder.algorithm), now)

    def rekey(self, holder: Holder, now: datetime) -> Certificate:
        """Put a certificate over a key that was never certified in use, and leave the old key."""
        _check_holder(holder)
        with locked(self._desk.folder):
            found = self._find_own(holder)
            return self._certify(holder, self._fresh_key_name(holder, found), now)

    def key_name(self, code: str, algorithm: KeyAlgorithm) -> str:
        """Return the name of the key that the certificate in use is over.

        Raises ``TrustRefused`` where the store has no such key (T-KEY-04).
        """
        certificate = self.find(code, algorithm)
        if certificate is None:
            return holder_key_name(code, algorithm)
        for name in reversed(self._names(code, algorithm)):
            if self._desk.signer.public_key(name).spki == certificate.public_key.spki:
                return name
        raise TrustRefused("key and certificate differ", reason="key-mismatch", file=code)

    def key_names(self, code: str, algorithm: KeyAlgorithm) -> tuple[str, ...]:
        """Return the keys the holder may sign with, the newest first, back to ``key_name``.

        Those before the last have no certificate of ours, but may have an outside authority's.
        """
        own = self.key_name(code, algorithm)
        names = self._names(code, algorithm)
        start = names.index(own) if own in names else 0
        return tuple(reversed(names[start:])) or (own,)

    def _names(self, code: str, algorithm: KeyAlgorithm) -> list[str]:
        """List the holder's keys in the store, by number."""
        first = holder_key_name(code, algorithm)
        numbered = re.compile(rf"{re.escape(first)}(?:-([2-9]|[1-9]\d+))?")
        found = [match for name in self._desk.signer.names() if (match := numbered.fullmatch(name))]
        return [match[0] for match in sorted(found, key=lambda one: int(one[1] or 1))]

    def _fresh_key_name(self, holder: Holder, found: Certificate | None) -> str:
        """Return the name of a key that nobody certified: the next one, mostly not made yet.

        A key made with a device's own tool, or before an interruption, waits under that name.
        """
        desk, issued = self._desk, list_issued(self._desk.folder)
        certified = {one.public_key.spki for one in issued}
        subject = None if found is None else (found.subject_der, holder.algorithm)
        number = 1 + len({one.public_key.spki for one in issued if _subject(one) == subject})
        while True:
            name = holder_key_name(holder.code, holder.algorithm, number)
            is_ours = desk.signer.has(name) and desk.signer.public_key(name).spki in certified
            if not is_ours and not is_known_outside(desk.folder, name):
                return name
            number += 1

    def _find_own(self, holder: Holder) -> Certificate | None:
        found = self.find(holder.code, holder.algorithm)
        if found is not None and found.organisation != holder.name:
            raise IssuingRefused("the code belongs to another name", reason="subject")
        return found

    def _certify(self, holder: Holder, key_name: str, now: datetime) -> Certificate:
        order = KeyOrder(
            key_name=key_name,
            algorithm=holder.algorithm,
            profile=SEAL_HOLDER,
            subject=Subject(
                common_name=f"{holder.name}（测试）",
                organisation=holder.name,
                organisation_code=holder.code,
            ),
            path=self._path(holder.code, holder.algorithm),
        )
        return self._desk.certify(order, now)

    def _path(self, code: str, algorithm: KeyAlgorithm) -> Path:
        return self._desk.folder / "holders" / f"{code}-{algorithm}.pem"


def holder_key_name(code: str, algorithm: KeyAlgorithm, number: int = 1) -> str:
    """Return the name in the key store of a seal holder's key; the first unless told otherwise."""
    first = f"holder-{code.lower()}-{algorithm}"
    return first if number == 1 else f"{first}-{number}"


def _subject(certificate: Certificate) -> tuple[bytes, KeyAlgorithm]:
    return (certificate.subject_der, certificate.public_key.algorithm)


def _check_holder(holder: Holder) -> None:
    if not _CODE.fullmatch(holder.code) or not holder.name.strip():
        raise IssuingRefused("a holder has a name and a code", reason="subject")
