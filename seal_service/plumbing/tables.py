"""Tables of the plumbing: who may call, and which nonces were seen."""

from sqlalchemy import Column, Index, LargeBinary, String, Table, Text

from seal_service.plumbing.database import Instant, metadata

callers = Table(
    "callers",
    metadata,
    Column("caller_id", String(64), primary_key=True),
    Column("authority_code", String(18), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("disabled_at", Instant),
    Index("callers_by_tenant", "authority_code", "caller_id"),
)

caller_nonces = Table(
    "caller_nonces",
    metadata,
    Column("caller_id", String(64), primary_key=True),
    Column("nonce", String(64), primary_key=True),
    Column("keep_until", Instant, nullable=False),
    Index("caller_nonces_by_time", "keep_until"),
)
