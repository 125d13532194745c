"""Unpacks the ZIP file of a model without trusting it: no way out of the folder, no links, no bombs."""

import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from transcription.errors import ModelUnusable

MOST_BYTES = 8 << 30
"""The biggest published Mandarin model has 2 GB unpacked."""
MOST_FILES = 10_000
_ENCRYPTED = 0x1
_BLOCK = 1 << 20


def unpack(archive: Path, folder: Path, most_bytes: int = MOST_BYTES) -> Path:
    """Unpack into the existing, empty `folder`; returns the folder of the model within it.

    Raises:
        ModelUnusable: it is no ZIP file, is damaged, too big, or holds names that lead elsewhere.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = _checked(opened, folder, most_bytes)
            for member, target in members:
                _extract(opened, member, target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError) as error:
        raise ModelUnusable(f"{archive.name} is no ZIP file, or is damaged: fetch it again.") from error
    except OSError as error:
        raise ModelUnusable(f"{archive.name} cannot be unpacked: {error.strerror or error}.") from error
    return _model_within(folder)


def _checked(opened: zipfile.ZipFile, folder: Path, most_bytes: int) -> list[tuple[zipfile.ZipInfo, Path]]:
    """Every file with the place it goes to, after all of them were looked at."""
    members = [member for member in opened.infolist() if not member.is_dir()]
    if len(members) > MOST_FILES:
        raise ModelUnusable(f"The archive holds {len(members)} files: that is no speech model.")
    size, free = sum(member.file_size for member in members), shutil.disk_usage(folder).free
    if size > most_bytes:
        raise ModelUnusable(
            f"The archive holds {size >> 20} MB unpacked; the most that is accepted is {most_bytes >> 20} MB."
        )
    if size > free:
        raise ModelUnusable(f"The archive needs {size >> 20} MB unpacked; only {free >> 20} MB are free on the disk.")
    return [(member, folder / _safe(member)) for member in members]


def _safe(member: zipfile.ZipInfo) -> PurePosixPath:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    kind = stat.S_IFMT(member.external_attr >> 16)
    if path.is_absolute() or ".." in path.parts or ":" in member.filename or kind not in {0, stat.S_IFREG}:
        raise ModelUnusable(
            "The archive holds a name that leads out of its folder, or a link: it is not to be trusted."
        )
    if member.flag_bits & _ENCRYPTED:
        raise ModelUnusable("The archive is protected by a password: fetch an open one.")
    return path


def _extract(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    """Never more than the archive's directory says: `zipfile` stops there, and then misses the right checksum."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as source, target.open("xb") as out:
        shutil.copyfileobj(source, out, _BLOCK)


def _model_within(folder: Path) -> Path:
    """Published archives hold one folder, named like the model; others hold the files themselves."""
    while not (folder / "am").exists():
        inside = [entry for entry in folder.iterdir() if not entry.name.startswith((".", "__MACOSX"))]
        if len(inside) != 1 or not inside[0].is_dir():
            break
        folder = inside[0]
    return folder
