"""Keep cleaned pictures by their digest, each for its tenant; nothing is replaced or deleted."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from seal_service.errors import SealPictureNotFound
from seal_service.seals.picture_tables import seal_pictures
from seal_service.seals.scans import CleanedScan


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPicture:
    """A cleaned picture and the digest an application names it by."""

    picture_sha256: str
    scan: CleanedScan


def keep_picture(
    connection: Connection, authority_code: str, scan: CleanedScan, *, by: str, now: datetime
) -> KeptPicture:
    """Keep a cleaned picture; the same one again is the one kept before."""
    digest = hashlib.sha256(scan.png).hexdigest()
    try:
        return find_picture(connection, authority_code, digest)
    except SealPictureNotFound:
        connection.execute(
            insert(seal_pictures).values(
                authority_code=authority_code,
                picture_sha256=digest,
                png=scan.png,
                width_mm=scan.width_mm,
                height_mm=scan.height_mm,
                dpi=scan.dpi,
                uploaded_by=by,
                uploaded_at=now,
            )
        )
    return KeptPicture(picture_sha256=digest, scan=scan)


def find_picture(connection: Connection, authority_code: str, digest: str) -> KeptPicture:
    """Return a picture of the tenant; raises ``SealPictureNotFound``, also for another's."""
    row = connection.execute(
        select(seal_pictures).where(
            seal_pictures.c.authority_code == authority_code,
            seal_pictures.c.picture_sha256 == digest,
        )
    ).one_or_none()
    if row is None:
        raise SealPictureNotFound(picture_sha256=digest)
    scan = CleanedScan(
        png=bytes(row.png), width_mm=row.width_mm, height_mm=row.height_mm, dpi=row.dpi
    )
    return KeptPicture(picture_sha256=digest, scan=scan)
