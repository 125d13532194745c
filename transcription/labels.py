"""What people are told beside a transcript, from data (`labels.json`)."""

from functools import cache
from pathlib import Path

import msgspec

from transcription.live.model import LiveState
from transcription.model import ModelIdentity, Transcript, TranscriptState


class Label(msgspec.Struct, frozen=True):
    """One sentence in both languages; empty when there is nothing to say."""

    zh: str = ""
    en: str = ""


def label(transcript: Transcript) -> Label:
    """Why there is no text, or what must be known of the text: above all, that a demonstration model made it."""
    if transcript.state is not TranscriptState.READY:
        return _labels()[transcript.state.value]
    return _of_model(transcript.model)


def live_label(state: LiveState, model: ModelIdentity | None) -> Label:
    """The same for what is recognised while it is said: that it is provisional, or why there is nothing."""
    told, by = _labels()[f"live_{state.value}"], _of_model(model)
    if state not in {LiveState.ON, LiveState.ENDED} or not by.zh:
        return told
    return Label(f"{told.zh}；{by.zh}", f"{told.en}; {by.en}")


def is_demonstration(model: ModelIdentity | None) -> bool:
    """Whether a demonstration model listens."""
    return model is not None and model.demonstration


def _of_model(model: ModelIdentity | None) -> Label:
    if model is None or not model.demonstration:
        return Label()
    some = max(model.words // 100 * 100, 100)
    written = _labels()["demonstration"]
    return Label(written.zh.format(words=some), written.en.format(words=some))


@cache
def _labels() -> dict[str, Label]:
    return msgspec.json.decode(Path(__file__).with_name("labels.json").read_bytes(), type=dict[str, Label])
