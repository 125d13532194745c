"""The small pure parts around the configuration: places, identity, endpoint, requirements, log, back-off, music."""

import itertools
import wave
from pathlib import Path

import numpy as np
import pytest

from hotline.errors import BadInput
from telephony.asterisk import restart_pause_s
from telephony.child import Child
from telephony.endpoint import AmiEndpoint, parse_ami_url
from telephony.errors import AsteriskWontStart
from telephony.hold_music import RATE, hold_music, render_hold_music, to_alaw
from telephony.identity import Identity, keep, new_identity, remembered, with_usable_ports
from telephony.places import make_folders, places_of
from telephony.requirements import FORBIDDEN_ACTIONS, NEEDED_ACTIONS, account_problems, missing_modules
from telephony.startlog import fatal, start_problems

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", ["a b", "市民热线", "v1.2-x_y", "a+b@c:d"])
def test_usual_folder_names_can_be_used(name: str) -> None:
    assert places_of(Path("/data") / name, {}).main_configuration == Path("/data") / name / "asterisk/etc/asterisk.conf"


@pytest.mark.parametrize("mark", list(",;&|$\"'`\\{}[]()^<>=?*\n"))
def test_folder_names_that_would_mean_something_to_asterisk_are_refused(mark: str) -> None:
    with pytest.raises(AsteriskWontStart, match="choose another one with HOTLINE_DATA"):
        places_of(Path(f"/data/a{mark}b"), {})


def test_run_folder_moves_when_a_socket_would_not_fit_and_stays_the_same_for_the_same_data() -> None:
    edge = 107 - len("/asterisk/run/asterisk.ctl")
    fits, too_long = Path("/" + "x" * (edge - 1)), Path("/" + "x" * edge)
    assert places_of(fits, {}).run == fits / "asterisk/run"
    moved = places_of(too_long, {"XDG_RUNTIME_DIR": "/run/user/7"}).run
    assert moved.parent == Path("/run/user/7")
    assert moved == places_of(too_long, {"XDG_RUNTIME_DIR": "/run/user/7"}).run
    assert moved != places_of(too_long / "y", {"XDG_RUNTIME_DIR": "/run/user/7"}).run
    with pytest.raises(AsteriskWontStart, match="too long for a socket"):
        places_of(too_long, {"XDG_RUNTIME_DIR": "/" + "y" * 100})


def test_length_of_a_socket_path_is_counted_in_bytes() -> None:
    assert places_of(Path("/" + "市" * 40), {"XDG_RUNTIME_DIR": "/r"}).run.parent == Path("/r")


def test_folders_are_made_for_the_owner_and_a_foreign_run_folder_is_refused(tmp_path: Path) -> None:
    places = places_of(tmp_path / "data", {})
    make_folders(places, tmp_path)
    make_folders(places, tmp_path)
    assert places.run.stat().st_mode & 0o777 == 0o700
    assert (places.base / "share" / "documentation").readlink() == tmp_path
    places.run.chmod(0o755)
    with pytest.raises(AsteriskWontStart, match="not a folder of yours alone"):
        make_folders(places, tmp_path)


def test_identity_is_kept_privately_and_changes_only_ports_that_are_taken(tmp_path: Path) -> None:
    numbers = itertools.count(40000)
    made = new_identity(lambda: next(numbers))
    keep(made, tmp_path / "id.json")
    assert (tmp_path / "id.json").stat().st_mode & 0o777 == 0o600
    assert remembered(tmp_path / "id.json") == made
    assert len(made.ami_secret) >= 32
    moved = with_usable_ports(made, lambda: next(numbers), lambda port: port != 40000)
    assert (moved.ami_port, moved.http_port) == (40002, 40001)
    assert (moved.ami_secret, moved.node) == (made.ami_secret, made.node)
    assert with_usable_ports(made, lambda: next(numbers), lambda _: True) == made


def test_two_new_identities_have_nothing_in_common() -> None:
    one, two = new_identity(lambda: 1), new_identity(lambda: 1)
    assert one.node != two.node
    assert one.entity != two.entity
    assert one.ami_secret != two.ami_secret


@pytest.mark.parametrize("content", [b"", b"{", b'{"node": 1}', b"\xff"])
def test_damaged_identity_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "id.json").write_bytes(content)
    assert remembered(tmp_path / "id.json") is None
    assert remembered(tmp_path / "absent.json") is None


def test_ami_url_is_read() -> None:
    assert parse_ami_url("ami://hot:s%40cret@10.0.0.5:5039") == AmiEndpoint("10.0.0.5", 5039, "hot", "s@cret")
    assert parse_ami_url("ami://hot:x@pbx.example/").port == 5038


