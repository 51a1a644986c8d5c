"""Tables of the seal-use log. Rows are read and written only by ``log``."""

from sqlalchemy import (
    BigInteger,
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

log_entries = Table(
    "log_entries",
    metadata,
    Column("entry_id", SERIAL, primary_key=True, autoincrement=True),
    Column("authority_code", String(18), nullable=False),
    Column("use_id", String(64), nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("committed_at", Instant, nullable=False),
    Column("leaf_index", BigInteger),
    UniqueConstraint("use_id", name="log_entries_use_id"),
    UniqueConstraint("leaf_index", name="log_entries_leaf_index"),
    Index("log_entries_by_tenant", "authority_code", "entry_id"),
)

log_nodes = Table(
    "log_nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("node_index", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
)

log_heads = Table(
    "log_heads",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
)

log_checkpoints = Table(
    "log_checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("signed_at", Instant, nullable=False),
)
