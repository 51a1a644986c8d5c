"""What chains are judged against, read from the PKI folder and kept while the lists stay the same.

Reading only: nothing here can sign. Publishing is the work of ``maintenance``. A list that is put
back to an older one would make revoked certificates good again: it is refused, and the newer one
that was read before stays in use (T-PKI-21).
"""

import threading

from keys.errors import ServiceError
from keys.pki import PKI
from keys.revocation import RevocationEvidence, check_not_older
from seal_service.plumbing.logging import log_alarm
from verifier.evidence import TrustMaterial


class TrustSource:
    """Hands out trust, intermediates and the current revocation lists."""

    def __init__(self, pki: PKI) -> None:
        self._pki = pki
        self._guard = threading.Lock()
        self._stamps: tuple[int, ...] = ()
        self._material = self._read(pki.crls)

    def material(self) -> TrustMaterial:
        """Return what is current; a list that was published again counts from the next call on."""
        stamps = self._pki.crl_stamps()
        with self._guard:
            if stamps != self._stamps:
                used = self._material.revocation.crls
                pairs = zip(self._pki.crls, used, strict=True)
                self._material = self._read(tuple(_newer(new, known) for new, known in pairs))
                self._stamps = stamps
            return self._material

    def _read(self, crls: tuple[bytes, ...]) -> TrustMaterial:
        return TrustMaterial(
            trust=self._pki.trust,
            intermediates=self._pki.intermediates,
            revocation=RevocationEvidence(crls=crls),
        )


def _newer(new: bytes, known: bytes) -> bytes:
    """Return the list that counts: a published one, unless it is older or no list at all."""
    try:
        check_not_older(new, known)
    except ServiceError as error:
        log_alarm("revocation_list_refused", code=error.code, **error.params)
        return known
    return new
