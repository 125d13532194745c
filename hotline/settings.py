"""Settings from the environment (`HOTLINE_*`) and a TOML file; the environment wins.

The file is named by `HOTLINE_CONFIG`, or is `hotline.toml` in the data folder when there is one.
"""

import os
import re
from datetime import timedelta
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from hotline.errors import BadInput

_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_TRUNK = {
    "trunk_host": (r"[A-Za-z0-9.-]{1,200}(:[0-9]{1,5})?", "write HOST or HOST:PORT"),
    "trunk_user": (r"[A-Za-z0-9._+-]{1,80}", "an account is letters, digits and . _ + -"),
    "trunk_secret": (r"[!-:<-Z^-~]{1,120}", "a secret is printable ASCII without blanks, ; [ ] and the backslash"),
    "trunk_caller": (r"[+]?[0-9]{2,20}", "write the number in digits"),
    "trunk_prefix": (r"[0-9]{1,8}", "a prefix is at most 8 digits"),
    "trunk_night": (f"{_CLOCK}-{_CLOCK}", "write it as HH:MM-HH:MM"),
    "call_back_hours": (f"{_CLOCK}-{_CLOCK}", "write it as HH:MM-HH:MM"),
}
"""What each setting of the outgoing trunk may look like: they end up in Asterisk's configuration."""


