"""The demonstration model that is kept is the one that its generator makes from what lies here."""

from pathlib import Path

import pytest

from speech.make_model.grammar import grammar
from speech.make_model.lexicon import read_lexicon
from speech.make_model.recipe import Inputs, Manifest, Recipe, fingerprints

pytestmark = pytest.mark.unit

MODEL = Path(__file__).parents[3] / "speech" / "model"


def test_lexicon_grammar_and_parameters_are_those_that_made_the_model() -> None:
    assert Manifest.read(MODEL).inputs == Inputs.present(Recipe())


def test_no_file_of_the_model_was_changed_by_hand() -> None:
    assert Manifest.read(MODEL).files == fingerprints(MODEL)


def test_every_word_of_the_grammar_is_in_the_lexicon_and_in_the_model() -> None:
    lexicon = read_lexicon()
    assert grammar().vocabulary() <= set(lexicon)
    listed = [line.split()[0] for line in (MODEL / "graph" / "words.txt").read_text(encoding="utf-8").splitlines()]
    assert listed == ["<eps>", "[unk]", *sorted(lexicon), "#0", "<s>", "</s>"]
    assert Manifest.read(MODEL).words == len(lexicon)


def test_the_model_says_that_it_is_a_demonstration() -> None:
    assert Manifest.read(MODEL).demonstration
