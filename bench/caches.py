"""Forget what was kept of documents, so that every measured verification reads its file anew.

Chains and seals stay known, as in a service that runs for a while.
"""

from keys import algorithms, public_key, timestamps
from seal_service.formats.ofd import reading as ofd_reading
from seal_service.formats.pdf import reading as pdf_reading


def forget_documents() -> None:
    """Empty the caches of readings, digests, signatures and tokens."""
    algorithms.file_digest.cache_clear()
    ofd_reading.read_package.cache_clear()
    pdf_reading.read_pdf.cache_clear()
    public_key._verify_remembered.cache_clear()
    timestamps._verify_remembered.cache_clear()
