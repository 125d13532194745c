"""What SQLAlchemy and its drivers complain of, in the words of `hotline.errors`. Asks no database."""

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hotline.errors import BadInput, Conflict, Unavailable


def translated(error: Exception) -> Exception:
    """What the caller is told: `Conflict` and `Unavailable` for what they can act on, a mistake of ours as it is."""
    match error:
        case IntegrityError():
            told: Exception = Conflict("Somebody else stored this first, or what it refers to is gone.")
        case OverflowError() | DataError():
            told = BadInput("A value is too large, or has characters that cannot be stored.")
        case DBAPIError() if sqlstate(error)[:2] == "22" or _is_bad_value(error):
            told = BadInput("A value is too large, or has characters that cannot be stored.")
        case TimeoutError() | PoolTimeout():
            told = Unavailable("The database did not answer in time.")
        case DBAPIError() if is_outage(error):
            told = Unavailable(f"The database cannot do its work: {str(error.orig).splitlines()[0]}.")
        case OSError():
            told = Unavailable(f"The database cannot be reached: {error.strerror or error}.")
        case _:
            return error
    told.__cause__ = error
    return told


def is_outage(error: DBAPIError) -> bool:
    """Whether the database failed, and not our SQL. PostgreSQL: SQLSTATE classes 08, 25, 53, 57, 58 and none."""
    state = sqlstate(error)
    if state:
        return state[:2] in {"08", "25", "40", "53", "57", "58", "F0", "XX"} or state == "55P03"
    told = str(error.orig).lower()
    return not ("syntax error" in told or "no such" in told or "has no column" in told)


def _is_bad_value(error: DBAPIError) -> bool:
    # asyncpg refuses a value before the server sees it, without an SQLSTATE.
    return error.orig is not None and type(error.orig.__cause__).__name__ == "DataError"


def sqlstate(error: DBAPIError) -> str:
    """The server's code of an error; empty without one."""
    return str(getattr(error.orig, "sqlstate", None) or "")
