"""Settings: every mistake is named at once, under the name that it has outside, and no secret is repeated."""

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from hotline.errors import BadInput
from hotline.settings import Settings, load_settings

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"HOTLINE_{name.upper()}", raising=False)
    monkeypatch.delenv("HOTLINE_CONFIG", raising=False)
    monkeypatch.setenv("HOTLINE_DATA", str(tmp_path))


def test_every_mistake_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "HTTP_PORT": "x",
        "RTP_PORTS": "5-1",
        "TRUNKS": ",",
        "PROXIES": "nginx",
        "TIMEZONE": "Mars/Olympus",
        "REGION": "Yichang",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(f"HOTLINE_{name}", value)
    with pytest.raises(BadInput) as caught:
        load_settings()
    assert sorted(problem.partition(":")[0] for problem in caught.value.problems) == sorted(
        f"HOTLINE_{name}" for name in wrong
    )
    assert "Value error" not in str(caught.value)


@pytest.mark.parametrize("zone", ["../../etc/passwd", "/etc/localtime", "", "Asia"])
def test_a_time_zone_that_is_none_is_a_mistake(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("HOTLINE_TIMEZONE", zone)
    with pytest.raises(BadInput, match="HOTLINE_TIMEZONE"):
        load_settings()


def test_a_file_sets_what_the_environment_does_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "hotline.toml").write_text('sip_port = 5070\nhttp_port = 8123\ntrunks = "10.0.0.0/8, 192.0.2.1"\n')
    monkeypatch.setenv("HOTLINE_SIP_PORT", "5080")
    settings = load_settings()
    assert (settings.sip_port, settings.http_port) == (5080, 8123)
    assert settings.trunks == (IPv4Network("10.0.0.0/8"), IPv4Network("192.0.2.1/32"))


def test_a_misspelt_name_in_a_file_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "hotline.toml").write_text("http_prot = 8123\n")
    with pytest.raises(BadInput, match=r"http_prot in .*hotline\.toml is no setting"):
        load_settings()


def test_a_file_that_is_no_toml_or_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOTLINE_CONFIG", str(tmp_path / "other.toml"))
    with pytest.raises(BadInput, match=r"other\.toml"):
        load_settings()
    (tmp_path / "other.toml").write_text("http_port = = 1\n")
    with pytest.raises(BadInput, match="line 1"):
        load_settings()


def test_a_mistake_beside_a_secret_does_not_repeat_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_AMI_URL", "ami://hotline:geheim@127.0.0.1:5038")
    monkeypatch.setenv("HOTLINE_SIP_PORT", "none")
    with pytest.raises(BadInput) as caught:
        load_settings()
    assert "geheim" not in str(caught.value)
