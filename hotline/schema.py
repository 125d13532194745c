"""Brings the database's schema up to what this version of the product expects, or says why it cannot.

Synchronous, because it runs once, before anything else is started. Several processes may call it at once: one
migrates, the others wait and find it done.
"""

import importlib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from hotline.database import metadata
from hotline.errors import BadInput, Unavailable
from hotline.sql_urls import synchronous

HERE = Path(__file__).parent / "migrations"
LOCK = 12_345_001
"""Number of the advisory lock under which PostgreSQL is migrated."""


def upgrade(url: str, *, versions: Path | None = None) -> None:
    """Migrate to the newest revision, all or nothing.

    `versions`: folder of the revisions, ours unless a test brings others.

    Raises:
        BadInput: the schema was made by a newer version of the product, or the URL cannot be used.
        Unavailable: the database does not answer, or a migration failed and changed nothing.
    """
    config = _config(versions)
    with _connection(url) as connection:
        config.attributes["connection"] = connection
        _refuse_newer(connection, config)
        if expected(versions=versions) is not None:
            command.upgrade(config, "head")


def check(url: str, *, versions: Path | None = None) -> None:
    """Refuse to work on a schema that is not the expected one.

    Raises:
        BadInput: it is older or newer; the sentence says what to do.
        Unavailable: the database does not answer.
    """
    config = _config(versions)
    check_there(url)
    with _connection(url) as connection:
        _refuse_newer(connection, config)
        if _current(connection) != expected(versions=versions):
            raise BadInput("The database's schema is older than this version expects: start `hotline serve` once.")


def check_there(url: str) -> None:
    """Refuse to make an empty database where there is none.

    Raises:
        BadInput: there is none; the sentence says what to do.
    """
    if _is_missing(url):
        raise BadInput("There is no database in this data folder yet: start `hotline serve` once.")


def current(url: str) -> str | None:
    """The revision that the database stands at; `None` when it is empty.

    Raises:
        Unavailable: the database does not answer.
    """
    if _is_missing(url):
        return None
    with _connection(url) as connection:
        return _current(connection)


def expected(*, versions: Path | None = None) -> str | None:
    """The revision that this version of the product needs; `None` while there is none."""
    return ScriptDirectory.from_config(_config(versions)).get_current_head()


def known(*, versions: Path | None = None) -> frozenset[str]:
    """Every revision that this version of the product knows."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config(versions)).walk_revisions())


def differences(url: str, tables: Sequence[str]) -> list[str]:
    """What the tables of the named modules have that the migrated database has not, and the other way round.

    `tables`: module names such as `tickets.tables`. For the test that keeps revisions and tables together.
    """
    _import(tables)
    with _connection(url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return [str(difference) for difference in compare_metadata(context, metadata)]


def revise(url: str, message: str, tables: Sequence[str], *, versions: Path | None = None) -> Path:
    """Write the revision that brings the database (migrated to the newest one) to the tables of the named modules.

    For developers: read what it wrote before committing it.
    """
    config = _config(versions)
    config.attributes["tables"] = tuple(tables)
    with _connection(url) as connection:
        config.attributes["connection"] = connection
        script = command.revision(config, message, autogenerate=True)
    if script is None or isinstance(script, list):
        raise BadInput("There is nothing to revise.")
    return Path(script.path)


def _config(versions: Path | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(versions or HERE / "versions").replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


def _import(tables: Sequence[str]) -> None:
    for name in tables:
        importlib.import_module(name)


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(connection: Connection, config: Config) -> None:
    there = _current(connection)
    revisions = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if there is not None and there not in revisions:
        raise BadInput(
            f"The database's schema ({there}) was made by a newer version: install that one, or restore a backup."
        )


@contextmanager
def _connection(url: str) -> Generator[Connection, None, None]:
    engine = create_engine(synchronous(url), poolclass=NullPool, connect_args=_patience(url))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", _begin_immediate)
    try:
        if engine.dialect.name == "sqlite":
            _make_folder(engine.url.database)
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            yield connection
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise Unavailable(f"The database could not be brought up to date: {reason}.") from error
    except OSError as error:
        raise Unavailable(f"The database cannot be reached: {error.strerror or error}.") from error
    finally:
        engine.dispose()


def _patience(url: str) -> dict[str, Any]:
    # A migration that another process runs just now is waited for.
    return {"timeout": 60} if synchronous(url).get_backend_name() == "sqlite" else {"connect_timeout": 10}


def _is_missing(url: str) -> bool:
    """Whether asking would create an empty SQLite file."""
    parsed = synchronous(url)
    return parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists()


def _make_folder(database: str | None) -> None:
    if database and database != ":memory:":
        Path(database).parent.mkdir(parents=True, exist_ok=True)


def _leave_transactions_to_us(connection: Any, _: object) -> None:
    connection.isolation_level = None


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
