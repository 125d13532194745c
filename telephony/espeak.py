"""A synthetic voice speaking Mandarin at telephone quality, for samples, the demonstration seat and tests.

Runs the program espeak-ng; refuses to know what is said and where it is kept. Prompts have their own renderer.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from hotline.errors import BadInput, Unavailable
from telephony.audio import read_wav, samples, silence

VOICE = "cmn-latn-pinyin+f3"
"""Reads characters and pinyin; espeak-ng 1.51's plain `cmn` reads characters as English letters."""
SPEED = 160
"""Words a minute."""
LEVEL = 0.7
"""Of full scale (-3 dB), as a person close to the microphone."""
LEAD, TAIL = 0.3, 0.5
"""Seconds of silence around a sentence: recognisers want a breath before the first word."""
LONGEST = 20.0


def speak(text: str, *, voice: str = VOICE, speed: int = SPEED) -> bytes:
    """The sentence as telephone audio (8 kHz, 16 bit, mono); takes some 30 ms.

    Raises:
        Unavailable: espeak-ng is not installed or did not answer in time.
        BadInput: it cannot say this (an unknown voice, no text).
    """
    program = shutil.which("espeak-ng")
    if program is None:
        raise Unavailable("espeak-ng is not installed: install it (`apt-get install espeak-ng`) or give a WAV file.")
    with tempfile.TemporaryDirectory(prefix="hotline-voice-") as folder:
        file = Path(folder) / "voice.wav"
        command = [program, "-v", voice, "-s", str(speed), "-w", str(file), "--stdin"]
        try:
            done = subprocess.run(  # noqa: S603  # a fixed program; the text goes through its standard input
                command, input=text.encode(), capture_output=True, timeout=LONGEST, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"espeak-ng did not finish within {LONGEST:.0f} s: say less at once.") from error
        if done.returncode or not file.exists():
            reason = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise BadInput(
                f"espeak-ng cannot say this with the voice {voice}: {reason[-1] if reason else 'no reason'}."
            )
        return silence(LEAD) + _levelled(read_wav(file)) + silence(TAIL)


def _levelled(pcm: bytes) -> bytes:
    values = samples(pcm).astype("float64")
    peak = float(abs(values).max()) if len(values) else 0.0
    if not peak:
        raise BadInput("espeak-ng said nothing: the text holds no word that it can read.")
    return (values * (LEVEL * 32767 / peak)).astype("<i2").tobytes()
