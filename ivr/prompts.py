"""Prompts as files: rendered once into the data folder, replaced by studio recordings.

`render_all` makes what is missing or changed of what `ivr.prompt_script` reads. It refuses to know flows: whoever
needs a prompt asks by its name.

    DATA/prompts/NAME.wav            rendered here
    DATA/prompts/studio/NAME.wav     a studio's recording of the same name; it wins
    DATA/prompts/studio-8k/NAME.wav  that recording at 8 kHz mono, where it was not
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec
import structlog

from hotline.errors import BadInput, Unavailable
from ivr.audio import read_wav, resample, seconds, to_prompt, write_wav
from ivr.model import Entry
from ivr.ports import Voice
from ivr.prompt_script import Script, Spoken, load_script
from ivr.voices import choose

log = structlog.get_logger(__name__)

LONGEST_S = 6.0
"""No prompt before a person is longer, so that 15 s to an answer stay reachable."""

_MAKER = 1
"""Raise it when the way of rendering changes: everything is rendered again."""


class Sound(msgspec.Struct, frozen=True):
    """One prompt's file."""

    file: Path
    seconds: float
    studio: bool = False


class PromptSet(msgspec.Struct, frozen=True, kw_only=True):
    """The prompts that can be played."""

    sounds: Mapping[str, Sound] = MappingProxyType({})
    problems: tuple[str, ...] = ()
    """What could not be rendered or read, one sentence each."""

    def path(self, name: str) -> Path:
        """The prompt's file without its extension, absolute, as Asterisk wants it.

        Raises:
            BadInput: there is no such prompt, or its file is gone.
        """
        sound = self.sounds.get(name)
        if sound is None:
            raise BadInput(f"The prompt {name} does not exist: add it to the prompts or correct the flow.")
        if not sound.file.is_file():
            raise BadInput(
                f"The sound file {sound.file.name} of the prompt {name} is missing: start again to render it."
            )
        return sound.file.with_suffix("")

    def length(self, name: str) -> float | None:
        """Seconds, or `None` when it cannot be played."""
        sound = self.sounds.get(name)
        return sound.seconds if sound else None


def render_all(
    data_folder: Path,
    entries: Iterable[Entry] = (),
    *,
    voice: Voice | None = None,
    script: Script | None = None,
    studio: Path | None = None,
) -> PromptSet:
    """Render what is missing or changed into `data_folder/prompts`; blocks (some 30 ms per new prompt).

    `entries`: numbers that need prompts of their own. `voice`: espeak-ng when not given. `studio`: the folder of
    recordings, `data_folder/prompts/studio` when not given. A prompt that cannot be made is a problem of the set, not
    an exception: the others can be played.

    Raises:
        BadInput: the prompts' file or folder cannot be used.
    """
    folder = (data_folder / "prompts").absolute()
    script, voice = script or load_script(), voice or choose()
    work = _Renderer(folder, (studio or folder / "studio").absolute(), voice, script.rate)
    for name, spoken in script.with_numbers(entries).items():
        work.add(name, spoken)
    work.add_strange_recordings()
    work.save()
    return PromptSet(sounds=MappingProxyType(work.sounds), problems=tuple(dict.fromkeys(work.problems)))


class _Renderer:
    """One pass over the prompts, with the list of what was made before."""

    def __init__(self, folder: Path, studio: Path, voice: Voice, rate: int) -> None:
        self._folder, self._studio, self._voice, self._rate = folder, studio, voice, rate
        self._made = _read_made(folder)
        self._now: dict[str, dict[str, object]] = {}
        self.sounds: dict[str, Sound] = {}
        self.problems: list[str] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"The prompts' folder {folder} cannot be made: {error.strerror}.") from error

    def add(self, name: str, spoken: Spoken) -> None:
        """A recording when there is a usable one, else a rendered file."""
        if not self._add_recording(name):
            self._add_rendered(name, spoken)

    def add_strange_recordings(self) -> None:
        """Recordings that no script names are prompts as well: a tenant's flow may use them."""
        for path in sorted(self._studio.glob("*.wav")):
            if path.stem not in self.sounds:
                self._add_recording(path.stem)

    def save(self) -> None:
        """Remember what was made."""
        partial = self._folder / "made.part"
        partial.write_text(json.dumps(self._made | self._now, ensure_ascii=False, indent=1, sort_keys=True))
        partial.replace(self._folder / "made.json")

    def _add_recording(self, name: str) -> bool:
        path = self._studio / f"{name}.wav"
        if not path.is_file():
            return False
        try:
            samples, rate, fits = read_wav(path)
            file = path if fits else self._folder / "studio-8k" / path.name
            at_8k = resample(samples.astype("float64"), rate)
            if not fits:
                write_wav(file, at_8k)
        except BadInput as error:
            self.problems.append(str(error))
            return False
        self.sounds[name] = Sound(file, round(seconds(at_8k), 3), studio=True)
        return True

    def _add_rendered(self, name: str, spoken: Spoken) -> None:
        file = self._folder / f"{name}.wav"
        parts = [_MAKER, self._voice.name, self._rate, spoken.text, spoken.pinyin]
        print_ = hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
        known: dict[str, object] = self._made.get(name, {})
        if known.get("of") != print_ or not file.is_file():
            try:
                samples = to_prompt(*self._voice.speak(spoken.text, spoken.pinyin, self._rate))
                write_wav(file, samples)
            except (Unavailable, BadInput, OSError) as error:
                self.problems.append(f"The prompt {name} cannot be rendered: {error}")
                log.warning("prompt not rendered", prompt=name, error=str(error))
                return
            known = {"of": print_, "seconds": round(seconds(samples), 3), "voice": self._voice.name}
        self._now[name] = known
        self.sounds[name] = Sound(file, float(str(known["seconds"])))


def _read_made(folder: Path) -> dict[str, dict[str, object]]:
    """What earlier passes made; an unreadable list means that everything is made again."""
    try:
        found = msgspec.json.decode((folder / "made.json").read_bytes(), type=dict[str, dict[str, object]])
    except (OSError, msgspec.DecodeError):
        return {}
    return {name: one for name, one in found.items() if isinstance(one.get("seconds"), int | float)}
