"""Probabilities to topics, a primary topic, or an abstention with its reason."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .records import Abstention, Prediction, TopicScore
from .taxonomy import Taxonomy

# A headline of five characters can be labelled; fewer say nothing.
MIN_HAN = 5
# Below this share of Han among all letters a text is in another language with a few Chinese words.
MIN_HAN_SHARE = 0.3

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
# Kana and Hangul count as foreign even beside many Han characters.
_FOREIGN = re.compile(r"[A-Za-z\u00c0-\u024f\u0370-\u052f\u0e00-\u0e7f\u0600-\u06ff]")
_KANA_HANGUL = re.compile(r"[\u3041-\u30fa\uac00-\ud7a3]")


def readable(text: str) -> Abstention | None:
    """Why a text cannot be labelled at all, or ``None`` where it can."""
    # Nearly every text begins with enough Han characters; only the others are counted through.
    if len(_HAN.findall(text, 0, 40)) >= 3 * MIN_HAN and not _KANA_HANGUL.search(text, 0, 200):
        return None
    if not text.strip():
        return "empty"
    han = len(_HAN.findall(text))
    foreign = len(_FOREIGN.findall(text))
    kana = len(_KANA_HANGUL.findall(text))
    if kana * 10 > han + kana or han < MIN_HAN_SHARE * (han + foreign):
        return "not_chinese"
    return "too_short" if han < MIN_HAN else None


class Decision:
    """Turns rows of probabilities into predictions by one threshold a topic.

    With ``single`` at most one topic is given, the most probable one.
    """

    def __init__(self, taxonomy: Taxonomy, thresholds: NDArray[np.float64], single: bool = False) -> None:
        self.ids = taxonomy.ids
        self.names = tuple(topic.name for topic in taxonomy)
        self.thresholds = thresholds
        self.single = single

    def predict(
        self, probabilities: NDArray[np.float64], unreadable: Sequence[Abstention | None]
    ) -> list[Prediction]:
        """One prediction a row; a row that is ``unreadable`` abstains for that reason, with scores of zero."""
        probabilities = np.where([[reason is not None] for reason in unreadable], 0.0, probabilities)
        over = self.given(probabilities)
        return [
            self._prediction(row, np.flatnonzero(given).tolist(), reason)
            for row, given, reason in zip(probabilities.tolist(), over, unreadable, strict=True)
        ]

    def given(self, probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which topics are given: (articles, topics)."""
        over = probabilities >= self.thresholds
        if self.single:
            best = np.zeros_like(over)
            best[np.arange(len(over)), probabilities.argmax(axis=1)] = True
            over &= best
        return over

    def _prediction(self, row: list[float], given: list[int], reason: Abstention | None) -> Prediction:
        given.sort(key=row.__getitem__, reverse=True)
        topics = tuple([TopicScore(self.ids[t], self.names[t], row[t]) for t in given])
        scores = dict(zip(self.ids, row, strict=True))
        if topics:
            return Prediction(topics[0].id, topics, scores, None)
        return Prediction(None, (), scores, reason or "no_topic")
