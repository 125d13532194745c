"""The last known catalogue as a file, for a start or a time without a database."""

from pathlib import Path

import msgspec
import structlog

from ivr.model import Catalogue

log = structlog.get_logger(__name__)


class Snapshot(msgspec.Struct, frozen=True):
    """A catalogue and the revision it had."""

    revision: int
    catalogue: Catalogue


def write(path: Path, revision: int, catalogue: Catalogue) -> None:
    """Keep it; a disk that is full is logged, not raised: the catalogue in memory is what counts."""
    partial = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(msgspec.json.encode(Snapshot(revision, catalogue)))
        partial.replace(path)
    except OSError as error:
        log.warning("catalogue snapshot not written", file=path.name, error=error.strerror)


def read(path: Path, home: str) -> Snapshot | None:
    """What was kept, for the city of `home`; `None` when there is nothing usable."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Snapshot)
    except (OSError, msgspec.DecodeError):
        return None
    return Snapshot(found.revision, msgspec.structs.replace(found.catalogue, home=home))
