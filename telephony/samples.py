"""Spoken samples: sentences of `samples.yaml`, rendered once into the data folder's `prompts/samples`.

A WAV file put there under a sample's name replaces it.
"""

from pathlib import Path

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from hotline.errors import BadInput, HotlineError
from telephony.audio import read_wav, write_wav
from telephony.espeak import VOICE, speak

SHIPPED = Path(__file__).with_name("samples.yaml")
ANY = "SAMPLE"
"""The name that means: the first one."""


class Sample(msgspec.Struct, frozen=True):
    """One sentence."""

    name: str
    text: str
    voice: str = VOICE


def load_samples(file: Path = SHIPPED) -> tuple[Sample, ...]:
    """The sentences of a YAML list of `name`, `text` and `voice`.

    Raises:
        BadInput: the file cannot be used.
    """
    try:
        found = msgspec.convert(YAML(typ="safe").load(file.read_text("utf-8")), tuple[Sample, ...])
    except (OSError, YAMLError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} is no list of samples with name and text: {error}") from error
    if not found:
        raise BadInput(f"{file} holds no sample: add one.")
    return found


def render_samples(folder: Path, samples: tuple[Sample, ...]) -> tuple[str, ...]:
    """Render what is missing in `folder`; the sentences that tell what could not be made."""
    problems: list[str] = []
    for sample in samples:
        try:
            render_sample(folder, sample)
        except HotlineError as error:
            problems.append(f"The sample {sample.name} was not made: {error}")
    return tuple(dict.fromkeys(problems))


def render_sample(folder: Path, sample: Sample) -> Path:
    """The sample's file, made when it is missing.

    Raises:
        BadInput: the voice cannot say it, or the folder cannot be written.
        Unavailable: there is no espeak-ng.
    """
    file = folder / f"{sample.name}.wav"
    if not file.exists():
        pcm = speak(sample.text, voice=sample.voice)
        part = file.with_suffix(".part")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_wav(part, pcm)
            part.replace(file)
        except OSError as error:
            raise BadInput(f"The sample cannot be written to {folder}: {error.strerror}.") from error
    return file


def what_to_say(wanted: str, data: Path) -> bytes:
    """Telephone audio for `--say`: a WAV file's name, or a sample's name, or SAMPLE for the first sample.

    Raises:
        BadInput: it is neither.
        Unavailable: the sample must be rendered and there is no espeak-ng.
    """
    file = Path(wanted)
    if file.is_file():
        return read_wav(file)
    samples = load_samples()
    names = {sample.name: sample for sample in samples}
    chosen = samples[0] if wanted == ANY else names.get(wanted.lower())
    if chosen is None:
        raise BadInput(f"{wanted} is neither a WAV file nor a sample: samples are {', '.join((ANY, *names))}.")
    return read_wav(render_sample(data / "prompts" / "samples", chosen))
