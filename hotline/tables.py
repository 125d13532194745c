"""The kernel's tables: people and their ways in, the audit, and answers kept for retries."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from hotline.database import UtcDateTime, metadata

people = Table(
    "people",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("login", String(64), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("password", String(200), nullable=False),  # argon2id, never the word itself
    Column("roles", JSON, nullable=False),
    Column("agent", String(20), nullable=True, unique=True),
    Column("unit", String(64), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime, nullable=True),
)

log_ins = Table(
    "log_ins",
    metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256 of the cookie
    Column("person", ForeignKey("people.id"), nullable=False, index=True),
    Column("made_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256 of the token
    Column("roles", JSON, nullable=False),
    Column("made_by", String(140), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime, nullable=True),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),  # ours, so that two writers cannot fork the chain
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("person", String(140), nullable=False, index=True),
    Column("roles", Text, nullable=False),
    Column("action", String(100), nullable=False, index=True),
    Column("subject", String(200), nullable=False, index=True),
    Column("result", String(100), nullable=False),
    Column("detail", Text, nullable=False),  # canonical JSON, kept to the letter because it is hashed
    Column("digest", String(64), nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("id", String(64), primary_key=True),  # SHA-256 of who, where and the Idempotency-Key
    Column("fingerprint", String(64), nullable=False),
    Column("status", Integer, nullable=True),
    Column("body", LargeBinary, nullable=True),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_answers_at", "at"),
)
