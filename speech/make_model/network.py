"""A small feed-forward net in numpy: 17 spliced frames, three hidden layers of 320 ReLU, one output for each pdf.

Trained by cross-entropy with Adam (Kingma & Ba 2015: 0.9, 0.999, 1e-8) under a cosine learning rate. The order of
every floating-point operation is part of the result: the same seed gives the same bytes.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speech.make_model.phones import Inventory
from speech.make_model.utterances import Utterance

OFFSETS = tuple(range(-16, 17, 2))
"""Spliced frames around the present one, in frames of 10 ms."""
HIDDEN = (320, 320, 320)
_BATCH = 512
_PEAK_RATE, _LAST_RATE = 1.5e-3, 1e-5
_STREAM = 777
_LEAST_PRIOR = 1e-4

Matrix = NDArray[Any]
Layer = tuple[Matrix, Matrix]
"""Weights (outputs, inputs) and bias, as Kaldi wants them."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Network:
    """The trained layers with what is needed to use them."""

    inventory: Inventory
    layers: list[Layer]
    priors: Matrix

    def save(self, file: Path) -> None:
        """Keep it for graph experiments and new words."""
        arrays: dict[str, Any] = {"phones": np.array(self.inventory.phones), "priors": self.priors}
        for place, (weights, bias) in enumerate(self.layers):
            arrays[f"w{place}"], arrays[f"b{place}"] = weights, bias
        np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, file: Path) -> "Network":
        """What `save` wrote."""
        kept = np.load(file)
        layers = [(kept[f"w{place}"], kept[f"b{place}"]) for place in range(len(HIDDEN) + 1)]
        return cls(Inventory(tuple(str(phone) for phone in kept["phones"])), layers, kept["priors"])

    def smoothed_priors(self) -> Matrix:
        """Class priors that add up to one, none of them zero."""
        floored = np.maximum(self.priors, _LEAST_PRIOR)
        smoothed: Matrix = floored / floored.sum()
        return smoothed


@dataclass(frozen=True, slots=True)
class _Frames:
    """All utterances in a row; `starts` and `ends` bound the utterance of every frame."""

    features: Matrix
    pdfs: Matrix
    starts: Matrix
    ends: Matrix

    def spliced(self, rows: Matrix) -> Matrix:
        """The frames around `rows`, clamped to the utterance as Kaldi's online decoder does."""
        places = rows[:, None] + np.array(OFFSETS)
        clamped = np.clip(places, self.starts[rows][:, None], self.ends[rows][:, None] - 1)
        spliced: Matrix = self.features[clamped].reshape(len(rows), -1)
        return spliced


def train(utterances: list[Utterance], seed: int, epochs: int, say: Say) -> Network:
    """Train on `utterances`; an epoch is a third of all frames, drawn without repetition."""
    inventory = Inventory.of(str(phone) for utterance in utterances for phone in np.unique(utterance.phones))
    frames = _in_a_row(utterances, inventory)
    say(f"{len(inventory.phones)} phones, {inventory.pdf_count} pdfs, {len(frames.features)} frames")
    mean, deviation = frames.features.mean(0), frames.features.std(0) + 1e-3
    scaled = _Frames((frames.features - mean) / deviation, frames.pdfs, frames.starts, frames.ends)
    training = _Training(scaled, inventory.pdf_count, seed, epochs)
    training.run(say)
    priors = np.bincount(frames.pdfs, minlength=inventory.pdf_count) / len(frames.pdfs)
    return Network(inventory, _unscaled(training, mean, deviation), priors)


def _in_a_row(utterances: list[Utterance], inventory: Inventory) -> _Frames:
    pdf = inventory.pdf_of_half()
    lengths = np.array([len(utterance.features) for utterance in utterances])
    ends = np.repeat(np.cumsum(lengths), lengths)
    return _Frames(
        features=np.concatenate([utterance.features for utterance in utterances]),
        pdfs=np.concatenate(
            [
                [pdf[(str(phone), int(half))] for phone, half in zip(utterance.phones, utterance.halves, strict=True)]
                for utterance in utterances
            ]
        ),
        starts=ends - np.repeat(lengths, lengths),
        ends=ends,
    )


