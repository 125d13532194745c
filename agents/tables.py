"""The table of agents' profiles."""

from sqlalchemy import JSON, Boolean, Column, String, Table

from hotline.database import UtcDateTime, metadata

agents = Table(
    "agents",
    metadata,
    Column("agent", String(20), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("person", String(64), nullable=False, index=True),
    Column("skills", JSON, nullable=False),
    Column("units", JSON, nullable=False),
    Column("phone", String(20), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)
