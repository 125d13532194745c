"""Asks a freshly connected Asterisk whether it and our account on it are what we need, and no more than that.

Every probe is harmless: it names channels, phones and files that cannot exist.
"""

import asyncio
import re
import secrets
from collections.abc import Mapping

from telephony.ami import AmiLink
from telephony.amiproto import Ask, Reply
from telephony.amiwire import Message
from telephony.requirements import NEEDED_ACTIONS

OLDEST = 20
"""Oldest major version with everything that the dialplan and the self-check use."""

NOBODY = "hotline-selfcheck.none"
"""A channel that never exists."""

PROBES: Mapping[str, Mapping[str, str]] = {
    "AGI": {"Channel": NOBODY, "Command": "NOOP"},
    "AbsoluteTimeout": {"Channel": NOBODY, "Timeout": "1"},
    "CoreSettings": {},
    "CoreShowChannels": {},
    "CoreStatus": {},
    "DeviceStateList": {},
    "Getvar": {"Channel": NOBODY, "Variable": "OFFERID"},
    "Hangup": {"Channel": NOBODY},
    "MixMonitorMute": {"Channel": NOBODY, "Direction": "both", "State": "0"},
    "Originate": {"Channel": f"Local/none@{NOBODY}", "Application": "Wait", "Data": "0", "Timeout": "100"},
    "Redirect": {"Channel": NOBODY, "Context": "hold", "Exten": "s", "Priority": "1"},
    "Setvar": {"Channel": NOBODY, "Variable": "OFFERID", "Value": ""},
}
"""What we send in earnest; the right that each needs stands in `NEEDED_ACTIONS`."""

RIGHTS = {**NEEDED_ACTIONS, "CoreStatus": "reporting", "DeviceStateList": "call"}

FORBIDDEN: Mapping[str, Mapping[str, str]] = {
    "Command": {"Command": "core show uptime"},
    "ModuleLoad": {"Module": "hotline_no_such_module.so", "LoadType": "unload"},
    "GetConfig": {"Filename": "hotline_no_such_file.conf"},
}
"""What must be refused."""

SYSTEM_APP = {"Channel": f"Local/none@{NOBODY}", "Application": "System", "Data": "true", "Timeout": "100"}

READ: Mapping[str, tuple[str, str]] = {
    "call": ("Newchannel", "it is not seen who calls, rings and hangs up"),
    "agi": ("AsyncAGIStart", "no citizen's line is seen to arrive"),
    "dtmf": ("DTMFEnd", "keys are not seen, and recordings not silenced while they are pressed"),
    "user": ("UserEvent", "it is not seen who answers"),
}
"""Class of events, one that our probe of it causes, and what fails when nobody tells it. Without `system` the link does
not come up, and says so itself."""

READ_S, READ_PAUSE_S = 1.5, 0.05

MODULES: Mapping[str, str] = {
    "app_chanspy.so": "no supervisor can listen to a talk",
    "app_confbridge.so": "nobody can be called into a talk",
    "app_dial.so": "no seat can be rung",
    "app_mixmonitor.so": "nothing is recorded",
    "app_playback.so": "no announcement can be played",
    "app_queue.so": "the fallback has no queue",
    "app_stack.so": "the dialplan has no subroutines",
    "app_userevent.so": "answers and ends of offers are not told",
    "bridge_simple.so": "nobody hears anybody",
    "bridge_softmix.so": "three parties cannot hear each other",
    "chan_pjsip.so": "there is no SIP",
    "format_sln.so": "tracks cannot be written",
    "format_wav.so": "prompts cannot be read",
    "func_cut.so": "arriving numbers cannot be read",
    "func_global.so": "every call would go to the fallback",
    "func_hangupcause.so": "a phone's refusal looks like a time-out",
    "func_logic.so": "the dialplan cannot decide anything",
    "func_strings.so": "arriving numbers cannot be read",
    "func_timeout.so": "callers would wait for ever when this process dies",
    "res_agi.so": "no menu can be played",
    "res_manager_devicestate.so": "it is not told which phones are reachable",
    "res_musiconhold.so": "who waits hears silence",
    "res_pjsip_header_funcs.so": "legacy numbers are not recognised",
    "res_pjsip_registrar.so": "no phone can register",
    "res_rtp_asterisk.so": "there is no sound",
}
"""Modules that we cannot do without, and what fails without each."""


async def self_check(link: AmiLink) -> tuple[str, ...]:
    """Everything that is wrong with this Asterisk or our account on it, one sentence each; empty when all is well.

    Raises:
        AsteriskUnreachable: the connection was lost meanwhile.
    """
    problems = [*await _version(link), *await _rights(link)]
    if any("`call`" in problem for problem in problems):
        return tuple(problems)  # without it nothing can be asked about modules
    problems += await _modules(link)
    return tuple(problems or await _read_rights(link))  # only an Asterisk that is right can cause the events


async def _version(link: AmiLink) -> list[str]:
    (reply,) = await link.pipeline((Ask("CoreSettings"),), judge=False)
    return [] if denied(reply) else version_problems(reply.headers.get("AsteriskVersion", ""))