class Settings(BaseSettings):
    """Everything that differs between two installations."""

    model_config = SettingsConfigDict(env_prefix="HOTLINE_", extra="forbid", frozen=True)

    data: Path = Path("var")
    """Folder of everything that this installation writes."""
    bind: str = "127.0.0.1"
    """Address of the HTTP server and of SIP; loopback unless told otherwise."""
    http_port: int = Field(default=8000, ge=0, le=65535)
    sip_port: int = Field(default=5060, ge=1, le=65535)
    rtp_ports: str = "20000-20999"
    """First and last UDP port of the media, `FIRST-LAST`."""
    database_url: str = ""
    """SQLAlchemy URL; empty: SQLite in the data folder."""
    redis_url: str = ""
    """Event log, lease, broadcast and jobs; empty: embedded ones."""
    ami_url: str = ""
    """`ami://user:secret@host:port` of an Asterisk that someone else runs; empty: start our own."""
    asterisk: str = ""
    """Root folder or binary of the Asterisk to start; empty: find one."""
    vosk_model: str = ""
    """Folder of the speech model; empty: the one installed in the data folder, else none."""
    speech_engine: str = "vosk"
    """Engine that the speech model is for; see `transcription.engines`."""
    trunks: Annotated[tuple[IPv4Network, ...], NoDecode] = (IPv4Network("127.0.0.1/32"),)
    """Addresses that citizens' calls come from (carrier, SBC), comma-separated."""
    trunk_host: str = ""
    """`HOST` or `HOST:PORT` of the carrier or SBC that calls go out through; empty: nothing is dialled out."""
    trunk_user: str = ""
    """Account there; empty: we are known by our address."""
    trunk_secret: SecretStr = SecretStr("")
    trunk_caller: str = "12345"
    """The number that is shown to whoever is called; never the citizen's."""
    trunk_prefix: str = ""
    """Digits that the carrier wants in front of every number."""
    trunk_allow: Annotated[tuple[str, ...], NoDecode] = ()
    """Numbers that may be dialled beside those of the catalogue and the roster, comma-separated; a `*` at the end
    stands for whatever follows. Premium and international numbers may be dialled only when they are listed here."""
    trunk_lines: int = Field(default=10, ge=1, le=1000)
    """Calls to the outside at the same time."""
    trunk_daily: int = Field(default=500, ge=0)
    """Calls to the outside in one day, all together."""
    trunk_daily_seat: int = Field(default=60, ge=0)
    """The same, asked for by one seat."""
    trunk_night: str = "22:00-06:00"
    """From when to when nobody but emergency lines, utilities, sub-centres and experts on duty is called; empty: never.
    """
    call_back_hours: str = "08:00-21:00"
    """From when to when citizens are called back; empty: at any time."""
    call_back_tries: int = Field(default=3, ge=1, le=10)
    """How often a citizen who was promised a call-back is dialled before it becomes a task for people."""
    call_back_again_seconds: int = Field(default=600, ge=1, le=86_400)
    """How long after a call-back that was not answered the next one is tried; twice as long after the second."""
    call_back_daily: int = Field(default=500, ge=0)
    """Calls to citizens in one day, all together."""
    call_back_daily_number: int = Field(default=6, ge=1)
    """The same, to one number."""
    proxies: Annotated[tuple[str, ...], NoDecode] = ()
    """Addresses of reverse proxies (TLS) in front of us, comma-separated. Only they are believed who a request
    comes from (X-Forwarded-For) and how (X-Forwarded-Proto)."""
    piper_voice: str = ""
    """Voice file of piper, which then speaks the prompts instead of espeak-ng."""
    demo_seat: bool = False
    """Start a demonstration seat that answers and talks back."""
    demo: bool = False
    """Load demonstration data at the first start."""
    ring_seconds: int = Field(default=15, ge=3, le=120)
    """How long one offer rings."""
    ring_party_seconds: int = Field(default=25, ge=3, le=120)
    """How long somebody rings who is called into a talk."""
    longest_hold_seconds: int = Field(default=180, ge=5, le=3600)
    """A citizen who is on hold in a talk of several for longer is joined to the talk again."""
    wrap_up_seconds: int = Field(default=30, ge=0, le=3600)
    seat_choice: Literal["longest_idle", "fewest_calls", "specialist_first"] = "longest_idle"
    """Whose turn it is among idle seats that can take a call."""
    occupancy_percent: int = Field(default=85, ge=1, le=100)
    """Supervisors are told of a seat whose occupancy is above it."""
    occupancy_minutes: int = Field(default=30, ge=2, le=480)
    """Occupancy is that of so many minutes."""
    rest_minutes: int = Field(default=120, ge=1, le=1440)
    """Supervisors are told of a seat that has worked for longer without a pause."""
    redial_minutes: int = Field(default=5, ge=0, le=120)
    """Who hangs up while waiting and rings again so soon has the old place; 0: nobody."""
    rating: bool = True
    """Whether a citizen whose talk the seat has ended is asked how it was, where the queue's plan does not say."""
    mute_keys_seconds: float = Field(default=1.5, ge=0, le=60)
    """How long a recording stays silent after a key was pressed while talking (it may belong to a card number);
    0: never."""
    disk_floor_mib: int = Field(default=500, ge=0)
    """Free room for recordings below which an alarm is raised, MiB."""
    facts_days: int = Field(default=30, ge=2)
    """How long the event log keeps facts that are folded into the database and behind a checkpoint, days. The figures
    of the last 24 hours are read from it at a start."""
    workers: int = Field(default=1, ge=0, le=64)
    """Worker processes for transcription; 0: somebody else runs them."""
    live_transcripts: int | None = Field(default=None, ge=0, le=1000)
    """In how many talks at once words are recognised while they are said, 0: in none; without a number, in as many as
    this machine has processors, and in 8 at most."""
    region: str = "0717"
    """Area code of this city, stripped from and added to dialled numbers."""
    timezone: str = "Asia/Shanghai"
    log_json: bool = False

    @field_validator("trunks", "proxies", "trunk_allow", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("trunks")
    @classmethod
    def _somewhere(cls, value: tuple[IPv4Network, ...]) -> tuple[IPv4Network, ...]:
        if not value:
            raise ValueError("name at least one address that calls may come from")
        return value

    @field_validator(*_TRUNK)
    @classmethod
    def _plain(cls, value: str | SecretStr, info: ValidationInfo) -> str | SecretStr:
        pattern, wanted = _TRUNK[info.field_name or ""]
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if text and not re.fullmatch(pattern, text):
            raise ValueError(wanted)
        return value

    @field_validator("trunk_allow")
    @classmethod
    def _numbers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [one for one in value if not re.fullmatch(r"[+]?[0-9]{2,20}[*]?", one)]:
            raise ValueError(f"write digits, with a * at the end where more may follow, not {', '.join(wrong)}")
        return value

    @field_validator("proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            ip_network(one)
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, OSError) as error:
            raise ValueError(f"{value} is no time zone, for example Asia/Shanghai") from error
        return value

    @field_validator("region")
    @classmethod
    def _area_code(cls, value: str) -> str:
        if not (value.isascii() and value.isdigit() and value.startswith("0") and 3 <= len(value) <= 4):
            raise ValueError("write the area code with its 0, for example 0717")
        return value

    @field_validator("rtp_ports")
    @classmethod
    def _port_range(cls, value: str) -> str:
        first, _, last = value.partition("-")
        if not (first.isdigit() and last.isdigit() and 1024 <= int(first) < int(last) <= 65535):
            raise ValueError("write it as FIRST-LAST, for example 20000-20999")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _file())

    @property
    def ring(self) -> timedelta:
        """How long one offer rings."""
        return timedelta(seconds=self.ring_seconds)

    @property
    def redial(self) -> timedelta:
        """How long a place is kept."""
        return timedelta(minutes=self.redial_minutes)

    @property
    def wrap_up(self) -> timedelta:
        """How long a seat has after a talk."""
        return timedelta(seconds=self.wrap_up_seconds)

    @property
    def mute_after_key(self) -> timedelta:
        """How long a recording stays silent after a key."""
        return timedelta(seconds=self.mute_keys_seconds)

    @property
    def rtp_range(self) -> tuple[int, int]:
        """First and last media port."""
        first, _, last = self.rtp_ports.partition("-")
        return int(first), int(last)

    @property
    def sqlalchemy_url(self) -> str:
        """The asynchronous SQLAlchemy URL in force."""
        return self.database_url or f"sqlite+aiosqlite:///{(self.data / 'hotline.db').absolute()}"


def _file() -> Path:
    named = os.environ.get("HOTLINE_CONFIG")
    return Path(named) if named else Path(os.environ.get("HOTLINE_DATA", "var")) / "hotline.toml"


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        BadInput: one or more settings are wrong; every one is named.
    """
    file = _file()
    if os.environ.get("HOTLINE_CONFIG") and not file.is_file():
        raise BadInput(f"There is no file {file}: correct HOTLINE_CONFIG.")
    try:
        return Settings()
    except (TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadInput(f"The settings in {file} cannot be read: {error}.") from error
    except ValidationError as error:
        problems = tuple(_told(str(item["loc"][0]), item["type"], item["msg"], file) for item in error.errors())
        raise BadInput("The settings cannot be used: " + "; ".join(problems), problems) from error


def _told(name: str, kind: str, message: str, file: Path) -> str:
    """One mistake, under the name that the setting has outside."""
    if kind == "extra_forbidden":
        return f"{name} in {file} is no setting"
    return f"HOTLINE_{name.upper()}: {message.removeprefix('Value error, ')}"
