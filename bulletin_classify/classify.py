"""The road: texts in, labelled articles out.

Every step stands in a file of its own and knows no other; they meet here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice

import numpy as np

from .decide import readable
from .errors import InputError
from .model import TopicModel, load_model
from .records import Article, Contribution, Evidence, LabelledArticle, Prediction
from .repair import repair, repair_many
from .score import score
from .split import split_page
from .weigh import Rows, weigh

# So many articles are matched together: their arrays still fit the processor's second-level cache.
BATCH = 64
# With several processes, so many articles travel at a time.
PARCEL = 2048
# A headline says more than its length; it is counted so many times.
HEADLINE_WEIGHT = 2
# Where there is no headline, the first line stands for it, up to so many characters.
LEAD = 40


def classify(item: str | Article, title: str = "", *, model: TopicModel | None = None) -> Prediction:
    """Label one article: its text (with a ``title``), or an ``Article``.

    The text is repaired but not split.  ``InputError`` where it is neither text nor an ``Article``.
    """
    return _predict([_article(item, title)], model or _shipped())[0]


def classify_many(
    items: Iterable[str | Article], *, jobs: int = 1, model: TopicModel | None = None
) -> Iterator[Prediction]:
    """Label any number of articles, lazily and in order.

    With ``jobs`` above 1 as many processes share the work and one memory-mapped model; the predictions are the
    same for every number of jobs.
    """
    model = model or _shipped()
    articles = (_article(item) for item in items)
    if jobs == 1:
        while batch := list(islice(articles, BATCH)):
            yield from _predict(batch, model)
        return
    from joblib import Parallel, delayed

    parcels = iter(lambda: list(islice(articles, PARCEL)), [])
    work = Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="2*n_jobs")
    for predictions in work(delayed(predict_batches)(parcel, model) for parcel in parcels):
        yield from predictions


def classify_page(page: str, *, model: TopicModel | None = None) -> list[LabelledArticle]:
    """Repair a page of text, split it into articles and label each."""
    model = model or _shipped()
    articles = split_page(page)
    return [LabelledArticle(a, p) for a, p in zip(articles, predict_batches(articles, model), strict=True)]


def explain(
    item: str | Article, topic: str, top: int | None = 10, *, title: str = "", model: TopicModel | None = None
) -> Evidence:
    """Say which terms decided on a topic: the ``top`` largest contributions (``None``: all).

    ``topic`` is a topic's id or name; ``InputError`` names the nearest one where there is none.
    """
    model = model or _shipped()
    try:
        index = model.taxonomy.ids.index(model.taxonomy.resolve(topic))
    except KeyError as error:
        raise InputError(error.args[0], "topic") from error
    article = _repaired([_article(item, title)])
    rows = _rows(article, model)
    scores = score(rows, model.weights, model.bias)
    probability = model.calibration.probabilities(scores[:1], scores[1:])[0, index]
    return _evidence(rows, index, model, float(probability), top)


def predict_batches(articles: Sequence[Article], model: TopicModel) -> list[Prediction]:
    """Label a list of articles, a cache-sized batch at a time."""
    return [
        prediction
        for start in range(0, len(articles), BATCH)
        for prediction in _predict(articles[start : start + BATCH], model)
    ]


def score_articles(articles: Sequence[Article], model: TopicModel) -> tuple[np.ndarray, np.ndarray]:
    """The linear scores of articles and of their headlines alone, each (articles, topics)."""
    batches = []
    for start in range(0, len(articles), BATCH):
        rows = _rows(_repaired(articles[start : start + BATCH]), model)
        batches.append(score(rows, model.weights, model.bias).reshape(2, -1, len(model.bias)))
    whole, headline = np.concatenate(batches, axis=1)
    return whole, headline


def feature_texts(articles: Sequence[Article]) -> list[str]:
    """The texts that are matched: first one for every (repaired) article, then one for every headline."""
    whole = [(a.title + "\n") * HEADLINE_WEIGHT + a.body if a.title else a.body for a in articles]
    return whole + [a.title or a.body.lstrip()[:LEAD].partition("\n")[0] for a in articles]


def _predict(articles: Sequence[Article], model: TopicModel) -> list[Prediction]:
    articles = _repaired(articles)
    rows = _rows(articles, model)
    scores = score(rows, model.weights, model.bias)
    n = len(articles)
    probabilities = model.calibration.probabilities(scores[:n], scores[n:])
    unreadable = [readable(a.title + a.body) for a in articles]
    return model.decision.predict(probabilities, unreadable)


def _rows(articles: Sequence[Article], model: TopicModel) -> Rows:
    texts = feature_texts(articles)
    return weigh(model.trie.find(texts), len(texts), model.idf)


def _repaired(articles: Sequence[Article]) -> list[Article]:
    texts = repair_many([text for a in articles for text in (a.title, a.body)])
    pairs = zip(articles, texts[::2], texts[1::2], strict=True)
    return [a if a.title is t and a.body is b else Article(t, b, a.byline) for a, t, b in pairs]


def _evidence(rows: Rows, topic: int, model: TopicModel, probability: float, top: int | None) -> Evidence:
    end = int(rows.starts[1])
    terms = rows.terms[:end]
    values = rows.values[:end] * model.weights.take(terms, axis=0)[:, topic]
    order = np.argsort(-np.abs(values), kind="stable")
    shown = order[:top]
    bias = float(model.bias[topic])
    contributions = tuple(Contribution(model.terms[terms[i]], float(values[i])) for i in shown)
    return Evidence(
        topic=model.taxonomy.ids[topic],
        score=bias + float(values.sum(dtype=np.float64)),
        bias=bias,
        contributions=contributions,
        other=float(values[order[len(shown) :]].sum(dtype=np.float64)),
        probability=probability,
    )


def _article(item: str | Article, title: str = "") -> Article:
    if isinstance(item, Article):
        return item
    if isinstance(item, str):
        return Article(title=title, body=item)
    raise InputError(f"an article is a str or an Article, not {type(item).__name__}", "type")


@cache
def _shipped() -> TopicModel:
    return load_model()


__all__ = ["classify", "classify_many", "classify_page", "explain", "repair", "split_page"]
