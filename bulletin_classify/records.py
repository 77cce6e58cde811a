"""The nouns of the package: small frozen records, and nothing that computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Abstention = Literal["empty", "too_short", "not_chinese", "no_topic"]


@dataclass(frozen=True, slots=True)
class Article:
    """One headline with its body; both may be empty."""

    title: str = ""
    body: str = ""
    byline: str | None = None


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one term adds to a topic's score; negative where it speaks against the topic."""

    term: str
    value: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a topic got its score: ``bias + sum(contributions) + other == score``.

    ``contributions`` are ordered by size, the largest absolute value first; ``other`` is the sum of those
    left out by ``top``.  ``probability`` is what the calibration makes of this score and its rivals.
    """

    topic: str
    score: float
    bias: float
    contributions: tuple[Contribution, ...]
    other: float
    probability: float


@dataclass(frozen=True, slots=True)
class TopicScore:
    """A topic that was given, with its calibrated probability."""

    id: str
    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """The topics of one article.

    ``topics`` holds the topics over their thresholds, most probable first; ``primary`` is the first of them,
    and ``None`` exactly when there are none: then ``abstained`` says why.  ``scores`` gives the calibrated
    probability of every topic of the model.
    """

    primary: str | None
    topics: tuple[TopicScore, ...]
    scores: Mapping[str, float]
    abstained: Abstention | None

    def to_dict(self, scores: bool = False) -> dict[str, Any]:
        """The prediction's part of the output record; ``scores`` adds every topic's probability."""
        record: dict[str, Any] = {
            "primary": self.primary,
            "topics": [
                {"id": t.id, "name": t.name, "probability": round(t.probability, 4)} for t in self.topics
            ],
            "abstained": self.abstained,
        }
        if scores:
            record["scores"] = {topic: round(p, 4) for topic, p in self.scores.items()}
        return record


@dataclass(frozen=True, slots=True)
class LabelledArticle:
    """An article of a page with its prediction."""

    article: Article
    prediction: Prediction
