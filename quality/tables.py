"""Rows of notes and reviews."""

from sqlalchemy import JSON, Column, Integer, String, Table, Text

from hotline.database import UtcDateTime, metadata

notes = Table(
    "quality_notes",
    metadata,
    Column("id", String(48), primary_key=True),
    Column("recording", String(48), nullable=False, index=True),
    Column("from_ms", Integer, nullable=False),
    Column("to_ms", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("by", String(64), nullable=False),
    Column("by_name", String(100), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

reviews = Table(
    "quality_reviews",
    metadata,
    Column("id", String(48), primary_key=True),
    Column("recording", String(48), nullable=False, index=True),
    Column("agents", JSON, nullable=False),
    Column("sheet", String(16), nullable=False),
    Column("marks", JSON, nullable=False),
    Column("fatal", JSON, nullable=False),
    Column("total", Integer, nullable=False),
    Column("grade", String(8), nullable=False),
    Column("comment", Text, nullable=False),
    Column("by", String(64), nullable=False),
    Column("by_name", String(100), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
