"""Which driver a database's URL means. Connects to nothing."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from hotline.errors import BadInput


def asynchronous(url: str) -> URL:
    """The URL with the asynchronous driver of its database.

    Raises:
        BadInput: it cannot be read, or names a database that is not supported.
    """
    return _with_driver(url, {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"})


def synchronous(url: str) -> URL:
    """The URL with the synchronous driver of its database, for migrations.

    Raises:
        BadInput: it cannot be read, or names a database that is not supported.
    """
    return _with_driver(url, {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"})


def _with_driver(url: str, drivers: dict[str, str]) -> URL:
    try:
        parsed = make_url(url)
        return parsed.set(drivername=drivers[parsed.get_backend_name()])
    except (ArgumentError, KeyError) as error:
        raise BadInput("HOTLINE_DATABASE_URL has to begin with sqlite:/// or postgresql://.") from error
