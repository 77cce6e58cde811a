"""The model folder: what is in it, how it is written, loaded and verified.

Nothing in a model folder is executed: it holds JSON, text and plain ``.npy`` arrays, which are memory-mapped,
so that several processes share one copy and a start builds nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .calibrate import FEATURES, Calibration
from .decide import Decision
from .errors import ModelError
from .match import Trie
from .taxonomy import Taxonomy

# The layout of the folder.  Raise it when a file is added, dropped or changes its form, and teach ``load`` the
# old form, so that every folder ever released can still be read.
FORMAT = 1
# What the features mean.  Raise it when repair, match, weigh or calibrate change what they yield for some text:
# a model trained before then no longer fits and says so.
PIPELINE = 1

_KIND = "bulletin_classify model"
# name: (dtype, number of dimensions)
_ARRAYS = {
    "chars": ("<i4", 1),
    "base": ("<i4", 1),
    "check": ("<i4", 1),
    "term": ("<i4", 1),
    "idf": ("<f4", 1),
    "weights": ("<f4", 2),
    "bias": ("<f4", 1),
    "coefficients": ("<f8", 1),
    "intercepts": ("<f8", 1),
    "thresholds": ("<f8", 1),
}


@dataclass(frozen=True)
class ModelFolder:
    """The paths of a model folder, each spelt once."""

    root: Path

    @property
    def manifest(self) -> Path:
        return self.root / "model.json"

    @property
    def terms(self) -> Path:
        return self.root / "terms.txt"

    @property
    def golden(self) -> Path:
        return self.root / "golden.jsonl"

    @property
    def card(self) -> Path:
        return self.root / "CARD.md"

    def array(self, name: str) -> Path:
        return self.root / f"{name}.npy"

    def described(self) -> list[Path]:
        """The files whose sha256 stands in the manifest."""
        return [self.array(name) for name in _ARRAYS] + [self.terms, self.golden, self.card]


@dataclass(frozen=True)
class TopicModel:
    """A trained model: the vocabulary, its weights, and what turns scores into topics.

    ``weights`` is (terms, topics).  ``terms`` are read from the folder only when something asks for them:
    labelling never does.
    """

    taxonomy: Taxonomy
    trie: Trie
    idf: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    calibration: Calibration
    thresholds: NDArray[np.float64]
    settings: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    corpus_sha256: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    folder: ModelFolder | None = None
    given_terms: tuple[str, ...] | None = None

    @property
    def single(self) -> bool:
        """Whether every article has one topic at most."""
        return bool(self.settings.get("single", False))

    @cached_property
    def decision(self) -> Decision:
        return Decision(self.taxonomy, self.thresholds, self.single)

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """The vocabulary; its order is the order of the rows of ``weights``."""
        if self.given_terms is not None:
            return self.given_terms
        assert self.folder is not None
        return tuple(self.folder.terms.read_text(encoding="utf-8").split())

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker process maps the folder itself instead of receiving megabytes of arrays.
        if self.folder is not None:
            return load_model, (self.folder.root,)
        return super().__reduce__()  # type: ignore[return-value]

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {
            "chars": self.trie.chars,
            "base": self.trie.base,
            "check": self.trie.check,
            "term": self.trie.term,
            "idf": self.idf,
            "weights": self.weights,
            "bias": self.bias,
            "coefficients": self.calibration.coefficients,
            "intercepts": self.calibration.intercepts,
            "thresholds": self.thresholds,
        }

    def save(self, path: str | os.PathLike[str], golden: str = "", card: str = "") -> TopicModel:
        """Write the model folder and return the model as loaded from it.

        The folder appears under its name only when it is whole; the one it replaces is removed after that.
        """
        target = Path(path)
        part = ModelFolder(target.with_name(target.name + ".partial"))
        _remove(part.root)
        part.root.mkdir(parents=True)
        for name, array in self.arrays().items():
            np.save(part.array(name), np.ascontiguousarray(array, dtype=_ARRAYS[name][0]), allow_pickle=False)
        part.terms.write_text("".join(f"{t}\n" for t in self.terms), encoding="utf-8", newline="\n")
        part.golden.write_text(golden, encoding="utf-8", newline="\n")
        part.card.write_text(card, encoding="utf-8", newline="\n")
        manifest = {
            "kind": _KIND,
            "format": FORMAT,
            "pipeline": PIPELINE,
            "n_terms": len(self.terms),
            "n_han": self.trie.n_han,
            "settings": dict(self.settings),
            "metrics": dict(self.metrics),
            "corpus_sha256": self.corpus_sha256,
            "versions": dict(self.versions),
            "features": list(FEATURES),
            "sha256": {file.name: _sha256(file) for file in part.described()},
            "taxonomy": self.taxonomy.to_dict(),
        }
        text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
        part.manifest.write_text(text, encoding="utf-8", newline="\n")
        _replace_folder(part.root, target)
        return load_model(target)


def load_model(path: str | os.PathLike[str] | None = None) -> TopicModel:
    """Load a model folder, or the one shipped with the package.

    Every file is checked against its sha256 in the manifest; ``ModelError`` says what is wrong with a folder
    that is missing, damaged, foreign, or of another format or pipeline.
    """
    folder = ModelFolder(Path(path) if path is not None else shipped_model())
    manifest = _manifest(folder)
    for file in folder.described():
        _check_file(file, manifest["sha256"])
    arrays = {name: _array(folder, name) for name in _ARRAYS}
    try:
        taxonomy = Taxonomy.from_dict(manifest["taxonomy"])
        n_terms, n_han = int(manifest["n_terms"]), int(manifest["n_han"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder.manifest}: not a usable manifest ({error!r}); train the model again") from error
    _check_shapes(folder, arrays, n_terms, len(taxonomy))
    trie = Trie(arrays["chars"], arrays["base"], arrays["check"], arrays["term"], n_terms, n_han)
    return TopicModel(
        taxonomy=taxonomy,
        trie=trie,
        idf=arrays["idf"],
        weights=arrays["weights"],
        bias=arrays["bias"],
        calibration=Calibration(arrays["coefficients"], arrays["intercepts"]),
        thresholds=arrays["thresholds"],
        settings=manifest.get("settings", {}),
        metrics=manifest.get("metrics", {}),
        corpus_sha256=manifest.get("corpus_sha256", ""),
        versions=manifest.get("versions", {}),
        folder=folder,
    )


def shipped_model() -> Path:
    """The folder of the model that comes with the package (in a checkout: ``models/bulletin-zh``)."""
    package = Path(__file__).parent
    inside = package / "shipped_model"
    return inside if inside.is_dir() else package.parent / "models" / "bulletin-zh"


def _manifest(folder: ModelFolder) -> dict[str, Any]:
    if not folder.root.is_dir():
        raise ModelError(f"{folder.root}: no such model folder. Make one: bulletin-classify train CORPUS -o MODEL")
    try:
        manifest = json.loads(folder.manifest.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{folder.root}: not a model folder (model.json cannot be read: {error})") from error
    except ValueError as error:
        raise ModelError(f"{folder.manifest}: damaged ({error}); copy the folder again or retrain") from error
    if not isinstance(manifest, dict) or manifest.get("kind") != _KIND:
        raise ModelError(f"{folder.manifest}: this is not a {_KIND}")
    if manifest.get("format") != FORMAT:
        raise ModelError(
            f"{folder.root} is of format {manifest.get('format')!r}; this library reads format {FORMAT}. "
            "Update the library or train the model again"
        )
    if manifest.get("pipeline") != PIPELINE or manifest.get("features") != list(FEATURES):
        raise ModelError(
            f"{folder.root} was made for pipeline {manifest.get('pipeline')!r}; this library is pipeline "
            f"{PIPELINE}. Train it again: bulletin-classify train CORPUS -o {folder.root}"
        )
    if not isinstance(manifest.get("sha256"), dict):
        raise ModelError(f"{folder.manifest}: names no checksums; train the model again")
    return manifest


def _check_file(file: Path, expected: Mapping[str, str]) -> None:
    if not file.is_file():
        raise ModelError(f"{file.parent}: {file.name} is missing; copy the folder again or retrain")
    if _sha256(file) != expected.get(file.name):
        raise ModelError(f"{file}: differs from its checksum in model.json; copy the folder again or retrain")


def _array(folder: ModelFolder, name: str) -> NDArray[Any]:
    path = folder.array(name)
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: not a readable array ({error}); train the model again") from error
    dtype, dimensions = _ARRAYS[name]
    if array.dtype != np.dtype(dtype) or array.ndim != dimensions or not array.flags.c_contiguous:
        raise ModelError(f"{path}: should be a {dimensions}-dimensional array of {dtype}; train the model again")
    # A plain view of the mapped memory: indexing a memmap object costs more than the look-up itself.
    return array.view(np.ndarray)


def _check_shapes(folder: ModelFolder, arrays: Mapping[str, NDArray[Any]], n_terms: int, n_topics: int) -> None:
    """Refuse arrays that do not fit one another: a walk through them could leave their bounds."""
    nodes = arrays["base"].shape
    expected = {
        "chars": (1 << 16,),
        "check": nodes,
        "term": nodes,
        "idf": (n_terms,),
        "weights": (n_terms, n_topics),
        "bias": (n_topics,),
        "coefficients": (len(FEATURES),),
        "intercepts": (n_topics,),
        "thresholds": (n_topics,),
    }
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise ModelError(f"{folder.array(name)}: has shape {arrays[name].shape}, should be {shape}")
    chars, base, term = arrays["chars"], arrays["base"], arrays["term"]
    reach = int(base.max(initial=0)) + int(chars.max(initial=0))
    inside = chars.min(initial=0) >= 0 and base.min(initial=0) >= 0 and reach < len(base)
    if not inside or term.max(initial=-1) >= n_terms or term.min(initial=-1) < -1:
        raise ModelError(f"{folder.root}: the vocabulary points outside itself; train the model again")
    for name in ("idf", "weights", "bias", "coefficients", "intercepts", "thresholds"):
        if not np.isfinite(arrays[name]).all():
            raise ModelError(f"{folder.array(name)}: holds values that are not numbers; train the model again")


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _replace_folder(part: Path, target: Path) -> None:
    """Put a finished folder under its name; at no moment is a half-written one there."""
    old = target.with_name(target.name + ".replaced")
    _remove(old)
    if target.exists():
        target.rename(old)
    part.rename(target)
    _remove(old)


def _remove(folder: Path) -> None:
    """Remove a model folder and nothing else: only files, and only one level deep."""
    if not folder.exists():
        return
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
