"""Rows of CoreShowChannels become a snapshot of lines. Pure: whoever asks Asterisk is elsewhere."""

from collections.abc import Iterable, Mapping

from telephony.known import phone_of
from telephony.model import LineId, LineSnapshot
from telephony.translate import clean, known_or_empty

Row = Mapping[str, str]
Variables = Mapping[tuple[LineId, str], str]
"""What Getvar answered, by line and variable."""

SEAT_PLACE = "seat"
SEATS_PLACES = frozenset({"room", "parked-seat", "spy"})
"""Contexts in which a seat's line goes on by itself."""


def is_line(row: Row) -> bool:
    """Whether a channel is somebody's line: SIP, with a name; taps and mixers are not."""
    return row.get("Channel", "").startswith("PJSIP/") and bool(row.get("Uniqueid"))


def in_agi(rows: Iterable[Row]) -> frozenset[LineId]:
    """Lines that take AGI commands."""
    return frozenset(LineId(row["Uniqueid"]) for row in rows if is_line(row) and row.get("Application") == "AGI")


def asked_variables(rows: Iterable[Row]) -> tuple[tuple[LineId, str], ...]:
    """What Getvar must be asked to complete the rows."""
    return tuple(
        (LineId(row["Uniqueid"]), name)
        for row in rows
        if is_line(row)
        for name in (("OFFERID",) if phone_of(row["Channel"]) else ("OFFERID", "DIALLED"))
    )


def line_of(row: Row, variables: Variables) -> LineSnapshot:
    """One row."""
    line, phone = LineId(row["Uniqueid"]), phone_of(row["Channel"])
    return LineSnapshot(
        line=line,
        place=_place(row, bool(phone)),
        bridge=row.get("BridgeId", ""),
        dialled=clean(variables.get((line, "DIALLED"), "")),
        caller="" if phone else known_or_empty(row.get("CallerIDNum", "")),
        offer=variables.get((line, "OFFERID"), ""),
        phone=phone,
        up=row.get("ChannelState") == "6",
    )


def _place(row: Row, is_seat: bool) -> str:
    context = row.get("Context", "")
    return SEAT_PLACE if is_seat and context not in SEATS_PLACES else context


def lines_of(rows: Iterable[Row], variables: Variables) -> tuple[LineSnapshot, ...]:
    """Every line among the rows."""
    return tuple(line_of(row, variables) for row in rows if is_line(row))
