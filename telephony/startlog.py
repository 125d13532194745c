"""Judges what Asterisk logged while it started: what is expected, what is odd, what is fatal. Reads no file."""

import re

_LINE = re.compile(r"^\[[^]]*\] (WARNING|ERROR)\[\d+\]\S* (?P<text>.*)$", re.MULTILINE)

EXPECTED: tuple[tuple[str, str], ...] = (
    (
        r"Could not find option 'minimum_size' with type 'threadpool' in module 'stasis'",
        "Asterisk 22 renamed its own option and still asks for the old name; whatever stasis.conf holds",
    ),
    (
        r"Unable to set the priority|Unable to access high resolution timer",
        "a container without those rights; calls work",
    ),
)
"""What a sound start may say, and why that is harmless."""

_FATAL = re.compile(
    r"could not be started|Address already in use|Error loading module|has not been created yet|"
    r"Unable to load module|declined to load|Failed to (?:load|apply|create)|"
    r"Could not (?:find|create) (?:option|an? object)",
    re.IGNORECASE,
)


def start_problems(text: str) -> tuple[str, ...]:
    """Warnings and errors of a log that no sound start has, in their order, without time stamps."""
    found = (line["text"].strip() for line in _LINE.finditer(text))
    return tuple(line for line in found if not any(re.search(pattern, line) for pattern, _ in EXPECTED))


def fatal(problems: tuple[str, ...]) -> str:
    """The first problem with which Asterisk must not take calls; empty when there is none."""
    return next((line for line in problems if _FATAL.search(line)), "")
