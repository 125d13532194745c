"""A trial run of a model in a process of its own: a Kaldi assertion would end ours.

The process loads the model, listens to two seconds of hiss and says on standard output how it went.
"""

import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np

from hotline.parent import child_environment
from transcription.engine import transcribe_channel
from transcription.engines import open_engine
from transcription.errors import ModelUnusable
from transcription.sound import Pcm

_CODE = "from transcription.trial import main; main()"
_TELEPHONE_RATE = 8000
TIMEOUT_S = 180.0
"""The biggest published model (1.3 GB) loads within a minute from a slow disk."""


class Outcome(msgspec.Struct, frozen=True):
    """What the process says: nothing, or why the model cannot be used."""

    problem: str = ""


def try_model(engine: str, folder: Path, timeout_s: float = TIMEOUT_S) -> None:
    """Load the model and listen with it, in another process.

    Raises:
        ModelUnusable: it could not, or not within `timeout_s`.
    """
    command = [sys.executable, "-c", _CODE, engine, str(folder)]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter with our own code
            command,
            capture_output=True,
            timeout=timeout_s,
            check=False,
            env=child_environment(),
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelUnusable(f"The model did not load within {timeout_s:g} s on this machine.") from error
    if done.returncode != 0:
        raise ModelUnusable(f"The model cannot be used: the speech library broke down on it{_last_words(done.stderr)}.")
    outcome = msgspec.json.decode(done.stdout.splitlines()[-1], type=Outcome)
    if outcome.problem:
        raise ModelUnusable(outcome.problem)


def main() -> None:
    """The process: `engine` and `folder` are its arguments."""
    engine, folder = sys.argv[1:3]
    outcome = Outcome()
    try:
        transcribe_channel(open_engine(engine, Path(folder)), _hiss(), _TELEPHONE_RATE)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent tells it
        outcome = Outcome(str(error))
    sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")


def _hiss() -> Pcm:
    noise: Pcm = np.random.default_rng(1).normal(0, 200, 2 * _TELEPHONE_RATE).astype(np.int16)
    return noise


def _last_words(stderr: bytes) -> str:
    """Kaldi says what it tripped over before it aborts: `ERROR (VoskAPI:…) sentence`."""
    lines = [line for line in stderr.decode(errors="replace").splitlines() if "ERROR" in line or "ASSERTION" in line]
    return f" ({lines[-1].partition(') ')[2] or lines[-1]})" if lines else ""
