"""Writes a Vosk model folder: `am/`, `conf/`, `graph/` and the manifest."""

from collections.abc import Sequence
from pathlib import Path

from speech.make_model import mfcc
from speech.make_model.bigram import Bigram
from speech.make_model.decoding_graph import UNKNOWN, GraphBuilder
from speech.make_model.fst import Fst, compose
from speech.make_model.grammar import language_model_sentences
from speech.make_model.kaldi_format import write_acoustic_model
from speech.make_model.lexicon import Pronunciations
from speech.make_model.network import Network, Say
from speech.make_model.recipe import Manifest, Recipe
from speech.make_model.transitions import Transitions

_MODEL_CONF = """--min-active=200
--max-active=3000
--beam=12.0
--lattice-beam=4.0
--acoustic-scale={acoustic_scale:g}
--frame-subsampling-factor=3
--endpoint.silence-phones=1
--endpoint.rule2.min-trailing-silence=0.5
--endpoint.rule3.min-trailing-silence=0.75
--endpoint.rule4.min-trailing-silence=1.0
"""
"""Vosk counts 0.03 s for a frame, whatever the model says: the factor must be 3."""
_GRAPHS = ("HCLr.fst", "Gr.fst", "HCLG.fst", "disambig_tid.int")


def write_model(folder: Path, network: Network, words: Pronunciations, recipe: Recipe, say: Say) -> None:
    """Write everything; an older model in `folder` is replaced."""
    for name in ("am", "conf", "graph/phones"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    transitions = Transitions(network.inventory.numbered_pdfs())
    write_acoustic_model(folder / "am" / "final.mdl", transitions, network, mfcc.CEPSTRA)
    (folder / "conf" / "mfcc.conf").write_text(mfcc.CONFIGURATION)
    (folder / "conf" / "model.conf").write_text(_MODEL_CONF.format(acoustic_scale=recipe.acoustic_scale))
    (folder / "graph" / "phones" / "word_boundary.int").write_text(network.inventory.word_boundaries())
    _write_graph(folder / "graph", network, transitions, words, recipe, say)
    Manifest.of(folder, recipe, len(words)).write(folder)


def _write_graph(
    folder: Path, network: Network, transitions: Transitions, words: Pronunciations, recipe: Recipe, say: Say
) -> None:
    vocabulary = [UNKNOWN, *sorted(words)]
    number = {word: place for place, word in enumerate(vocabulary, 1)}
    (folder / "words.txt").write_text(_word_table(vocabulary), encoding="utf-8")
    builder = GraphBuilder(network.inventory, transitions)
    lexical = builder.build(words, number, recipe.unknown)
    language = Bigram(language_model_sentences(recipe.seed), vocabulary).fst(number, recipe.lm_scale)
    for name in _GRAPHS:
        (folder / name).unlink(missing_ok=True)
    if recipe.static:
        _write(folder / "HCLG.fst", compose(lexical, language), say)
        return
    _write(folder / "HCLr.fst", lexical, say)
    _write(folder / "Gr.fst", language, say)
    (folder / "disambig_tid.int").write_text(f"{transitions.count + 1}\n")  # none in use; Vosk wants the file


def _write(file: Path, graph: Fst, say: Say) -> None:
    graph.write(file)
    say(f"{file.name}: {len(graph.arcs)} states, {graph.arc_count} arcs")


def _word_table(vocabulary: Sequence[str]) -> str:
    """`graph/words.txt`: every word with its number, and the marks that Kaldi expects at its end."""
    table = ["<eps>", *vocabulary, "#0", "<s>", "</s>"]
    return "".join(f"{word} {place}\n" for place, word in enumerate(table))
