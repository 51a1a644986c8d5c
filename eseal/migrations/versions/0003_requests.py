"""Requests that a second person confirms, narrower mandates, and uses counted by mandate.

Callers that managed seals could also apply and approve: they get the new scopes for it, so that
nobody loses what they could do. An operator takes away what a role should not have.
"""

import sqlalchemy as sa
from alembic import op

from seal_service.plumbing.database import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MANAGER = "seals:manage"
ADDED = {"seals:apply", "seals:approve"}


def upgrade() -> None:
    """Add the columns and the table, and widen the scopes of managers."""
    op.add_column("seal_events", sa.Column("effective_at", Instant(), nullable=True))
    op.add_column("seal_mandates", sa.Column("limits", sa.Text(), nullable=True))
    op.add_column("seal_mandates", sa.Column("withdrawal_reason", sa.Text(), nullable=True))
    op.add_column("seal_uses", sa.Column("mandate_id", sa.BigInteger(), nullable=True))
    op.create_index("seal_uses_by_mandate", "seal_uses", ["mandate_id", "opened_at"])
    op.create_index("seal_uses_by_key", "seal_uses", ["authority_code", "key_name", "serial"])
    op.create_table(
        "seal_requests",
        sa.Column("serial", SERIAL, autoincrement=True, nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("authority_code", sa.String(length=18), nullable=False),
        sa.Column("seal_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("applicant", sa.String(length=64), nullable=False),
        sa.Column("basis_document", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("filed_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.Column("completed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("serial"),
        sa.UniqueConstraint("request_id", name="seal_requests_request_id"),
    )
    op.create_index(
        "seal_requests_by_seal", "seal_requests", ["authority_code", "seal_id", "serial"]
    )
    op.create_index("seal_requests_by_state", "seal_requests", ["state", "kind", "completed_at"])
    _widen_managers()


def _widen_managers() -> None:
    callers = sa.table("callers", sa.column("caller_id"), sa.column("scopes"))
    connection = op.get_bind()
    known = connection.execute(sa.select(callers.c.caller_id, callers.c.scopes)).all()
    for caller_id, text in known:
        scopes = set(text.split())
        if MANAGER in scopes:
            connection.execute(
                sa.update(callers)
                .where(callers.c.caller_id == caller_id)
                .values(scopes=" ".join(sorted(scopes | ADDED)))
            )
