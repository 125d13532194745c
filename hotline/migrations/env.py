"""Alembic's environment. It is given an open connection and the names of the modules that describe tables.

Everything runs in the caller's transaction, so an interrupted migration leaves the schema as it was.
"""

import importlib
from collections.abc import Sequence
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from hotline.database import UtcDateTime, metadata


def _render(kind: str, thing: Any, _: AutogenContext) -> str | Literal[False]:
    # A revision must not depend on code that goes on changing.
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(thing, UtcDateTime) else False


def _run() -> None:
    attributes = context.config.attributes
    tables: Sequence[str] = attributes.get("tables", ())
    for name in tables:
        importlib.import_module(name)
    context.configure(
        connection=attributes["connection"],
        target_metadata=metadata,
        render_item=_render,
        render_as_batch=True,  # SQLite changes a column by making the table anew
        compare_type=True,
        transactional_ddl=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


_run()
