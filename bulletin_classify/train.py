"""Labelled rows to a model: the features are those of prediction, the solver is scikit-learn's."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .calibrate import FEATURES, Calibration, features
from .classify import BATCH, feature_texts, predict_batches
from .corpus import LabelledRow, corpus_sha256
from .decide import Decision
from .errors import CorpusError
from .match import Trie
from .model import TopicModel
from .records import Article
from .repair import repair_many
from .taxonomy import Taxonomy
from .terms import vocabulary
from .weigh import count

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Bool = NDArray[np.bool_]
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """What training chooses; every value was chosen by ``benchmarks/experiments.py`` (see docs/model.md)."""

    # A term must occur in so many texts; a pair of characters that is no word, in so many.
    min_texts: int = 2
    min_pair_texts: int = 3
    # The cost of the linear support vector machines (hinge loss).
    cost: float = 3.0
    folds: int = 10
    # Topics with fewer articles than this lean on the threshold that suits all topics together.
    shrinkage: float = 20.0
    # At most one topic an article.
    single: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Features:
    """TF-IDF rows of articles and of their headlines, over one vocabulary."""

    trie: Trie
    terms: tuple[str, ...]
    idf: NDArray[np.float32]
    whole: csr_array
    headline: csr_array


@dataclass(frozen=True)
class OutOfFold:
    """Scores of rows by models that never saw them, and the folds they came from."""

    scores: Float64
    headline: Float64
    fold: NDArray[np.intp]


@dataclass(frozen=True)
class Trained:
    """A model with what was measured on the way: ``probabilities`` and ``given`` are out of fold."""

    model: TopicModel
    targets: Bool
    out_of_fold: OutOfFold
    probabilities: Float64
    given: Bool


def train(
    rows: Sequence[LabelledRow],
    taxonomy: Taxonomy,
    *,
    words: Sequence[str] = (),
    settings: Settings | None = None,
) -> Trained:
    """Train a model on labelled rows.

    Calibration and thresholds are fitted on out-of-fold scores, in which rows of one ``source`` stay together
    (two retellings of one article never stand on both sides).  ``CorpusError`` where there is nothing to learn:
    a single topic that every row has, or fewer than two rows.
    """
    settings = settings or Settings()
    targets = target_matrix(rows, taxonomy)
    _check_targets(targets, taxonomy)
    found = extract(rows, settings, words)
    fold = assign_folds(rows, targets, settings.folds)
    out_of_fold = cross_scores(found, targets, fold, settings)
    calibration = fit_calibration(out_of_fold, targets)
    probabilities = cross_calibrate(out_of_fold, targets)
    thresholds = fit_thresholds(probabilities, targets, settings)
    weights, bias = fit_linear(found.whole, targets, settings)
    model = TopicModel(
        taxonomy=taxonomy,
        trie=found.trie,
        idf=found.idf,
        weights=weights.astype(np.float32),
        bias=bias.astype(np.float32),
        calibration=calibration,
        thresholds=thresholds,
        settings=asdict(settings),
        corpus_sha256=corpus_sha256(rows),
        versions=_versions(),
        given_terms=found.terms,
    )
    given = Decision(taxonomy, thresholds, settings.single).given(probabilities)
    return Trained(model, targets, out_of_fold, probabilities, given)


def target_matrix(rows: Sequence[LabelledRow], taxonomy: Taxonomy) -> Bool:
    """Which row has which topic: (rows, topics)."""
    return np.array([[topic in row.topics for topic in taxonomy.ids] for row in rows], np.bool_)


def extract(rows: Sequence[LabelledRow], settings: Settings, words: Sequence[str] = ()) -> Features:
    """Choose a vocabulary from the rows and turn them into TF-IDF rows, by the code that prediction uses."""
    texts = feature_texts(repaired([row.article for row in rows]))
    terms = vocabulary(
        texts[: len(rows)], min_texts=settings.min_texts, min_pair_texts=settings.min_pair_texts, words=words
    )
    if not terms:
        raise CorpusError(
            f"no word stands in {settings.min_texts} of the {len(rows)} rows; training needs more text"
        )
    from sklearn.feature_extraction.text import TfidfTransformer

    trie = Trie.build(terms)
    counts = count_matrix(trie, texts)
    transformer = TfidfTransformer(sublinear_tf=True)
    whole = transformer.fit_transform(counts[: len(rows)])
    headline = transformer.transform(counts[len(rows) :])
    return Features(trie, terms, transformer.idf_.astype(np.float32), whole, headline)


def count_matrix(trie: Trie, texts: Sequence[str]) -> csr_array:
    """How often each term occurs in each text, as ``Trie.find`` sees it: a sparse (texts, terms) array."""
    from scipy.sparse import csr_array, vstack

    batches = []
    for start in range(0, len(texts), BATCH):
        batch = texts[start : start + BATCH]
        rows = count(trie.find(batch), len(batch), trie.n_terms)
        shape = (len(batch), trie.n_terms)
        # scikit-learn's solver wants 32-bit indices.
        inner = (rows.values.astype(np.float64), rows.terms.astype(np.int32), rows.starts.astype(np.int32))
        batches.append(csr_array(inner, shape=shape))
    return vstack(batches, format="csr")


def assign_folds(rows: Sequence[LabelledRow], targets: Bool, folds: int) -> NDArray[np.intp]:
    """Deal the rows into folds: every topic evenly, the rarest first, and one source never into two.

    After Sechidis, Tsoumakas and Vlahavas (2011), "On the stratification of multi-label data", simplified: whole
    sources are dealt out in turn, sorted by their rarest topic.
    """
    sizes = targets.sum(axis=0)
    rarest = [int(np.where(t, sizes, len(rows) + 1).argmin()) if t.any() else -1 for t in targets]
    groups: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        alone = not row.source or row.source == "invented"
        groups.setdefault(f"row {row.id}" if alone else f"source {row.source}", []).append(index)
    order = sorted(groups.values(), key=lambda members: (rarest[members[0]], rows[members[0]].id))
    fold = np.zeros(len(rows), np.intp)
    for turn, members in enumerate(order):
        fold[members] = turn % folds
    return fold


def cross_scores(found: Features, targets: Bool, fold: NDArray[np.intp], settings: Settings) -> OutOfFold:
    """Score every row by a model trained on the other folds."""
    scores = np.zeros(targets.shape)
    headline = np.zeros(targets.shape)
    for number in np.unique(fold):
        inside = np.flatnonzero(fold == number)
        weights, bias = fit_linear(found.whole[fold != number], targets[fold != number], settings)
        scores[inside] = found.whole[inside] @ weights + bias
        headline[inside] = found.headline[inside] @ weights + bias
    return OutOfFold(scores, headline, fold)


def fit_linear(rows: csr_array, targets: Bool, settings: Settings) -> tuple[Float64, Float64]:
    """One linear support vector machine a topic: weights (terms, topics) and biases (topics,).

    Hinge loss by dual coordinate descent: Hsieh et al. (2008), "A dual coordinate descent method for
    large-scale linear SVM".  A topic that all rows have, or none, gets a constant score.
    """
    from sklearn.svm import LinearSVC

    weights = np.zeros((rows.shape[1], targets.shape[1]))
    bias = np.zeros(targets.shape[1])
    for topic in range(targets.shape[1]):
        column = targets[:, topic]
        if column.all() or not column.any():
            bias[topic] = 1.0 if column.all() else -1.0
            continue
        solver = LinearSVC(loss="hinge", C=settings.cost, random_state=settings.seed, max_iter=5000)
        solver.fit(rows, column)
        weights[:, topic] = solver.coef_[0]
        bias[topic] = solver.intercept_[0]
    return weights, bias


def fit_calibration(out_of_fold: OutOfFold, targets: Bool) -> Calibration:
    """Fit the shared logistic calibration and every topic's intercept on out-of-fold scores."""
    from sklearn.linear_model import LogisticRegression

    inputs = features(out_of_fold.scores, out_of_fold.headline)
    n_topics = targets.shape[1]
    own = np.broadcast_to(np.eye(n_topics), (*targets.shape, n_topics))
    joined = np.concatenate([inputs, own], axis=2).reshape(-1, len(FEATURES) + n_topics)
    if targets.all() or not targets.any():
        return Calibration(np.zeros(len(FEATURES)), np.full(n_topics, 3.0 if targets.all() else -3.0))
    logistic = LogisticRegression(C=1.0, max_iter=5000, tol=1e-6).fit(joined, targets.ravel())
    coefficients = logistic.coef_[0]
    return Calibration(coefficients[: len(FEATURES)], coefficients[len(FEATURES) :] + logistic.intercept_[0])


