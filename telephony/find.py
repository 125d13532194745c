"""Which Asterisk to run, and how: a program on this machine or an unpacked Debian root run through its own loader.

Knows folders and version numbers; starts nothing but `asterisk -V`.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from telephony.errors import AsteriskMissing

MINIMUM_VERSION = (20, 0, 0)
"""Answer(,i), AsyncAGI and realtime as we use them; also the oldest release line that gets fixes."""

_MARK = "chan_pjsip.so"


@dataclass(frozen=True, slots=True)
class FoundAsterisk:
    """An Asterisk that can be run."""

    command: tuple[str, ...]
    """What to execute; append `-C CONFIG -fn`."""
    modules: Path
    """Folder of the modules."""
    documentation: Path
    """Folder of core-en_US.xml, against which Asterisk checks its options."""
    version: tuple[int, int, int]
    origin: str
    """Where it was found, for people."""


def find_asterisk(setting: str, environ: Mapping[str, str] = os.environ) -> FoundAsterisk:
    """The Asterisk named by `setting` (`Settings.asterisk`: a root folder or a binary); when that is empty the one
    on PATH, else the one unpacked in the cache folder.

    Raises:
        AsteriskMissing: there is none, or none that is new enough and complete; one sentence says what to do.
    """
    if setting:
        return _named(Path(setting).expanduser().absolute())
    problems: list[str] = []
    for candidate in _candidates(environ):
        try:
            return _named(candidate)
        except AsteriskMissing as error:
            problems.append(str(error))
    found = f" ({' '.join(problems)})" if problems else ""
    raise AsteriskMissing(
        "No usable Asterisk of version 20 or newer was found: run `make run` once, which fetches one, install the "
        f"package asterisk, or set HOTLINE_ASTERISK to its root folder or binary.{found}"
    )


def cache_root(environ: Mapping[str, str] = os.environ) -> Path:
    """Where set-up unpacks an Asterisk when the distribution has none."""
    cache = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "hotline12345" / "asterisk"


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    path = os.pathsep.join([environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin"])
    binary = shutil.which("asterisk", path=path)
    if binary:
        yield Path(binary)
    root = cache_root(environ)
    if root.exists():
        yield root


def _named(place: Path) -> FoundAsterisk:
    if place.is_dir():
        return _in_root(place)
    if place.is_file() and os.access(place, os.X_OK):
        binary = place.resolve()
        return _described((str(binary),), binary.parent.parent, str(place))
    raise AsteriskMissing(f"{place} is neither a folder nor a program: correct HOTLINE_ASTERISK.")


def _in_root(root: Path) -> FoundAsterisk:
    """An unpacked Debian root: its C library differs from ours, so its own loader must load it."""
    binary = root / "usr" / "sbin" / "asterisk"
    if not binary.exists():
        raise AsteriskMissing(f"{root} has no usr/sbin/asterisk: it is no root folder of an Asterisk.")
    loader = next(
        iter(sorted(root.glob("usr/lib*/ld-linux-*.so*")) or sorted(root.glob("usr/lib/*/ld-linux-*.so*"))), None
    )
    if loader is None:
        raise AsteriskMissing(
            f"{root} has no loader (ld-linux): it was not unpacked completely, remove it and set up again."
        )
    libraries = [
        str(folder) for folder in sorted(root.glob("usr/lib/*-linux-gnu*")) + sorted(root.glob("lib/*-linux-gnu*"))
    ]
    return _described((str(loader), "--library-path", ":".join(libraries), str(binary)), root / "usr", str(root))


def _described(command: tuple[str, ...], prefix: Path, origin: str) -> FoundAsterisk:
    version = _version(command, origin)
    if version < MINIMUM_VERSION:
        have = ".".join(map(str, version))
        raise AsteriskMissing(f"The Asterisk in {origin} is version {have}; 20 or newer is needed.")
    modules = _holding(_MARK, prefix, ("lib/*/asterisk/modules", "lib/asterisk/modules", "lib64/asterisk/modules"))
    documents = _holding(
        "core-en_US.xml",
        prefix,
        ("share/asterisk/documentation", "../var/lib/asterisk/documentation", "var/lib/asterisk/documentation"),
    )
    if modules is None:
        raise AsteriskMissing(
            f"The Asterisk in {origin} has no module {_MARK}: install its modules (asterisk-modules)."
        )
    if documents is None:
        raise AsteriskMissing(f"The Asterisk in {origin} has no core-en_US.xml: its installation is incomplete.")
    return FoundAsterisk(command, modules, documents, version, origin)


def _holding(name: str, prefix: Path, patterns: tuple[str, ...]) -> Path | None:
    for pattern in patterns:
        for folder in sorted(prefix.glob(pattern)):
            if (folder / name).is_file():
                return folder.resolve()
    return None


def _version(command: tuple[str, ...], origin: str) -> tuple[int, int, int]:
    try:
        answer = subprocess.run(  # noqa: S603 - the program was found above, its only argument is -V
            [*command, "-V"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AsteriskMissing(f"The Asterisk in {origin} cannot be run on this machine: {error}.") from error
    numbers = re.match(r"Asterisk\D*(\d+)\.(\d+)(?:\.(\d+))?", answer.stdout)
    if numbers is None:
        said = (answer.stderr or answer.stdout).strip().splitlines()
        raise AsteriskMissing(
            f"The Asterisk in {origin} does not tell its version: {said[-1] if said else 'no output'}."
        )
    return int(numbers[1]), int(numbers[2]), int(numbers[3] or 0)
