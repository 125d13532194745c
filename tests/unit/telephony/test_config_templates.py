import re
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from hotline.settings import Settings
from telephony.config import render, start_digest, templates, values, write_configuration
from telephony.find import FoundAsterisk
from telephony.identity import Identity
from telephony.places import Places
from telephony.provisioning import _ENDPOINT
from telephony.requirements import AMI_EVENTS, AMI_READ, AMI_WRITE, listed_modules

pytestmark = pytest.mark.unit

FOUND = FoundAsterisk(("asterisk",), Path("/opt/a/modules"), Path("/opt/a/docs"), (22, 10, 1), "/opt/a")
IDENTITY = Identity(
    node="hotline-1", entity="02:00:00:00:00:01", ami_user="hotline", ami_secret="kept", ami_port=15038, http_port=15088
)
PLACES = Places(Path("/data/市民 热线"), Path("/run/h"))


def rendered(**chosen: object) -> dict[str, str]:
    settings = Settings(**({"data": Path("/data/市民 热线")} | chosen))  # type: ignore[arg-type]
    return render(templates(), values(settings, PLACES, FOUND, IDENTITY, ["192.0.2.7"]))


def directives(text: str) -> list[str]:
    """Lines without comments."""
    return [bare for line in text.splitlines() if (bare := re.sub(r"(^|\s);.*", "", line).rstrip())]


def test_no_placeholder_is_left_and_none_is_unknown() -> None:
    for name, text in rendered().items():
        assert not re.search(r"@[A-Z_]+@", text), name


def test_every_value_is_used_by_a_template() -> None:
    used = set(re.findall(r"@([A-Z_]+)@", "".join(templates().values())))
    assert used == values(Settings(), PLACES, FOUND, IDENTITY).keys()


def test_template_with_an_unknown_placeholder_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError, match="NOBODY"):
        render({"x.conf": "port = @NOBODY@"}, {})


def test_every_file_begins_with_its_reason() -> None:
    for name, text in templates().items():
        assert text.startswith("; "), name


def test_rights_and_events_are_those_that_the_code_relies_on() -> None:
    manager = rendered()["manager.conf"]
    assert set(re.findall(r"^read = (.*)$", manager, re.MULTILINE)[0].split(",")) == AMI_READ
    assert set(re.findall(r"^write = (.*)$", manager, re.MULTILINE)[0].split(",")) == AMI_WRITE
    assert not {"all", "system", "command", "config"} & set(
        re.findall(r"^write = (.*)$", manager, re.MULTILINE)[0].split(",")
    )
    pattern = re.findall(r"^eventfilter = (.*)$", manager, re.MULTILINE)[0].replace("[[:cntrl:]]", "[\\x00-\\x1f]")
    for event in AMI_EVENTS:
        assert re.match(pattern, f"Event: {event}\r\nPrivilege: call,all"), event
    for event in ("VarSet", "Newexten", "HangupRequest", "UserEventX", "DTMF"):
        assert not re.match(pattern, f"Event: {event}\r\nPrivilege: Event: UserEvent\r\n"), event


def test_module_list_loads_no_door_that_nobody_asked_for() -> None:
    modules = {name for name, _ in listed_modules(rendered()["modules.conf"])}
    assert not modules & {
        "app_system.so", "func_shell.so", "func_env.so", "app_originate.so", "pbx_spool.so",
        "res_ari.so", "app_disa.so", "app_externalivr.so", "func_curl.so", "pbx_lua.so", "chan_iax2.so",
        "res_pjsip_endpoint_identifier_anonymous.so",
    }  # fmt: skip
    assert {"chan_pjsip.so", "res_agi.so", "func_global.so", "app_mixmonitor.so"} <= modules


def test_a_refer_is_understood_only_to_be_refused() -> None:
    assert ("res_pjsip_refer.so", False) in listed_modules(rendered()["modules.conf"])
    assert "allow_transfer = no" in "\n".join(directives(rendered()["pjsip.conf"]))
    assert _ENDPOINT["allow_transfer"] == "no", "seats' rows say so too"


def test_only_the_queue_and_seats_are_dialled_and_nothing_is_run() -> None:
    plan = "\n".join(directives(templates()["extensions.conf"]))
    dialled = ["PJSIP/seat${FILTER(0-9,${EXTEN})}", "${FILTER(PJSIPseat0-9/&,${PHONES})}"]
    assert re.findall(r"Dial\((.*?\)}),", plan) == dialled
    assert not re.search(r"\b(System|TrySystem|SHELL|Originate|Exec|EVAL|CURL)\(", plan)
    for received in ("${EXTEN}", "${CALLERID", "${PJSIP_HEADER"):
        for line in (line for line in plan.splitlines() if received in line):
            assert "FILTER(" in line or "Set(LOCAL(" in line or "GotoIf($[${LEN(" in line, line


def test_ports_trunks_and_folders_come_from_the_settings() -> None:
    files = rendered(
        sip_port=5070, rtp_ports="21000-21399", trunks=(IPv4Network("10.1.0.0/16"), IPv4Network("10.2.3.4/32"))
    )
    assert "bind = 127.0.0.1:5070" in files["pjsip.conf"]
    assert directives(files["pjsip.conf"])[-2:] == ["match = 10.1.0.0/16", "match = 10.2.3.4/32"]
    assert "rtpstart = 21000\nrtpend = 21399" in files["rtp.conf"]
    assert "maxcalls = 100 " in files["asterisk.conf"]
    assert "astspooldir => /data/市民 热线/asterisk/spool" in files["asterisk.conf"]


def test_loopback_media_are_offered_to_browsers_only_while_sip_is_on_loopback() -> None:
    assert "192.0.2.7 => 127.0.0.1" in rendered()["rtp.conf"]
    assert "192.0.2.7" not in rendered(bind="192.0.2.7")["rtp.conf"]


def test_files_are_written_once_privately_and_strangers_are_removed(tmp_path: Path) -> None:
    files = rendered()
    assert write_configuration(files, tmp_path)
    assert {item.name for item in tmp_path.iterdir()} == files.keys()
    assert {item.stat().st_mode & 0o777 for item in tmp_path.iterdir()} == {0o600}
    assert not write_configuration(files, tmp_path)
    (tmp_path / "sip.conf").write_text("[evil]")
    (tmp_path / "pjsip.conf").write_text("[evil]")
    assert write_configuration(files, tmp_path)
    assert not (tmp_path / "sip.conf").exists()
    assert (tmp_path / "pjsip.conf").read_text() == files["pjsip.conf"]
    (tmp_path / "manager.conf").chmod(0o644)
    assert write_configuration(files, tmp_path)
    assert (tmp_path / "manager.conf").stat().st_mode & 0o777 == 0o600


def test_only_what_a_start_reads_changes_the_start_digest() -> None:
    same = start_digest(rendered(), Settings())
    assert same == start_digest(rendered(trunks=(IPv4Network("10.0.0.0/8"),)), Settings())
    assert same != start_digest(rendered(sip_port=5061), Settings(sip_port=5061))
    assert same != start_digest(rendered(rtp_ports="30000-30199"), Settings())


def test_secret_is_in_no_repr_and_only_in_the_file_that_needs_it() -> None:
    holders = [name for name, text in rendered().items() if "kept" in "\n".join(directives(text)).split()]
    assert holders == ["manager.conf"]
    assert "kept" not in repr(IDENTITY) + repr(IDENTITY.ami)
