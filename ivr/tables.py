"""Tables of the catalogue. Columns beside `body` are what people search by; `body` is the whole value."""

from sqlalchemy import JSON, Column, Integer, String, Table

from hotline.database import UtcDateTime, metadata

catalogue = Table(
    "hotline_catalogue",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
)

numbers = Table(
    "hotline_number",
    metadata,
    Column("number", String(12), primary_key=True),
    Column("region", String(4), primary_key=True),
    Column("valid_from", String(10), primary_key=True),  # ISO date, empty: since before the records
    Column("valid_to", String(10), nullable=False),
    Column("mode", String(16), nullable=False, index=True),
    Column("owner_unit", String(200), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("body", JSON(), nullable=False),
)

hours = Table(
    "hotline_hours",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("body", JSON(), nullable=False),
)

days = Table(
    "hotline_day",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("body", JSON(), nullable=False),
)

ledger = Table(
    "hotline_number_change",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime(), nullable=False),
    Column("who", String(200), nullable=False),
    Column("subject", String(80), nullable=False, index=True),
    Column("before", JSON(none_as_null=True), nullable=True),
    Column("after", JSON(), nullable=False),
)
