"""Utterances of several channels become one dialogue in order of time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcription.model import Speaker, Utterance, Word
from transcription.segments import default_punctuation, dialogue

pytestmark = pytest.mark.unit

RULES = default_punctuation()
SPEAKERS = [Speaker("citizen"), Speaker("operator", "8001")]


def said(*words: tuple[str, int, int], confidence: float = 1.0) -> Utterance:
    return Utterance(tuple(Word(word, start, end, confidence) for word, start, end in words))


def texts(*channels: list[Utterance]) -> list[tuple[str, str]]:
    return [(segment.party, segment.text) for segment in dialogue(channels, SPEAKERS, RULES)]


def test_turns_stand_in_order_of_time_with_their_speakers() -> None:
    citizen = [said(("我", 1000, 1200), ("投诉", 1200, 1600)), said(("谢谢", 9000, 9400))]
    operator = [said(("您好", 0, 500)), said(("好", 4000, 4200))]
    assert texts(citizen, operator) == [
        ("operator", "您好。"),
        ("citizen", "我投诉。"),
        ("operator", "好。"),
        ("citizen", "谢谢。"),
    ]


def test_a_word_said_into_a_pause_stands_where_it_was_said() -> None:
    citizen = [said(("我", 0, 200), ("投诉", 200, 600), ("噪音", 2000, 2500))]
    operator = [said(("好", 1000, 1200))]
    assert texts(citizen, operator) == [("citizen", "我投诉，"), ("operator", "好。"), ("citizen", "噪音。")]


def test_a_word_said_over_somebody_follows_the_turn_that_began_before() -> None:
    citizen = [said(("我", 0, 300), ("要", 300, 600), ("投诉", 600, 1000))]
    operator = [said(("好", 400, 600))]
    assert texts(citizen, operator) == [("citizen", "我要投诉。"), ("operator", "好。")]


def test_a_pause_without_anybody_between_becomes_a_comma() -> None:
    assert texts([said(("你好", 0, 500), ("我", 900, 1000), ("投诉", 1000, 1500))]) == [("citizen", "你好，我投诉。")]


def test_a_gap_of_exactly_the_pause_is_none() -> None:
    assert texts([said(("你好", 0, 500), ("我", 500 + RULES.pause_ms, 1000))]) == [("citizen", "你好我。")]


def test_a_question_word_makes_a_question() -> None:
    assert texts([said(("怎么", 0, 300), ("办理", 300, 700))]) == [("citizen", "怎么办理？")]


def test_an_unknown_word_is_marked_and_makes_the_segment_uncertain() -> None:
    (segment,) = dialogue([[said(("我", 0, 100), ("[unk]", 100, 500))]], SPEAKERS, RULES)
    assert segment.text == "我□。"
    assert segment.uncertain
    assert [word.word for word in segment.words] == ["我", "[unk]"]


def test_low_confidence_makes_a_segment_uncertain() -> None:
    sure, unsure = (
        dialogue([[said(("我", 0, 100), confidence=value)]], SPEAKERS, RULES)[0]
        for value in (RULES.uncertain_below, RULES.uncertain_below - 0.01)
    )
    assert not sure.uncertain
    assert unsure.uncertain


def test_latin_words_keep_the_blank_between_them() -> None:
    assert texts([said(("用", 0, 100), ("wi", 100, 200), ("fi", 200, 300), ("吗", 300, 400))]) == [
        ("citizen", "用wi fi吗？")
    ]


def test_a_channel_that_nobody_declared_is_of_an_unknown_speaker() -> None:
    third = dialogue([[], [], [said(("好", 0, 100))]], SPEAKERS, RULES)
    assert [(segment.party, segment.channel) for segment in third] == [("unknown", 2)]


def test_the_agent_of_a_channel_stands_on_its_segments() -> None:
    (segment,) = dialogue([[], [said(("好", 0, 100))]], SPEAKERS, RULES)
    assert (segment.party, segment.agent, segment.channel) == ("operator", "8001", 1)


@st.composite
def _channel(draw: st.DrawFn) -> list[Utterance]:
    at, utterances = 0, list[Utterance]()
    for _ in range(draw(st.integers(0, 5))):
        words: list[Word] = []
        for _ in range(draw(st.integers(1, 5))):
            at += draw(st.integers(0, 800))
            words.append(Word("字", at, at + 200, 1.0))
            at += 200
        utterances.append(Utterance(tuple(words)))
    return utterances


@given(st.lists(_channel(), min_size=1, max_size=3))
def test_every_word_is_there_once_and_turns_begin_in_order(channels: list[list[Utterance]]) -> None:
    segments = dialogue(channels, SPEAKERS, RULES)
    for number, channel in enumerate(channels):
        spoken = [word for utterance in channel for word in utterance.words]
        written = [word for segment in segments if segment.channel == number for word in segment.words]
        assert written == spoken
    starts = [segment.start_ms for segment in segments]
    assert starts == sorted(starts)
    assert all(segment.text.count("字") == len(segment.words) for segment in segments)
