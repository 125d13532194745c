"""The folders of our own Asterisk below the data folder, and what may stand in their names.

DATA/asterisk/etc    rendered configuration         DATA/asterisk/db     registrations, seats
DATA/asterisk/log    its log, its output            DATA/asterisk/music  hold music
DATA/asterisk/run    sockets and pid file           DATA/prompts         prompts (rendered by ivr)
DATA/spool/tracks    recordings of the fallback     DATA/secrets         the AMI account
"""

import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from telephony.errors import AsteriskWontStart

_SOCKET_PATH_BYTES = 107
"""sockaddr_un.sun_path holds 108 bytes with its closing NUL."""

_UNUSABLE = re.compile(r"""[,;&|$"'`\\{}\[\]()^<>=?*\x00-\x1f]""")
"""Characters that mean something to Asterisk's configuration or to an application's arguments."""


@dataclass(frozen=True, slots=True)
class Places:
    """Absolute folders of one instance."""

    data: Path
    run: Path

    @property
    def base(self) -> Path:
        return self.data / "asterisk"

    @property
    def etc(self) -> Path:
        return self.base / "etc"

    @property
    def log(self) -> Path:
        return self.base / "log"

    @property
    def main_configuration(self) -> Path:
        return self.etc / "asterisk.conf"

    @property
    def messages(self) -> Path:
        """Asterisk's own log."""
        return self.log / "messages.log"

    @property
    def output(self) -> Path:
        """What it says before its log is open."""
        return self.log / "output.log"

    @property
    def seats(self) -> Path:
        """SQLite file of the seats' accounts."""
        return self.base / "db" / "seats.db"

    @property
    def music(self) -> Path:
        return self.base / "music"

    @property
    def prompts(self) -> Path:
        return self.data / "prompts"

    @property
    def tracks(self) -> Path:
        """Recordings of calls that only the fallback saw: `tracks/CITIZEN_LINE/LINE.sln`."""
        return self.data / "spool" / "tracks"

    @property
    def identity(self) -> Path:
        return self.data / "secrets" / "asterisk.json"

    @property
    def process(self) -> Path:
        """Which process runs here."""
        return self.base / "process.json"

    @property
    def lock(self) -> Path:
        return self.base / "lock"


def places_of(data: Path, environ: Mapping[str, str] = os.environ) -> Places:
    """Where things lie for this data folder; touches nothing.

    Raises:
        AsteriskWontStart: the path cannot be used by Asterisk.
    """
    absolute = data.expanduser().absolute()
    unusable = sorted(set(_UNUSABLE.findall(str(absolute))))
    if unusable:
        raise AsteriskWontStart(
            f"The data folder {absolute} has {' '.join(unusable)} in its path, which Asterisk cannot take: choose "
            "another one with HOTLINE_DATA (letters of any language, digits, spaces, `.`, `-`, `_` are fine)."
        )
    return Places(absolute, _run_folder(absolute, environ))


def _run_folder(data: Path, environ: Mapping[str, str]) -> Path:
    """Beside everything else, or a short folder of its own when a socket's path would be too long there."""
    usual = data / "asterisk" / "run"
    mark = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    short = Path(environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"hotline-{os.getuid()}-{mark}"
    for folder in (usual, short):
        if len(os.fsencode(folder / "asterisk.ctl")) <= _SOCKET_PATH_BYTES:
            return folder
    raise AsteriskWontStart(
        f"The paths of the data folder {data} and of the temporary folder are too long for a socket: choose a shorter "
        "HOTLINE_DATA."
    )


def make_folders(places: Places, documentation: Path) -> None:
    """Create what is missing, for the owner alone (0700).

    Raises:
        AsteriskWontStart: a folder cannot be made, or the short run folder belongs to somebody else.
    """
    inner = ("etc", "lib/keys", "db", "share/sounds", "agi", "spool", "log", "music")
    try:
        for folder in (places.base, *(places.base / name for name in inner), places.identity.parent, places.tracks):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        places.prompts.mkdir(parents=True, exist_ok=True)
        places.run.mkdir(mode=0o700, parents=True, exist_ok=True)
        _link(places.base / "share" / "documentation", documentation)
        _link(places.base / "share" / "sounds" / "zh", places.prompts)
    except OSError as error:
        raise AsteriskWontStart(
            f"The data folder {places.data} cannot be written ({error.strerror}): check its owner and the space left."
        ) from error
    _must_be_ours(places.run)


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _must_be_ours(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise AsteriskWontStart(
            f"{folder} is not a folder of yours alone (0700): remove it, or choose a shorter HOTLINE_DATA."
        )
