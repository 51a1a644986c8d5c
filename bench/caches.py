"""Forget what was kept of documents, so that every measured verification reads its file anew.

Chains and seals stay known, as in a service that runs for a while.
"""

from keys import algorithms, rsa, sm2, timestamps
from seal_service.formats.ofd import reading as ofd_reading
from seal_service.formats.pdf import reading as pdf_reading


def forget_documents() -> None:
    """Empty the caches of readings, digests, signatures and tokens."""
    algorithms.file_digest.cache_clear()
    ofd_reading.read_package.cache_clear()
    pdf_reading.read_pdf.cache_clear()
    rsa._verify_remembered.cache_clear()
    sm2._verify_remembered.cache_clear()
    timestamps._verify_remembered.cache_clear()
