"""The first shape: callers, seals and their uses, the use log, licences and their uses."""

import sqlalchemy as sa
from alembic import op

from seal_service.plumbing.database import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make every table of the first release."""
    _make_caller_nonces()
    _make_callers()
    _make_licence_events()
    _make_licence_files()
    _make_licence_requests()
    _make_licence_uses()
    _make_licences()
    _make_log_checkpoints()
    _make_log_entries()
    _make_log_heads()
    _make_log_nodes()
    _make_made_seals()
    _make_presentations()
    _make_seal_events()
    _make_seal_mandates()
    _make_seal_uses()
    _make_seals()


def _make_caller_nonces() -> None:
    op.create_table(
        "caller_nonces",
        sa.Column("caller_id", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("keep_until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("caller_id", "nonce"),
    )
    op.create_index("caller_nonces_by_time", "caller_nonces", ["keep_until"], unique=False)


def _make_callers() -> None:
    op.create_table(
        "callers",
        sa.Column("caller_id", sa.String(length=64), nullable=False),
        sa.Column("authority_code", sa.String(length=18), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("caller_id"),
    )
    op.create_index("callers_by_tenant", "callers", ["authority_code", "caller_id"], unique=False)


def _make_licence_events() -> None:
    op.create_table(
        "licence_events",
        sa.Column("event_id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("authority_code", sa.String(length=18), nullable=False),
        sa.Column("identifier", sa.String(length=128), nullable=False),
        sa.Column("happened_at", Instant(), nullable=False),
        sa.Column("state_before", sa.String(length=16), nullable=False),
        sa.Column("state_after", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("caller_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_index(
        "licence_events_by_licence",
        "licence_events",
        ["authority_code", "identifier", "event_id"],
        unique=False,
    )


def _make_licence_files() -> None:
    op.create_table(
        "licence_files",
        sa.Column("file_id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("authority_code", sa.String(length=18), nullable=False),
        sa.Column("identifier", sa.String(length=128), nullable=False),
        sa.Column("format", sa.String(length=8), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("seal_id", sa.String(length=64), nullable=False),
        sa.Column("seal_use_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("file_id"),
        sa.UniqueConstraint("identifier", "format", name="licence_files_identifier_format"),
    )
    op.create_index("licence_files_by_digest", "licence_files", ["digest"], unique=False)


def _make_licence_requests() -> None:
    op.create_table(
        "licence_requests",
        sa.Column("request_id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("authority_code", sa.String(length=18), nullable=False),
        sa.Column("caller_id", sa.String(length=64), nullable=False),
        sa.Column("idempotency_key", sa.String(length=128), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("request_id"),
        sa.UniqueConstraint(
            "authority_code", "caller_id", "idempotency_key", name="licence_requests_key"
        ),
    )


def _make_licence_uses() -> None:
    op.create_table(
        "licence_uses",
        sa.Column("use_id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("authority_code", sa.String(length=18), nullable=False),
        sa.Column("identifier", sa.String(length=128), nullable=True),
        sa.Column("version", sa.String(length=3), nullable=True),
        sa.Column("used_at", Instant(), nullable=False),
        sa.Column("user_authority_code", sa.String(length=18), nullable=False),
        sa.Column("caller_id", sa.String(length=64), nullable=False),
        sa.Column("service_item_code", sa.String(length=64), nullable=False),
        sa.Column("case_number", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=200), nullable=False),
        sa.Column("released", sa.Text(), nullable=False),
        sa.Column("result", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("use_id"),
    )
    op.create_index(
        "licence_uses_by_licence",
        "licence_uses",
        ["authority_code", "identifier", "use_id"],
        unique=False,
    )


def _make_licences() -> None:
    op.create_table(
        "licences",
        sa.Column("licence_id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("authority_code", sa.String(length=18), nullable=False),
        sa.Column("identifier", sa.String(length=128), nullable=False),
        sa.Column("qr_digest", sa.LargeBinary(), nullable=False),
        sa.Column("holder_digest", sa.LargeBinary(), nullable=False),
        sa.Column("case_number", sa.String(length=64), nullable=False),
        sa.Column("licence_type_code", sa.String(length=21), nullable=False),
        sa.Column("licence_type_name", sa.String(length=200), nullable=False),
        sa.Column("licence_number", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=3), nullable=False),
        sa.Column("template_version", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("approval_result", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_until", Instant(), nullable=False),
        sa.Column("reserved_at", Instant(), nullable=False),
        sa.Column("issued_at", Instant(), nullable=True),
        sa.Column("revocation_kind", sa.String(length=16), nullable=True),
        sa.Column("revocation_reason", sa.Text(), nullable=True),
        sa.Column("revocation_basis", sa.Text(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("revoked_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("licence_id"),
        sa.UniqueConstraint(
            "authority_code", "case_number", "licence_type_code", name="licences_case_and_type"
        ),
        sa.UniqueConstraint("identifier", name="licences_identifier"),
        sa.UniqueConstraint("qr_digest", name="licences_qr_digest"),
    )
    op.create_index(
        "licences_by_holder", "licences", ["authority_code", "holder_digest"], unique=False
    )
    op.create_index("licences_by_lease", "licences", ["state", "lease_until"], unique=False)
    op.create_index(
        "licences_by_tenant", "licences", ["authority_code", "licence_id"], unique=False
    )


def _make_log_checkpoints() -> None:
    op.create_table(
        "log_checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )


def _make_log_entries() -> None:
    op.create_table(
        "log_entries",
        sa.Column("entry_id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("authority_code", sa.String(length=18), nullable=False),
        sa.Column("use_id", sa.String(length=64), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("committed_at", Instant(), nullable=False),
        sa.Column("leaf_index", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("entry_id"),
        sa.UniqueConstraint("leaf_index", name="log_entries_leaf_index"),
        sa.UniqueConstraint("use_id", name="log_entries_use_id"),
    )
    op.create_index(
        "log_entries_by_tenant", "log_entries", ["authority_code", "entry_id"], unique=False
    )


def _make_log_heads() -> None:
    op.create_table(
        "log_heads",
        sa.Column("log_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("log_id"),
    )


def _make_log_nodes() -> None:
    op.create_table(
        "log_nodes",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("node_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "node_index"),
    )


def _make_made_seals() -> None:
    op.create_table(
        "made_seals",
        sa.Column("serial", SERIAL, autoincrement=True, nullable=False),
        sa.Column("authority_code", sa.String(length=18), nullable=False),
        sa.Column("seal_id", sa.String(length=64), nullable=False),
        sa.Column("eseal_der", sa.LargeBinary(), nullable=False),
        sa.Column("picture_png", sa.LargeBinary(), nullable=False),
        sa.Column("width_mm", sa.Integer(), nullable=False),
        sa.Column("height_mm", sa.Integer(), nullable=False),
        sa.Column("sm2_key_name", sa.String(length=128), nullable=False),
        sa.Column("sm2_chain", sa.Text(), nullable=False),
        sa.Column("rsa_key_name", sa.String(length=128), nullable=False),
        sa.Column("rsa_chain", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("serial"),
        sa.UniqueConstraint("seal_id", name="made_seals_seal_id"),
    )


def _make_presentations() -> None:
    op.create_table(
        "presentations",
        sa.Column("presentation_id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("authority_code", sa.String(length=18), nullable=False),
        sa.Column("identifier", sa.String(length=128), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(), nullable=False),
        sa.Column("holder_digest", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.String(length=200), nullable=False),
        sa.Column("service_item_code", sa.String(length=64), nullable=True),
        sa.Column("requested_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("redeemed_at", Instant(), nullable=True),
        sa.Column("redeemed_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("presentation_id"),
        sa.UniqueConstraint("code_digest", name="presentations_code_digest"),
    )
    op.create_index(
        "presentations_by_licence", "presentations", ["authority_code", "identifier"], unique=False
    )


def _make_seal_events() -> None:
    op.create_table(
        "seal_events",
        sa.Column("event_id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("authority_code", sa.String(length=18), nullable=False),
        sa.Column("seal_id", sa.String(length=64), nullable=False),
        sa.Column("happened_at", Instant(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("state_before", sa.String(length=16), nullable=True),
        sa.Column("state_after", sa.String(length=16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("applicant", sa.String(length=64), nullable=False),
        sa.Column("approver", sa.String(length=64), nullable=False),
        sa.Column("basis_document", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_index("seal_events_by_seal", "seal_events", ["seal_id", "event_id"], unique=False)


def _make_seal_mandates() -> None:
    op.create_table(
        "seal_mandates",
        sa.Column("mandate_id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("authority_code", sa.String(length=18), nullable=False),
        sa.Column("seal_id", sa.String(length=64), nullable=False),
        sa.Column("caller_id", sa.String(length=64), nullable=True),
        sa.Column("licence_type_code", sa.String(length=21), nullable=True),
        sa.Column("valid_from", Instant(), nullable=False),
        sa.Column("valid_until", Instant(), nullable=False),
        sa.Column("applicant", sa.String(length=64), nullable=False),
        sa.Column("approver", sa.String(length=64), nullable=False),
        sa.Column("basis_document", sa.Text(), nullable=False),
        sa.Column("granted_at", Instant(), nullable=False),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("mandate_id"),
    )
    op.create_index(
        "seal_mandates_by_seal", "seal_mandates", ["authority_code", "seal_id"], unique=False
    )
    op.create_index(
        "seal_mandates_by_type",
        "seal_mandates",
        ["authority_code", "licence_type_code"],
        unique=False,
    )


def _make_seal_uses() -> None:
    op.create_table(
        "seal_uses",
        sa.Column("serial", SERIAL, autoincrement=True, nullable=False),
        sa.Column("use_id", sa.String(length=64), nullable=False),
        sa.Column("authority_code", sa.String(length=18), nullable=False),
        sa.Column("seal_id", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("key_name", sa.String(length=128), nullable=False),
        sa.Column("caller_id", sa.String(length=64), nullable=False),
        sa.Column("case_number", sa.String(length=64), nullable=False),
        sa.Column("licence_type_code", sa.String(length=21), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("format", sa.String(length=8), nullable=False),
        sa.Column("document_digest", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("serial"),
        sa.UniqueConstraint("use_id", name="seal_uses_use_id"),
    )
    op.create_index(
        "seal_uses_by_seal", "seal_uses", ["authority_code", "seal_id", "serial"], unique=False
    )
    op.create_index("seal_uses_by_state", "seal_uses", ["state", "opened_at"], unique=False)


def _make_seals() -> None:
    op.create_table(
        "seals",
        sa.Column("serial", SERIAL, autoincrement=True, nullable=False),
        sa.Column("authority_code", sa.String(length=18), nullable=False),
        sa.Column("seal_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("face_name", sa.String(length=200), nullable=False),
        sa.Column("face_line_below", sa.String(length=64), nullable=False),
        sa.Column("face_number", sa.String(length=32), nullable=False),
        sa.Column("diameter_mm", sa.Float(), nullable=False),
        sa.Column("valid_from", Instant(), nullable=False),
        sa.Column("valid_until", Instant(), nullable=False),
        sa.Column("predecessor_seal_id", sa.String(length=64), nullable=True),
        sa.Column("applicant", sa.String(length=64), nullable=False),
        sa.Column("applied_at", Instant(), nullable=False),
        sa.Column("application_digest", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("serial"),
        sa.UniqueConstraint("seal_id", name="seals_seal_id"),
    )
    op.create_index("seals_by_tenant", "seals", ["authority_code", "serial"], unique=False)
