"""What comes of every event while a citizen is called back, as data: docs/call-backs.md and its tests come from it."""

from dataclasses import dataclass

WAITS = "waits without a line"
SEAT_RINGS = "the seat rings"
CITIZEN_RINGS = "the citizen's telephone rings"
SITUATIONS = (WAITS, SEAT_RINGS, CITIZEN_RINGS)
LATER = "waits in its place, called later"
TALK = "talk: citizen + operator"
TASK = "over: a task for people"
REJOINED = "over: the citizen waits in the new call, in the kept place"


@dataclass(frozen=True, slots=True)
class Row:
    """One stated outcome."""

    given: str
    when: str
    then: str


ROWS = tuple(
    Row(given, when, then)
    for given, events in {
        WAITS: {
            "its turn has come": SEAT_RINGS,
            "the citizen rings again": REJOINED,
            "a supervisor ends it": "over",
            "our process was away": WAITS,
            "Asterisk was started anew": WAITS,
        },
        SEAT_RINGS: {
            "the seat's telephone is answered": CITIZEN_RINGS,
            "the seat refuses, is busy, unreachable or does not answer": WAITS,
            "the citizen rings again": REJOINED,
            "our process was away": WAITS,
            "our process was away, the seat answered meanwhile": CITIZEN_RINGS,
            "Asterisk was started anew": WAITS,
        },
        CITIZEN_RINGS: {
            "the citizen answers": TALK,
            "the citizen is busy, unreachable or does not answer": LATER,
            "the same for the last time": TASK,
            "the guard says: not now": LATER,
            "the guard says: never": TASK,
            "the seat hangs up": WAITS,
            "the citizen rings again": REJOINED,
            "our process was away": LATER,
            "our process was away, the citizen answered meanwhile": TALK,
            "our process was away, the seat hung up meanwhile": WAITS,
            "Asterisk was started anew": WAITS,
        },
    }.items()
    for when, then in events.items()
)

_HEAD = """\
# Call-backs: what comes of what

A citizen who waits may be called back instead: a step `call_back` of the queue's plan asks, one key says yes, another
one asks for a number to key in. The call keeps its place without a line; in its turn, before who came later and after
who came before, a seat is rung, then the citizen, and they talk like any two. The table is data
(`calls/back_outcomes.py`); `python -m scripts.call_backs` writes this page, and tests hold the code to it.

- One promise to one number, whoever named it, and one open task: who was missed before and is called in vain now has
  his tries there. Nobody who hung up without the key is called, but stands in the list of tasks when he had
  waited longer than a moment (`GET /api/v1/callbacks`): whoever takes one there has it dialled from the own seat
  (`POST /api/v1/callbacks/{task}/call`), and it is done as soon as somebody speaks with the citizen, whoever called.
- What is dialled passes the guard (`calls/outside.py`): only subscribers' numbers, none of our own, premium and
  international ones only when they are listed, between `HOTLINE_CALL_BACK_HOURS`, so often in a day, all together and
  to one number, and no redirect is followed. A queue's plan may narrow these hours (`call_back_hours`); a turn that
  comes outside of them rings no seat, and waits in its place until they begin.
- A citizen who does not answer is called `HOTLINE_CALL_BACK_TRIES` times, later each time; every try is kept with its
  moment, seat and cause. After the last one it is a task for people.
- Waiting without a line counts in no waiting time; the call counts once for the answer rate, when the promise is kept
  or given up.
"""


def render() -> str:
    """The page."""
    parts = [_HEAD]
    for given in SITUATIONS:
        lines = [f"| {row.when} | {row.then} |" for row in ROWS if row.given == given]
        table = "\n".join(["| what happens | what comes of it |", "|---|---|", *lines])
        parts.append(f"## {given[0].upper()}{given[1:]}\n\n{table}\n")
    return "\n".join(parts)
