"""Where the vocabulary comes from: the only file that knows jieba, used in training alone.

jieba's full mode over the corpus proposes words (its own dictionary and the project's ``seeds/words.txt``); the
corpus itself adds frequent pairs of characters, which catch words that no dictionary has, and single
characters.  What prediction then matches is the vocabulary, wherever one of its terms occurs: no segmenter, and
no version of jieba, can change an answer.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from .errors import CorpusError

# Longer dictionary entries are sayings and institutions, and their parts stand in the vocabulary anyway.
MAX_TERM = 8

_HAN_RUN = re.compile(r"[\u4e00-\u9fff]+")
_LATIN_WORD = re.compile(r"(?<![a-z0-9])[a-z0-9]*[a-z][a-z0-9]*(?![a-z0-9])")
_WORD_LINE = re.compile(r"([\u4e00-\u9fff]{2,8})(?:\s+(\S+))?(?:\s+#.*)?")


def vocabulary(
    texts: Sequence[str], *, min_texts: int, min_pair_texts: int, words: Iterable[str] = ()
) -> tuple[str, ...]:
    """Choose the terms that occur in the repaired ``texts``, Han terms first, each part in code point order.

    A word, a character or a Latin word needs ``min_texts`` texts, a pair of characters that is no word
    ``min_pair_texts``.  ``words`` are proposed beside jieba's dictionary.
    """
    tokenizer = _tokenizer(tuple(words))
    word_texts: Counter[str] = Counter()
    pair_texts: Counter[str] = Counter()
    for text in texts:
        found, pairs = _proposed(text.lower(), tokenizer)
        word_texts.update(found)
        pair_texts.update(pairs)
    chosen = {word for word, n in word_texts.items() if n >= min_texts and len(word) <= MAX_TERM}
    chosen |= {pair for pair, n in pair_texts.items() if n >= min_pair_texts}
    return tuple(sorted(chosen, key=lambda term: (term.isascii(), term)))


def read_words(path: Path) -> dict[str, str]:
    """Read a word list: a line a word of 2 to 8 Han characters, then a topic or reason; ``#`` starts a comment.

    ``CorpusError`` names the line that is wrong or stands twice.
    """
    words: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _WORD_LINE.fullmatch(line.strip())
        if not match:
            raise CorpusError(f"{path}:{number}: should be a word of 2 to 8 Han characters and a reason: {line!r}")
        if match[1] in words:
            raise CorpusError(f"{path}:{number}: {match[1]} stands twice")
        words[match[1]] = match[2] or ""
    return words


def is_dictionary_word(word: str) -> bool:
    """Whether jieba's own dictionary has a word."""
    return bool(_tokenizer(()).FREQ.get(word))


def _proposed(text: str, tokenizer: Any) -> tuple[set[str], set[str]]:
    """The words (single characters and Latin words too) and the character pairs of a text."""
    words = set(_LATIN_WORD.findall(text))
    pairs: set[str] = set()
    for run in _HAN_RUN.findall(text):
        words.update(run)
        words.update(tokenizer.cut(run, cut_all=True))
        pairs.update(map("".join, zip(run, run[1:], strict=False)))
    return {word for word in words if word}, pairs


@cache
def _tokenizer(words: tuple[str, ...]) -> Any:
    """A tokenizer of our own, with its dictionary read straight from the package.

    jieba's own start trusts a cache file at a fixed name in the shared temporary folder, of whatever age, and
    prints to stderr; neither may touch a model.
    """
    import jieba

    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    with resources.files("jieba").joinpath("dict.txt").open("rb") as stream:
        tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(stream)
    tokenizer.initialized = True
    for word in words:
        tokenizer.add_word(word, freq=1)
    return tokenizer
