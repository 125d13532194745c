"""What a call does next: a pure decision from its state and one event.

Promises, each a test: the citizen is never alone in silence (every step leads to a prompt, music, a ringing
seat or the line's end); every call ends with exactly one outcome; an offer that is not this call's present
one changes nothing, so late and repeated news are harmless; recording covers every talking second.
It knows no clock, no Asterisk and no database; the service performs what is decided here.
"""

from datetime import datetime, timedelta

import msgspec

from acd.model import (
    Abandon,
    AbuseReported,
    Adopt,
    Answer,
    CallBackPromised,
    Finish,
    LeaveReason,
    Need,
    Step,
)
from acd.plans import QueuePlan, asks_guests, recipe
from acd.records import guest_skill
from calls import abuse, calling_back, onward, promising, rating, ringing, several
from calls.announcing import FULL
from calls.events import (
    CLOSE,
    PROMISE,
    UNMUTE,
    Action,
    Asked,
    Begun,
    CallOut,
    CitizenUp,
    Collect,
    Decision,
    Event,
    FloorSaid,
    HangUp,
    Hold,
    House,
    Listened,
    Mute,
    NodeLost,
    NotRung,
    Ordered,
    OutsideUp,
    OwnFound,
    PageBack,
    PageGone,
    PartiesFound,
    Play,
    Restarted,
    TalkFound,
    Tell,
    TrackFound,
    Wake,
    Woke,
)
from calls.fold import chosen, evolve
from calls.model import (
    AnyCallFact,
    CallEnded,
    CallState,
    Dismissed,
    OnwardMissed,
    Onwards,
    Outcome,
    Party,
    Phase,
    Queued,
    RecordingMuted,
    Remembered,
    Stepped,
    TalkEnded,
    TrackOpened,
)
from calls.ringing import WAITING, talk_started
from ivr import flow
from ivr.interpreter import step
from telephony.model import (
    Collected,
    Heard,
    KeyPressed,
    LegAnswered,
    LegFailed,
    LineGone,
    LineId,
    OfferEnded,
    OfferEndReason,
    ReturnedLine,
    SeatAnswered,
    TrackStarted,
    Unbridged,
)

NOTHING = Decision()


def decide(call: CallState, run: flow.FlowRun | None, event: Event, house: House, now: datetime) -> Decision:
    """The next step of `call`. After its end nothing happens any more."""
    if call.phase is Phase.ENDED:
        return NOTHING
    return onward.recorded(call, onward.settled(call, _decide(call, run, event, house, now), now))


def _decide(call: CallState, run: flow.FlowRun | None, event: Event, house: House, now: datetime) -> Decision:
    if (decision := onward.decide(call, event, now)) is not None:
        return decision
    if (missed := onward.missed(call, event, now)) is not None:
        return _not_connected(call, missed, run, house, now)
    if (decision := calling_back.decide(call, event, house, now)) is not None:
        return decision
    if (decision := several.decide(call, event, house, now)) is not None:
        return decision
    match event:
        case Begun(new) | Restarted(new):
            return _follow(call, new, flow.Started(), house, now)
        case OwnFound(agents):
            is_early = call.phase in (Phase.ARRIVED, Phase.IN_IVR)
            return Decision((Remembered(call=call.call, at=now, agents=agents),)) if is_early else NOTHING
        case Listened(collected):
            return _listened(call, run, collected, house, now)
        case FloorSaid((*_, AbuseReported() as reported)) if call.phase is Phase.TALKING:
            return abuse.follow(call, reported, house, now)
        case FloorSaid(facts, folder) if any(isinstance(fact, CallBackPromised) for fact in facts):
            return calling_back.promised(call, facts, folder, house, now)
        case FloorSaid(facts, folder):
            return ringing.floor_said(call, facts, folder, house, now)
        case SeatAnswered():
            return ringing.seat_answered(call, event, now)
        case OfferEnded():
            return _offer_ended(call, event, house, now)
        case LineGone():
            return _line_gone(call, event, house, now)
        case ReturnedLine():
            return _returned(call, event, house, now)
        case TalkFound():
            return _talk_found(call, event, house, now)
        case TrackStarted(at=at, line=line):
            return _track(call, line, at, house, seen=True)
        case TrackFound(line):
            return _track(call, line, now, house, seen=False)
        case KeyPressed():
            return _key_pressed(call, house, now)
        case Woke(tag):
            return _woke(call, tag, now)
        case Asked() | PageGone() | PageBack() | PartiesFound() | NotRung() | LegAnswered() | LegFailed():
            return NOTHING  # `several` has heard it
        case CallOut() | CitizenUp():
            return NOTHING  # `calling_back` has
        case OutsideUp():
            return NOTHING  # `onward` has
        case Unbridged():
            return NOTHING  # remembered by `fold.left_bridge`
        case NodeLost():
            return _end(call, Outcome.FAILED, 38, now)
        case Ordered(cause, line):
            return Decision(actions=(HangUp(line or call.line, cause),))


