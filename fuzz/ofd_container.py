"""OFD packages as ZIP files: the strict reader, the tolerant one, and a third one agree."""

import io
import zipfile

from keys.errors import ServiceError
from seal_service.formats.ofd.container import OFDContainer, read_container
from tests.support.ofd import make_ofd, seal_ofd


def seeds() -> list[bytes]:
    """Return a package with and without a seal."""
    return [make_ofd(), seal_ofd()]


def check(data: bytes) -> None:
    """Read both ways; what the strict reader takes, every other reads alike."""
    strict, tolerant = _read(data, strict=True), _read(data, strict=False)
    if strict is None:
        return
    if tolerant is None or dict(tolerant.entries) != dict(strict.entries):
        raise AssertionError("the tolerant reader sees something else")
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        if package.testzip() is not None:
            raise AssertionError("a checksum that nobody checked")
        others = {member.filename: package.read(member) for member in package.infolist()}
    if others != dict(strict.entries):
        raise AssertionError("another reader sees something else")


def _read(data: bytes, *, strict: bool) -> OFDContainer | None:
    try:
        return read_container(data, strict=strict)
    except ServiceError:
        return None
