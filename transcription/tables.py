"""The table of transcripts: one row for each recording."""

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table, Text

from hotline.database import UtcDateTime, metadata

transcripts = Table(
    "transcripts",
    metadata,
    Column("id", String(48), primary_key=True),
    Column("recording", String(48), nullable=False, unique=True),
    Column("call", String(48), nullable=False, index=True),
    Column("path", String(255), nullable=False),
    Column("channels", JSON, nullable=False),
    Column("agents", String(255), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("attempts", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("model", JSON),
    Column("demo_model", Boolean, nullable=False),
    Column("segments", JSON, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("took_ms", Integer, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("touched_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("told", Boolean, nullable=False),
    Index("ix_transcripts_told_state", "told", "state"),
)
"""`agents`: work numbers of the speakers, each between two blanks, to search for one; `told`: whoever waits for the
transcript was told of its end."""
