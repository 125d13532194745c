"""Which Asterisk is chosen, and what is said when none will do; stand-in programs that only tell a version."""

from pathlib import Path

import pytest

from telephony.errors import AsteriskMissing
from telephony.find import cache_root, find_asterisk

pytestmark = pytest.mark.integration


def fake(prefix: Path, version: str = "20.6.0", *, modules: str = "lib/x86_64-linux-gnu/asterisk/modules") -> Path:
    """An installation below `prefix` whose program says `version`."""
    program = prefix / "sbin" / "asterisk"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\n[ "$1" = -V ] && echo "{version}"\n')
    program.chmod(0o755)
    for file in (prefix / modules / "chan_pjsip.so", prefix / "share/asterisk/documentation/core-en_US.xml"):
        file.parent.mkdir(parents=True)
        file.touch()
    return program


def test_program_on_path_is_taken(tmp_path: Path) -> None:
    program = fake(tmp_path / "usr", "Asterisk 20.6.0~dfsg+~cs6.13.40431414-2build5")
    found = find_asterisk("", {"PATH": str(program.parent), "HOME": str(tmp_path)})
    assert found.command == (str(program),)
    assert found.version == (20, 6, 0)
    assert found.modules == tmp_path / "usr/lib/x86_64-linux-gnu/asterisk/modules"
    assert found.documentation == tmp_path / "usr/share/asterisk/documentation"


def test_too_old_program_is_passed_over_for_the_unpacked_one(tmp_path: Path) -> None:
    program = fake(tmp_path / "usr", "Asterisk 18.10.0")
    unpacked(tmp_path / "cache" / "hotline12345" / "asterisk")
    found = find_asterisk("", {"PATH": str(program.parent), "XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert found.version == (22, 10, 1)
    loader, option, libraries, binary = found.command
    assert Path(loader).name == "ld-linux-x86-64.so.2"
    assert option == "--library-path"
    assert libraries.endswith("/usr/lib/x86_64-linux-gnu")
    assert binary.endswith("/hotline12345/asterisk/usr/sbin/asterisk")


def unpacked(root: Path) -> None:
    """A Debian root whose loader says the version for the program."""
    fake(root / "usr")
    loader = root / "usr" / "lib64" / "ld-linux-x86-64.so.2"
    loader.parent.mkdir()
    loader.write_text('#!/bin/sh\n[ "$4" = -V ] && echo "Asterisk 22.10.1+dfsg"\n')
    loader.chmod(0o755)


def test_setting_names_a_root_or_a_binary_and_wins(tmp_path: Path) -> None:
    on_path = fake(tmp_path / "path", "Asterisk 22.1.0")
    named = fake(tmp_path / "named", "Asterisk 21.0.0", modules="lib/asterisk/modules")
    unpacked(tmp_path / "root")
    environment = {"PATH": str(on_path.parent)}
    assert find_asterisk(str(named), environment).version == (21, 0, 0)
    assert find_asterisk(str(tmp_path / "root"), environment).version == (22, 10, 1)


@pytest.mark.parametrize("setting", ["absent", "empty"])
def test_wrong_setting_is_named_and_nothing_else_is_tried(tmp_path: Path, setting: str) -> None:
    on_path = fake(tmp_path / "path")
    (tmp_path / "empty").mkdir()
    with pytest.raises(AsteriskMissing, match=setting):
        find_asterisk(str(tmp_path / setting), {"PATH": str(on_path.parent)})


def test_none_at_all_is_one_sentence_that_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(AsteriskMissing, match=r"make run.*HOTLINE_ASTERISK to its root folder or binary\.$"):
        find_asterisk("", {"XDG_CACHE_HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        ("Asterisk 18.10.0", "is version 18.10.0; 20 or newer is needed"),
        ("something else", "does not tell its version: something else"),
        ("", "does not tell its version: no output"),
    ],
)
def test_unfit_program_is_refused_with_its_reason(tmp_path: Path, version: str, sentence: str) -> None:
    with pytest.raises(AsteriskMissing, match=sentence):
        find_asterisk(str(fake(tmp_path, version)), {})


def test_incomplete_installation_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    program = fake(tmp_path, "Asterisk 20.1.0")
    (tmp_path / "share/asterisk/documentation/core-en_US.xml").unlink()
    with pytest.raises(AsteriskMissing, match=r"core-en_US\.xml"):
        find_asterisk(str(program), {})
    (tmp_path / "lib/x86_64-linux-gnu/asterisk/modules/chan_pjsip.so").unlink()
    with pytest.raises(AsteriskMissing, match="asterisk-modules"):
        find_asterisk(str(program), {})


def test_cache_follows_the_desktop_standard(tmp_path: Path) -> None:
    assert cache_root({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "hotline12345" / "asterisk"
    assert cache_root({}) == Path.home() / ".cache" / "hotline12345" / "asterisk"
