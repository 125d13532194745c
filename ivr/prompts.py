"""Prompts as data: what callers hear, rendered once into the data folder, replaced by studio recordings.

`render_all` makes what is missing or changed. It refuses to know flows: whoever needs a prompt asks by its name.

    DATA/prompts/NAME.wav            rendered here
    DATA/prompts/studio/NAME.wav     a studio's recording of the same name; it wins
    DATA/prompts/studio-8k/NAME.wav  that recording at 8 kHz mono, where it was not
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec
import structlog

from hotline.errors import BadInput, Unavailable
from ivr.audio import read_wav, resample, seconds, to_prompt, write_wav
from ivr.fields import Fields
from ivr.loader import read_limited
from ivr.model import Entry
from ivr.placed import Problems, Table, Text, read_yaml
from ivr.ports import Voice
from ivr.voices import choose

log = structlog.get_logger(__name__)

SHIPPED = Path(__file__).parent / "data" / "prompts.yaml"
LONGEST_S = 6.0
"""No prompt before a person is longer, so that 15 s to an answer stay reachable."""

_MAKER = 1
"""Raise it when the way of rendering changes: everything is rendered again."""
_PLAIN_DIGITS = 6
"""Longer numbers are not read out: the sentence would be too long."""


class Spoken(msgspec.Struct, frozen=True):
    """A sentence in characters and in pinyin."""

    text: str
    pinyin: str


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt that exists once per number."""

    name: str
    modes: frozenset[str]
    short: Spoken
    long: Spoken


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is to be spoken."""

    rate: int
    digits: dict[str, str]
    prompts: dict[str, Spoken]
    templates: tuple[Template, ...]

    def with_numbers(self, entries: Iterable[Entry]) -> dict[str, Spoken]:
        """The fixed prompts, and those of every number whose mode has a template."""
        found = dict(self.prompts)
        for entry in entries:
            for template in self.templates:
                if entry.mode.value in template.modes:
                    found[f"{template.name}_{entry.number}"] = self._fill(template, entry.number)
        return found

    def _fill(self, template: Template, number: str) -> Spoken:
        spoken = template.short if len(number) <= _PLAIN_DIGITS else template.long
        read = " ".join(self.digits[digit] for digit in number)
        return Spoken(spoken.text.replace("{number}", number), spoken.pinyin.replace("{number}", read))


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


def load_script(path: Path = SHIPPED) -> Script:
    """What is to be spoken.

    Raises:
        BadInput: the file cannot be used; `problems` has every mistake as `file:line:column: sentence`.
    """
    problems = Problems()
    root = read_yaml(read_limited(path), str(path), problems)
    if not isinstance(root, Table):
        raise BadInput(f"{path} cannot be used.", (f"{root.place}: prompts are a table",))
    fields = Fields(root, problems, "the prompts' file")
    fields.only({"rate", "digits", "prompts", "templates"})
    script = Script(
        rate=fields.whole("rate", 200, 80, 400),
        digits=_digits(fields),
        prompts={name: _spoken(one) for name, one in _named(fields, "prompts").items()},
        templates=tuple(_template(name, one) for name, one in _named(fields, "templates").items()),
    )
    problems.raise_if_any(f"{path} cannot be used.")
    return script


def _digits(fields: Fields) -> dict[str, str]:
    table = fields.table.get("digits")
    entries = table.entries if isinstance(table, Table) else {}
    words = {key: value.text for key, (_, value) in entries.items() if isinstance(value, Text) and value.text}
    if set(words) != set("0123456789"):
        fields.wrong("digits", "digits needs a pinyin word for each of 0 to 9")
    return words


def _named(fields: Fields, name: str) -> dict[str, Fields]:
    table = fields.table.get(name)
    found: dict[str, Fields] = {}
    for key, (place, value) in (table.entries if isinstance(table, Table) else {}).items():
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", key):
            fields.problems.add(place, f"the prompt name {key!r} must be of a-z, 0-9, _ and -")
        elif isinstance(value, Table):
            found[key] = Fields(value, fields.problems, f"the prompt {key}")
        else:
            fields.problems.add(place, f"the prompt {key} needs text and pinyin")
    return found


def _spoken(fields: Fields, also: Iterable[str] = ()) -> Spoken:
    fields.only({"text", "pinyin", *also})
    pinyin = fields.text("pinyin", required=True, longest=500)
    for word in re.findall(r"[^\s,.{}]+", pinyin.replace("{number}", "")):
        if not re.fullmatch(r"[a-zü]+[1-5]", word):
            fields.wrong("pinyin", f"{word!r} is not a pinyin syllable with its tone, such as hao3")
    return Spoken(fields.text("text", required=True), pinyin)


def _template(name: str, fields: Fields) -> Template:
    short = _spoken(fields, ("for", "long"))
    table = fields.table.get("long")
    if not isinstance(table, Table):
        fields.wrong("long", f"the template {name} needs long: a sentence for long numbers")
    long = _spoken(Fields(table, fields.problems, f"the prompt {name}")) if isinstance(table, Table) else short
    return Template(name=name, modes=frozenset(fields.texts("for")), short=short, long=long)


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
        known = self._made.get(name, {})
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
