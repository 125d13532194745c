"""The wire format: framing survives every cut, encoding lets nothing through that is not one action."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.errors import BadInput
from telephony.amiwire import LONGEST_MESSAGE, Framer, OverlongMessage, encode, parse, wanted

pytestmark = pytest.mark.unit

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
EVENT = "Event: Newchannel\r\nCallerIDName: 市民热线 公积金专席\r\nAccountCode: \r\n\r\n".encode()


def test_an_event_split_at_every_byte_even_inside_a_character_is_read_the_same() -> None:
    for cut in range(len(GREETING + EVENT)):
        framer = Framer()
        whole = GREETING + EVENT
        messages = framer.feed(whole[:cut]) + framer.feed(whole[cut:])
        assert [parse(message) for message in messages] == [
            {"Event": "Newchannel", "CallerIDName": "市民热线 公积金专席", "AccountCode": ""}
        ]
        assert framer.version == "11.0.0"


def test_events_that_come_one_byte_at_a_time_are_all_there() -> None:
    framer = Framer()
    messages = [m for byte in GREETING + EVENT * 3 for m in framer.feed(bytes([byte]))]
    assert len(messages) == 3


def test_a_burst_of_a_hundred_thousand_events_loses_none() -> None:
    framer = Framer()
    stream = GREETING + b"Event: X\r\nN: 1\r\n\r\n" * 100_000
    assert sum(len(framer.feed(stream[at : at + 65_536])) for at in range(0, len(stream), 65_536)) == 100_000


def test_a_message_without_an_end_is_an_error_and_not_an_endless_buffer() -> None:
    framer = Framer()
    framer.feed(GREETING)
    with pytest.raises(OverlongMessage):
        framer.feed(b"x" * (LONGEST_MESSAGE + 1))


def test_odd_lines_are_kept_or_ignored_and_never_an_error() -> None:
    message = b"Event: X\r\nEmpty:\r\nno colon here\r\nChanVariable: a=1\r\nChanVariable: b=2\r\nTime: 10:20: 30"
    assert parse(message) == {"Event": "X", "Empty": "", "ChanVariable": "a=1\nb=2", "Time": "10:20: 30"}


def test_repeated_headers_without_other_oddities_are_joined_too() -> None:
    assert parse(b"Event: X\r\nA: 1\r\nA: 2\r\nA: 3")["A"] == "1\n2\n3"


def test_invalid_utf8_is_replaced() -> None:
    assert parse(b"Event: X\r\nName: \xff\xfe ok")["Name"] == "\ufffd\ufffd ok"


@given(st.binary(max_size=400))
def test_no_bytes_at_all_make_parsing_fail(data: bytes) -> None:
    parse(data)
    wanted([data], frozenset())
    Framer().feed(data)


def test_unwanted_events_are_recognised_by_their_first_line() -> None:
    hangup, response = b"Event: Hangup\r\nUniqueid: 1", b"Response: Success"
    item = b"Event: CoreShowChannel\r\nActionID: 7\r\nChannel: x"
    noise = [b"Event: VarSet\r\nVariable: x", b"Event: Hangup2\r\nA: b", b"Event: Hangu", b"Event: "]
    assert wanted([*noise, hangup, response, item, b"Event: Hangup"], frozenset({b"Hangup"})) == [
        hangup, response, item, b"Event: Hangup",
    ]  # fmt: skip


def test_an_action_is_one_packet() -> None:
    assert encode("Setvar", "1", {"Variable": ["A", "B"], "Value": 5}) == (
        b"Action: Setvar\r\nActionID: 1\r\nVariable: A\r\nVariable: B\r\nValue: 5\r\n\r\n"
    )


@pytest.mark.parametrize("value", ["a\r\n\r\nAction: Originate", "a\nb", "a\rb", "a\0b"])
def test_a_value_that_would_end_its_line_is_refused_without_being_repeated(value: str) -> None:
    with pytest.raises(BadInput) as refused:
        encode("Setvar", "1", {"Value": value})
    assert "Value" in str(refused.value)
    assert "Originate" not in str(refused.value)


def test_a_header_name_that_would_end_its_line_is_refused() -> None:
    with pytest.raises(BadInput):
        encode("Setvar", "1", {"Value\r\nAction": "x"})


def test_lines_up_to_1024_bytes_are_sent_and_longer_ones_refused() -> None:
    room = 1024 - len("Value: \r\n")
    encode("Setvar", "1", {"Value": "x" * room})
    with pytest.raises(BadInput):
        encode("Setvar", "1", {"Value": "x" * (room + 1)})
    with pytest.raises(BadInput):
        encode("Setvar", "1", {"Value": "热" * (room // 3 + 1)})


def test_up_to_128_lines_are_sent_and_more_refused() -> None:
    encode("Originate", "1", {"Variable": ["x"] * 126})
    with pytest.raises(BadInput):
        encode("Originate", "1", {"Variable": ["x"] * 127})


def test_half_a_character_is_refused() -> None:
    with pytest.raises(BadInput):
        encode("Setvar", "1", {"Value": "\ud800"})


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(BadInput) as refused:
        encode("Setvar", "1", {"A": "x\n", "B": "y" * 2000})
    assert len(refused.value.problems) == 2


@given(st.dictionaries(st.from_regex(r"[A-Za-z]{1,8}", fullmatch=True), st.text(max_size=60), max_size=5))
def test_whatever_the_values_are_one_action_is_on_the_wire_or_none(headers: dict[str, str]) -> None:
    try:
        wire = encode("Setvar", "1", headers)
    except BadInput:
        return
    framer = Framer()
    framer.feed(GREETING)
    assert len(framer.feed(wire)) == 1
    assert wire.count(b"\r\n") == 3 + len(headers)
