"""Files that anyone may read: certificates, revocation lists, the list of trusted roots.

Writing replaces a file at once and durably. ``locked`` keeps writers of one folder apart, also
between processes; readers need no lock.
"""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from keys.algorithms import sm3
from keys.certificates import Certificate, encode_pem, parse_certificates
from keys.durable import sync_folder
from keys.errors import KeyStoreUnavailable, ServiceError, TrustRefused
from keys.path import TrustStore


def write_file(path: Path, data: bytes) -> None:
    """Put ``data`` in place of what is there; durable when it returns."""
    temporary = path.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, 0o644), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise KeyStoreUnavailable("file cannot be written", reason="file") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: one writer at a time, over all processes of this machine."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_certificate(path: Path, certificate: bytes) -> None:
    """Write one certificate as PEM."""
    write_file(path, encode_pem(certificate).encode())


def read_certificate(path: Path) -> Certificate:
    """Read the one certificate of a file; raise ``TrustRefused`` where there is none."""
    try:
        certificates = parse_certificates(path.read_bytes())
    except (OSError, ServiceError) as error:
        raise TrustRefused("no certificate", reason="certificate-file", file=path.name) from error
    if len(certificates) != 1:
        raise TrustRefused("one certificate is due", reason="certificate-file", file=path.name)
    return certificates[0]


# The list of trusted roots


def write_trust(path: Path, roots: tuple[Certificate, ...]) -> str:
    """Write the roots as PEM and return the SM3 digest (hex) to be pinned in the configuration."""
    data = "".join(encode_pem(root.der) for root in roots).encode()
    write_file(path, data)
    return sm3(data).hex()


def load_trust(path: Path, pinned_digest: str) -> TrustStore:
    """Read the trusted roots; the file must be exactly the one whose digest is pinned.

    Raises ``TrustRefused`` for a file that is missing, empty, altered or not of authorities only:
    the start fails closed (T-PKI-33).
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TrustRefused("file cannot be read", reason="missing") from error
    if sm3(data).hex() != pinned_digest.lower():
        raise TrustRefused("file is not the pinned one", reason="digest")
    try:
        roots = parse_certificates(data)
    except ServiceError as error:
        raise TrustRefused("not certificates", reason="unreadable") from error
    if not all(root.is_ca and root.is_self_issued for root in roots):
        raise TrustRefused("not a root", reason="not-a-root")
    return TrustStore.of(roots)
