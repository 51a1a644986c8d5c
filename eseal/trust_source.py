"""What chains are judged against, read from the PKI folder and kept while the lists stay the same.

Reading only: nothing here can sign. Publishing is the work of ``maintenance``. A list that is put
back to an older one would make revoked certificates good again: it is refused, and the newer one
that was read before stays in use (T-PKI-21).
"""

import threading

from eseal.outside import Outside
from keys.errors import ServiceError
from keys.pki import PKI
from keys.revocation import RevocationEvidence, check_not_older
from seal_service.plumbing.logging import log_alarm
from verifier.evidence import TrustMaterial

Stamps = tuple[int | tuple[str, int], ...]


class TrustSource:
    """Hands out trust, intermediates and the current revocation lists."""

    def __init__(self, pki: PKI, outside: Outside | None = None) -> None:
        """Take the PKI, and the outside authorities where there are any."""
        self._pki = pki
        self._outside = outside
        self._guard = threading.Lock()
        self._stamps: Stamps = ()
        self._own = pki.crls
        self._others = {} if outside is None else outside.crls()
        self._material = self._read()

    def material(self) -> TrustMaterial:
        """Return what is current; a list that was published again counts from the next call on."""
        stamps = self._current_stamps()
        with self._guard:
            if stamps != self._stamps:
                pairs = zip(self._pki.crls, self._own, strict=True)
                self._own = tuple(_newer(new, known) for new, known in pairs)
                if self._outside is not None:
                    known = self._others
                    fresh = self._outside.crls().items()
                    self._others = {
                        issuer: _newer(new, known.get(issuer, new)) for issuer, new in fresh
                    }
                self._material = self._read()
                self._stamps = stamps
            return self._material

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
            revocation=RevocationEvidence(crls=(*self._own, *self._others.values())),
        )


def _newer(new: bytes, known: bytes) -> bytes:
    """Return the list that counts: a published one, unless it is older or no list at all."""
    try:
        check_not_older(new, known)
    except ServiceError as error:
        log_alarm("revocation_list_refused", code=error.code, **error.params)
        return known
    return new
