"""Voices that speak prompts: espeak-ng from pinyin, and piper from characters where its voice is configured.

Both are programs of their own with a time-out; a prompt's text goes in as standard input, never as an argument.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hotline.errors import BadInput, Unavailable
from ivr.audio import read_wav
from ivr.ports import Samples, Voice

TIMEOUT_S = 20.0
ESPEAK_VOICE = "cmn-latn-pinyin"
"""Debian 12's espeak-ng reads characters as English letters; pinyin it reads properly."""


class EspeakVoice:
    """espeak-ng 1.51 or newer."""

    name = f"espeak-ng {ESPEAK_VOICE}"

    def __init__(self, program: str = "espeak-ng") -> None:
        self._program = program

    def speak(self, text: str, pinyin: str, rate: int) -> tuple[Samples, int]:  # noqa: ARG002 - it reads pinyin
        if shutil.which(self._program) is None:
            raise Unavailable("espeak-ng is missing: install it with apt-get install espeak-ng.")
        arguments = [self._program, "-v", ESPEAK_VOICE, "-s", str(rate), "--stdin", "-w"]
        return _run(arguments, pinyin)


class PiperVoice:
    """piper with the voice (an .onnx file) of `HOTLINE_PIPER_VOICE`."""

    def __init__(self, voice: Path, program: str = "") -> None:
        self._voice = voice
        self._program = program or _beside_python("piper")
        self.name = f"piper {voice.name} {voice.stat().st_size if voice.is_file() else 0}"

    def speak(self, text: str, pinyin: str, rate: int) -> tuple[Samples, int]:  # noqa: ARG002 - it reads characters
        if not self._voice.is_file():
            raise Unavailable(f"The piper voice {self._voice} does not exist: correct HOTLINE_PIPER_VOICE.")
        if shutil.which(self._program) is None:
            raise Unavailable("piper is missing: install it with pip install 'hotline12345[piper]'.")
        return _run([self._program, "--model", str(self._voice), "--output_file"], text)


def choose(piper_voice: str | None = None) -> Voice:
    """piper when a voice of it is configured (`HOTLINE_PIPER_VOICE` unless given), else espeak-ng."""
    voice = os.environ.get("HOTLINE_PIPER_VOICE", "") if piper_voice is None else piper_voice
    return PiperVoice(Path(voice)) if voice else EspeakVoice()


def _beside_python(program: str) -> str:
    """A program of this virtual environment, else one on the path."""
    beside = Path(sys.executable).parent / program
    return str(beside) if beside.exists() else program


def _run(arguments: list[str], text: str) -> tuple[Samples, int]:
    """Run a program whose last argument is the WAV file it writes."""
    with tempfile.TemporaryDirectory(prefix="hotline-voice-") as folder:
        file = Path(folder) / "spoken.wav"
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program, the text goes in as data
                [*arguments, str(file)], input=text.encode(), capture_output=True, timeout=TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"{arguments[0]} could not speak a prompt: {type(error).__name__}.") from error
        if done.returncode != 0 or not file.exists():
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise Unavailable(f"{arguments[0]} could not speak a prompt: {said[-1] if said else done.returncode}.")
        try:
            samples, rate, _ = read_wav(file)
        except BadInput as error:
            raise Unavailable(f"{arguments[0]} wrote a sound file that cannot be read.") from error
    return samples, rate
