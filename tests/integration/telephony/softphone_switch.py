"""A small Asterisk of its own for the softphone's tests: extensions that ring, refuse, echo and press keys.

The product's dialplan does none of that, so these tests bring their own. Knows nothing of AMI.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from telephony.find import FoundAsterisk, find_asterisk
from telephony.softphone import Account
from tests.asterisk_node import free_udp_port

MODULES = (
    "res_timing_timerfd",
    "pbx_config",
    "res_pjproject",
    "res_sorcery_config",
    "res_sorcery_memory",
    "res_sorcery_astdb",
    "res_pjsip",
    "res_pjsip_session",
    "res_pjsip_sdp_rtp",
    "res_pjsip_pubsub",
    "res_pjsip_authenticator_digest",
    "res_pjsip_diversion",
    "res_pjsip_endpoint_identifier_user",
    "res_pjsip_endpoint_identifier_ip",
    "res_pjsip_registrar",
    "res_pjsip_caller_id",
    "res_pjsip_dtmf_info",
    "res_pjsip_header_funcs",
    "res_pjsip_nat",
    "res_pjsip_rfc3326",
    "res_rtp_asterisk",
    "chan_pjsip",
    "bridge_simple",
    "bridge_native_rtp",
    "codec_alaw",
    "codec_ulaw",
    "codec_a_mu",
    "res_speech",
    "app_dial",
    "app_read",
    "app_echo",
    "app_senddtmf",
    "app_playtones",
    "res_indications",
    "func_callerid",
    "func_channel",
    "func_logic",
    "func_strings",
    "app_exec",
    "res_musiconhold",
    "app_playback",
    "format_wav",
)
SEATS = ("8001", "8002", "8003", "8004")
PASSWORD = "a password of the tests"
DIALPLAN = """
    [from-trunk]
    exten => echo,1,Answer()
     same => n,Echo()
    exten => _8XXX,1,Dial(PJSIP/seat${EXTEN},30)
     same => n,Hangup(${HANGUPCAUSE})
    exten => keys,1,Answer()
     same => n,Read(KEYS,,4,,,10)
     same => n,SendDTMF(${KEYS},120,120)
     same => n,Wait(30)
    exten => ring,1,Ringing()
     same => n,Wait(60)
    exten => greeting,1,Answer()
     same => n,Playback(PROMPTS/welcome)
     same => n,Read(KEYS,PROMPTS/menu,1,,,6)
     same => n,GotoIf($["${KEYS}"="2"]?two)
     same => n,Hangup(16)
     same => n(two),Playback(PROMPTS/thanks)
     same => n,Echo()
    exten => early,1,Progress()
     same => n,Playtones(1000)
     same => n,Wait(1)
     same => n,Hangup(17)
    exten => busy,1,Hangup(17)
    exten => short,1,Answer()
     same => n,Wait(0.5)
     same => n,Hangup(16)
    exten => whoami,1,GotoIf($["${CALLERID(num)}-${REDIRECTING(from-num)}"="13912345678-12366"]?echo,1)
     same => n,Hangup(21)
    exten => busy-soon,1,Ringing()
     same => n,Wait(0.3)
     same => n,Hangup(17)
"""


@dataclass(frozen=True, slots=True)
class Switch:
    """A running Asterisk."""

    server: tuple[str, int]
    folder: Path

    @property
    def prompts(self) -> Path:
        """Where the extension `greeting` looks for welcome.wav, menu.wav and thanks.wav."""
        return self.folder / "prompts"

    def account(self, phone: str) -> Account:
        return Account(f"seat{phone}", PASSWORD)


@contextmanager
def running_switch(folder: Path) -> Iterator[Switch]:
    """Start it, wait until it takes calls, end it."""
    found = find_asterisk(os.environ.get("HOTLINE_ASTERISK", ""))
    port = free_udp_port()
    _configure(folder, found, port)
    output = (folder / "output").open("wb")
    command = [*found.command, "-C", str(folder / "etc/asterisk.conf"), "-fn"]
    process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        _wait_ready(folder / "output", process)
        yield Switch(("127.0.0.1", port), folder)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        output.close()


def _wait_ready(output: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while b"Asterisk Ready" not in output.read_bytes():
        assert process.poll() is None, output.read_text("utf-8", "replace")[-2000:]
        assert time.monotonic() < deadline, "Asterisk is not ready after 30 s"
        time.sleep(0.02)


def _configure(folder: Path, found: FoundAsterisk, port: int) -> None:
    for name in ("etc", "lib", "db", "keys", "data", "agi", "spool", "run", "log", "prompts"):
        (folder / name).mkdir(parents=True)
    (folder / "data/documentation").symlink_to(found.documentation)
    files = {
        "asterisk.conf": f"""
            [directories]
            astetcdir => {folder}/etc
            astmoddir => {found.modules}
            astvarlibdir => {folder}/lib
            astdbdir => {folder}/db
            astkeydir => {folder}/keys
            astdatadir => {folder}/data
            astagidir => {folder}/agi
            astspooldir => {folder}/spool
            astrundir => {folder}/run
            astlogdir => {folder}/log
            [options]
            verbose = 1
            """,
        "modules.conf": "[modules]\nautoload = no\n" + "".join(f"load = {name}.so\n" for name in MODULES),
        "extensions.conf": "[general]\nstatic = yes\n" + dedent(DIALPLAN).replace("PROMPTS", str(folder / "prompts")),
        "indications.conf": "[general]\ncountry = us\n[us]\nringcadence = 2000,4000\ndial = 350+440\n",
        "rtp.conf": "[general]\nrtpstart = 30000\nrtpend = 30999\nstrictrtp = no\nicesupport = no\n",
        "logger.conf": "[general]\n[logfiles]\nconsole => notice,warning,error,verbose\n",
        "sorcery.conf": "[general]\n",
        "pjsip.conf": _pjsip(port),
    }
    for name in ("acl", "ccss", "pjproject", "features", "udptl", "cdr", "cel", "manager", "http", "musiconhold"):
        files[f"{name}.conf"] = "[general]\nenable = no\n" if name in ("cdr", "cel") else "[general]\nenabled = no\n"
    files["acl.conf"] = files["musiconhold.conf"] = files["pjproject.conf"] = ""
    for name, text in files.items():
        (folder / "etc" / name).write_text(dedent(text))


def _pjsip(port: int) -> str:
    common = "disallow = all\nallow = alaw,ulaw\ndtmf_mode = rfc4733\nrtp_symmetric = yes\ncontext = from-trunk\n"
    text = f"""
[global]
type = global
endpoint_identifier_order = username,ip
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{port}
[trunk]
type = endpoint
direct_media = no
trust_id_inbound = yes
{common}
[trunk]
type = identify
endpoint = trunk
match = 127.0.0.1
"""
    for phone in SEATS:
        direct = "yes" if phone in ("8003", "8004") else "no"
        text += f"""
[seat{phone}]
type = endpoint
auth = seat{phone}
aors = seat{phone}
direct_media = {direct}
{common}
[seat{phone}]
type = auth
auth_type = digest
username = seat{phone}
password = {PASSWORD}
[seat{phone}]
type = aor
max_contacts = 1
remove_existing = yes
qualify_frequency = 1
minimum_expiration = 2
"""
    return text
