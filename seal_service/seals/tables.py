"""Tables of the seal register. Rows are read and written only by ``registry`` and ``uses``.

Every row carries the tenant (``authority_code``). Nothing here is ever deleted, and of a seal's row
only state, epoch and what making added change after the application.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from seal_service.plumbing.database import Instant, metadata

_SERIAL = BigInteger().with_variant(Integer, "sqlite")

seals = Table(
    "seals",
    metadata,
    Column("serial", _SERIAL, primary_key=True, autoincrement=True),
    Column("authority_code", String(18), nullable=False),
    Column("seal_id", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("face_name", String(200), nullable=False),
    Column("face_line_below", String(64), nullable=False),
    Column("face_number", String(32), nullable=False),
    Column("diameter_mm", Float, nullable=False),
    Column("valid_from", Instant, nullable=False),
    Column("valid_until", Instant, nullable=False),
    Column("predecessor_seal_id", String(64)),
    Column("applicant", String(64), nullable=False),
    Column("applied_at", Instant, nullable=False),
    Column("application_digest", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("epoch", Integer, nullable=False),
    UniqueConstraint("seal_id", name="seals_seal_id"),
    Index("seals_by_tenant", "authority_code", "serial"),
)

made_seals = Table(
    "made_seals",
    metadata,
    Column("serial", _SERIAL, primary_key=True, autoincrement=True),
    Column("authority_code", String(18), nullable=False),
    Column("seal_id", String(64), nullable=False),
    Column("eseal_der", LargeBinary, nullable=False),
    Column("picture_png", LargeBinary, nullable=False),
    Column("width_mm", Integer, nullable=False),
    Column("height_mm", Integer, nullable=False),
    Column("sm2_key_name", String(128), nullable=False),
    Column("sm2_chain", Text, nullable=False),
    Column("rsa_key_name", String(128), nullable=False),
    Column("rsa_chain", Text, nullable=False),
    UniqueConstraint("seal_id", name="made_seals_seal_id"),
)

seal_events = Table(
    "seal_events",
    metadata,
    Column("event_id", _SERIAL, primary_key=True, autoincrement=True),
    Column("authority_code", String(18), nullable=False),
    Column("seal_id", String(64), nullable=False),
    Column("happened_at", Instant, nullable=False),
    Column("action", String(16), nullable=False),
    Column("state_before", String(16)),
    Column("state_after", String(16), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("applicant", String(64), nullable=False),
    Column("approver", String(64), nullable=False),
    Column("basis_document", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Index("seal_events_by_seal", "seal_id", "event_id"),
)

seal_mandates = Table(
    "seal_mandates",
    metadata,
    Column("mandate_id", _SERIAL, primary_key=True, autoincrement=True),
    Column("authority_code", String(18), nullable=False),
    Column("seal_id", String(64), nullable=False),
    Column("caller_id", String(64)),
    Column("licence_type_code", String(21)),
    Column("valid_from", Instant, nullable=False),
    Column("valid_until", Instant, nullable=False),
    Column("applicant", String(64), nullable=False),
    Column("approver", String(64), nullable=False),
    Column("basis_document", Text, nullable=False),
    Column("granted_at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
    Column("withdrawn_by", String(64)),
    Index("seal_mandates_by_seal", "authority_code", "seal_id"),
    Index("seal_mandates_by_type", "authority_code", "licence_type_code"),
)

seal_uses = Table(
    "seal_uses",
    metadata,
    Column("serial", _SERIAL, primary_key=True, autoincrement=True),
    Column("use_id", String(64), nullable=False),
    Column("authority_code", String(18), nullable=False),
    Column("seal_id", String(64), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("key_name", String(128), nullable=False),
    Column("caller_id", String(64), nullable=False),
    Column("case_number", String(64), nullable=False),
    Column("licence_type_code", String(21), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("format", String(8), nullable=False),
    Column("document_digest", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    UniqueConstraint("use_id", name="seal_uses_use_id"),
    Index("seal_uses_by_seal", "authority_code", "seal_id", "serial"),
    Index("seal_uses_by_state", "state", "opened_at"),
)

seal_sealings = Table(
    "seal_sealings",
    metadata,
    Column("serial", _SERIAL, primary_key=True, autoincrement=True),
    Column("sealing_id", String(64), nullable=False),
    Column("authority_code", String(18), nullable=False),
    Column("caller_id", String(64), nullable=False),
    Column("idempotency_key", String(128), nullable=False),
    Column("content_digest", LargeBinary, nullable=False),
    Column("seal_id", String(64), nullable=False),
    Column("use_id", String(64), nullable=False),
    Column("case_number", String(64), nullable=False),
    Column("document_kind", String(21), nullable=False),
    Column("document_name", String(128), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("format", String(8), nullable=False),
    Column("source_digest", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("sealed_at", Instant, nullable=False),
    UniqueConstraint("sealing_id", name="seal_sealings_sealing_id"),
    UniqueConstraint("authority_code", "caller_id", "idempotency_key", name="seal_sealings_key"),
    Index("seal_sealings_by_seal", "authority_code", "seal_id", "serial"),
    Index("seal_sealings_by_digest", "digest"),
)
