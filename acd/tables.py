"""Tables of the floor's settings. What happens on the floor is kept in the event log."""

from sqlalchemy import JSON, Column, String, Table

from hotline.database import UtcDateTime, metadata

queue_plans = Table(
    "queue_plans",
    metadata,
    Column("queue", String(64), primary_key=True),
    Column("plan", JSON(), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", String(64), nullable=False),
)
"""How each queue treats who waits in it (`acd.plans.QueuePlan`)."""
