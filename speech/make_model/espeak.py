"""libespeak-ng through ctypes: text to PCM with the exact time of every phoneme.

espeak-ng carries state from one utterance to the next, so each one is spoken in a freshly forked child: the
result depends on the arguments alone and equals what a new process would say. The API is that of
`espeak-ng/speak_lib.h`.
"""

import ctypes
import functools
import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

PLAIN_VOICE = "cmn-latn-pinyin"
"""The Mandarin voice that reads both pinyin and characters; `cmn` of espeak-ng 1.51 spells characters in English."""

_PHONEME_EVENT = 7
_RATE, _PITCH, _RANGE, _WORD_GAP = 1, 3, 4, 7
_SYNCHRONOUS = 2
_PHONEME_EVENTS, _DO_NOT_EXIT = 0x0001, 0x8000
_CHARACTERS_UTF8 = 1
_SHORTEST_PAUSE_S = 0.07

Pcm = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Manner:
    """How espeak-ng speaks: words per minute, pitch and its range from 0 to 99, pause between words in 10 ms."""

    rate: int = 175
    pitch: int = 50
    pitch_range: int = 50
    gap: int = 0


@dataclass(frozen=True, slots=True)
class PhonemeStart:
    """Where a phoneme begins, in seconds from the start of the PCM."""

    at: float
    name: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said: int16 samples at the library's rate, and the clock of its phonemes."""

    pcm: Pcm
    phonemes: tuple[PhonemeStart, ...]


class SpeechFailed(RuntimeError):
    """espeak-ng cannot speak this text with this voice: 1.51 crashes on a few pairs."""


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("uid", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class _Library:
    """The loaded library; `ESPEAK_LIBRARY` and `ESPEAK_DATA` name another one than the system's."""

    def __init__(self) -> None:
        self._lib: Any = ctypes.CDLL(os.environ.get("ESPEAK_LIBRARY", "libespeak-ng.so.1"))
        self._pcm: list[Pcm] = []
        self._phonemes: list[PhonemeStart] = []
        data = os.environ.get("ESPEAK_DATA")
        self._lib.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
        self.rate: int = self._lib.espeak_Initialize(
            _SYNCHRONOUS, 0, data.encode() if data else None, _PHONEME_EVENTS | _DO_NOT_EXIT
        )
        if self.rate <= 0:
            raise SpeechFailed("espeak-ng could not be initialised: install the package espeak-ng.")
        self.version, self.variants = self._read_info()
        self._callback = _Callback(self._take)  # kept: ctypes does not hold the reference
        self._lib.espeak_SetSynthCallback(self._callback)

    def _read_info(self) -> tuple[str, frozenset[str]]:
        self._lib.espeak_Info.argtypes = [ctypes.POINTER(ctypes.c_char_p)]
        self._lib.espeak_Info.restype = ctypes.c_char_p
        path = ctypes.c_char_p()
        version: str = self._lib.espeak_Info(ctypes.byref(path)).decode()
        voices = Path((path.value or b"").decode(), "voices", "!v")
        return version, frozenset(file.name for file in voices.iterdir())

    def _take(self, wav: Any, count: int, events: Any) -> int:
        if wav and count > 0:
            self._pcm.append(np.ctypeslib.as_array(wav, shape=(count,)).copy())
        position = 0
        while events[position].type != 0:
            event = events[position]
            if event.type == _PHONEME_EVENT:
                name = bytes(event.id.string).decode().lstrip("',")  # 1.52 marks stress
                self._phonemes.append(PhonemeStart(event.audio_position / 1000.0, name))
            position += 1
        return 0

    def speak(self, text: str, voice: str, manner: Manner) -> Spoken:
        """Speak in this very process; its state is spoilt afterwards."""
        self._pcm.clear()
        self._phonemes.clear()
        variant = voice.partition("+")[2]
        if variant and variant not in self.variants:  # espeak-ng itself would silently take the plain voice
            raise SpeechFailed(f"espeak-ng has no variant {variant}.")
        if self._lib.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SpeechFailed(f"espeak-ng has no voice {voice}.")
        self._set(manner)
        raw = text.encode() + b"\0"
        self._lib.espeak_Synth(raw, ctypes.c_size_t(len(raw)), 0, 1, 0, _CHARACTERS_UTF8, None, None)
        self._lib.espeak_Synchronize()
        pcm = np.concatenate(self._pcm) if self._pcm else np.zeros(0, np.int16)
        return Spoken(pcm, tuple(self._phonemes))

    def _set(self, manner: Manner) -> None:
        values = ((_RATE, manner.rate), (_PITCH, manner.pitch), (_RANGE, manner.pitch_range), (_WORD_GAP, manner.gap))
        for parameter, value in values:
            self._lib.espeak_SetParameter(parameter, value, 0)


@functools.cache
def _library() -> _Library:
    return _Library()


def sample_rate() -> int:
    """Samples per second of everything spoken here (22050)."""
    return _library().rate


def version() -> str:
    """The library's version such as `1.51`; another one pronounces a few words differently."""
    return _library().version


def speak(text: str, voice: str = PLAIN_VOICE, manner: Manner | None = None) -> Spoken:
    """Speak `text` with a voice such as `cmn-latn-pinyin+f3`.

    Raises:
        SpeechFailed: the voice or variant does not exist, or the library crashed on this pair of text and voice.
    """
    library = _library()  # loaded before the fork, so that children share it
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _answer_and_exit(library, writer, text, voice, manner or Manner())
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        data = answer.read()
    _, status = os.waitpid(child, 0)
    if status != 0 or not data:
        raise SpeechFailed(f"espeak-ng failed on {text!r} with voice {voice}.")
    spoken: Spoken = pickle.loads(data)  # noqa: S301 - written by our own child a moment ago
    return spoken


def _answer_and_exit(library: _Library, writer: int, text: str, voice: str, manner: Manner) -> NoReturn:
    try:
        with os.fdopen(writer, "wb") as answer:
            pickle.dump(library.speak(text, voice, manner), answer, protocol=4)
    except BaseException:  # noqa: BLE001 - the child must never return into the caller's code
        os._exit(1)
    os._exit(0)


@dataclass(frozen=True, slots=True)
class PhoneSpan:
    """One phone of the training alignment, in seconds; `SIL` is a pause."""

    start: float
    end: float
    phone: str


SILENCE = "SIL"


def is_pause(phoneme: str) -> bool:
    """espeak-ng's pauses and separators, which are no phones."""
    return not phoneme or phoneme.startswith("_") or phoneme == ";"


def phone_spans(spoken: Spoken) -> list[PhoneSpan]:
    """The phones in a row, with `SIL` for real pauses.

    Short gaps (`_|` between syllables) are the closure of the next consonant and are given to it.
    """
    total = len(spoken.pcm) / sample_rate()
    ends = [following.at for following in spoken.phonemes[1:]] + [total]
    spans: list[PhoneSpan] = []
    pending: float | None = None
    for phoneme, end in zip(spoken.phonemes, ends, strict=True):
        start = phoneme.at
        if not is_pause(phoneme.name):
            spans.append(PhoneSpan(start if pending is None else pending, end, phoneme.name))
            pending = None
        elif end - start >= _SHORTEST_PAUSE_S:
            spans.append(PhoneSpan(start if pending is None else min(pending, start), end, SILENCE))
            pending = None
        elif pending is None and end > start:
            pending = start
    if pending is not None and pending < total:
        spans.append(PhoneSpan(pending, total, SILENCE))
    return [span for span in spans if span.end > span.start]
