"""Every certificate an authority of ours issued, kept by number beside those in use.

A certificate that was renewed stays on file: files sealed under it are judged by it, and a status
may be asked for as long as anybody holds such a file.
"""

from pathlib import Path

from keys.certificates import Certificate, parse_certificate
from keys.public_files import read_certificate, write_certificate

_FOLDERS = ("issued", "certificates", "holders")


def keep_issued(folder: Path, certificate: bytes) -> None:
    """Keep a certificate under its number."""
    serial = parse_certificate(certificate).serial
    write_certificate(folder / "issued" / f"{serial:x}.pem", certificate)


def list_issued(folder: Path) -> tuple[Certificate, ...]:
    """Return every certificate on file, the newest first.

    Folders made before certificates were kept by number know those in use only.
    """
    paths = [path for name in _FOLDERS for path in (folder / name).glob("*.pem")]
    found = {certificate.der: certificate for certificate in map(read_certificate, paths)}
    return tuple(sorted(found.values(), key=lambda one: one.not_before, reverse=True))


def list_in_use(folder: Path) -> tuple[tuple[str, Certificate], ...]:
    """Return the certificates in use by the name of their file, sorted."""
    paths = [path for name in _FOLDERS[1:] for path in (folder / name).glob("*.pem")]
    return tuple((path.stem, read_certificate(path)) for path in sorted(paths))


def find_issued(folder: Path, issuer: Certificate, serial: int) -> Certificate | None:
    """Return the certificate of this issuer and number, None where we know of none."""
    path = folder / "issued" / f"{serial:x}.pem"
    found = (read_certificate(path),) if path.exists() else list_issued(folder)
    wanted = (serial, issuer.subject_der)
    return next((one for one in found if (one.serial, one.issuer_der) == wanted), None)
