"""Statements of every call, made into SQL once.

SQLAlchemy makes a statement's context anew each time it runs; on SQLite, which answers in microseconds, that costs
ten times what the answer costs. A `Prepared` keeps the text and the conversions of types, and gives both straight to
the connection of `hotline.sqlite_inline`. On a server, where the way there and back is what counts, SQLAlchemy runs
it. It knows Core statements without lists of values (`IN`), and no table.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Dialect, Executable
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import Select
from sqlalchemy.sql.elements import ClauseElement

from hotline.sqlite_inline import at_once

Values = Mapping[str, Any]
Row = dict[str, Any]
_Convert = Callable[[Any], Any] | None


class Prepared:
    """A select, insert or update; its parameters are named as for `AsyncConnection.execute`, and an insert names every
    column. For selects each column needs a name of its own."""

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._texts: dict[tuple[str, ...], _Text] = {}

    async def run(self, connection: AsyncConnection, values: Values) -> int:
        """Change rows; how many it were."""
        if (now := at_once(connection)) is None:
            return (await connection.execute(self._statement, dict(values))).rowcount
        text = self._text(connection, values)
        return now.execute(text.sql, text.arguments(values)).rowcount

    async def run_all(self, connection: AsyncConnection, several: Sequence[Values]) -> None:
        """Change rows, once for each of `several`, which all name the same parameters."""
        if not several:
            return
        if (now := at_once(connection)) is None:
            await connection.execute(self._statement, [dict(values) for values in several])
            return
        text = self._text(connection, several[0])
        now.executemany(text.sql, [text.arguments(values) for values in several])

    async def rows(self, connection: AsyncConnection, values: Values) -> list[Row]:
        """What a select finds, by the names of its columns."""
        if (now := at_once(connection)) is None:
            found = await connection.execute(self._statement, dict(values))
            return [{str(name): value for name, value in row.items()} for row in found.mappings()]
        text = self._text(connection, values)
        return [text.row(found) for found in now.execute(text.sql, text.arguments(values)).fetchall()]

    async def row(self, connection: AsyncConnection, values: Values) -> Row | None:
        """The first row that a select finds."""
        found = await self.rows(connection, values)
        return found[0] if found else None

    def _text(self, connection: AsyncConnection, values: Values) -> "_Text":
        names = tuple(values)
        text = self._texts.get(names)
        if text is None:
            text = self._texts[names] = _Text(self._statement, names, connection.dialect)
        return text


class _Text:
    """SQL with question marks, what to put there, and what comes back."""

    def __init__(self, statement: Any, names: Sequence[str], dialect: Dialect) -> None:
        assert isinstance(statement, ClauseElement)  # noqa: S101 - every Core statement is one
        compiled: Any = statement.compile(dialect=dialect, column_keys=list(names), for_executemany=True)
        if compiled.post_compile_params:
            raise TypeError("a statement with a list of values cannot be prepared")
        self.sql = str(compiled)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        self._fixed = {name: binds[name].effective_value for name in compiled.positiontup if name not in names}
        self._binds: list[tuple[str, _Convert]] = [
            (name, binds[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in compiled.positiontup
        ]
        self._columns: list[tuple[str, _Convert]] = _columns(statement, dialect)

    def arguments(self, values: Values) -> list[Any]:
        known = {**self._fixed, **values}
        return [known[name] if convert is None else convert(known[name]) for name, convert in self._binds]

    def row(self, found: Sequence[Any]) -> Row:
        return {
            name: value if convert is None else convert(value)
            for (name, convert), value in zip(self._columns, found, strict=True)
        }


def _columns(statement: object, dialect: Dialect) -> list[tuple[str, _Convert]]:
    if not isinstance(statement, Select):
        return []
    columns: Any = statement.selected_columns
    return [(str(one.name), one.type.dialect_impl(dialect).result_processor(dialect, None)) for one in columns]
