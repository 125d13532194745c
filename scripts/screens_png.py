"""Small pictures: a page's picture with 256 colours, as PNG. Pure."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

COLOURS = 256
_STEP = 8
"""Colours are told apart in steps of this, but for the most frequent ones."""

Pixels = NDArray[np.uint8]
"""Height by width by red, green, blue."""


def small_png(pixels: Pixels) -> bytes:
    """The picture with its most frequent colours; any other becomes the nearest of them."""
    height, width, _ = pixels.shape
    palette, indices = _reduced(pixels.reshape(-1, 3))
    rows = indices.reshape(height, width)
    lines = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", head),
            _chunk(b"PLTE", palette.tobytes()),
            _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _reduced(pixels: Pixels) -> tuple[Pixels, Pixels]:
    """Palette and each pixel's place in it."""
    wide = pixels.astype(np.int64)
    codes = (wide[:, 0] << 16) | (wide[:, 1] << 8) | wide[:, 2]
    known, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    colours = np.stack([known >> 16, (known >> 8) & 255, known & 255], axis=1)
    if len(known) <= COLOURS:
        return colours.astype(np.uint8), inverse.astype(np.uint8)
    chosen = _popular(colours, counts)
    nearest = np.concatenate(
        [
            ((part[:, None, :] - chosen[None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
            for part in np.array_split(colours, max(1, len(colours) // 2000))
        ]
    )
    return chosen.astype(np.uint8), nearest[inverse].astype(np.uint8)


def _popular(colours: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The most frequent colour of each of the most frequent cells of the colour cube."""
    cells = colours // _STEP
    keys = (cells[:, 0] << 16) | (cells[:, 1] << 8) | cells[:, 2]
    best: dict[int, tuple[int, int]] = {}
    totals: dict[int, int] = {}
    for place, (key, count) in enumerate(zip(keys.tolist(), counts.tolist(), strict=True)):
        totals[key] = totals.get(key, 0) + count
        if count > best.get(key, (0, 0))[0]:
            best[key] = (count, place)
    frequent = sorted(totals, key=lambda key: -totals[key])[:COLOURS]
    return colours[[best[key][1] for key in frequent]]