def _follow(call: CallState, run: flow.FlowRun, heard: flow.AnyInput, house: House, now: datetime) -> Decision:
    """One step of the flow: always a prompt, a queue, or a stated end."""
    run, action = step(run, heard)
    while isinstance(action, flow.Transfer) and not _leads_out(call, action, house):  # the flow's own way on
        run, action = step(run, flow.Failed())
    stepped = Stepped(call=call.call, at=now, node=run.node)
    match action:
        case flow.Play(prompts, cut):
            return Decision((stepped,), (Play(prompts, cut),), run)
        case flow.Collect(prompts, keys, seconds):
            return Decision((stepped,), (Collect(prompts, keys, timedelta(seconds=seconds)),), run)
        case flow.Transfer(target, ring_s):
            dialled, invite = onward.dial(call, target, Onwards.TRANSFER, now, timedelta(seconds=ring_s))
            return Decision((stepped, dialled), (Hold(), invite), run)
        case flow.EnterQueue():
            queued = _queued(call, action, house, now)
            return Decision((stepped, queued), (Tell(several.join(call, queued)),), run)
        case flow.End(reason, prompts):
            dismissed = Dismissed(call=call.call, at=now, reason=reason)
            last: Action = Play(prompts) if prompts else HangUp(call.line)
            return Decision((stepped, dismissed), (last,), run)


def _leads_out(call: CallState, action: flow.Transfer, house: House) -> bool:
    """Whether there is a way out, and it is not the number that the citizen dialled: that would lead back to us."""
    return house.can_dial and action.target != call.arrived.dialled


def _not_connected(
    call: CallState, missed: OnwardMissed, run: flow.FlowRun | None, house: House, now: datetime
) -> Decision:
    """The flow's own way on. After we were away it is begun anew by whoever finds that out."""
    if run is None:
        return Decision((missed,))
    goes_on = _follow(evolve(call, missed), run, flow.Failed(), house, now)
    return msgspec.structs.replace(goes_on, facts=(missed, *goes_on.facts))


def _queued(call: CallState, action: flow.EnterQueue, house: House, now: datetime) -> Queued:
    """Owner's skills first, then the general seats, in the end whoever is there: nobody waits for nobody."""
    own = tuple(Need(need.skill, need.level) for need in action.needs)
    anyone, plan = Step(after_s=house.anyone_after.total_seconds()), house.plan(action.queue)
    widened = Step(after_s=min(action.widen_after_s, anyone.after_s), needs=house.general)
    steps = (*((widened, anyone) if own else (anyone,)), *recipe(plan))
    prefer, prefer_s = _preferred(call, action, plan)
    usual = own or house.general
    guests = (Need(guest_skill(action.queue)),) if asks_guests(plan, now) else ()
    return Queued(
        call=call.call,
        at=now,
        queue=action.queue,
        needs=guests or usual,
        also=(usual,) if guests else (),
        priority=action.priority,
        recipe=tuple(sorted(steps, key=lambda step: step.after_s)),
        ring=plan.ring,
        topic=action.topic,
        prefer=prefer,
        prefer_s=prefer_s,
    )


