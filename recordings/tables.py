"""Rows of recordings, who talked in them, the hash chain, and the certificates of removal."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from hotline.database import UtcDateTime, metadata

recordings = Table(
    "recordings",
    metadata,
    Column("id", String(48), primary_key=True),
    Column("call", String(48), nullable=False, unique=True),
    Column("folder", String(10), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("tracks", JSON, nullable=False),
    Column("channels", JSON, nullable=False),
    Column("muted", JSON, nullable=False),
    Column("length_ms", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("truncated", Boolean, nullable=False),
    Column("problem", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("retention_class", String(32), nullable=False),
    Column("legal_hold", Boolean, nullable=False),
    Column("transcription", String(16), nullable=False, index=True),
    Index("ix_recordings_answered_at_id", "answered_at", "id"),
)

recording_agents = Table(
    "recording_agents",
    metadata,
    Column("recording", ForeignKey("recordings.id"), primary_key=True),
    Column("agent", String(32), primary_key=True, index=True),
)

recording_chain = Table(
    "recording_chain",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("recording", ForeignKey("recordings.id"), nullable=False, index=True),
    Column("deed", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False, unique=True),
)

purge_certificates = Table(
    "purge_certificates",
    metadata,
    Column("recording", ForeignKey("recordings.id"), primary_key=True),
    Column("call", String(48), nullable=False),
    Column("retention_class", String(32), nullable=False),
    Column("keep_days", Integer, nullable=False),
    Column("kept_until", UtcDateTime, nullable=False),
    Column("purged_at", UtcDateTime, nullable=False, index=True),
    Column("purged_by", String(64), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("length_ms", BigInteger, nullable=False),
)
