"""The baseline: an Asterisk with its own `app_queue` and static members, as a user would set it up by hand."""

import os
import signal
import subprocess
import time
from pathlib import Path
from string import Template

from telephony.find import find_asterisk
from telephony.hold_music import render_hold_music
from tests.asterisk_node import free_rtp_ports, free_udp_port

MEDIA_PORTS = 3000
FIRST_SEAT = 8000

ASTERISK = """[directories]
astetcdir => $base/etc
astmoddir => $modules
astvarlibdir => $base/lib
astdbdir => $base/db
astkeydir => $base/keys
astdatadir => $base/data
astagidir => $base/agi
astspooldir => $base/spool
astrundir => $base/run
astlogdir => $base/log
[options]
verbose = 0
"""
MODULES = """[modules]
autoload = no
load = res_timing_timerfd.so
load = pbx_config.so
load = res_musiconhold.so
load = res_pjproject.so
load = res_sorcery_config.so
load = res_sorcery_memory.so
load = res_sorcery_astdb.so
load = res_pjsip.so
load = res_pjsip_session.so
load = res_pjsip_sdp_rtp.so
load = res_pjsip_pubsub.so
load = res_pjsip_endpoint_identifier_user.so
load = res_pjsip_endpoint_identifier_ip.so
load = res_pjsip_caller_id.so
load = res_pjsip_nat.so
load = res_rtp_asterisk.so
load = chan_pjsip.so
load = bridge_simple.so
load = bridge_native_rtp.so
load = codec_alaw.so
load = codec_ulaw.so
load = codec_resample.so
load = format_wav.so
load = format_pcm.so
load = format_sln.so
load = app_dial.so
load = app_playback.so
load = app_queue.so
load = app_stack.so
load = app_mixmonitor.so
load = func_callerid.so
load = func_channel.so
load = func_strings.so
load = func_logic.so
"""
PJSIP = """[global]
type=global
endpoint_identifier_order=username,ip
[udp]
type=transport
protocol=udp
bind=127.0.0.1:$sip
[caller]
type=endpoint
context=citizens
disallow=all
allow=alaw,ulaw
direct_media=no
aors=
[caller-id]
type=identify
endpoint=caller
match=127.0.0.1
"""
SEAT = """[seat$n]
type=endpoint
context=citizens
disallow=all
allow=alaw,ulaw
direct_media=no
aors=seat$n
identify_by=username
device_state_busy_at=1
[seat$n]
type=aor
contact=sip:seat$n@127.0.0.1:$farm
qualify_frequency=0
"""
QUEUE = """[general]
persistentmembers=no
autofill=yes
shared_lastcall=no
"""
EXTENSIONS = """[general]
static=yes
[citizens]
exten => _X.,1,Answer(,i)
 same => n,MixMonitor(${UNIQUEID}.wav,b)
 same => n,Queue(q0,c)
 same => n,Playback($goodbye)
 same => n,Hangup()
"""


class PlainAsterisk:
    """One throw-away instance. `farm`: the port of the seats' phones; `goodbye`: a sound without its extension, played
    to the citizen after the talk as the product does; `queues`: how many hold every member, calls enter the first;
    `strategy`: whom app_queue rings."""

    def __init__(
        self, base: Path, *, farm: int, seats: int, goodbye: Path, queues: int = 1, strategy: str = "leastrecent"
    ) -> None:
        self._found, self._base, self.sip = find_asterisk(os.environ.get("HOTLINE_ASTERISK", "")), base, free_udp_port()
        self._values = {"base": str(base), "modules": str(self._found.modules), "sip": str(self.sip)}
        self._values |= {"farm": str(farm)}
        self._seats, self._queues, self._goodbye, self._strategy = seats, queues, goodbye, strategy
        self.number, self.accounts = "12345", None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "PlainAsterisk":
        self._configure()
        command = [*self._found.command, "-C", str(self._base / "etc/asterisk.conf"), "-fn"]
        with (self._base / "out").open("wb") as out:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 60
        while "fully booted" not in self.cli("core waitfullybooted"):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError("the plain Asterisk does not start: " + (self._base / "out").read_text()[-500:])
            time.sleep(0.2)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)

    def ready(self) -> None:
        """Its seats' phones need no registration."""

    @property
    def controller(self) -> None:
        """There is none."""

    @property
    def asterisk(self) -> int:
        if self._process is None:
            raise RuntimeError("not started")
        return self._process.pid

    def cli(self, command: str) -> str:
        """What Asterisk's own console answers."""
        line = [*self._found.command, "-C", str(self._base / "etc/asterisk.conf"), "-rx", command]
        return subprocess.run(line, capture_output=True, text=True, timeout=20, check=False).stdout

    def _configure(self) -> None:
        for folder in ("etc", "lib", "db", "keys", "agi", "spool/monitor", "run", "log", "data", "moh"):
            (self._base / folder).mkdir(parents=True, exist_ok=True)
        documentation = self._base / "data/documentation"
        if not documentation.exists():
            documentation.symlink_to(self._found.documentation)
        render_hold_music(self._base / "moh")
        first, _, last = free_rtp_ports(MEDIA_PORTS).partition("-")
        extensions = EXTENSIONS.replace("$", "$$").replace("$$goodbye", str(self._goodbye))
        seats = "".join(Template(SEAT).substitute(self._values, n=FIRST_SEAT + n) for n in range(self._seats))
        files = {
            "asterisk.conf": ASTERISK,
            "modules.conf": MODULES,
            "pjsip.conf": PJSIP + seats,
            "queues.conf": QUEUE + "".join(self._queue(n) for n in range(self._queues)),
            "extensions.conf": extensions,
            "rtp.conf": f"[general]\nrtpstart={first}\nrtpend={last}\n",
            "musiconhold.conf": "[general]\n[default]\nmode=files\ndirectory=$base/moh\n",
            "logger.conf": "[general]\n[logfiles]\nfull => error\n",
            "manager.conf": "[general]\nenabled=no\n",
            **{f"{name}.conf": "[general]\nenable=no\n" for name in ("cdr", "cel")},
        }
        for name, text in files.items():
            (self._base / "etc" / name).write_text(Template(text).substitute(self._values))

    def _queue(self, number: int) -> str:
        head = (
            f"[q{number}]\nstrategy={self._strategy}\ntimeout=15\nretry=1\nwrapuptime=0\njoinempty=yes\nringinuse=no\n"
        )
        return head + "".join(f"member => PJSIP/seat{FIRST_SEAT + n}\n" for n in range(self._seats))
