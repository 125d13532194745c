"""Asterisk's configuration: values out of the settings, templates into files.

The templates (`asterisk-config/`, in the wheel `hotline/_asterisk_config`) hold every choice and its reason; this
module only fills in what differs between two installations.
"""

import fcntl
import hashlib
import importlib.resources
import re
import resource
import socket
import struct
from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable
from ipaddress import ip_address
from pathlib import Path

from hotline.settings import Settings
from telephony.errors import AsteriskWontStart
from telephony.find import FoundAsterisk
from telephony.identity import Identity, write_private
from telephony.places import Places

_PLACEHOLDER = re.compile(r"@([A-Z][A-Z_]*)@")
_SIOCGIFADDR = 0x8915

_READ_AT_START = ("asterisk.conf", "modules.conf", "http.conf", "rtp.conf", "manager.conf", "extconfig.conf")
"""Files whose change needs a restart; the others (and most of these) are read again on SIGHUP."""


def templates() -> dict[str, str]:
    """Every template by file name.

    Raises:
        AsteriskWontStart: this installation of the product is incomplete.
    """
    for folder in (importlib.resources.files("hotline") / "_asterisk_config", _checkout()):
        found = {item.name: item.read_text("utf-8") for item in _files(folder) if item.name.endswith(".conf")}
        if found:
            return found
    raise AsteriskWontStart("The templates of Asterisk's configuration are missing: install this product again.")


def _checkout() -> Traversable:
    return Path(__file__).resolve().parent.parent / "asterisk-config"


def _files(folder: Traversable) -> Iterable[Traversable]:
    return folder.iterdir() if folder.is_dir() else ()


def values(
    settings: Settings, places: Places, found: FoundAsterisk, identity: Identity, own_addresses: Iterable[str] = ()
) -> dict[str, str]:
    """What stands for each `@NAME@`. `own_addresses`: this machine's IPv4 addresses other than loopback."""
    first, last = settings.rtp_range
    return {
        "AMI_PORT": str(identity.ami_port),
        "AMI_SECRET": identity.ami_secret,
        "AMI_USER": identity.ami_user,
        "BASE": str(places.base),
        "BIND": settings.bind,
        "CARRIER": _carrier(settings),
        "ENTITY": identity.entity,
        "ETC": str(places.etc),
        "HTTP_PORT": str(identity.http_port),
        "ICE_HOST_CANDIDATES": "\n".join(_loopback_candidates(settings.bind, own_addresses)),
        "MAX_CALLS": str(max((last - first + 1) // 4, 1)),  # two legs, each with a port for RTP and one for RTCP
        "MAX_FILES": str(_max_files()),
        "MODULES": str(found.modules),
        "MUSIC": str(places.music),
        "NODE": identity.node,
        "PROMPTS": str(places.prompts),
        "RTP_FIRST": str(first),
        "RTP_LAST": str(last),
        "RUN": str(places.run),
        "SIP_PORT": str(settings.sip_port),
        "TRACKS": str(places.tracks),
        "TRUNKS": "\n".join(f"match = {network}" for network in settings.trunks),
    }


def _carrier(settings: Settings) -> str:
    """Where calls go out, when they do."""
    if not settings.trunk_host:
        return ""
    log_in = [
        "[carrier]", "type = auth", "auth_type = userpass", f"username = {settings.trunk_user}",
        f"password = {settings.trunk_secret.get_secret_value()}",
    ]  # fmt: skip
    parts = [
        *(line for name in ("carrier", "citizen") for line in _way_out(name, settings)),
        "[carrier]", "type = aor", f"contact = sip:{settings.trunk_host}", *(log_in if settings.trunk_user else []),
    ]  # fmt: skip
    return "\n".join(parts)


def _way_out(name: str, settings: Settings) -> list[str]:
    """An endpoint of the carrier: `carrier` for whoever is called into a talk, `citizen` for who is called back."""
    log_in = ["outbound_auth = carrier"] if settings.trunk_user else []
    return [f"[{name}](carrier-plain)", f"from_user = {settings.trunk_caller}", *log_in]


def _max_files() -> int:
    """As many as the machine allows: a talk needs some 12, and the usual soft limit of 1024 ends at 80 talks."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)


def _loopback_candidates(bind: str, own_addresses: Iterable[str]) -> list[str]:
    """While SIP is bound to loopback, media are offered there too; otherwise real addresses are right."""
    return [f"{own} => {bind}" for own in own_addresses] if ip_address(bind).is_loopback else []


def render(texts: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Every text with its placeholders replaced.

    Raises:
        KeyError: a template has a placeholder that no value belongs to.
    """
    return {name: _PLACEHOLDER.sub(lambda found: known[found[1]], text) for name, text in texts.items()}


def write_configuration(files: Mapping[str, str], folder: Path) -> bool:
    """Bring `folder` to exactly these files, 0600; says whether anything changed.

    Raises:
        AsteriskWontStart: the folder cannot be written.
    """
    changed = False
    try:
        for name, text in files.items():
            if not _same(folder / name, text):
                write_private(folder / name, text.encode())
                changed = True
        for stale in {item.name for item in folder.iterdir()} - files.keys():
            (folder / stale).unlink()
            changed = True
    except OSError as error:
        raise AsteriskWontStart(
            f"Asterisk's configuration cannot be written to {folder} ({error.strerror}): check its owner "
            "and the space left."
        ) from error
    return changed


def _same(file: Path, text: str) -> bool:
    return file.is_file() and file.stat().st_mode & 0o077 == 0 and file.read_bytes() == text.encode()


def start_digest(files: Mapping[str, str], settings: Settings) -> str:
    """A digest of what only a restart of Asterisk puts into force: module list, folders, ports."""
    parts = [files[name] for name in _READ_AT_START] + [settings.bind, str(settings.sip_port)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def own_ipv4_addresses() -> tuple[str, ...]:
    """This machine's IPv4 addresses other than loopback, one per interface (Linux)."""
    found: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            try:
                answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
            except OSError:
                continue  # this interface has no IPv4 address
            found.append(socket.inet_ntoa(answer[20:24]))
    return tuple(address for address in found if not ip_address(address).is_loopback)