def cross_calibrate(out_of_fold: OutOfFold, targets: Bool) -> Float64:
    """Out-of-fold probabilities: the calibration, too, is fitted on the other folds."""
    probabilities = np.zeros(targets.shape)
    for number in np.unique(out_of_fold.fold):
        inside = out_of_fold.fold == number
        others = OutOfFold(
            out_of_fold.scores[~inside], out_of_fold.headline[~inside], out_of_fold.fold[~inside]
        )
        calibration = fit_calibration(others, targets[~inside])
        probabilities[inside] = calibration.probabilities(
            out_of_fold.scores[inside], out_of_fold.headline[inside]
        )
    return probabilities


def fit_thresholds(probabilities: Float64, targets: Bool, settings: Settings) -> Float64:
    """The probability from which each topic is given.

    After Lin and Lin (2023), "On the thresholding strategy for infrequent labels in multi-label classification"
    (CIKM): from the most frequent topic on, each takes the threshold that is best for micro-F1 plus macro-F1
    given the ones before it.  A topic with few articles is drawn towards the one threshold best for all.
    """
    candidates = np.linspace(0.1, 0.9, 81)
    shared = max(candidates, key=lambda t: (_micro_f1(probabilities >= t, targets), -t))
    thresholds = np.full(targets.shape[1], shared)
    sizes = targets.sum(axis=0)
    for topic in np.argsort(-sizes, kind="stable"):
        if not sizes[topic]:
            continue
        given = probabilities >= thresholds
        truth = targets[:, topic]
        rest_true = int((given & targets).sum() - (given[:, topic] & truth).sum())
        rest_size = int(given.sum() + targets.sum() - given[:, topic].sum() - truth.sum())
        best, best_value = shared, -1.0
        for candidate in candidates:
            now = probabilities[:, topic] >= candidate
            hits, size = int((now & truth).sum()), int(now.sum() + truth.sum())
            micro = 2 * (rest_true + hits) / (rest_size + size)
            value = micro + 2 * hits / size / targets.shape[1]
            if value > best_value:
                best, best_value = candidate, value
        share = sizes[topic] / (sizes[topic] + settings.shrinkage)
        thresholds[topic] = share * best + (1 - share) * shared
    return thresholds


