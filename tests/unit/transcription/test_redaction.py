"""Numbers of people are found, spoken or written, and nothing that only looks like one."""

import pytest

from transcription.model import Segment, Speaker, Utterance, Word
from transcription.normalise import default_rules
from transcription.redaction import (
    MARGIN_MS,
    Secret,
    find,
    masked,
    masked_segments,
    stretches,
    valid_bank_card,
    valid_id_card,
)
from transcription.segments import default_punctuation, dialogue

pytestmark = pytest.mark.unit

RULES = default_rules()
ID_CARD = "11010519491231002X"
"""The example of GB 11643-1999."""


def kinds(text: str) -> list[Secret]:
    return [span.kind for span in find(text, RULES)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"身份证{ID_CARD}。", Secret.ID_CARD),
        ("身份证号码是一一零一零五一九四九一二三一零零二叉", Secret.ID_CARD),
        ("电话13900123456", Secret.MOBILE),
        ("电话是幺三九零零幺二三四五六", Secret.MOBILE),
        ("8613900123456", Secret.MOBILE),
        ("幺三九，零零幺二，三四五六", Secret.MOBILE),
        ("零七幺七六二三四五六七", Secret.LANDLINE),
        ("0717-6234567", Secret.LANDLINE),
        ("卡号6222021234567890128", Secret.BANK_CARD),
        ("4111111111111111", Secret.BANK_CARD),
    ],
)
def test_a_secret_is_found_however_it_is_said(text: str, kind: Secret) -> None:
    assert kinds(text) == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "拨打12345",
        "编号110105194912310021",  # wrong check character
        "110105194913310021",  # no such month
        "4111111111111112",  # fails Luhn
        "12900123456",  # no mobile prefix
        "139001234567",  # a digit too many
        "1390012345",  # a digit too few
        "二十五号楼三单元四零一室",
        "",
    ],
)
def test_what_only_looks_like_a_secret_is_left_alone(text: str) -> None:
    assert kinds(text) == []


def test_the_check_character_and_the_date_of_an_id_card_both_count() -> None:
    assert valid_id_card(ID_CARD)
    assert valid_id_card(ID_CARD.lower())
    assert not valid_id_card("110105194912310021")
    assert not valid_id_card("11010519490231002X")


def test_luhn_notices_a_wrong_digit_and_two_swapped_ones() -> None:
    assert valid_bank_card("79927398713")
    assert not valid_bank_card("79927398710")
    assert not valid_bank_card("97927398713")


def test_spans_are_places_in_the_text_that_was_given() -> None:
    text = "请打幺三九零零幺二三四五六找我"
    (span,) = find(text, RULES)
    assert text[span.start : span.end] == "幺三九零零幺二三四五六"
    assert masked(text, RULES) == "请打***********找我"


def test_two_secrets_in_one_text_are_both_masked() -> None:
    assert masked(f"{ID_CARD}和13900123456。", RULES) == "*" * 18 + "和" + "*" * 11 + "。"


def spoken(*pieces: str, gap_ms: int = 1000, channel: int = 0) -> tuple[Segment, ...]:
    """One utterance for each piece, 200 ms a word, a word for each character."""
    at, utterances = 0, list[Utterance]()
    for piece in pieces:
        utterances.append(
            Utterance(tuple(Word(letter, at + 200 * n, at + 200 * n + 200, 1.0) for n, letter in enumerate(piece)))
        )
        at += 200 * len(piece) + gap_ms
    channels = [utterances if number == channel else [] for number in range(2)]
    return dialogue(channels, [Speaker("citizen"), Speaker("operator")], default_punctuation())


def test_a_number_said_in_two_breaths_is_muted_from_its_first_to_its_last_word() -> None:
    segments = spoken("我是幺三九零零", "幺二三四五六谢谢")
    (stretch,) = stretches(segments, RULES)
    assert (stretch.kind, stretch.channel) == (Secret.MOBILE, 0)
    assert stretch.start_ms == 400 - MARGIN_MS
    assert stretch.end_ms == 1400 + 1000 + 1200 + MARGIN_MS


def test_a_number_said_in_two_breaths_is_masked_in_both_turns() -> None:
    hidden = masked_segments(spoken("我是幺三九零零", "幺二三四五六谢谢"), RULES)
    assert [segment.text for segment in hidden] == ["我是*****。", "******谢谢。"]
    assert [word.word for word in hidden[1].words] == [*"******", "谢", "谢"]


def test_numbers_of_two_speakers_are_not_read_as_one() -> None:
    segments = spoken("幺三九零零") + spoken("幺二三四五六", channel=1)
    assert stretches(segments, RULES) == ()


def test_a_mask_keeps_unknown_words_and_punctuation() -> None:
    segments = spoken("幺三九零零幺二三四五六好")
    words = (Word("[unk]", 0, 10, 1.0), *segments[0].words)
    marked = Segment(party="citizen", start_ms=0, end_ms=9, text="□，" + segments[0].text, confidence=1.0, words=words)
    (hidden,) = masked_segments([marked], RULES)
    assert hidden.text == "□，***********好。"


def test_markup_in_a_transcript_stays_what_it_is() -> None:
    assert masked("<script>alert(1)</script>'; DROP TABLE", RULES) == "<script>alert(1)</script>'; DROP TABLE"
