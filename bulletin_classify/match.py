"""Every occurrence of every vocabulary term in a batch of texts, in numpy.

The terms stand in a double-array trie (Aoe, 1989, "An efficient digital search algorithm by using a
double-array structure", IEEE TSE 15(9)), and all positions of a batch walk it together, one character a
step: after the second character most positions have left, so a batch costs little more than three look-ups a
character.  Unlike a hash there is nothing to verify and nothing to build at start.

Han terms match anywhere, overlapping ones too: what jieba's full mode yields on the same dictionary.  Terms of
Latin letters and digits match whole words only, and upper case equals lower case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int32 = NDArray[np.int32]

# A first large block, freed at once, raises glibc's limits for returning memory to the system.  Without it
# every batch gives its buffers back and page-faults them in again, at twice the time.
np.empty(24 << 20, np.uint8)

_BMP = 1 << 16
_SEPARATOR = "\n"
# Bases are tried so many at a time.
_WINDOW = 512


@dataclass(frozen=True)
class Trie:
    """A vocabulary that can be walked by whole batches.

    ``chars`` (65,536) numbers the characters of the terms from 1 on; 0 is any other.  A node is its place in
    ``base``, ``check`` and ``term``: its child by character c is ``base[node] + c`` where ``check`` there
    equals the node, and ``term`` is the index of the term that ends at a node, or -1.  The first nodes are the
    characters themselves.  Terms from index ``n_han`` on are Latin.
    """

    chars: Int32
    base: Int32
    check: Int32
    term: Int32
    n_terms: int
    n_han: int

    @classmethod
    def build(cls, terms: Sequence[str]) -> Trie:
        """Build the trie of ``terms``: distinct, lower case, Han terms before Latin ones."""
        n_han = next((i for i, t in enumerate(terms) if is_latin(t)), len(terms))
        if any(not is_latin(t) for t in terms[n_han:]):
            raise ValueError("terms must be ordered: Han terms before Latin ones")
        numbers = {c: i for i, c in enumerate(sorted({c for t in terms for c in t}), start=1)}
        children, ends = _grow(terms, numbers)
        base, check, term = _place(children, ends, len(numbers) + 1)
        chars = np.zeros(_BMP, np.int32)
        for c, number in numbers.items():
            chars[ord(c)] = number
            if c.isascii():
                chars[ord(c.upper())] = number
        return cls(chars, base, check, term, len(terms), n_han)

    def find(self, texts: Sequence[str]) -> NDArray[np.signedinteger]:
        """Occurrences in ``texts`` as keys ``text index * n_terms + term index``, one each, in no order."""
        units, lengths = _units(texts)
        size = len(texts) * max(self.n_terms, 1)
        kind = np.int32 if size < 2**31 else np.int64
        row = np.repeat(np.arange(0, size, max(self.n_terms, 1), dtype=kind), lengths)
        chars = self.chars.take(units)
        keys = []
        # The first character of every position is its node; the loop then keeps the positions still inside
        # the trie, with the node that each has reached.
        node = chars
        at: NDArray[np.intp] | None = None
        depth = 0
        while node.size:
            term = self.term.take(node)
            ends = np.flatnonzero(term >= 0)
            start = ends if at is None else at.take(ends)
            term = term.take(ends)
            keep = self._whole_words(term, units, start, depth)
            if keep is not None:
                start, term = start.take(keep), term.take(keep)
            keys.append(row.take(start) + term)
            depth += 1
            node, at = self._step(node, at, chars, depth)
        return np.concatenate(keys) if keys else np.zeros(0, kind)

    def _step(
        self, node: Int32, at: NDArray[np.intp] | None, chars: Int32, depth: int
    ) -> tuple[Int32, NDArray[np.intp]]:
        """Move every position on by one character and drop those that leave the trie."""
        if at is None:
            child = self.base.take(node[:-1])
            child += chars[1:]
            parent = node[:-1]
        else:
            child = self.base.take(node)
            inner = np.flatnonzero(child != 0)
            at, parent = at.take(inner), node.take(inner)
            child = child.take(inner)
            child += chars.take(at + depth, mode="clip")
        stay = np.flatnonzero(self.check.take(child) == parent)
        return child.take(stay), stay if at is None else at.take(stay)

    def _whole_words(
        self, term: Int32, units: NDArray[np.uint16], start: NDArray[np.intp], depth: int
    ) -> NDArray[np.intp] | None:
        """The occurrences that are not a Latin term inside a longer word; ``None`` where all are."""
        latin = np.flatnonzero(term >= self.n_han)
        if not latin.size:
            return None
        first = start.take(latin)
        before = np.where(first > 0, units.take(first - 1, mode="clip"), 0)
        after = units.take(first + depth + 1, mode="clip")
        whole = ~(_WORD.take(before) | _WORD.take(after))
        keep = np.ones(len(term), np.bool_)
        keep[latin] = whole
        return np.flatnonzero(keep)


def is_latin(term: str) -> bool:
    """Whether a term is of Latin letters and digits, and so matches whole words only."""
    return term.isascii()


_WORD = np.zeros(_BMP, np.bool_)
_WORD[[ord(c) for c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"]] = True


def _units(texts: Sequence[str]) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """The texts as UTF-16 code units, a separator after each, and their lengths with it.

    No term has a character beyond the basic plane, so the halves of a pair match nothing.
    """
    joined = _SEPARATOR.join(texts) + _SEPARATOR
    units = np.frombuffer(joined.encode("utf-16-le", "surrogatepass"), np.uint16)
    if len(units) == len(joined):
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    else:
        halves = (len(t.encode("utf-16-le", "surrogatepass")) // 2 for t in texts)
        lengths = np.fromiter(halves, np.int64, len(texts))
    return units, lengths + 1


def _grow(terms: Sequence[str], numbers: dict[str, int]) -> tuple[list[dict[int, int]], list[int]]:
    """A plain trie: for each node its children by character number, and the term that ends there."""
    children: list[dict[int, int]] = [{}]
    ends = [-1]
    for index, term in enumerate(terms):
        node = 0
        for c in term:
            child = children[node].get(numbers[c])
            if child is None:
                child = len(children)
                children[node][numbers[c]] = child
                children.append({})
                ends.append(-1)
            node = child
        if node == 0 or ends[node] >= 0:
            raise ValueError(f"terms must be distinct and not empty: {term!r}")
        ends[node] = index
    return children, ends


def _place(children: list[dict[int, int]], ends: list[int], n_chars: int) -> tuple[Int32, Int32, Int32]:
    """Lay the nodes out: families of children by first fit, the largest first, so that single ones fill gaps."""
    free = np.ones(2 * len(children) + 4 * n_chars + _WINDOW, np.bool_)
    free[:n_chars] = False
    place = np.zeros(len(children), np.int64)
    for number, node in children[0].items():
        place[node] = number
    bases = np.zeros(len(children), np.int64)
    families = sorted((n for n in range(1, len(children)) if children[n]), key=lambda n: -len(children[n]))
    # Where the last family of about this size was placed: no other looks before it, so the time stays linear.
    hint: dict[int, int] = {}
    top = n_chars
    for node in families:
        numbers = np.fromiter(children[node], np.int64)
        if top + 2 * n_chars + _WINDOW >= len(free):
            free = np.concatenate([free, np.ones(len(free), np.bool_)])
        bases[node] = hint[len(numbers).bit_length()] = _first_fit(
            free, numbers, hint.get(len(numbers).bit_length(), 1), top
        )
        free[bases[node] + numbers] = False
        top = max(top, int(bases[node] + numbers.max()) + 1)
        for number, child in children[node].items():
            place[child] = bases[node] + number
    used = int(place.max(initial=0)) + 1
    # Every walk may look n_chars beyond the largest base.
    base = np.zeros(max(used, int(bases.max(initial=0)) + n_chars) + 1, np.int32)
    check = np.full(len(base), -1, np.int32)
    term = np.full(len(base), -1, np.int32)
    base[place[1:]] = bases[1:]
    term[place[1:]] = ends[1:]
    for node in families:
        check[bases[node] + np.fromiter(children[node], np.int64)] = place[node]
    return base, check, term


def _first_fit(free: NDArray[np.bool_], numbers: NDArray[np.int64], start: int, top: int) -> int:
    """The least base from ``start`` on at which all children fall on free places; at ``top`` all do."""
    while start < top:
        fits = free[start + numbers[0] : start + numbers[0] + _WINDOW].copy()
        for number in numbers[1:]:
            fits &= free[start + number : start + number + _WINDOW]
        found = int(fits.argmax())
        if fits[found]:
            return start + found
        start += _WINDOW
    return top
