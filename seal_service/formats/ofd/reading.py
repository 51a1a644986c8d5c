"""Read a package whole: container, document, signatures. Facts only; nothing is judged."""

from dataclasses import dataclass
from functools import lru_cache

from seal_service.formats.ofd.document import read_document
from seal_service.formats.ofd.entries import OFDContainer
from seal_service.formats.ofd.model import OFDDocument, OFDSignature
from seal_service.formats.ofd.signatures import read_signatures
from seal_service.formats.ofd.zip_reading import read_container


@dataclass(frozen=True, slots=True)
class ReadPackage:
    """What a package holds."""

    container: OFDContainer
    document: OFDDocument
    signatures: tuple[OFDSignature, ...]


@lru_cache(maxsize=2)
def read_package(data: bytes, *, strict: bool) -> ReadPackage:
    """Read a package from its bytes; raises ``MalformedDocument`` or ``LimitExceeded``.

    The last two readings are kept: what was sealed here is read back by the sealer and once more
    by whoever releases it.
    """
    container = read_container(data, strict=strict)
    document = read_document(container, strict=strict)
    return ReadPackage(container, document, read_signatures(container, document, strict=strict))
