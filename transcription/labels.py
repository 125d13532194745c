"""What people are told beside a transcript, from data (`labels.json`)."""

from functools import cache
from pathlib import Path

import msgspec

from transcription.model import Transcript, TranscriptState


class Label(msgspec.Struct, frozen=True):
    """One sentence in both languages; empty when there is nothing to say."""

    zh: str = ""
    en: str = ""


def label(transcript: Transcript) -> Label:
    """Why there is no text, or what must be known of the text: above all, that a demonstration model made it."""
    if transcript.state is not TranscriptState.READY:
        return _labels()[transcript.state.value]
    if transcript.model is None or not transcript.model.demonstration:
        return Label()
    some = max(transcript.model.words // 100 * 100, 100)
    written = _labels()["demonstration"]
    return Label(written.zh.format(words=some), written.en.format(words=some))


@cache
def _labels() -> dict[str, Label]:
    return msgspec.json.decode(Path(__file__).with_name("labels.json").read_bytes(), type=dict[str, Label])
