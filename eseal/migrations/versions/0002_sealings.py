"""Sealed documents that are no licences: who asked under which key, and what was answered."""

import sqlalchemy as sa
from alembic import op

from seal_service.plumbing.database import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "seal_sealings",
        sa.Column("serial", SERIAL, autoincrement=True, nullable=False),
        sa.Column("sealing_id", sa.String(length=64), nullable=False),
        sa.Column("authority_code", sa.String(length=18), nullable=False),
        sa.Column("caller_id", sa.String(length=64), nullable=False),
        sa.Column("idempotency_key", sa.String(length=128), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("seal_id", sa.String(length=64), nullable=False),
        sa.Column("use_id", sa.String(length=64), nullable=False),
        sa.Column("case_number", sa.String(length=64), nullable=False),
        sa.Column("document_kind", sa.String(length=21), nullable=False),
        sa.Column("document_name", sa.String(length=128), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("format", sa.String(length=8), nullable=False),
        sa.Column("source_digest", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sealed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("serial"),
        sa.UniqueConstraint("sealing_id", name="seal_sealings_sealing_id"),
        sa.UniqueConstraint(
            "authority_code", "caller_id", "idempotency_key", name="seal_sealings_key"
        ),
    )
    op.create_index("seal_sealings_by_digest", "seal_sealings", ["digest"], unique=False)
    op.create_index(
        "seal_sealings_by_seal",
        "seal_sealings",
        ["authority_code", "seal_id", "serial"],
        unique=False,
    )
