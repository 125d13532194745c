"""Puts a speech model in its place: unpacked beside it, checked, tried, and only then exchanged for the old one."""

import os
import shutil
import tempfile
from pathlib import Path

import msgspec

from transcription.archive import unpack
from transcription.errors import ModelUnusable
from transcription.model import ModelIdentity
from transcription.model_folder import CARD_FILE, Card, card, check_layout, identity, installed_model
from transcription.trial import try_model


def check_model(folder: Path, engine: str) -> ModelIdentity:
    """Look at everything that can be wrong with a model: layout, sample rate, card, and a trial run.

    Raises:
        ModelUnusable: one sentence that says what is wrong.
    """
    check_layout(folder)
    known = identity(folder, engine)
    try_model(engine, folder)
    return known


def install_model(archive: Path, data: Path, engine: str) -> ModelIdentity:
    """Install the model of a ZIP file into `data`; the one that was there stays until this one has proven itself.

    Workers notice the new model at their next job.

    Raises:
        ModelUnusable: one sentence that says what is wrong; nothing was changed.
    """
    if not archive.is_file():
        raise ModelUnusable(f"There is no file {archive}: name the ZIP file of a Vosk model.")
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".model-", dir=data) as work:
        unpacked = Path(work) / "unpacked"
        unpacked.mkdir()
        model = unpack(archive, unpacked)
        check_layout(model)
        _write_card(model, model.name if model != unpacked else archive.stem)
        known = check_model(model, engine)
        _exchange(model, installed_model(data), Path(work) / "old")
    return known


def _write_card(model: Path, name: str) -> None:
    """The name would be lost with the folder's."""
    if not (model / CARD_FILE).exists():
        (model / CARD_FILE).write_bytes(msgspec.json.encode(Card(name)))
    card(model)


def _exchange(new: Path, place: Path, old: Path) -> None:
    """Two renames; between them there is no model for a moment, which a worker takes for none installed."""
    new.chmod(0o755)
    for entry in new.rglob("*"):
        if entry.is_file():
            _sync(entry)
    try:
        if place.exists():
            place.rename(old)
        new.rename(place)
    except OSError as error:
        if old.exists() and not place.exists():
            old.rename(place)
        raise ModelUnusable(f"The model cannot be put to {place}: {error.strerror}.") from error
    shutil.rmtree(old, ignore_errors=True)


def _sync(file: Path) -> None:
    """A power failure must not leave a model with holes under the final name."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