def _preferred(call: CallState, action: flow.EnterQueue, plan: QueuePlan) -> tuple[tuple[str, ...], float]:
    """Whom the caller asked for by number, or else who knows the citizen's open matters; and how long they alone."""
    if action.agent:
        return (action.agent,), action.agent_s
    return ((), 0) if plan.own_s is None or not call.own else (call.own, plan.own_s)


def _listened(call: CallState, run: flow.FlowRun | None, collected: Collected, house: House, now: datetime) -> Decision:
    if collected.heard is Heard.GONE:
        return NOTHING  # its LineGone says the same
    if call.phase is Phase.CLOSING and call.asked is not None and not call.rated:
        return rating.heard(call, collected, house, now)
    if call.phase is Phase.CLOSING:
        return Decision(actions=(HangUp(call.line),))
    if call.phase is Phase.QUEUED and call.asking is not None:
        return promising.heard(call, collected, house, now)
    if call.phase is Phase.QUEUED and call.saying:
        return Decision(actions=(Hold(),))
    if call.phase not in (Phase.ARRIVED, Phase.IN_IVR) or run is None:
        return NOTHING
    heard: flow.AnyInput
    match collected.heard:
        case Heard.KEYS:
            heard = flow.Keys(collected.keys)
        case Heard.SILENCE:
            heard = flow.Silence()
        case Heard.FAILED:
            heard = flow.Failed()
    return _follow(call, run, heard, house, now)


def _talk_found(call: CallState, event: TalkFound, house: House, now: datetime) -> Decision:
    """What lives is the truth, whatever the ledger or the floor believed of the offer."""
    if call.phase not in (Phase.ARRIVED, Phase.IN_IVR, *WAITING):
        return NOTHING
    offer = next((rung.offer for rung in call.rung if rung.seat == event.seat), call.offer)
    started = talk_started(call, offer, event.seat, event.folder, house, now)
    facts: list[AnyCallFact] = [msgspec.structs.replace(started, seat_line=event.seat_line)]
    for line in (call.line, event.seat_line):
        facts += _track(evolve(call, facts[0]), line, now, house, seen=False).facts
    return Decision(tuple(facts), (Tell(Adopt(seat=event.seat, call=call.call)),))


def _offer_ended(call: CallState, event: OfferEnded, house: House, now: datetime) -> Decision:
    if call.phase is Phase.TALKING and event.offer == call.offer:
        return _talk_over(call, house, now)
    if call.phase is not Phase.RINGING or event.offer not in call.offers:
        return NOTHING
    if event.reason is not OfferEndReason.TALKED:
        return ringing.not_answered(call, event, now)
    call = chosen(call, event.offer)  # its SeatAnswered was lost: the talk is over already
    started = talk_started(call, event.offer, call.seat, call.tracks, house, now)
    over = _talk_over(evolve(call, started), house, now)
    return Decision((started, *over.facts), (Tell(Answer(offer=event.offer)), *over.actions))


def _talk_over(call: CallState, house: House, now: datetime) -> Decision:
    ended = TalkEnded(call=call.call, at=now, by=_who_went_first(call, house))
    return Decision((ended,), (Tell(Finish(call=call.call)), Wake(CLOSE, house.closing)))


def _who_went_first(call: CallState, house: House) -> Party | None:
    """Asterisk takes the other party's line down as well, often before that of the one who hung up: only the order in
    which they left the bridge tells."""
    if not call.left_first:
        return None
    return Party.CITIZEN if call.left_first == call.line else house.party(call.seat)


