"""A speech model as it lies on disk: where to look for one, whether its layout is complete, its rate and identity.

Opens files, never the speech library: what only the library can tell is `transcription.trial`'s matter.
"""

import hashlib
import os
import struct
from pathlib import Path

import msgspec

from hotline.settings import Settings
from transcription.errors import ModelUnusable
from transcription.model import ModelIdentity

CARD_FILE = "model-card.json"
KALDI_DEFAULT_RATE = 16000
"""What Kaldi assumes when `conf/mfcc.conf` names no rate (`feat/feature-window.h`)."""

_PACKAGED_DEMONSTRATION = Path(__file__).with_name("_demo_model")
_CHECKOUT_DEMONSTRATION = Path(__file__).parent.parent / "speech" / "model"
_FST_MAGIC, _HAS_OUTPUT_WORDS = 2125659606, 0x2
_SAMPLE = 65536


class Card(msgspec.Struct, frozen=True):
    """What we know of a model beside its files: kept in `model-card.json` within the folder."""

    name: str
    demonstration: bool = False
    words: int = 0


def demonstration_model() -> Path | None:
    """The tiny model for tests and demonstrations, from the wheel or from the checkout."""
    return next((folder for folder in (_PACKAGED_DEMONSTRATION, _CHECKOUT_DEMONSTRATION) if folder.is_dir()), None)


def installed_model(data: Path) -> Path:
    """Where `hotline model install` puts a model."""
    return data / "model"


def find_model(settings: Settings) -> Path | None:
    """The model to use: the setting, else the installed one, else in a demonstration the tiny one, else none.

    A folder that the setting names is returned even when it does not exist: the error must come up, not be hidden
    by another model.
    """
    if settings.vosk_model:
        return Path(settings.vosk_model)
    installed = installed_model(settings.data)
    if installed.is_dir():
        return installed
    return demonstration_model() if settings.demo else None


def model_mark(settings: Settings) -> str:
    """Names the model in use as it is now, empty without one; another mark means that another one was put there.

    Looks at names, sizes and times only, so it may be asked in an event loop.
    """
    folder = find_model(settings)
    if folder is None:
        return ""
    stats = [file.stat() for file in sorted(folder.rglob("*")) if file.is_file()]
    return f"{folder} {sum(stat.st_size for stat in stats)} {max((stat.st_mtime_ns for stat in stats), default=0)}"


def model_problem(settings: Settings) -> str:
    """What is wrong with the model to use, one sentence; empty when it looks well, or when there is none."""
    folder = find_model(settings)
    try:
        if folder is not None:
            check_layout(folder)
            sample_rate(folder)
            card(folder)
    except ModelUnusable as error:
        return str(error)
    return ""


def check_layout(folder: Path) -> None:
    """See that every file is there that Vosk will ask for.

    Raises:
        ModelUnusable: it is no model folder; `problems` names everything that is missing.
    """
    if not folder.is_dir():
        raise ModelUnusable(f"There is no folder {folder}: name the folder of an unpacked Vosk model.")
    problems = [f"{name} is missing" for name in ("am/final.mdl", "conf/mfcc.conf") if not (folder / name).is_file()]
    problems += _graph_problems(folder / "graph")
    if problems:
        raise ModelUnusable(f"{folder} is not a Vosk model: {'; '.join(problems)}.", tuple(problems))


def _graph_problems(graph: Path) -> list[str]:
    static, (words, language) = graph / "HCLG.fst", (graph / "HCLr.fst", graph / "Gr.fst")
    if not static.is_file() and not (words.is_file() and language.is_file()):
        return ["graph/HCLG.fst, or graph/HCLr.fst with graph/Gr.fst, is missing"]
    table = static if static.is_file() else language
    if not (graph / "words.txt").is_file() and not _carries_words(table):
        return ["graph/words.txt is missing"]
    return []


def _carries_words(fst: Path) -> bool:
    """Whether an OpenFst file carries its table of words: the published small models have no `words.txt`.

    The header is: magic, two strings (type of the FST, type of the arcs), version, flags.
    """
    with fst.open("rb") as file:
        try:
            (magic,) = struct.unpack("<i", file.read(4))
            for _ in range(2):
                file.seek(struct.unpack("<i", file.read(4))[0], os.SEEK_CUR)
            _, flags = struct.unpack("<ii", file.read(8))
        except (struct.error, OSError):
            return False
    return bool(magic == _FST_MAGIC and flags & _HAS_OUTPUT_WORDS)


def sample_rate(folder: Path) -> int:
    """Samples per second that the model wants, from `--sample-frequency` of `conf/mfcc.conf`.

    Raises:
        ModelUnusable: the file is missing or the rate is no sensible number.
    """
    try:
        lines = (folder / "conf" / "mfcc.conf").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise ModelUnusable(f"conf/mfcc.conf of {folder} cannot be read: {error.strerror}.") from error
    options = dict(line.split("#")[0].strip().split("=", 1) for line in lines if "=" in line.split("#")[0])
    written = options.get("--sample-frequency", str(KALDI_DEFAULT_RATE)).strip()
    try:
        rate = float(written)
    except ValueError:
        rate = 0.0
    if not 8000 <= rate <= 48000 or rate != int(rate):
        raise ModelUnusable(f"conf/mfcc.conf of {folder} names a sample rate that cannot be used: {written}.")
    return int(rate)


def card(folder: Path) -> Card:
    """The model's card; a model without one is named after its folder and is taken for a real one."""
    file = folder / CARD_FILE
    if not file.is_file():
        return Card(folder.resolve().name)
    try:
        return msgspec.json.decode(file.read_bytes(), type=Card)
    except (msgspec.DecodeError, OSError) as error:
        raise ModelUnusable(f"{file} is no card of a model: {error}.") from error


def digest(folder: Path) -> str:
    """A fingerprint that is cheap for gigabytes: SHA-256 over names, sizes, and both ends of every file."""
    total = hashlib.sha256()
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        size = file.stat().st_size
        total.update(f"{file.relative_to(folder).as_posix()}\0{size}\0".encode())
        with file.open("rb") as content:
            total.update(content.read(_SAMPLE))
            content.seek(max(size - _SAMPLE, 0))
            total.update(content.read(_SAMPLE))
    return total.hexdigest()


def identity(folder: Path, engine: str) -> ModelIdentity:
    """Everything about a model that its transcripts keep.

    Raises:
        ModelUnusable: the card or `conf/mfcc.conf` is wrong.
    """
    known = card(folder)
    return ModelIdentity(
        engine=engine,
        name=known.name,
        digest=digest(folder),
        rate=sample_rate(folder),
        demonstration=known.demonstration,
        words=known.words,
    )
