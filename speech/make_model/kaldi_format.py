"""`am/final.mdl`: Kaldi's binary form of a transition model and an nnet3 net.

The layouts are those of Kaldi's readers: TransitionModel::Read, HmmTopology::Read, Nnet::Read, AmNnetSimple::Read.
"""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import ArrayLike

from speech.make_model.network import OFFSETS, Layer, Network
from speech.make_model.transitions import SELF_LOOP, Transitions

_BINARY = b"\0B"
_NO_PDF = -1


class _Writer:
    """Kaldi's basic binary types: every number is preceded by its size in bytes."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        out.write(_BINARY)

    def tokens(self, *names: str) -> None:
        for name in names:
            self._out.write(name.encode() + b" ")

    def text(self, text: str) -> None:
        self._out.write(text.encode())

    def integers(self, *values: int) -> None:
        for value in values:
            self._out.write(b"\4" + struct.pack("<i", value))

    def float32(self, value: float) -> None:
        self._out.write(b"\4" + struct.pack("<f", value))

    def float64(self, value: float) -> None:
        self._out.write(b"\x08" + struct.pack("<d", value))

    def integer_vector(self, values: Sequence[int]) -> None:
        self._out.write(b"\4" + struct.pack("<i", len(values)) + np.asarray(values, "<i4").tobytes())

    def vector(self, values: ArrayLike) -> None:
        array: Any = np.asarray(values, "<f4")
        self.tokens("FV")
        self.integers(len(array))
        self._out.write(array.tobytes())

    def matrix(self, values: ArrayLike) -> None:
        array: Any = np.ascontiguousarray(np.asarray(values, "<f4"))
        self.tokens("FM")
        self.integers(*array.shape)
        self._out.write(array.tobytes())


def write_acoustic_model(file: Path, transitions: Transitions, network: Network, features: int) -> None:
    """Write transitions and net; `features` is the number of inputs of one frame."""
    with file.open("wb") as out:
        writer = _Writer(out)
        _write_transitions(writer, transitions)
        writer.tokens("<Nnet3>")
        writer.text(_layout(len(network.layers), features))
        writer.tokens("<NumComponents>")
        writer.integers(2 * len(network.layers))
        for place, layer in enumerate(network.layers):
            _write_affine(writer, place, layer)
            _write_nonlinearity(writer, *_nonlinearity(place, len(network.layers)), layer[0].shape[0])
        writer.tokens("</Nnet3>", "<LeftContext>")
        writer.integers(-min(OFFSETS))
        writer.tokens("<RightContext>")
        writer.integers(max(OFFSETS))
        writer.tokens("<Priors>")
        writer.vector(network.smoothed_priors())


def _nonlinearity(place: int, layers: int) -> tuple[str, str]:
    """Name and Kaldi's type of what follows affine layer `place`."""
    if place == layers - 1:
        return "logsoftmax", "LogSoftmaxComponent"
    return f"relu{place}", "RectifiedLinearComponent"


def _layout(layers: int, features: int) -> str:
    """The net's nodes as nnet3's configuration lines."""
    spliced = ", ".join(f"Offset(input, {offset})" if offset else "input" for offset in OFFSETS)
    lines, source = [f"input-node name=input dim={features}"], f"Append({spliced})"
    for place in range(layers):
        name, _ = _nonlinearity(place, layers)
        lines.append(f"component-node name=affine{place} component=affine{place} input={source}")
        lines.append(f"component-node name={name} component={name} input=affine{place}")
        source = name
    lines.append(f"output-node name=output input={source} objective=linear")
    return "\n" + "\n".join(lines) + "\n\n"


def _write_affine(writer: _Writer, place: int, layer: Layer) -> None:
    writer.tokens("<ComponentName>", f"affine{place}", "<FixedAffineComponent>", "<LinearParams>")
    writer.matrix(layer[0])
    writer.tokens("<BiasParams>")
    writer.vector(layer[1])
    writer.tokens("</FixedAffineComponent>")


def _write_nonlinearity(writer: _Writer, name: str, kind: str, size: int) -> None:
    writer.tokens("<ComponentName>", name, f"<{kind}>", "<Dim>")
    writer.integers(size)
    for statistic in ("<ValueAvg>", "<DerivAvg>"):
        writer.tokens(statistic)
        writer.vector([])
    for count in ("<Count>", "<NumDimsSelfRepaired>", "<NumDimsProcessed>"):
        writer.tokens(count)
        writer.float64(0.0)
    writer.tokens(f"</{kind}>")


def _write_transitions(writer: _Writer, transitions: Transitions) -> None:
    writer.tokens("<TransitionModel>", "<Topology>")
    _write_topology(writer, transitions)
    writer.tokens("</Topology>", "<Triples>")
    writer.integers(len(transitions.triples))
    for triple in transitions.triples:
        writer.integers(*triple)
    writer.tokens("</Triples>", "<LogProbs>")
    log_probabilities = [0.0]
    for _ in transitions.triples:
        log_probabilities += [np.log(SELF_LOOP), np.log(1 - SELF_LOOP)]
    writer.vector(log_probabilities)
    writer.tokens("</LogProbs>", "</TransitionModel>")


def _write_topology(writer: _Writer, transitions: Transitions) -> None:
    """One entry for each number of states that occurs, and which phone uses which."""
    lengths = sorted({len(pdfs) for _, pdfs in transitions.numbered_pdfs})
    numbers = [number for number, _ in transitions.numbered_pdfs]
    entry_of = [-1] * (max(numbers) + 1)
    for number, pdfs in transitions.numbered_pdfs:
        entry_of[number] = lengths.index(len(pdfs))
    writer.integer_vector(numbers)
    writer.integer_vector(entry_of)
    writer.integers(len(lengths))
    for length in lengths:
        _write_entry(writer, length)


def _write_entry(writer: _Writer, length: int) -> None:
    writer.integers(length + 1)
    for state in range(length):
        writer.integers(state, 2)  # its pdf class, and two transitions
        writer.integers(state)
        writer.float32(SELF_LOOP)
        writer.integers(state + 1)
        writer.float32(1 - SELF_LOOP)
    writer.integers(_NO_PDF, 0)  # the final state emits nothing
