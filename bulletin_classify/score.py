"""Linear scores, and the evidence for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .weigh import Float32, Rows


def score(rows: Rows, weights: Float32, bias: Float32) -> Float32:
    """Score every row for every topic.

    ``weights`` is (terms, topics) and ``bias`` (topics,); the result is (rows, topics).  One BLAS product a
    row: it beats every way of summing ragged rows in numpy, and a row's score cannot depend on its neighbours.
    """
    scores = np.empty((len(rows), len(bias)), np.float32)
    start = 0
    for row, end in enumerate(rows.starts[1:].tolist()):
        np.dot(rows.values[start:end], weights.take(rows.terms[start:end], axis=0), out=scores[row])
        start = end
    scores += bias
    return scores


def contributions(rows: Rows, row: int, weights: NDArray[np.float32], topic: int) -> tuple[Rows, Float32]:
    """What each term of one row adds to one topic's score: the row itself, and a value a term."""
    part = slice(int(rows.starts[row]), int(rows.starts[row + 1]))
    terms, values = rows.terms[part], rows.values[part]
    single = Rows(np.array([0, len(terms)], np.intp), terms, values)
    return single, values * weights.take(terms, axis=0)[:, topic]
