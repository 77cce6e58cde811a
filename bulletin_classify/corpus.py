"""Labelled rows in, checked one by one; every error names file and line."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import CorpusError
from .records import Article
from .taxonomy import Taxonomy

# The names that a column may have, the corpus's own first.
COLUMNS = {
    "id": ("id", "编号"),
    "title": ("title", "标题", "headline"),
    "text": ("text", "正文", "内容", "content", "body"),
    "topics": ("topics", "标签", "主题", "labels", "label"),
    "primary": ("primary", "主要主题", "首要主题"),
    "source": ("source", "来源"),
    "date": ("date", "日期"),
    "split": ("split",),
}
# Topics in one cell are separated by any of these.
SEPARATORS = ";；|、,，"


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """One row of a corpus.

    ``topics`` may be empty: the row then teaches abstention.  ``primary`` holds the equally right primary
    topics, best first; training looks at the first, evaluation accepts any.  ``place`` is ``file:line``.
    """

    id: str
    title: str
    text: str
    topics: tuple[str, ...]
    primary: tuple[str, ...]
    source: str = ""
    date: str = ""
    split: str = ""
    place: str = ""

    @property
    def article(self) -> Article:
        return Article(self.title, self.text)


def read_corpus(paths: Iterable[Path], taxonomy: Taxonomy | None = None) -> list[LabelledRow]:
    """Read labelled rows from .jsonl, .csv and .xlsx files and folders of them, in the order of their names.

    With a ``taxonomy``, topics may be given by id or name and are checked; without one every label is taken as
    it stands.  ``CorpusError`` names the first row that is wrong, and what to change.
    """
    rows: list[LabelledRow] = []
    seen: dict[str, str] = {}
    for path in _files(paths):
        for line, data in _raw_rows(path):
            row = _row(data, f"{path}:{line}", taxonomy)
            if row.id in seen:
                raise CorpusError(f"{row.place}: id {row.id!r} stands already at {seen[row.id]}; ids must differ")
            seen[row.id] = row.place
            rows.append(row)
    if not rows:
        raise CorpusError(f"{', '.join(map(str, paths))}: no labelled rows; give .jsonl, .csv or .xlsx files")
    return rows


def corpus_sha256(rows: Iterable[LabelledRow]) -> str:
    """The checksum of what rows teach: independent of file names and of the form they were stored in."""
    digest = hashlib.sha256()
    for row in rows:
        fields = [row.id, row.title, row.text, list(row.topics), list(row.primary), row.source, row.date, row.split]
        digest.update(json.dumps(fields, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.suffix.lower() in _FORMATS and p.is_file())
            if not found:
                raise CorpusError(f"{path}: the folder holds no .jsonl, .csv or .xlsx file")
            yield from found
        elif not path.exists():
            raise CorpusError(f"{path}: no such file or folder")
        elif path.suffix.lower() not in _FORMATS:
            raise CorpusError(f"{path}: labelled rows are read from .jsonl, .csv and .xlsx files")
        else:
            yield path


def _raw_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The rows of a file with their line numbers, not yet checked."""
    try:
        yield from _FORMATS[path.suffix.lower()](path)
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{path}: is not UTF-8 (byte 0x{error.object[error.start]:02X} at offset {error.start}). "
            "Save it as UTF-8, in Excel as “CSV UTF-8”"
        ) from error


def _jsonl_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(encoding="utf-8-sig") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                data = json.loads(line)
            except ValueError as error:
                raise CorpusError(f"{path}:{number}: not valid JSON ({error})") from error
            if not isinstance(data, dict):
                raise CorpusError(f"{path}:{number}: a row must be a JSON object")
            yield number, data


def _csv_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        try:
            for data in reader:
                yield reader.line_num, {key: value for key, value in data.items() if key is not None}
        except csv.Error as error:
            raise CorpusError(f"{path}:{reader.line_num}: not readable as CSV ({error})") from error


def _xlsx_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        import openpyxl
    except ImportError as error:
        raise CorpusError(
            f"{path}: .xlsx files need openpyxl: pip install 'bulletin-classify[office]'"
        ) from error
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except OSError:
        raise
    except Exception as error:
        raise CorpusError(f"{path}: not a readable .xlsx file ({error})") from error
    rows = book.worksheets[0].iter_rows(values_only=True)
    header = [str(cell or "").strip() for cell in next(rows, ())]
    for number, cells in enumerate(rows, 2):
        if any(cell is not None for cell in cells):
            yield number, dict(zip(header, cells, strict=False))
    book.close()


_FORMATS = {".jsonl": _jsonl_rows, ".csv": _csv_rows, ".xlsx": _xlsx_rows}


def _row(data: Mapping[str, Any], place: str, taxonomy: Taxonomy | None) -> LabelledRow:
    fields = {name: _cell(data, names) for name, names in COLUMNS.items()}
    title, text = _text(fields["title"]), _text(fields["text"])
    if not (title or text):
        raise CorpusError(f"{place}: has neither a title (标题) nor a text (正文)")
    if fields["topics"] is None and not any(name in data for name in COLUMNS["topics"]):
        raise CorpusError(f"{place}: has no topics (标签) column; leave its cell empty where nothing fits")
    topics = _labels(fields["topics"], place, taxonomy)
    primary = _labels(fields["primary"], place, taxonomy) or topics[:1]
    strange = [t for t in primary if t not in topics]
    if strange:
        raise CorpusError(f"{place}: primary {strange[0]!r} is not among the row's topics {list(topics)}")
    digest = hashlib.sha256(f"{title}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
    rest = {name: _text(fields[name]) for name in ("source", "date", "split")}
    return LabelledRow(_text(fields["id"]) or digest, title, text, topics, primary, place=place, **rest)


def _cell(data: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((data[name] for name in names if data.get(name) is not None), None)


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _labels(value: Any, place: str, taxonomy: Taxonomy | None) -> tuple[str, ...]:
    """A list of labels, or a cell with separators between them, as distinct topic ids in their order."""
    if isinstance(value, str):
        for separator in SEPARATORS:
            value = value.replace(separator, ";")
        value = value.split(";")
    if value is None:
        value = []
    if not isinstance(value, list):
        value = [value]
    words = [str(v).strip() for v in value if v is not None and str(v).strip()]
    if taxonomy is None:
        return tuple(dict.fromkeys(words))
    try:
        return tuple(dict.fromkeys(taxonomy.resolve(word) for word in words))
    except KeyError as error:
        raise CorpusError(f"{place}: {error.args[0]}") from error
