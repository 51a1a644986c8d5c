"""The sealed files of licences in the blob store."""

from licence_store.errors import FileDamaged
from licence_store.model import LicenceFile
from seal_service.plumbing.blobs import BlobStore


def read_file(blobs: BlobStore, file: LicenceFile) -> bytes:
    """Return the bytes that were sealed; raises ``FileDamaged`` (T-STO-09).

    The store checks the digest on the way out; a file of another size is refused here as well, so
    that a store without that check is noticed.
    """
    content = blobs.get(file.digest)
    if len(content) != file.size:
        raise FileDamaged(digest=file.digest, size=len(content))
    return content
