"""The tables of agents' profiles and of the roster of experts."""

from sqlalchemy import JSON, Boolean, Column, Integer, String, Table

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
    Column("second_phone", String(20), nullable=False, server_default=""),
    Column("active", Boolean, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

roster = Table(
    "roster",
    metadata,
    Column("unit", String(200), primary_key=True),
    Column("rank", Integer, primary_key=True, autoincrement=False),
    Column("person", String(100), nullable=False),
    Column("seat", String(20), nullable=False),
    Column("number", String(24), nullable=False),
    Column("hours", String(400), nullable=False),
    Column("note", String(200), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", String(140), nullable=False),
)
"""三固定: who answers for a unit, at which number, when; the first in rank is called first."""
