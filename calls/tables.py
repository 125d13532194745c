"""Tables of the call ledger's projection."""

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, String, Table, false

from hotline.database import UtcDateTime, metadata

calls = Table(
    "calls",
    metadata,
    Column("call", String(40), primary_key=True),
    Column("line", String(80), nullable=False),
    Column("dialled", String(32), nullable=False),
    Column("declared", Boolean, nullable=False),
    Column("caller", String(40), nullable=False, default=""),
    Column("via", String(16), nullable=False, default=""),
    Column("merge_mode", String(16), nullable=False, default=""),
    Column("owner_unit", String(100), nullable=False, default=""),
    Column("line_name", String(100), nullable=False, default=""),
    Column("region", String(16), nullable=False, default=""),
    Column("class_hint", String(64), nullable=False, default=""),
    Column("phase", String(16), nullable=False),
    Column("queue", String(40), nullable=False, default=""),
    Column("seat", String(20), nullable=False, default=""),
    Column("outcome", String(16), nullable=False, default=""),
    Column("offers_missed", Integer, nullable=False, default=0),
    Column("waited_s", Float),
    Column("talked_s", Float),
    Column("arrived_at", UtcDateTime, nullable=False),
    Column("queued_at", UtcDateTime),
    Column("answered_at", UtcDateTime),
    Column("talk_ended_at", UtcDateTime),
    Column("rated_service", String(16), nullable=False, server_default=""),
    Column("rated_result", String(16), nullable=False, server_default=""),
    Column("call_back", Boolean, nullable=False, server_default=false()),
    Column("ended_at", UtcDateTime),
    Index("ix_calls_arrived_at", "arrived_at"),
    Index("ix_calls_dialled", "dialled"),
)
"""One row per call, folded from its facts."""

cursors = Table(
    "projection_cursors",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("seq", Integer, nullable=False),
)
"""How far a stream of facts is folded into SQL; moved in the transaction that writes the rows."""

call_lines = Table(
    "call_lines",
    metadata,
    Column("call", String(40), primary_key=True),
    Column("line", String(80), primary_key=True),
    Column("party", String(16), nullable=False),
    Column("agent", String(20), nullable=False),
    Column("started_at", UtcDateTime),
)
"""Lines whose sound is recorded. A citizen's track begins with the first offer, before there is a recording."""

call_mutes = Table(
    "call_mutes",
    metadata,
    Column("call", String(40), primary_key=True),
    Column("began_at", UtcDateTime, primary_key=True),
    Column("ended_at", UtcDateTime),
)
"""When a recording was silent because keys were pressed."""

outside_calls = Table(
    "outside_calls",
    metadata,
    Column("line", String(80), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("day", String(10), nullable=False, index=True),
    Column("seat", String(20), nullable=False),
    Column("number", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
)
"""Every call to the outside that the guard admitted; counted per local day."""

asks = Table(
    "asks",
    metadata,
    Column("ask", String(80), primary_key=True),
    Column("call", String(40), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("by", String(20), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("unit", String(200), nullable=False),
    Column("number", String(32), nullable=False),
    Column("callees", Integer, nullable=False),
    Column("passed_over", JSON, nullable=False),
    Column("reached_at", UtcDateTime),
    Index("ix_asks_unit_at", "unit", "at"),
)
"""What was asked of units and of lines outside, folded from the facts."""

ask_tries = Table(
    "ask_tries",
    metadata,
    Column("line", String(80), primary_key=True),
    Column("ask", String(80), nullable=False, index=True),
    Column("call", String(40), nullable=False, index=True),
    Column("rank", Integer, nullable=False),
    Column("person", String(100), nullable=False),
    Column("how", String(8), nullable=False),
    Column("seat", String(20), nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("result", String(24), nullable=False),
)
"""Who was called for it, and what came of it; `result` is empty while it rings."""
