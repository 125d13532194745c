"""Speech engines by name. Each module here is the only one that knows its library."""

from collections.abc import Callable, Mapping
from pathlib import Path

from hotline.errors import BadInput
from transcription.engine import Engine


def _vosk(folder: Path) -> Engine:
    from transcription.engines.vosk import VoskEngine  # the library is big: only processes that listen load it

    return VoskEngine(folder)


ENGINES: Mapping[str, Callable[[Path], Engine]] = {"vosk": _vosk}
"""Another engine (sherpa-onnx, say) is a module beside `vosk.py` and a line here."""


def open_engine(name: str, folder: Path) -> Engine:
    """Load the model in `folder` with the engine `name`.

    Raises:
        BadInput: there is no such engine.
        ModelUnusable: the folder is no model for it.
    """
    loader = ENGINES.get(name)
    if loader is None:
        raise BadInput(f"There is no speech engine {name!r}: choose one of {', '.join(sorted(ENGINES))}.")
    return loader(folder)
