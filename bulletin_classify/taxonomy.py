"""Topics: their ids, names, definitions and crosswalks, read from a TOML file and checked."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from .errors import CorpusError

# How a topic stands to a class of another scheme, in the terms of SKOS mapping relations
# (https://www.w3.org/TR/skos-reference/#mapping): "broader" says that the foreign class is the wider one.
# "none" says on purpose that the scheme has no class for the topic.
RELATIONS = ("exact", "broader", "narrower", "related", "none")

_ID = re.compile(r"[^\s;,]+")


@dataclass(frozen=True, slots=True)
class Scheme:
    """Another classification that topics are mapped to, as of one release."""

    id: str
    name: str
    release: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """One mapping of a topic to a class of ``scheme``; ``code`` and ``name`` are empty for "none"."""

    scheme: str
    relation: str
    code: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic; ``elsewhere`` says what looks like it but belongs to another one."""

    id: str
    name: str
    name_en: str = ""
    definition: str = ""
    elsewhere: str = ""
    crosswalk: tuple[Crosswalk, ...] = ()


@dataclass(frozen=True)
class Taxonomy:
    """An ordered set of topics."""

    topics: tuple[Topic, ...]
    schemes: tuple[Scheme, ...] = ()
    _by_id: Mapping[str, Topic] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {t.id: t for t in self.topics})

    def __len__(self) -> int:
        return len(self.topics)

    def __iter__(self) -> Iterator[Topic]:
        return iter(self.topics)

    def __contains__(self, topic: object) -> bool:
        return topic in self._by_id

    def __getitem__(self, topic: str) -> Topic:
        return self._by_id[topic]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(t.id for t in self.topics)

    def resolve(self, word: str) -> str:
        """The id of a topic given by its id or name; ``KeyError`` with the nearest one where there is none."""
        if word in self._by_id:
            return word
        for topic in self.topics:
            if word in (topic.name, topic.name_en):
                return topic.id
        known = [*self.ids, *(t.name for t in self.topics)]
        near = difflib.get_close_matches(word, known, n=1, cutoff=0.0)
        raise KeyError(f'"{word}" is not a topic. Nearest: "{near[0]}"' if near else f'"{word}" is not a topic')

    def to_dict(self) -> dict[str, Any]:
        return {"topics": [asdict(t) for t in self.topics], "schemes": [asdict(s) for s in self.schemes]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Taxonomy:
        """Rebuild a taxonomy from ``to_dict``; ``KeyError`` or ``TypeError`` where it is not one."""
        topics = tuple(
            Topic(**{**t, "crosswalk": tuple(Crosswalk(**c) for c in t.get("crosswalk", ()))})
            for t in data["topics"]
        )
        return cls(topics, tuple(Scheme(**s) for s in data.get("schemes", ())))

    @classmethod
    def from_ids(cls, ids: Iterable[str]) -> Taxonomy:
        """A taxonomy of bare ids, in alphabetical order: what training infers where none is given."""
        return cls(tuple(Topic(id=i, name=i) for i in sorted(set(ids))))


def load_taxonomy(path: Path) -> Taxonomy:
    """Read and check a taxonomy file; ``CorpusError`` names file, line and what to change."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: cannot be read as a taxonomy ({error})") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CorpusError(f"{path}: not valid TOML: {error}") from error
    return _Reader(path, text).taxonomy(data)


_Entry = TypeVar("_Entry", Scheme, Topic, Crosswalk)


class _Reader:
    """Turns parsed TOML into a taxonomy; keeps the text so that errors can name a line."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = text.splitlines()

    def taxonomy(self, data: Mapping[str, Any]) -> Taxonomy:
        schemes = tuple(self._make(Scheme, s, ("id", "name", "release")) for s in data.get("scheme", ()))
        known = [s.id for s in schemes]
        topics = tuple(self._topic(t, known) for t in data.get("topic", ()))
        if not topics:
            raise CorpusError(f"{self.path}: holds no [[topic]]; write at least one with id and name")
        seen: set[str] = set()
        for topic in topics:
            if topic.id in seen:
                raise self._error(f'id = "{topic.id}"', f'topic id "{topic.id}" stands twice', last=True)
            if not _ID.fullmatch(topic.id):
                raise self._error(
                    f'id = "{topic.id}"', f'topic id "{topic.id}" may hold no space, comma or semicolon'
                )
            seen.add(topic.id)
        return Taxonomy(topics, schemes)

    def _topic(self, data: Mapping[str, Any], schemes: list[str]) -> Topic:
        plain = {key: value for key, value in data.items() if key != "crosswalk"}
        topic = self._make(Topic, plain, ("id", "name"))
        crosswalk = tuple(self._crosswalk(c, topic.id, schemes) for c in data.get("crosswalk", ()))
        return Topic(**{**plain, "crosswalk": crosswalk})

    def _crosswalk(self, data: Mapping[str, Any], topic: str, schemes: list[str]) -> Crosswalk:
        mapping = self._make(Crosswalk, data, ("scheme", "relation"))
        self._known(mapping.scheme, schemes, f'scheme = "{mapping.scheme}"', f"{topic}: scheme")
        self._known(mapping.relation, list(RELATIONS), f'relation = "{mapping.relation}"', f"{topic}: relation")
        if (mapping.relation == "none") == bool(mapping.code or mapping.name):
            raise self._error(
                f'scheme = "{mapping.scheme}"',
                f'{topic}: a relation other than "none" needs the code or name of a class, and "none" has neither',
            )
        return mapping

    def _make(self, kind: type[_Entry], data: Mapping[str, Any], needed: tuple[str, ...]) -> _Entry:
        where = f'id = "{data["id"]}"' if "id" in data else f"[[{kind.__name__.lower()}]]"
        fields = [f for f in kind.__dataclass_fields__ if f != "crosswalk"]
        for key, value in data.items():
            self._known(key, fields, key, f"{kind.__name__.lower()} key")
            if not isinstance(value, str):
                raise self._error(key, f"{key} must be text in quotes")
        for key in needed:
            if not data.get(key):
                raise self._error(where, f"{kind.__name__.lower()} needs a {key}")
        return kind(**data)

    def _known(self, word: str, valid: list[str], needle: str, what: str) -> None:
        if word in valid:
            return
        near = difflib.get_close_matches(word, valid, n=1, cutoff=0.0)
        hint = f' Nearest: "{near[0]}"' if near else " None is declared."
        raise self._error(needle, f'{what} "{word}" is not known.{hint}')

    def _error(self, needle: str, message: str, last: bool = False) -> CorpusError:
        """An error at the first (or last) line that holds ``needle``."""
        places = [number for number, line in enumerate(self.lines, 1) if needle in line]
        line = places[-1 if last else 0] if places else 1
        return CorpusError(f"{self.path}:{line}: {message}")
