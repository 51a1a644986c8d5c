"""Tables of the licence library. Rows are read and written only by ``library``, ``presentation``.

Every row carries the tenant (``authority_code``). No foreign key leaves this package.
"""

from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from seal_service.plumbing.database import SERIAL, Instant, metadata

licences = Table(
    "licences",
    metadata,
    Column("licence_id", SERIAL, primary_key=True, autoincrement=True),
    Column("authority_code", String(18), nullable=False),
    Column("identifier", String(128), nullable=False),
    Column("qr_digest", LargeBinary, nullable=False),
    Column("holder_digest", LargeBinary, nullable=False),
    Column("case_number", String(64), nullable=False),
    Column("licence_type_code", String(21), nullable=False),
    Column("licence_type_name", String(200), nullable=False),
    Column("licence_number", String(64), nullable=False),
    Column("version", String(3), nullable=False),
    Column("template_version", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("approval_result", Text, nullable=False),
    Column("record", Text, nullable=False),
    Column("content_digest", LargeBinary, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("lease_until", Instant, nullable=False),
    Column("reserved_at", Instant, nullable=False),
    Column("issued_at", Instant),
    Column("revocation_kind", String(16)),
    Column("revocation_reason", Text),
    Column("revocation_basis", Text),
    Column("revoked_at", Instant),
    Column("revoked_by", String(64)),
    UniqueConstraint("identifier", name="licences_identifier"),
    UniqueConstraint("qr_digest", name="licences_qr_digest"),
    UniqueConstraint(
        "authority_code", "case_number", "licence_type_code", name="licences_case_and_type"
    ),
    Index("licences_by_tenant", "authority_code", "licence_id"),
    Index("licences_by_holder", "authority_code", "holder_digest"),
    Index("licences_by_lease", "state", "lease_until"),
)

licence_files = Table(
    "licence_files",
    metadata,
    Column("file_id", SERIAL, primary_key=True, autoincrement=True),
    Column("authority_code", String(18), nullable=False),
    Column("identifier", String(128), nullable=False),
    Column("format", String(8), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("seal_id", String(64), nullable=False),
    Column("seal_use_id", String(64), nullable=False),
    UniqueConstraint("identifier", "format", name="licence_files_identifier_format"),
    Index("licence_files_by_digest", "digest"),
)

licence_events = Table(
    "licence_events",
    metadata,
    Column("event_id", SERIAL, primary_key=True, autoincrement=True),
    Column("authority_code", String(18), nullable=False),
    Column("identifier", String(128), nullable=False),
    Column("happened_at", Instant, nullable=False),
    Column("state_before", String(16), nullable=False),
    Column("state_after", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("caller_id", String(64), nullable=False),
    Index("licence_events_by_licence", "authority_code", "identifier", "event_id"),
)

licence_requests = Table(
    "licence_requests",
    metadata,
    Column("request_id", SERIAL, primary_key=True, autoincrement=True),
    Column("authority_code", String(18), nullable=False),
    Column("caller_id", String(64), nullable=False),
    Column("idempotency_key", String(128), nullable=False),
    Column("content_digest", LargeBinary, nullable=False),
    Column("asked_at", Instant, nullable=False),
    UniqueConstraint("authority_code", "caller_id", "idempotency_key", name="licence_requests_key"),
)

presentations = Table(
    "presentations",
    metadata,
    Column("presentation_id", SERIAL, primary_key=True, autoincrement=True),
    Column("authority_code", String(18), nullable=False),
    Column("identifier", String(128), nullable=False),
    Column("code_digest", LargeBinary, nullable=False),
    Column("holder_digest", LargeBinary, nullable=False),
    Column("purpose", String(200), nullable=False),
    Column("service_item_code", String(64)),
    Column("requested_by", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("redeemed_at", Instant),
    Column("redeemed_by", String(64)),
    UniqueConstraint("code_digest", name="presentations_code_digest"),
    Index("presentations_by_licence", "authority_code", "identifier"),
)

licence_uses = Table(
    "licence_uses",
    metadata,
    Column("use_id", SERIAL, primary_key=True, autoincrement=True),
    Column("authority_code", String(18), nullable=False),
    Column("identifier", String(128)),
    Column("version", String(3)),
    Column("used_at", Instant, nullable=False),
    Column("user_authority_code", String(18), nullable=False),
    Column("caller_id", String(64), nullable=False),
    Column("service_item_code", String(64), nullable=False),
    Column("case_number", String(64), nullable=False),
    Column("purpose", String(200), nullable=False),
    Column("released", Text, nullable=False),
    Column("result", String(32), nullable=False),
    Index("licence_uses_by_licence", "authority_code", "identifier", "use_id"),
)
