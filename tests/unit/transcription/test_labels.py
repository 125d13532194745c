"""Readers are told what they must know of a transcript."""

from datetime import UTC, datetime

import pytest

from transcription.labels import label
from transcription.model import ModelIdentity, Order, Transcript, TranscriptState

pytestmark = pytest.mark.unit


def transcript(state: TranscriptState, model: ModelIdentity | None = None) -> Transcript:
    order = Order(recording="r", call="c", path="a.wav")
    return Transcript(id="t", order=order, state=state, model=model, requested_at=datetime(2026, 1, 1, tzinfo=UTC))


def model(*, demonstration: bool, words: int = 326) -> ModelIdentity:
    return ModelIdentity(engine="vosk", name="m", digest="d", rate=8000, demonstration=demonstration, words=words)


def test_what_the_demonstration_model_made_is_labelled() -> None:
    told = label(transcript(TranscriptState.READY, model(demonstration=True)))
    assert told.en == "made by a demonstration model of some 300 words"
    assert "演示模型" in told.zh
    assert "300" in told.zh


def test_what_a_real_model_made_needs_no_label() -> None:
    told = label(transcript(TranscriptState.READY, model(demonstration=False)))
    assert (told.zh, told.en) == ("", "")


@pytest.mark.parametrize("state", [state for state in TranscriptState if state is not TranscriptState.READY])
def test_every_other_state_says_why_there_is_no_text(state: TranscriptState) -> None:
    told = label(transcript(state))
    assert told.zh
    assert told.en
