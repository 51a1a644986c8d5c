"""Designs of seals beyond the plain round one, and uploaded pictures."""

import sqlalchemy as sa
from alembic import op

from seal_service.plumbing.database import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the column and the table; what is there is plain and round."""
    op.add_column("seals", sa.Column("face_design", sa.Text(), nullable=True))
    op.create_table(
        "seal_pictures",
        sa.Column("serial", SERIAL, autoincrement=True, nullable=False),
        sa.Column("authority_code", sa.String(length=18), nullable=False),
        sa.Column("picture_sha256", sa.String(length=64), nullable=False),
        sa.Column("png", sa.LargeBinary(), nullable=False),
        sa.Column("width_mm", sa.Float(), nullable=False),
        sa.Column("height_mm", sa.Float(), nullable=False),
        sa.Column("dpi", sa.Integer(), nullable=False),
        sa.Column("uploaded_by", sa.String(length=64), nullable=False),
        sa.Column("uploaded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("serial"),
        sa.UniqueConstraint("authority_code", "picture_sha256", name="seal_pictures_digest"),
    )
