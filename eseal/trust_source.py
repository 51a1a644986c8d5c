"""What chains are judged against, read from the PKI folder and kept while the lists stay the same.

Reading only: nothing here can sign. Publishing is the work of ``maintenance``.
"""

import threading

from keys.pki import PKI
from keys.revocation import RevocationEvidence
from verifier.evidence import TrustMaterial


class TrustSource:
    """Hands out trust, intermediates and the current revocation lists."""

    def __init__(self, pki: PKI) -> None:
        self._pki = pki
        self._guard = threading.Lock()
        self._stamps: tuple[int, ...] = ()
        self._material = self._read()

    def material(self) -> TrustMaterial:
        """Return what is current; a list that was published again counts from the next call on."""
        stamps = self._pki.crl_stamps()
        with self._guard:
            if stamps != self._stamps:
                self._material, self._stamps = self._read(), stamps
            return self._material

    def _read(self) -> TrustMaterial:
        return TrustMaterial(
            trust=self._pki.trust,
            intermediates=self._pki.intermediates,
            revocation=RevocationEvidence(crls=self._pki.crls),
        )
