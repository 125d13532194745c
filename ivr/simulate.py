"""What a call would meet, in words: the interpreter driven without a telephone.

Pure. Prompts last as long as their files; a transfer fails, as it does without a trunk.
"""

from collections.abc import Callable, Sequence

import msgspec

from ivr.flow import Action, AnyInput, Collect, End, EnterQueue, Failed, FlowRun, Keys, Play, Silence, Started, Transfer
from ivr.interpreter import step
from ivr.numbers import ZONE


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happens."""

    after_s: float
    """Seconds since the call began."""
    node: str
    action: str
    """`play`, `collect`, `enter_queue`, `transfer` or `end`."""
    words: str
    prompts: tuple[str, ...] = ()
    key: str = ""
    """What the caller presses."""


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """A whole call up to a person or an end."""

    number: str
    name: str
    mode: str
    declared: bool
    region: str
    found_in: str
    at: str
    """Local time of the call."""
    flow: str
    version: str
    day: str
    """Kind of day: `work`, `make_up`, `rest`, `holiday`, and its name."""
    open: bool | None
    """Whether the owner's seats answer at that time; null: the number has no hours."""
    in_transition: bool
    moments: tuple[Moment, ...]
    outcome: str
    queue: str = ""
    needs: tuple[str, ...] = ()
    topic: str = ""
    guests: tuple[str, ...] = ()
    """Who answers for the queue then besides its seats, and before them."""
    warnings: tuple[str, ...] = ()


def simulate(run: FlowRun, keys: Sequence[str], length: Callable[[str], float | None]) -> Simulation:
    """Drive `run` from its beginning; `keys` are pressed one per question, then there is silence."""
    left, now, event = list(keys), 0.0, Started()
    moments: list[Moment] = []
    warnings: list[str] = []
    action: Action
    inputs: AnyInput = event
    while True:
        run, action = step(run, inputs)
        words, lasts, inputs = _happens(action, left, length, warnings)
        moments.append(
            Moment(
                after_s=round(now, 2),
                node=run.node,
                action=_kind(action),
                words=words,
                prompts=action.prompts if isinstance(action, Play | Collect | End) else (),
                key=inputs.keys if isinstance(inputs, Keys) else "",
            )
        )
        now += lasts
        if isinstance(action, EnterQueue | End):
            break
    if left:
        warnings.append(f"keys that no menu asked for: {','.join(left)}")
    return _told(run, action, tuple(moments), now, warnings)


def _kind(action: Action) -> str:
    names = {Play: "play", Collect: "collect", EnterQueue: "enter_queue", Transfer: "transfer", End: "end"}
    return names[type(action)]


def _happens(
    action: Action, left: list[str], length: Callable[[str], float | None], warnings: list[str]
) -> tuple[str, float, AnyInput]:
    """Words, seconds, and what the caller does then."""
    match action:
        case Play(prompts):
            said, lasts = _sound(prompts, length, warnings)
            return f"plays {said}", lasts, Silence()
        case Collect(prompts, most, timeout_s):
            said, lasts = _sound(prompts, length, warnings)
            if key := _pressed(left, most):
                return f"asks with {said}; the caller presses {key}", lasts, Keys(key.rstrip("#") if most > 1 else key)
            return f"asks with {said}; the caller presses nothing", lasts + timeout_s, Silence()
        case Transfer(target, _):
            return f"tries to connect with {target}; no trunk leads there", 0.0, Failed()
        case EnterQueue(queue, needs, priority, widen_after_s, instead_of=instead_of, agent=agent, agent_s=agent_s):
            skills = " and ".join(f"{need.skill} of level {need.level} or better" for need in needs)
            who = f" for a seat with {skills}, after {widen_after_s} s for any seat" if needs else " for any seat"
            who += f", instead of {instead_of}, which is closed then" if instead_of else ""
            who += f", for agent {agent} alone within {agent_s} s" if agent else ""
            return f"waits in the queue {queue}{who}{f', {priority} s ahead' if priority else ''}", 0.0, Silence()
        case End(reason, prompts):
            said, lasts = _sound(prompts, length, warnings)
            return f"plays {said} and hangs up: {reason}" if prompts else f"hangs up: {reason}", lasts, Silence()


def _pressed(left: list[str], most: int) -> str:
    """The next keys for a question that takes so many; `#` ends them."""
    keys = ""
    while left and len(keys) < most and not keys.endswith("#"):
        keys += left.pop(0)
    return keys


def _sound(prompts: Sequence[str], length: Callable[[str], float | None], warnings: list[str]) -> tuple[str, float]:
    lengths = [length(prompt) for prompt in prompts]
    warnings += [
        f"the prompt {name} has no sound file" for name, known in zip(prompts, lengths, strict=True) if known is None
    ]
    total = sum(known or 0.0 for known in lengths)
    return f"{' and '.join(prompts)} ({total:.1f} s)", total


def _told(run: FlowRun, action: Action, moments: tuple[Moment, ...], now: float, warnings: list[str]) -> Simulation:
    dialled, entry = run.dialled, run.dialled.entry
    profile = run.calendar.profile_of(entry)
    hours = run.calendar.hours(profile, run.at)
    human = action if isinstance(action, EnterQueue) else None
    if not dialled.declared:
        warnings.insert(0, f"nobody declared {dialled.number} for this day: it goes to 12345 and is counted")
    if hours.warning:
        warnings.append(hours.warning)
    return Simulation(
        number=dialled.number,
        name=entry.name,
        mode=entry.mode.value,
        declared=dialled.declared,
        region=dialled.region,
        found_in=dialled.via.value,
        at=run.at.astimezone(ZONE).isoformat(timespec="seconds"),
        flow=run.flow.name,
        version=run.version,
        day=" ".join(part for part in (hours.day.kind.value, hours.day.name) if part),
        open=hours.is_open if profile else None,
        in_transition=dialled.in_transition,
        moments=moments,
        outcome=f"{'with a person' if human else 'ended'} after {now:.1f} s",
        queue=human.queue if human else "",
        needs=tuple(f"{need.skill}:{need.level}" for need in human.needs) if human else (),
        topic=human.topic if human else "",
        warnings=tuple(dict.fromkeys(warnings)),
    )
