"""Repairs, splits and labels the pages of Chinese local-government bulletins by topic."""

from .classify import classify, classify_many, classify_page, explain
from .errors import BulletinError, CorpusError, InputError, ModelError
from .model import TopicModel, load_model
from .records import Article, Contribution, Evidence, LabelledArticle, Prediction, TopicScore
from .repair import repair
from .split import split_page

__version__ = "0.1.0"

__all__ = [
    "Article",
    "BulletinError",
    "Contribution",
    "CorpusError",
    "Evidence",
    "InputError",
    "LabelledArticle",
    "ModelError",
    "Prediction",
    "TopicModel",
    "TopicScore",
    "__version__",
    "classify",
    "classify_many",
    "classify_page",
    "explain",
    "load_model",
    "repair",
    "split_page",
]
