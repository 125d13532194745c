"""One telephone call to a hotline, as a citizen makes it: dial, press keys, speak in turn, listen, hang up.

The report says what was heard and how the call ended. Refuses to know where the server's address comes from.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from hotline.clock import Clock
from hotline.errors import HotlineError
from telephony.audio import Curve, dbfs, envelope, read_wav, rms
from telephony.prompt_match import HeardPrompt, heard_prompts
from telephony.softphone import CallState, EndedBy, OutgoingCall, Softphone
from telephony.softphone.compose import Header
from telephony.softphone.model import Ending
from telephony.softphone.turns import Turns

PAUSE = 1.2
"""Seconds of quiet after which a menu waits for a key, or a listener begins to speak; pauses between prompts are
shorter."""
PATIENCE = 6.0
"""Seconds after which a citizen speaks into complete silence."""
NO_ANSWER = 60.0
FAREWELL = 5.0
LOUDNESS_STEP = 25
"""Slots (0.5 s) of one value of the loudness curve."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What the citizen does."""

    number: str
    caller: str = ""
    headers: tuple[Header, ...] = ()
    keys: tuple[str, ...] = ()
    """Groups of keys, each pressed when the hotline has spoken and waits."""
    say: bytes = b""
    """Telephone audio, said when it is the citizen's turn."""
    after: float | None = None
    """Seconds after the answer at which `say` begins, whatever is heard; None: in turn."""
    repeat: bool = True
    """Say it again at every later turn."""
    hold: float = 60.0
    """Seconds after the answer at which the citizen hangs up."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was heard and how it ended. Times are seconds from the answer unless the name says otherwise."""

    number: str
    answered: bool
    answer_ms: int | None = None
    """From the INVITE to the answer."""
    first_audio_ms: int | None = None
    """From the answer to the first loud packet."""
    seconds: float = 0.0
    """From the answer to the end."""
    prompts: tuple[HeardPrompt, ...] = ()
    loudness: tuple[float, ...] = ()
    """dBFS of each half second from the first packet on; -96 is silence."""
    said: tuple[float, ...] = ()
    """When `say` began."""
    keys_pressed: int = 0
    keys_heard: int = 0
    sent: int = 0
    received: int = 0
    lost: int = 0
    max_gap_ms: int = 0
    ended_by: EndedBy
    status: int
    phrase: str
    cause: int


def dial(phone: Softphone, wish: Wish, known: Mapping[str, Curve]) -> tuple[Report, bytes]:
    """Make the call with a started phone; the report and the received audio. Blocks until the call is over.

    Raises:
        BadInput: the number, a header or a key cannot be sent.
    """
    clock = phone.loop.clock
    call = phone.call(wish.number, caller=wish.caller, headers=wish.headers)
    said: tuple[float, ...] = ()
    pressed = 0
    if call.wait_until(CallState.TALKING, NO_ANSWER):
        pressed, said = _talk(call, wish, clock)
    call.hang_up()
    call.wait_until(CallState.ENDED, FAREWELL)
    return _report(call, wish, known, pressed, said), call.ear.pcm(on_time=True)


def known_prompts(folder: Path) -> dict[str, Curve]:
    """Loudness curves of the WAV files of a prompts folder, a studio's recordings in place of rendered ones."""
    files = {
        file.stem: file for place in (folder, folder / "studio", folder / "studio-8k") for file in place.glob("*.wav")
    }
    curves: dict[str, Curve] = {}
    for name, file in files.items():
        try:
            curves[name] = envelope(read_wav(file))
        except HotlineError:  # a damaged prompt is somebody else's problem: it is not recognised
            continue
    return curves


def sentence(report: Report) -> str:
    """How the call ended, for a person."""
    who = {EndedBy.US: "we hung up", EndedBy.THEM: "the hotline hung up", EndedBy.NETWORK: "the connection was lost"}
    if report.answered:
        return f"The call to {report.number} was answered; {who[report.ended_by]} after {report.seconds:.1f} s."
    if report.ended_by is EndedBy.NETWORK:
        return f"The call to {report.number} was not answered ({report.phrase}): is the hotline running?"
    if report.ended_by is EndedBy.US:
        return f"The call to {report.number} was not answered within {NO_ANSWER:.0f} s."
    return f"The call to {report.number} was refused: {report.status} {report.phrase}."


def _talk(call: OutgoingCall, wish: Wish, clock: Clock) -> tuple[int, tuple[float, ...]]:
    """The citizen's part; returns how many keys were pressed and when something was said."""
    answered = call.times[CallState.TALKING]
    until = answered + wish.hold
    turns = Turns(call, clock)
    pressed = 0
    for keys in wish.keys:
        if turns.wait(PAUSE, until, patience=PATIENCE):
            call.press(keys)
            pressed += len(keys)
    said = _speak(call, wish, turns, until, answered, clock) if wish.say else ()
    turns.pause(until)
    return pressed, said


def _speak(
    call: OutgoingCall, wish: Wish, turns: Turns, until: float, answered: float, clock: Clock
) -> tuple[float, ...]:
    said: list[float] = []
    first = turns.pause(min(until, answered + wish.after)) if wish.after is not None else None
    while first or (first is None and turns.wait(PAUSE, until, patience=PATIENCE)):
        first = None
        said.append(round(clock.monotonic() - answered, 2))
        turns.say(wish.say, until)
        if not wish.repeat or call.state is CallState.ENDED:
            break
    return tuple(said)


def _report(
    call: OutgoingCall, wish: Wish, known: Mapping[str, Curve], pressed: int, said: tuple[float, ...]
) -> Report:
    ending = call.ending or Ending(by=EndedBy.NETWORK, status=408, phrase="no answer to our CANCEL", at=0.0)
    figures = call.figures
    report = Report(
        number=wish.number, answered=call.was_answered, keys_pressed=pressed, said=said, keys_heard=len(call.keys),
        sent=figures.sent, received=figures.received, lost=figures.lost, max_gap_ms=round(1000 * figures.max_gap),
        ended_by=ending.by, status=ending.status, phrase=ending.phrase, cause=ending.cause,
    )  # fmt: skip
    if not call.was_answered:
        return report
    heard, answered = envelope(call.ear.pcm(on_time=True)), call.times[CallState.TALKING]
    first = call.ear.first_loud()
    return msgspec.structs.replace(
        report,
        answer_ms=round(1000 * (answered - call.times[CallState.DIALING])),
        first_audio_ms=None if first is None else max(0, round(1000 * (first - answered))),
        seconds=round((call.ending.at if call.ending else answered) - answered, 2),
        prompts=heard_prompts(heard, known),
        loudness=_loudness(call.ear.pcm(on_time=True)),
    )


def _loudness(pcm: bytes) -> tuple[float, ...]:
    step = LOUDNESS_STEP * 320
    return tuple(round(dbfs(rms(pcm[at : at + step])), 1) for at in range(0, len(pcm), step))
