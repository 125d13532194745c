"""What an Asterisk must have and what our account on it may and must not do, as data, and the judgement about it.

Asks nobody: what is there is an argument.
"""

import re
from collections.abc import Iterable
from pathlib import Path

AMI_READ = frozenset({"system", "call", "agi", "user", "dtmf"})
"""Event classes of our account: system for FullyBooted and ContactStatus."""

AMI_WRITE = frozenset({"call", "originate", "agi", "reporting", "user"})
"""Action classes of our account: reporting for CoreShowChannels and CoreSettings."""

AMI_EVENTS = (
    "FullyBooted", "Shutdown", "AsyncAGIStart", "AsyncAGIExec", "AsyncAGIEnd", "Newchannel", "Hangup",
    "OriginateResponse", "DialBegin", "DialState", "DialEnd", "BridgeEnter", "BridgeLeave", "Hold", "Unhold",
    "UserEvent", "ContactStatus", "DeviceStateChange", "MixMonitorStart", "MixMonitorStop", "MixMonitorMute",
    "DTMFBegin", "DTMFEnd",
)  # fmt: skip
"""Events that pass the account's filter."""

NEEDED_ACTIONS: dict[str, str] = {
    "AGI": "agi",
    "AbsoluteTimeout": "call",
    "CoreSettings": "reporting",
    "CoreShowChannels": "reporting",
    "Getvar": "reporting",
    "Hangup": "call",
    "MixMonitorMute": "call",
    "Originate": "originate",
    "Ping": "",
    "PlayDTMF": "call",
    "Redirect": "call",
    "Setvar": "call",
    "Status": "reporting",
}
"""Actions that we send, and the right that lets us."""

FORBIDDEN_ACTIONS = ("Command", "GetConfig", "UpdateConfig", "ModuleLoad", "DBPut", "MixMonitor")
"""Actions whose presence shows rights (`system`, `command`, `config`) that our account must not have."""


def account_problems(actions: Iterable[str]) -> tuple[str, ...]:
    """Judge an AMI account by the actions that `ListCommands` shows it: one sentence per mistake, none when it is
    right."""
    have = {action.lower() for action in actions}
    missing = sorted({right or "any" for name, right in NEEDED_ACTIONS.items() if name.lower() not in have})
    excess = [name for name in FORBIDDEN_ACTIONS if name.lower() in have]
    found = [f"The AMI account lacks the right `{right}`: add it to `write` in manager.conf." for right in missing]
    if excess:
        found.append(
            f"The AMI account may do {', '.join(excess)}: take the rights system, command, config and all from `write` "
            "in manager.conf."
        )
    return tuple(found)


def listed_modules(modules_conf: str) -> tuple[tuple[str, bool], ...]:
    """The modules of a modules.conf as `(file name, is it required)`."""
    lines = re.findall(r"^(require|load)\s*=\s*(\S+\.so)", modules_conf, re.MULTILINE)
    return tuple((name, word == "require") for word, name in lines)


def missing_modules(modules_conf: str, folder: Path) -> tuple[str, ...]:
    """Modules of the list that the installation in `folder` does not have."""
    return tuple(name for name, _ in listed_modules(modules_conf) if not (folder / name).is_file())
