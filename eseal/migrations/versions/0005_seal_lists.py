"""Lists of seals from one index, and the digest of a picture, so that lists need not read it."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

AT_ONCE = 100
"""Pictures in memory together."""


def upgrade() -> None:
    """Widen the index that lists walk along, add the column, fill it for seals already made."""
    op.drop_index("seals_by_tenant", "seals")
    op.create_index(
        "seals_in_lists",
        "seals",
        [
            "authority_code",
            "serial",
            "state",
            "seal_id",
            "face_name",
            "face_line_below",
            "face_number",
        ],
    )
    op.add_column("made_seals", sa.Column("picture_sha256", sa.String(length=64), nullable=True))
    _fill_digests()


def _fill_digests() -> None:
    made = sa.table(
        "made_seals", sa.column("serial"), sa.column("picture_png"), sa.column("picture_sha256")
    )
    some = (
        sa.select(made.c.serial, made.c.picture_png)
        .where(made.c.picture_sha256.is_(None))
        .limit(AT_ONCE)
    )
    connection = op.get_bind()
    while rows := connection.execute(some).all():
        for serial, picture in rows:
            digest = hashlib.sha256(picture).hexdigest()
            connection.execute(
                sa.update(made).where(made.c.serial == serial).values(picture_sha256=digest)
            )
