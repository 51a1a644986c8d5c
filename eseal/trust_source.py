"""What chains are judged against, read from the PKI folder and kept while the files stay the same.

Reading only: nothing here can sign or ask. Publishing and asking is the work of ``maintenance``. A
list or an OCSP response that is put back to an older one would make revoked certificates good
again: it is refused, and the newer one that was read before stays in use (T-PKI-21).
"""

import threading
from collections.abc import Callable

from eseal.outside import Outside
from eseal.outside_status import Link
from keys.errors import ServiceError
from keys.ocsp import check_answer_not_older
from keys.pki import PKI
from keys.revocation import RevocationEvidence, check_not_older
from seal_service.plumbing.logging import log_alarm
from verifier.evidence import TrustMaterial

Stamps = tuple[int | tuple[str, int], ...]


class TrustSource:
    """Hands out trust, intermediates, the current revocation lists and kept OCSP responses."""

    def __init__(self, pki: PKI, outside: Outside | None = None) -> None:
        """Take the PKI, and the outside authorities where there are any."""
        self._pki = pki
        self._outside = outside
        self._guard = threading.Lock()
        self._stamps: Stamps = ()
        self._own = pki.crls
        self._others = {} if outside is None else outside.crls()
        self._answers = {} if outside is None else outside.answers()
        self._material = self._read()

    def material(self) -> TrustMaterial:
        """Return what is current; a list that was published again counts from the next call on.

        So does an OCSP response that was kept.
        """
        stamps = self._current_stamps()
        with self._guard:
            if stamps != self._stamps:
                pairs = zip(self._pki.crls, self._own, strict=True)
                self._own = tuple(_newer(new, known, check_not_older) for new, known in pairs)
                if self._outside is not None:
                    self._read_outside(self._outside)
                self._material = self._read()
                self._stamps = stamps
            return self._material

    def _read_outside(self, outside: Outside) -> None:
        lists, answers = self._others, self._answers
        self._others = {
            issuer: _newer(new, lists.get(issuer, new), check_not_older)
            for issuer, new in outside.crls().items()
        }
        self._answers = {
            link: _newer(new, answers.get(link, new), _answer_check(link))
            for link, new in outside.answers().items()
        }

    def _current_stamps(self) -> Stamps:
        outside = () if self._outside is None else self._outside.certificates.stamps()
        return (*self._pki.crl_stamps(), *outside)

    def _read(self) -> TrustMaterial:
        outside = self._outside
        return TrustMaterial(
            trust=self._pki.trust if outside is None else outside.trust,
            intermediates=(
                *self._pki.intermediates,
                *(() if outside is None else outside.issuers()),
            ),
            revocation=RevocationEvidence(
                crls=(*self._own, *self._others.values()),
                ocsp_responses=tuple(self._answers.values()),
            ),
        )


def _newer(new: bytes, known: bytes, check: Callable[[bytes, bytes], None]) -> bytes:
    """Return the file that counts: a new one, unless it is older or not what it should be.

    What was unreadable from the start is no reason to refuse a new one.
    """
    try:
        check(new, known)
    except ServiceError as error:
        if _is_readable(known, check):
            log_alarm("revocation_list_refused", code=error.code, **error.params)
            return known
    return new


def _is_readable(known: bytes, check: Callable[[bytes, bytes], None]) -> bool:
    try:
        check(known, known)
    except ServiceError:
        return False
    return True


def _answer_check(link: Link) -> Callable[[bytes, bytes], None]:
    return lambda new, known: check_answer_not_older(new, known, *link)
