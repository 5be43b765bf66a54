"""Features as they are stored: JSON text, and a digest that says whether a row would be written differently.

A number is rounded to at most 9 significant digits and written without trailing zeros: half the text of a full double,
and so half the time PostgreSQL needs to parse and store it. Both the text and the digest are made from the same decimal
mantissa and exponent, so that equal digests mean equal text. Rows are written by compiled loops: 100,000 rows hold
eleven million numbers.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from algomatic_cli.core.features.compute import Columns
from algomatic_cli.core.features.registry import VERSION
from algomatic_cli.core.features.series import Floats, Ints

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int32]

DIGITS = 9
_LOWEST, _HIGHEST = 10 ** (DIGITS - 1), 10**DIGITS
_LONGEST_NUMBER = 26  # -0.0000123456789 and -1.23456789e-300 with room
_POWERS = np.array([float(f"1e{exponent}") for exponent in range(309)])
_ZERO, _MINUS, _DOT, _COMMA, _E = (np.uint8(ord(sign)) for sign in "0-.,e")
_OPEN, _CLOSE = np.uint8(ord("{")), np.uint8(ord("}"))


@dataclass(frozen=True)
class Text:
    """Rendered rows: row i is `buffer[offsets[i] : offsets[i + 1]]`, UTF-8, as Arrow lays strings out."""

    buffer: Bytes
    offsets: Offsets

    def lines(self) -> list[str]:
        """The rows as strings."""
        whole = self.buffer.tobytes().decode()
        return [whole[a:b] for a, b in zip(self.offsets[:-1], self.offsets[1:], strict=True)]


def matrix(columns: Columns, rows: Any = slice(None)) -> Floats:
    """The columns side by side for some of the rows: shape (rows, keys)."""
    parts = [values[rows] for values in columns.values.values()]
    return np.stack(parts, axis=1) if parts else np.empty((len(columns), 0))


def render(keys: tuple[str, ...], block: Floats) -> Text:
    """JSON objects of the rows of `block` (rows × keys); a NaN's key is left out.

    The block must be small enough for the text to stay under 2 GiB; the store renders some thousand rows at a time.
    """
    labels = [f'"{key}":'.encode() for key in keys]
    ends = np.cumsum([len(label) for label in labels], dtype=np.int64)
    names = np.frombuffer(b"".join(labels), dtype=np.uint8)
    longest = int(ends[-1] if len(ends) else 0) + len(keys) * (_LONGEST_NUMBER + 1) + 2
    buffer = np.empty(len(block) * longest, dtype=np.uint8)
    offsets = np.zeros(len(block) + 1, dtype=np.int32)
    size = _render(block, names, ends, _POWERS, buffer, offsets)
    return Text(buffer[:size], offsets)


def digests(columns: Columns, rows: int = 8192) -> Ints:
    """One signed 64-bit digest a row of what would be stored: the version, the keys present, their rounded values."""
    seeds = np.array([_seed(key) for key in columns.keys], dtype=np.uint64)
    out = np.empty(len(columns), dtype=np.uint64)
    for start in range(0, len(columns), rows):
        _digest(matrix(columns, slice(start, start + rows)), seeds, _POWERS, out[start : start + rows])
    return out.view(np.int64)


def _seed(key: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{VERSION} {key}".encode()).digest()[:8], "big")


@njit(cache=True, nogil=True, inline="always")
def _decimal(value: float, powers: Floats) -> tuple[Any, int]:
    """(mantissa, exponent) with |value| ≈ mantissa · 10^(exponent − 8), 9 digits in the mantissa; (0, 0) for zero."""
    size = abs(value)
    if size < 1e-290:
        return 0, 0
    exponent = int(np.floor(np.log10(size)))
    shift = DIGITS - 1 - exponent
    mantissa = np.int64(np.rint(size * powers[shift] if shift >= 0 else size / powers[-shift]))
    if mantissa < _LOWEST:  # log10 was rounded up
        exponent -= 1
        shift += 1
        mantissa = np.int64(np.rint(size * powers[shift] if shift >= 0 else size / powers[-shift]))
    if mantissa >= _HIGHEST:
        exponent += 1
        mantissa //= 10  # 999,999,999.6 became 1,000,000,000: nothing but zeros is cut
    return mantissa, exponent


@njit(cache=True, nogil=True)
def _digest(block: Floats, seeds: NDArray[np.uint64], powers: Floats, out: NDArray[np.uint64]) -> None:
    prime = np.uint64(0x9E3779B97F4A7C15)
    for row in range(block.shape[0]):
        digest = np.uint64(0)
        for column in range(block.shape[1]):
            value = block[row, column]
            if np.isnan(value):
                continue
            mantissa, exponent = _decimal(value, powers)
            number = np.uint64(-mantissa if value < 0 else mantissa) ^ (np.uint64(exponent) << np.uint64(40))
            digest = (digest ^ number ^ seeds[column]) * prime
            digest ^= digest >> np.uint64(32)
        out[row] = digest


@njit(cache=True, nogil=True)
def _render(block: Floats, names: Bytes, ends: Ints, powers: Floats, buffer: Bytes, offsets: Offsets) -> int:
    at = 0
    for row in range(block.shape[0]):
        buffer[at] = _OPEN
        at += 1
        first = True
        for column in range(block.shape[1]):
            value = block[row, column]
            if np.isnan(value):
                continue
            if not first:
                buffer[at] = _COMMA
                at += 1
            first = False
            for place in range(ends[column - 1] if column else 0, ends[column]):
                buffer[at] = names[place]
                at += 1
            at = _write(value, powers, buffer, at)
        buffer[at] = _CLOSE
        at += 1
        offsets[row + 1] = at
    return at


@njit(cache=True, nogil=True)
def _write(value: float, powers: Floats, buffer: Bytes, at: int) -> int:
    """Write one number at `at` and return the place after it."""
    mantissa, exponent = _decimal(value, powers)
    if mantissa == 0:
        buffer[at] = _ZERO
        return at + 1
    if value < 0:
        buffer[at] = _MINUS
        at += 1
    digits = DIGITS
    while mantissa % 10 == 0:
        mantissa //= 10
        digits -= 1
    if 0 <= exponent < 16:
        return _write_plain(mantissa, digits, exponent, buffer, at)
    if -6 <= exponent < 0:
        buffer[at], buffer[at + 1] = _ZERO, _DOT
        at += 2
        for _ in range(-exponent - 1):
            buffer[at] = _ZERO
            at += 1
        return _write_digits(mantissa, digits, buffer, at)
    at = _write_plain(mantissa, digits, 0, buffer, at)
    buffer[at] = _E
    at += 1
    if exponent < 0:
        buffer[at] = _MINUS
        at += 1
        exponent = -exponent
    length = 1 if exponent < 10 else 2 if exponent < 100 else 3
    return _write_digits(exponent, length, buffer, at)


@njit(cache=True, nogil=True)
def _write_plain(mantissa: int, digits: int, exponent: int, buffer: Bytes, at: int) -> int:
    """Digits with exponent + 1 of them before the point, zeros where there are not that many."""
    before = exponent + 1
    if digits <= before:
        at = _write_digits(mantissa, digits, buffer, at)
        for _ in range(before - digits):
            buffer[at] = _ZERO
            at += 1
        return at
    _write_digits(mantissa, digits, buffer, at + 1)
    for place in range(at, at + before):
        buffer[place] = buffer[place + 1]
    buffer[at + before] = _DOT
    return at + digits + 1


@njit(cache=True, nogil=True)
def _write_digits(number: int, digits: int, buffer: Bytes, at: int) -> int:
    for place in range(at + digits - 1, at - 1, -1):
        buffer[place] = _ZERO + np.uint8(number % 10)
        number //= 10
    return at + digits
