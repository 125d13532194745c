"""What comes of every event while a line outside is called for a citizen alone, as data: docs/other-centres.md and its
tests come from it."""

from dataclasses import dataclass

WAITS = "music, in his place in the queue; the other centre rings"
SEAT_RINGS = "music; a seat and the other centre ring"
FLOW = "music, out of the number's flow; the line outside rings"
SITUATIONS = (WAITS, SEAT_RINGS, FLOW)
TALK = "talk: citizen + office"
SEAT_TALKS = "talk: citizen + operator; the other centre rings no more"
QUEUED = "music, in his place in the queue"
ONLY_SEAT = "music; the seat rings on"
GOES_ON = "the flow goes its own way on"
AGAIN = "the flow begins again"
OVER = "over: nothing rings any more"
OWED = "over: a task for people"
_CAME = "the line outside answers"
_MISSED = "it refuses, is busy, unreachable or does not answer"
_GUARD = "the guard refuses it"
_LEFT = "the citizen hangs up"
_AWAY = "our process was away"
_NODE = "Asterisk was started anew"
_EITHER = {_CAME: TALK, _LEFT: OVER, f"{_AWAY}, the line outside answered meanwhile": TALK, _NODE: OWED}


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
            **_EITHER,
            _MISSED: QUEUED,
            _GUARD: QUEUED,
            "a seat is free": SEAT_RINGS,
            "he is promised a call-back": "waits without a line; the other centre rings no more",
            "the next step calls another centre": WAITS,
            _AWAY: WAITS,
            f"{_AWAY}, the line outside gave up meanwhile": QUEUED,
            f"{_AWAY}, the plain queue connected him with a seat meanwhile": SEAT_TALKS,
        },
        SEAT_RINGS: {
            **_EITHER,
            _MISSED: ONLY_SEAT,
            _GUARD: ONLY_SEAT,
            "the seat answers": SEAT_TALKS,
            "the seat answers, the line outside in the same moment": SEAT_TALKS,
            "the line outside answers, the seat in the same moment": TALK,
            "the seat refuses, is busy, unreachable or does not answer": WAITS,
            _AWAY: SEAT_RINGS,
            f"{_AWAY}, the line outside gave up meanwhile": ONLY_SEAT,
            f"{_AWAY}, the seat answered meanwhile": SEAT_TALKS,
        },
        FLOW: {
            **_EITHER,
            _MISSED: GOES_ON,
            _GUARD: GOES_ON,
            _AWAY: AGAIN,
            f"{_AWAY}, the line outside gave up meanwhile": AGAIN,
            f"{_AWAY}, the plain queue connected him with a seat meanwhile": SEAT_TALKS,
        },
    }.items()
    for when, then in events.items()
)

_HEAD = """\
# Other centres: what comes of what

A citizen can be connected with somebody outside without a seat of ours. The flow of a dialled number says so (a node
`transfer`, as that of sub-centres, utilities and external lines whose entry names where they are reached), or a step
`overflow` of the queue's plan, which names another centre of the catalogue and after how many seconds of waiting it is
called as well; at once, when nobody who is signed in could ever take the call. The table is data
(`calls/onward_outcomes.py`); `python -m scripts.onward` writes this page, and tests hold the code to it.

- Who waits stays in the queue, in his place, and hears its music: the first that answers, a seat or the other centre,
  has him. A centre that does not come has cost him nothing. There is one at a time; the plan may name more, or the same
  again.
- What is dialled passes the guard (`calls/outside.py`): lines of the catalogue or listed ones, within the limits of
  lines and days and the night; never one of our own numbers, never an emergency line, which an operator calls who stays
  until it answers; and no redirect is followed. Callers alone never take more than half of the lines, nor of what may
  be dialled in a day, so that seats can always dial.
- *Office*: the line outside. Once it has answered, the talk is one like any that was handed over to the outside
  ([what comes of it](three-way.md#handed-over-outside)): supervisors may listen, barge in and take over, an office that
  falls silent leaves the citizen first in the queue, and when it hangs up he hears good-bye.
- Both voices are recorded on channels of their own, the call gets a ticket whose history names the line, and every try
  is kept with its moment and cause (`GET /api/v1/calls/{call}/asks`).
- Whom a plan sends on is set by whoever runs the queue, in the office or with
  `PUT /api/v1/queues/general/plan {"steps": [{"after_s": 90, "does": "overflow", "number": "12366"}]}`; a number that
  the guard would never let pass is refused there. What a flow does is in `ivr/flows/external.yaml`.
- A call that another centre answered is in the whole of the answer rate and not in what was answered; it has a figure
  of its own, `overflowed`.
"""


def render() -> str:
    """The page."""
    parts = [_HEAD]
    for given in SITUATIONS:
        lines = [f"| {row.when} | {row.then} |" for row in ROWS if row.given == given]
        table = "\n".join(["| what happens | what comes of it |", "|---|---|", *lines])
        parts.append(f"## {given[0].upper()}{given[1:]}\n\n{table}\n")
    return "\n".join(parts)