@pytest.mark.parametrize(
    "url", ["", "hot:x@h", "http://hot:x@h", "ami://h:5038", "ami://hot@h", "ami://hot:x@h:port", "ami://hot:x@h/p"]
)
def test_wrong_ami_url_is_one_sentence_without_the_secret(url: str) -> None:
    with pytest.raises(BadInput, match=r"HOTLINE_AMI_URL .*ami://user:secret@host:port") as failure:
        parse_ami_url(url)
    assert "hot:x" not in str(failure.value)


def test_account_is_judged_by_its_actions() -> None:
    right = set(NEEDED_ACTIONS)
    assert account_problems(right) == ()
    assert account_problems(name.lower() for name in right) == ()
    assert account_problems(right - {"Originate"}) == (
        "The AMI account lacks the right `originate`: add it to `write` in manager.conf.",
    )
    assert "may do Command, ModuleLoad" in account_problems(right | {"Command", "ModuleLoad"})[0]
    assert len(account_problems(FORBIDDEN_ACTIONS)) == 1 + len(set(NEEDED_ACTIONS.values()))


def test_missing_modules_are_named(tmp_path: Path) -> None:
    (tmp_path / "app_dial.so").touch()
    text = "[modules]\nautoload = no\nrequire = app_dial.so ; why\nload = app_echo.so\n; load = chan_dahdi.so\n"
    assert missing_modules(text, tmp_path) == ("app_echo.so",)


LOG = """\
[2026-11-22 02:46:30.878] Asterisk 22.10.1 built by nobody
[2026-11-22 02:46:30.885] NOTICE[21796] loader.c: 77 modules will be loaded.
[2026-11-22 02:46:30.962] WARNING[21796] res_musiconhold.c: No music on hold classes configured
[02:46:30.970] ERROR[21796][C-01] config_transport.c: Transport 'transport-udp' could not be started: Address in use
"""


def test_log_of_a_start_is_reduced_to_its_complaints_and_the_fatal_one() -> None:
    problems = start_problems(LOG)
    assert [line.split(":")[0] for line in problems] == ["res_musiconhold.c", "config_transport.c"]
    assert fatal(problems).startswith("config_transport.c: Transport 'transport-udp' could not")
    assert fatal(problems[:1]) == ""


def test_restart_pauses_grow_but_service_is_back_within_five_seconds() -> None:
    assert restart_pause_s(0, 1.0) == 0
    pauses = [restart_pause_s(failures, 1.0) for failures in range(1, 12)]
    assert pauses == sorted(pauses)
    assert pauses[0] <= 0.25
    assert pauses[-1] == 3.0
    assert restart_pause_s(5, 0.0) == restart_pause_s(5, 1.0) / 2


def test_process_of_another_boot_or_start_is_never_ours() -> None:
    me = Path("/proc/self/stat").read_text().split()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    pid, started = int(me[0]), int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    assert Child(pid, started, boot).alive()
    assert not Child(pid, started + 1, boot).alive()
    assert not Child(pid, started, "another boot").alive()


def test_hold_music_is_soft_has_no_seam_and_fits_a_telephone() -> None:
    music = hold_music().astype(float)
    assert music.size == 32 * RATE
    assert 0.15 < np.abs(music).max() / 32768 < 0.3
    loudness = [float(np.sqrt(np.mean(part**2))) for part in np.split(music, 64)]
    assert min(loudness) > 100, "never silent for half a second"
    assert abs(music[0] - music[-1]) < 2000
    power = np.abs(np.fft.rfft(music)) ** 2
    band = np.fft.rfftfreq(music.size, 1 / RATE)
    assert power[(band > 150) & (band < 3400)].sum() / power.sum() > 0.99


def test_alaw_has_the_values_of_the_standard() -> None:
    samples = np.array([0, 8, -8, 16, 32767, -32768, 1000, -1000, 255, 256], dtype=np.int16)
    assert to_alaw(samples).tolist() == [0xD5, 0xD5, 0x55, 0xD4, 0xAA, 0x2A, 0xFA, 0x7A, 0xDA, 0xC5]


def test_music_is_written_once_and_a_citys_own_is_left_alone(tmp_path: Path) -> None:
    render_hold_music(tmp_path)
    with wave.open(str(tmp_path / "calm.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        assert file.getnframes() == (tmp_path / "calm.alaw").stat().st_size
    own = tmp_path / "own"
    own.mkdir()
    (own / "city.wav").touch()
    render_hold_music(own)
    assert [item.name for item in own.iterdir()] == ["city.wav"]


def test_identity_does_not_tell_its_secret() -> None:
    made = new_identity(lambda: 1)
    assert made.ami_secret not in f"{made!r} {made} {made.ami}"
    assert isinstance(made, Identity)
