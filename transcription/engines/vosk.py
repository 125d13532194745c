"""Vosk (Kaldi) as an engine.

What this module is here to guard against: `Model()` without a path downloads from the internet; a wrong sample rate
gives garbage or a refusal; a Kaldi assertion ends the whole process, which is why this runs in worker processes.
"""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import vosk as _vosk

from hotline.errors import Unavailable
from transcription.engine import Resampler
from transcription.errors import ModelUnusable
from transcription.model import ModelIdentity, Utterance, Word
from transcription.model_folder import check_layout, identity
from transcription.sound import Pcm

_library: Any = _vosk
_QUIET = -1
_CHUNK_S = 0.1
"""The end of an utterance is looked for once in a chunk: with longer ones, pauses are missed."""
_SAMPLE_BYTES = 2
_NO_SOUND: Pcm = np.zeros(0, np.int16)


class _Word(msgspec.Struct, frozen=True):
    word: str
    start: float
    end: float
    conf: float = 1.0

    def word_ms(self) -> Word:
        return Word(self.word, round(self.start * 1000), round(self.end * 1000), round(self.conf, 3))


class _Result(msgspec.Struct, frozen=True):
    result: tuple[_Word, ...] = ()


class _Partial(msgspec.Struct, frozen=True):
    partial: str = ""


class VoskEngine:
    """One loaded Vosk model."""

    def __init__(self, folder: Path) -> None:
        """Load the model in `folder`.

        Raises:
            ModelUnusable: the layout is not complete, or the library does not take it.
        """
        check_layout(folder)
        self._identity = identity(folder, "vosk")
        _library.SetLogLevel(_QUIET)
        try:
            self._model: Any = _library.Model(model_path=str(folder.resolve()))
        except Exception as error:
            raise ModelUnusable(f"Vosk cannot load the model in {folder}: its files do not fit together.") from error

    @property
    def identity(self) -> ModelIdentity:
        return self._identity

    def stream(self, rate: int) -> "VoskStream":
        return VoskStream(self._model, rate, self._identity.rate)


class VoskStream:
    """One recogniser. Sound is always brought to the model's own rate."""

    def __init__(self, model: Any, rate: int, model_rate: int) -> None:
        self._resampler = Resampler(rate, model_rate)
        self._chunk_bytes = int(model_rate * _CHUNK_S) * _SAMPLE_BYTES
        try:
            self._recogniser: Any = _library.KaldiRecognizer(model, float(model_rate))
        except Exception as error:
            raise Unavailable("Vosk cannot begin to listen: the model is damaged.") from error
        self._recogniser.SetWords(True)

    def accept(self, pcm: Pcm) -> list[Utterance]:
        return self._listen(self._resampler.feed(pcm))

    def partial(self) -> str:
        return msgspec.json.decode(self._recogniser.PartialResult(), type=_Partial).partial

    def finish(self) -> list[Utterance]:
        rest = self._listen(self._resampler.feed(_NO_SOUND, last=True))
        return rest + _utterances(self._recogniser.FinalResult())

    def _listen(self, samples: bytes) -> list[Utterance]:
        said: list[Utterance] = []
        for start in range(0, len(samples), self._chunk_bytes):
            if self._ended_after(samples[start : start + self._chunk_bytes]):
                said += _utterances(self._recogniser.Result())
        return said

    def _ended_after(self, chunk: bytes) -> bool:
        try:
            return bool(self._recogniser.AcceptWaveform(chunk))
        except Exception as error:
            raise Unavailable("Vosk could not process the sound: the model wants another sample rate.") from error


def _utterances(result: str) -> list[Utterance]:
    words = msgspec.json.decode(result, type=_Result).result
    return [Utterance(tuple(word.word_ms() for word in words))] if words else []