def golden(model: TopicModel, articles: Sequence[Article]) -> str:
    """Articles with the answers of ``model``, for ``verify`` to replay: one JSON object a line."""
    lines = []
    for article, prediction in zip(articles, predict_batches(articles, model), strict=True):
        record = {"title": article.title, "text": article.body, **prediction.to_dict(scores=True)}
        lines.append(json.dumps(record, ensure_ascii=False))
    return "\n".join(lines) + "\n"


def with_metrics(trained: Trained, metrics: dict[str, Any]) -> TopicModel:
    """The trained model, carrying the headline metrics for its manifest."""
    return replace(trained.model, metrics=metrics)


def repaired(articles: Sequence[Article]) -> list[Article]:
    """The articles as prediction reads them."""
    texts = repair_many([text for a in articles for text in (a.title, a.body)])
    return [Article(t, b) for t, b in zip(texts[::2], texts[1::2], strict=True)]


def _micro_f1(given: Bool, targets: Bool) -> float:
    size = int(given.sum() + targets.sum())
    return 2 * int((given & targets).sum()) / size if size else 0.0


def _check_targets(targets: Bool, taxonomy: Taxonomy) -> None:
    if len(targets) < 2:
        raise CorpusError(f"{len(targets)} labelled rows are too few; training needs at least 2 for every topic")
    if len(np.unique(targets, axis=0)) < 2:
        raise CorpusError("all rows have the same topics, so there is nothing to tell apart")


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    names = ("bulletin-classify", "numpy", "scipy", "scikit-learn", "jieba", "opencc")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
