"""Table of uploaded seal pictures: cleaned, kept as what an application may name."""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from seal_service.plumbing.database import Instant, metadata

seal_pictures = Table(
    "seal_pictures",
    metadata,
    Column(
        "serial",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("authority_code", String(18), nullable=False),
    Column("picture_sha256", String(64), nullable=False),
    Column("png", LargeBinary, nullable=False),
    Column("width_mm", Float, nullable=False),
    Column("height_mm", Float, nullable=False),
    Column("dpi", Integer, nullable=False),
    Column("uploaded_by", String(64), nullable=False),
    Column("uploaded_at", Instant, nullable=False),
    UniqueConstraint("authority_code", "picture_sha256", name="seal_pictures_digest"),
)
