"""Occurrences to TF-IDF rows, a whole batch at a time.

The weights are scikit-learn's with ``sublinear_tf=True, norm="l2"``: a term that occurs n times in a text
weighs (1 + ln n) · idf, and every row has length 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

# 1 + ln n for n = 0 (never used) to 4,095; a text that repeats a term more often takes the slow way.
_SUBLINEAR = np.ones(4096, np.float32)
_SUBLINEAR[1:] += np.log(np.arange(1, 4096)).astype(np.float32)


@dataclass(frozen=True)
class Rows:
    """Sparse rows, one a text: row i has ``terms`` and ``values`` from ``starts[i]`` to ``starts[i + 1]``."""

    starts: NDArray[np.intp]
    terms: NDArray[np.signedinteger]
    values: Float32

    def __len__(self) -> int:
        return len(self.starts) - 1


def count(keys: NDArray[np.signedinteger], n_rows: int, n_terms: int) -> Rows:
    """Count occurrence keys (``row * n_terms + term``, as ``Trie.find`` gives them) into rows of counts.

    The keys are sorted in place.
    """
    keys.sort()
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    counts = np.diff(first, append=len(keys))
    keys = keys.take(first)
    offsets = np.arange(n_rows + 1, dtype=np.int64) * n_terms
    starts = keys.searchsorted(offsets.astype(keys.dtype))
    terms = keys - np.repeat(offsets[:-1].astype(keys.dtype), np.diff(starts))
    return Rows(starts, terms, counts.astype(np.float32))


def weigh(keys: NDArray[np.signedinteger], n_rows: int, idf: Float32) -> Rows:
    """Occurrence keys to TF-IDF rows; ``idf`` has one weight a term.  A text without terms gives a row of none."""
    rows = count(keys, n_rows, len(idf))
    if not len(rows.values):
        return rows
    values = _sublinear(rows.values) * idf.take(rows.terms)
    lengths = np.diff(rows.starts)
    # An empty row has no place of its own in reduceat; what stands there is never used.
    squares = np.add.reduceat(values * values, np.minimum(rows.starts[:-1], len(values) - 1))
    values *= np.repeat(1 / np.sqrt(squares), lengths)
    return Rows(rows.starts, rows.terms, values)


def _sublinear(counts: Float32) -> Float32:
    if counts.max() < len(_SUBLINEAR):
        return _SUBLINEAR.take(counts.astype(np.intp))
    return (1 + np.log(counts)).astype(np.float32)
