"""A ZIP file is unpacked into its folder and nowhere else, or refused with a sentence."""

import stat
import struct
import zipfile
from pathlib import Path

import pytest

from transcription.archive import unpack
from transcription.errors import ModelUnusable

pytestmark = pytest.mark.unit


def zipped(file: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "unpacked"
    made.mkdir()
    return made


@pytest.mark.parametrize("within", ["", "vosk-model-small-cn-0.22/", "a/b/"])
def test_the_folder_of_the_model_is_found_however_deep(tmp_path: Path, folder: Path, within: str) -> None:
    archive = zipped(tmp_path / "m.zip", (f"{within}am/final.mdl", b"net"), (f"{within}README", b""))
    assert (unpack(archive, folder) / "am" / "final.mdl").read_bytes() == b"net"


def test_what_macs_add_is_no_model(tmp_path: Path, folder: Path) -> None:
    archive = zipped(tmp_path / "m.zip", ("m/am/final.mdl", b"net"), ("__MACOSX/m/._am", b""))
    assert unpack(archive, folder).name == "m"


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", "..\\out", "c:\\out"])
def test_a_name_that_leads_out_is_refused_before_anything_is_written(tmp_path: Path, folder: Path, name: str) -> None:
    archive = zipped(tmp_path / "m.zip", ("am/final.mdl", b"net"), (name, b"x"))
    with pytest.raises(ModelUnusable, match="leads out"):
        unpack(archive, folder)
    assert list(folder.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.zip", "unpacked"]


def test_a_link_is_refused(tmp_path: Path, folder: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        link = zipfile.ZipInfo("am")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc")
    with pytest.raises(ModelUnusable, match="link"):
        unpack(tmp_path / "m.zip", folder)


def test_an_archive_that_is_too_big_is_refused_before_anything_is_written(tmp_path: Path, folder: Path) -> None:
    archive = zipped(tmp_path / "m.zip", ("am/final.mdl", bytes(3 << 20)))
    with pytest.raises(ModelUnusable, match="holds 3 MB unpacked; the most that is accepted is 2 MB"):
        unpack(archive, folder, most_bytes=2 << 20)
    assert list(folder.iterdir()) == []


def test_an_archive_that_lies_about_its_size_is_refused(tmp_path: Path, folder: Path) -> None:
    """The directory says one byte; the member holds a million."""
    archive = zipped(tmp_path / "m.zip", ("am/final.mdl", bytes(1 << 20)))
    content = archive.read_bytes()
    true = struct.pack("<I", 1 << 20)
    assert content.count(true) == 2
    archive.write_bytes(content.replace(true, struct.pack("<I", 1)))
    with pytest.raises(ModelUnusable, match="damaged"):
        unpack(archive, folder)
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) <= 1


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\3\4" + bytes(100)])
def test_what_is_no_archive_is_refused(tmp_path: Path, folder: Path, content: bytes) -> None:
    (tmp_path / "m.zip").write_bytes(content)
    with pytest.raises(ModelUnusable, match=r"m\.zip is no ZIP file"):
        unpack(tmp_path / "m.zip", folder)


def test_a_damaged_archive_is_refused(tmp_path: Path, folder: Path) -> None:
    archive = zipped(tmp_path / "m.zip", ("am/final.mdl", bytes(range(256)) * 400))
    content = bytearray(archive.read_bytes())
    content[60:80] = bytes(20)
    archive.write_bytes(bytes(content))
    with pytest.raises(ModelUnusable, match="damaged"):
        unpack(archive, folder)