def _unscaled(training: "_Training", mean: Matrix, deviation: Matrix) -> list[Layer]:
    """Kaldi's layers, with the scaling of the input folded into the first."""
    layers = [(weights.T.copy(), bias.copy()) for weights, bias in zip(training.weights, training.biases, strict=True)]
    weights, bias = layers[0]
    scale, shift = np.tile(1 / deviation, len(OFFSETS)), np.tile(-mean / deviation, len(OFFSETS))
    layers[0] = (weights * scale, bias + weights @ shift)
    return layers


class _Training:
    def __init__(self, frames: _Frames, outputs: int, seed: int, epochs: int) -> None:
        self._frames = frames
        self._rng = np.random.default_rng([seed, _STREAM])
        self._epochs = epochs
        self._per_epoch = len(frames.features) // 3
        self._steps, self._step = epochs * (self._per_epoch // _BATCH), 0
        sizes = [len(OFFSETS) * frames.features.shape[1], *HIDDEN, outputs]
        shapes = list(itertools.pairwise(sizes))
        self.weights: list[Matrix] = [
            self._rng.standard_normal(shape).astype(np.float32) * np.sqrt(2.0 / shape[0]) for shape in shapes
        ]
        self.weights[-1] *= 0.1
        self.biases: list[Matrix] = [np.zeros(size, np.float32) for size in sizes[1:]]
        self._parameters = self.weights + self.biases
        self._means = [np.zeros_like(parameter) for parameter in self._parameters]
        self._squares = [np.zeros_like(parameter) for parameter in self._parameters]

    def run(self, say: Say) -> None:
        for epoch in range(self._epochs):
            order = self._rng.permutation(np.arange(len(self._frames.features)))[: self._per_epoch]
            loss = right = seen = 0.0
            for start in range(0, self._per_epoch - _BATCH + 1, _BATCH):
                batch_loss, batch_right = self._learn(order[start : start + _BATCH])
                loss, right, seen = loss + batch_loss, right + batch_right, seen + _BATCH
            say(f"epoch {epoch + 1}/{self._epochs}: loss {loss / seen:.3f} frame accuracy {right / seen:.3f}")

    def _learn(self, rows: Matrix) -> tuple[float, int]:
        """One step on one batch; returns its summed loss and how many frames were right."""
        activations = self._forward(self._frames.spliced(rows))
        logits = activations[-1] - activations[-1].max(1, keepdims=True)
        chances = np.exp(logits)
        chances /= chances.sum(1, keepdims=True)
        truth, each = self._frames.pdfs[rows], np.arange(_BATCH)
        loss = -float(np.log(chances[each, truth] + 1e-9).sum())
        right = int((chances.argmax(1) == truth).sum())
        chances[each, truth] -= 1
        self._adam(self._gradients(activations, chances / _BATCH))
        return loss, right

    def _forward(self, hidden: Matrix) -> list[Matrix]:
        activations = [hidden]
        for place, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = hidden @ weights + bias
            if place < len(self.weights) - 1:
                np.maximum(hidden, 0, out=hidden)
            activations.append(hidden)
        return activations

    def _gradients(self, activations: list[Matrix], error: Matrix) -> list[Matrix]:
        of_weights: list[Matrix] = []
        of_biases: list[Matrix] = []
        for place in reversed(range(len(self.weights))):
            of_weights.insert(0, activations[place].T @ error)
            of_biases.insert(0, error.sum(0))
            if place:
                error = (error @ self.weights[place].T) * (activations[place] > 0)
        return of_weights + of_biases

    def _adam(self, gradients: list[Matrix]) -> None:
        self._step += 1
        rate = _PEAK_RATE * 0.5 * (1 + np.cos(np.pi * self._step / self._steps)) + _LAST_RATE
        mean_bias, square_bias = 1 - 0.9**self._step, 1 - 0.999**self._step
        moments = zip(self._parameters, gradients, self._means, self._squares, strict=True)
        for parameter, gradient, mean, square in moments:
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient * gradient - square)
            parameter -= rate * (mean / mean_bias) / (np.sqrt(square / square_bias) + 1e-8)