def version_problems(version: str) -> list[str]:
    """Judge `22.10.1+dfsg…`, `certified/20.7-cert1` or `GIT-master-…`."""
    found = re.search(r"(?:^|/|-)(\d{1,3})[.-]", version)
    if found is None:
        return [f"Asterisk calls itself {version!r}: it cannot be seen whether that is version {OLDEST} or newer."]
    too_old = int(found.group(1)) < OLDEST
    return [f"Asterisk is version {version}: install version {OLDEST} or newer."] if too_old else []


async def _rights(link: AmiLink) -> list[str]:
    """One pipeline; the answers show what is refused for want of a right."""
    probes = (*PROBES.items(), *FORBIDDEN.items(), ("Originate", SYSTEM_APP))
    replies = await link.pipeline([Ask(name, headers) for name, headers in probes], judge=False)
    needed, forbidden, system = replies[: len(PROBES)], replies[len(PROBES) : -1], replies[-1]
    lacking = [name for name, reply in zip(PROBES, needed, strict=True) if denied(reply)]
    unknown = [name for name, reply in zip(PROBES, needed, strict=True) if _no_such_action(reply)]
    excess = [name for name, reply in zip(FORBIDDEN, forbidden, strict=True) if not denied(reply)]
    excess += [] if _app_refused(system) else ["System"]
    return rights_problems(lacking, excess) + [f"Asterisk does not know the action {name}." for name in unknown]


def rights_problems(lacking: list[str], excess: list[str]) -> list[str]:
    """Sentences for actions that are refused though needed, and allowed though they must not be."""
    by_right: dict[str, list[str]] = {}
    for name in lacking:
        by_right.setdefault(RIGHTS.get(name, "call"), []).append(name)
    problems = [
        f"The AMI account lacks the right `{right}` (needed for {', '.join(names)}): add it to `write` in manager.conf."
        for right, names in sorted(by_right.items())
    ]
    if excess:
        problems.append(
            f"The AMI account may do {', '.join(excess)}, which would let an intruder run programs: take the rights "
            "system, command, config and all from `write` in manager.conf."
        )
    return problems


async def _read_rights(link: AmiLink) -> list[str]:
    """A line that leads from nowhere to our own dialplan's `ivr`, a key on it, and an event of our own: who may read
    hears of all of it."""
    line = f"{NOBODY}-{secrets.token_hex(4)}"
    call = {"Channel": "Local/s@ivr/n", "Application": "Wait", "Data": "0", "Async": "true", "ChannelId": line,
            "OtherChannelId": f"{line}-ivr", "Timeout": str(round(READ_S * 1000))}  # fmt: skip
    key = Ask("PlayDTMF", {"Channel": f"{line}-ivr", "Digit": "1", "Receive": "true", "Duration": "40"})
    wanted = {event for event, _ in READ.values()}
    with link.overhear(wanted) as heard:
        await link.pipeline((Ask("UserEvent", {"UserEvent": "SelfCheck"}), Ask("Originate", call)), judge=False)
        for _ in range(round(READ_S / READ_PAUSE_S)):
            if _names(heard) == wanted:
                break
            await asyncio.sleep(READ_PAUSE_S)
            await link.pipeline((key,), judge=False)
        await link.pipeline((Ask("Hangup", {"Channel": line}),), judge=False)
        return read_problems(wanted - _names(heard))


def _names(heard: list[Message]) -> set[str]:
    return {message.get("Event", "") for message in heard}


def read_problems(missing: set[str]) -> list[str]:
    """A sentence for every kind of event that is not told."""
    return [
        f"The AMI account is not told of {event}, so {fails}: add `{right}` to `read` in manager.conf, and let its "
        "event filter pass it."
        for right, (event, fails) in READ.items()
        if event in missing
    ]


async def _modules(link: AmiLink) -> list[str]:
    """IFMODULE() tells; without it nothing is told of any module, which is said."""
    names = ("func_module.so", *MODULES)
    asks = [Ask("Getvar", {"Variable": f"IFMODULE({name})"}) for name in names]
    values = [reply.headers.get("Value", "") for reply in await link.pipeline(asks, judge=False)]
    if values[0] != "1":
        return ["Asterisk's module func_module.so is not loaded: it cannot be seen which other modules are missing."]
    return [
        f"Asterisk's module {name} is not loaded: {MODULES[name]}. Load it in modules.conf."
        for name, value in zip(names, values, strict=True)
        if value != "1"
    ]


def denied(reply: Reply) -> bool:
    """Whether an action was refused for want of a right."""
    return reply.headers.get("Response") == "Error" and "permission denied" in _message(reply)


def _app_refused(reply: Reply) -> bool:
    return reply.headers.get("Response") == "Error" and any(
        word in _message(reply) for word in ("forbidden", "permission denied", "blacklisted")
    )


def _no_such_action(reply: Reply) -> bool:
    return "invalid/unknown command" in _message(reply)


def _message(reply: Reply) -> str:
    return reply.headers.get("Message", "").lower()