def _line_gone(call: CallState, event: LineGone, house: House, now: datetime) -> Decision:
    if event.line == call.line:
        return _end(call, _outcome(call), event.cause, now)
    if event.line == call.seat_line and call.phase is Phase.TALKING:
        return _talk_over(call, house, now)
    return NOTHING


def _outcome(call: CallState) -> Outcome:
    if call.answered_at is not None:
        return Outcome.COMPLETED
    if call.phase is not Phase.CLOSING:
        return Outcome.ABANDONED
    return Outcome.TURNED_AWAY if call.dismissed == FULL else Outcome.INFORMED


def _end(call: CallState, outcome: Outcome, cause: int, now: datetime) -> Decision:
    facts: list[AnyCallFact] = []
    actions: list[Action] = []
    if call.phase is Phase.TALKING:
        by = None if outcome is Outcome.FAILED else Party.CITIZEN
        facts.append(TalkEnded(call=call.call, at=now, by=by))
        actions.append(Tell(Finish(call=call.call)))
    elif call.phase in WAITING:
        reason = LeaveReason.FAILED if outcome is Outcome.FAILED else LeaveReason.ABANDONED
        actions.append(Tell(Abandon(call=call.call, reason=reason)))
    facts += several.unanswered(call, now)
    facts.append(CallEnded(call=call.call, at=now, outcome=outcome, phase=call.phase, cause=cause))
    return Decision(tuple(facts), (*actions, *several.release(call)))


def _returned(call: CallState, event: ReturnedLine, house: House, now: datetime) -> Decision:
    """After a talk: good-bye, then the line ends. Whoever waits and was elsewhere hears music again; with the
    dialplan's own queue it has been recorded since."""
    if call.phase is Phase.QUEUED and event.place != "hold":
        found = _track(call, call.line, now, house, seen=False).facts if event.place == "fallback" else ()
        return Decision(found, (Hold(),))
    if call.phase not in (Phase.TALKING, Phase.CLOSING) or call.dismissed == abuse.ENDED:
        return NOTHING
    over = _talk_over(call, house, now) if call.phase is Phase.TALKING else NOTHING
    last = rating.ask(call, house, now) or Decision(actions=(Play((house.bye,)),))
    return Decision((*over.facts, *last.facts), (*over.actions, *last.actions))


def _track(call: CallState, line: LineId, at: datetime, house: House, *, seen: bool) -> Decision:
    if line in call.opened:
        return NOTHING
    party, agent = _whose(call, line, house)
    return Decision((TrackOpened(call=call.call, at=at, line=line, party=party, agent=agent, seen=seen),))


def _whose(call: CallState, line: LineId, house: House) -> tuple[Party, str]:
    if line == call.line:
        return Party.CITIZEN, ""
    leg = None if call.talk is None else call.talk.of_line(line)
    return (house.party(call.seat), call.seat) if leg is None else (leg.party, "" if leg.outside else leg.seat)


def _key_pressed(call: CallState, house: House, now: datetime) -> Decision:
    if call.phase is not Phase.TALKING or not house.mute_after_key:
        return NOTHING
    again = Wake(UNMUTE, house.mute_after_key)
    if call.muted:
        return Decision(actions=(again,))
    return Decision((RecordingMuted(call=call.call, at=now, muted=True),), (again, Mute(True)))


def _woke(call: CallState, tag: str, now: datetime) -> Decision:
    if tag == UNMUTE and call.phase is Phase.TALKING:
        whole = (RecordingMuted(call=call.call, at=now, muted=False),) if call.muted else ()
        return Decision(whole, (Mute(False),))
    if tag == PROMISE and call.phase is Phase.QUEUED:
        return Decision(actions=(Hold(),))  # there was no promise: one is enough, or he waits no more
    if tag == CLOSE and call.phase is Phase.CLOSING:
        return Decision(actions=(HangUp(call.line),))
    return NOTHING
