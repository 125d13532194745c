"""What a model is made from: the generator's parameters and the fingerprints of its data."""

import hashlib
from pathlib import Path

import msgspec

from speech.make_model import espeak
from speech.make_model.decoding_graph import UnknownCost
from speech.make_model.grammar import GRAMMAR_FILE
from speech.make_model.lexicon import LEXICON_FILE


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters; the defaults made the model that is kept in the project."""

    utterances: int = 5000
    epochs: int = 10
    seed: int = 12345
    lm_scale: float = 1.0
    acoustic_scale: float = 0.6
    unknown_enter: float = -2.0
    unknown_per_phone: float = 4.0
    static: bool = False
    """One `HCLG.fst`: somewhat faster, but no grammars at run time."""

    @property
    def unknown(self) -> UnknownCost:
        return UnknownCost(self.unknown_enter, self.unknown_per_phone)


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What decides every byte of a model, beside the code of this package and of numpy."""

    recipe: Recipe
    lexicon_sha256: str
    grammar_sha256: str

    @classmethod
    def present(cls, recipe: Recipe) -> "Inputs":
        """The inputs as they lie in this checkout."""
        return cls(recipe=recipe, lexicon_sha256=sha256(LEXICON_FILE), grammar_sha256=sha256(GRAMMAR_FILE))


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`model-card.json` of a generated model; the product reads the first three fields."""

    name: str
    demonstration: bool
    words: int
    inputs: Inputs
    espeak_version: str
    files: dict[str, str]
    """SHA-256 of every other file of the model."""

    @classmethod
    def of(cls, folder: Path, recipe: Recipe, words: int) -> "Manifest":
        """The manifest of a model that was just written to `folder`."""
        return cls(
            name="hotline-demonstration-zh",
            demonstration=True,
            words=words,
            inputs=Inputs.present(recipe),
            espeak_version=espeak.version(),
            files=fingerprints(folder),
        )

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        return msgspec.json.decode((folder / MANIFEST_FILE).read_bytes(), type=cls)

    def write(self, folder: Path) -> None:
        (folder / MANIFEST_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")


MANIFEST_FILE = "model-card.json"


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def fingerprints(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a model but its manifest, by relative path."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and file.name != MANIFEST_FILE)
    return {file.relative_to(folder).as_posix(): sha256(file) for file in files}
