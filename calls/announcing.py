"""What is said to a citizen who waits, as names of prompts. Pure; the words themselves are data of the prompts.

The place is said as a whole sentence while it is small and put together from numbers beyond. A wait is said in whole
minutes, more roughly the longer it is, for an estimate is no promise.
"""

from math import ceil

from acd.model import Prompted, StepKind

WAITING = "waiting"
FULL = "queue_full"
WHOLE_SENTENCES = 4
"""Up to so many ahead there is a sentence for each."""
MOST_SAID = 99
ROUGHLY_FROM = 10
ROUGHLY = 5
"""From ten minutes on a wait is said in steps of five."""
LONGEST_SAID = 60


def prompts(said: Prompted) -> tuple[str, ...]:
    """Everything that is played, one after the other."""
    if said.kind is not StepKind.POSITION:
        return (said.prompt or WAITING,)
    return (*place(said.ahead), *wait(said.estimate_s), *((said.prompt,) if said.prompt else ()))


def place(ahead: int) -> tuple[str, ...]:
    """How many wait before."""
    if ahead <= WHOLE_SENTENCES:
        return (f"position_{max(0, ahead) + 1}",)
    if ahead > MOST_SAID:
        return ("position_many",)
    return ("ahead", *number(ahead), "callers")


def wait(seconds: float | None) -> tuple[str, ...]:
    """How long it may take; nothing when nobody knows."""
    if seconds is None:
        return ()
    minutes = max(1, ceil(seconds / 60))
    if minutes > ROUGHLY_FROM:
        minutes = ceil(minutes / ROUGHLY) * ROUGHLY
    if minutes > LONGEST_SAID:
        return ("wait_long",)
    return ("wait_about", *number(minutes), "minutes")


def number(value: int) -> tuple[str, ...]:
    """A whole number of 1 to 99 before a measure word: 2 is 两, 12 十二, 20 二十, 22 二十二."""
    if value == 2:
        return ("number_pair",)
    tens, ones = divmod(value, 10)
    said = ("number_10",) if tens == 1 else (f"number_{tens}", "number_10") if tens else ()
    return (*said, f"number_{ones}") if ones else said
