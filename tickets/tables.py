"""Rows of tickets, their append-only history, the counters of their numbers, and call-back tasks."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from hotline.database import UtcDateTime, metadata

tickets = Table(
    "tickets",
    metadata,
    Column("id", String(48), primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column("state", String(24), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("source_channel", String(16), nullable=False),
    Column("call", String(48), nullable=False, unique=True),
    Column("dialled", String(40), nullable=False, index=True),
    Column("line_name", String(200), nullable=False),
    Column("owner_unit", String(200), nullable=False, index=True),
    Column("class_hint", String(64), nullable=False),
    Column("agent", String(32), nullable=False, index=True),
    Column("recording", String(48), nullable=False),
    Column("transcript", String(48), nullable=False),
    Column("transcript_state", String(16), nullable=False),
    Column("transcript_label", Text, nullable=False),
    Column("demo_model", Boolean, nullable=False),
    Column("caller", String(40), nullable=False, index=True),
    Column("caller_name", String(200), nullable=False),
    Column("matter", Text, nullable=False),
    Column("contact_no", String(40), nullable=False),
    Column("incident_time", String(200), nullable=False),
    Column("subject_name", String(400), nullable=False),
    Column("subject_address", String(400), nullable=False),
    Column("event_process", Text, nullable=False),
    Column("demand", Text, nullable=False),
    Column("operator_suggestion", Text, nullable=False),
    Column("confidential", Boolean, nullable=False),
    Column("request_type", String(32), nullable=False),
    Column("category_code", String(16), nullable=False),
    Column("urgency", String(16), nullable=False),
    Column("handling_mode", String(32), nullable=False),
    Column("proposed_unit", String(200), nullable=False, server_default=""),
    Column("lead_unit", String(200), nullable=False, index=True),
    Column("dispatch_count", Integer, nullable=False),
    Column("designated", Boolean, nullable=False),
    Column("legal_hold", Boolean, nullable=False),
    Column("details", JSON, nullable=False),
    Index("ix_tickets_created_at_id", "created_at", "id"),
)

ticket_history = Table(
    "ticket_history",
    metadata,
    Column("ticket", ForeignKey("tickets.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("action", String(32), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("agent", String(32), nullable=False),
    Column("unit", String(200), nullable=False),
    Column("from_state", String(24), nullable=False),
    Column("to_state", String(24), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("detail", JSON, nullable=False),
)
"""Only ever added to: no function of the store changes or removes a line."""

ticket_counters = Table(
    "ticket_counters",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("last", Integer, nullable=False),
)

callback_tasks = Table(
    "callback_tasks",
    metadata,
    Column("id", String(48), primary_key=True),
    Column("call", String(48), nullable=False, unique=True),
    Column("caller", String(40), nullable=False),
    Column("dialled", String(40), nullable=False),
    Column("reason", String(24), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    Column("done_by", String(80), nullable=False),
    Column("reached_call", String(48), nullable=False, server_default=""),
    Index("ix_callback_tasks_created_at_id", "created_at", "id"),
    Index("ix_callback_tasks_caller", "caller"),
)

callback_tries = Table(
    "callback_tries",
    metadata,
    Column("line", String(80), primary_key=True),
    Column("call", String(48), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("seat", String(20), nullable=False),
    Column("ended_at", UtcDateTime),
    Column("result", String(24), nullable=False),
)
"""Every time that a citizen was called back, and what came of it."""
