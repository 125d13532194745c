"""`python -m speech.make_model --out FOLDER`: make the model from nothing."""

import argparse
import sys
import time
from pathlib import Path

from speech.make_model.grammar import grammar
from speech.make_model.lexicon import Lexicon, pronunciations, read_lexicon
from speech.make_model.model_folder import write_model
from speech.make_model.network import Network, Say, train
from speech.make_model.recipe import Recipe
from speech.make_model.utterances import make_utterances


def main() -> None:
    """Read the command line, make the model."""
    options = _options()
    recipe = Recipe(utterances=options.utterances, epochs=options.epochs, seed=options.seed, static=options.static)
    make_model(options.out, recipe, jobs=options.jobs, kept_net=options.net, say=_clocked())


def make_model(folder: Path, recipe: Recipe, *, jobs: int, kept_net: Path | None, say: Say) -> None:
    """Make a model in `folder`.

    `kept_net` is a file that keeps the trained net: it is read when it exists. New words need no new training, as
    all Mandarin syllables were trained: with the net kept, a longer lexicon takes seconds.
    """
    lexicon = read_lexicon()
    missing = grammar().vocabulary() - set(lexicon)
    if missing:
        sys.exit(f"These words of grammar.yaml are not in lexicon.tsv: {' '.join(sorted(missing))}.")
    words = pronunciations(lexicon, jobs)  # first: each one forks, which is slow beside hours of sound in memory
    say(f"{len(words)} words, {sum(map(len, words.values()))} pronunciations")
    network = _network(lexicon, recipe, jobs, kept_net, say)
    unheard = {phone for spoken in words.values() for one in spoken for phone in one} - set(network.inventory.phones)
    if unheard:
        sys.exit(f"Training never heard {' '.join(sorted(unheard))}: make more utterances.")
    write_model(folder, network, words, recipe, say)
    say(f"wrote {folder}")


def _network(lexicon: Lexicon, recipe: Recipe, jobs: int, kept_net: Path | None, say: Say) -> Network:
    if kept_net is not None and kept_net.exists():
        return Network.load(kept_net)
    utterances = make_utterances(recipe.seed, recipe.utterances, lexicon, jobs)
    say(f"spoke {sum(len(utterance.features) for utterance in utterances) / 6000:.0f} minutes")
    network = train(utterances, recipe.seed, recipe.epochs, say)
    if kept_net is not None:
        network.save(kept_net)
    return network


def _clocked() -> Say:
    start = time.monotonic()

    def say(message: str) -> None:
        sys.stderr.write(f"[{time.monotonic() - start:6.1f}s] {message}\n")

    return say


def _options() -> argparse.Namespace:
    default = Recipe()
    parser = argparse.ArgumentParser(prog="python -m speech.make_model", description="Make the speech model.")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model")
    parser.add_argument("--utterances", type=int, default=default.utterances)
    parser.add_argument("--epochs", type=int, default=default.epochs)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--jobs", type=int, default=2, help="processes that speak; the result does not depend on it")
    parser.add_argument("--static", action="store_true", help="one HCLG.fst: faster, but no grammars at run time")
    parser.add_argument("--net", type=Path, help="npz file that keeps the trained net for new words")
    return parser.parse_args()


if __name__ == "__main__":
    main()
