"""Scores to probabilities.

A topic is rarely judged alone: a score of 0.1 means one thing where no other topic scores, and another where a
rival stands at 2.  So the logistic calibration (Platt, 1999) looks, for each topic of an article, at its score,
at its lead over the best other topic, at its rank, and at what the headline alone would say.  One set of
coefficients serves all topics, and each topic has an intercept of its own; both are fitted on out-of-fold
scores.  It stays linear in these few features, so that a probability can be explained.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

# The features of one topic of one article, in the order of the coefficients.
FEATURES = (
    "score",
    "lead over the best other topic",
    "best score of all",
    "headline score",
    "headline lead",
    "first",
    "second",
    "third",
)


@dataclass(frozen=True)
class Calibration:
    """``coefficients`` (features,) shared by all topics, and ``intercepts`` (topics,)."""

    coefficients: Float64
    intercepts: Float64

    def probabilities(self, scores: NDArray[np.floating], headline: NDArray[np.floating]) -> Float64:
        """Probabilities (articles, topics) of the articles' scores and of their headlines' own scores."""
        logits = features(scores, headline) @ self.coefficients + self.intercepts
        # A logit beyond ±30 says nothing that a float could still tell apart from certainty.
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))))


def features(scores: NDArray[np.floating], headline: NDArray[np.floating]) -> Float64:
    """The calibration's features, (articles, topics, len(FEATURES)), of two (articles, topics) score arrays."""
    scores = np.asarray(scores, np.float64)
    headline = np.asarray(headline, np.float64)
    rank = (-scores).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    columns = [scores, _lead(scores), np.broadcast_to(scores.max(axis=1, keepdims=True), scores.shape)]
    columns += [headline, _lead(headline)]
    columns += [rank == place for place in range(3)]
    return np.stack(columns, axis=2).astype(np.float64)


def _lead(scores: Float64) -> Float64:
    """How far each score stands over the best other one of its row; negative for all but the best."""
    if scores.shape[1] < 2:
        return scores
    best_two = -np.partition(-scores, 1, axis=1)[:, :2]
    best, second = best_two[:, :1], best_two[:, 1:]
    return np.where(scores == best, scores - second, scores - best)
