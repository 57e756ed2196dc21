"""What a spec asks the cache for, in the words that a feature set remembers.

Extraction stores the request beside the features; training compares it with its own spec, so that
an edited spec never meets features of the old one. Batch sizes, devices and paths are not in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from w2s_cache.bundled import BUNDLED
from w2s_cache.errors import SpecError
from w2s_cache.spec import DataSpec, Spec, StrongSpec, WeakSpec
from w2s_cache.store.fingerprint import file_sha256

IMPORTED = "imported"  # the library of features that somebody else computed
_MODEL_FILES = {".json", ".txt", ".safetensors"}  # what is read of a folder; no README, no pickle


def feature_request(spec: Spec, *, strong: StrongSpec, weak: WeakSpec | None) -> dict[str, Any]:
    """The request of one (strong, weak) pair.

    Args:
        spec: The whole spec.
        strong: The strong encoder's section; of library ``imported`` when its features were.
        weak: The weak model's section; None when its logits were imported.

    Raises:
        SpecError: A checkpoint file is missing.
    """
    return {
        "data": _data(spec.data),
        "strong": {"imported": True} if strong.library == IMPORTED else _strong(strong),
        "weak": {"imported": True} if weak is None else _weak(weak),
        "store": {"dtype": spec.store.dtype},
    }


def _data(data: DataSpec) -> dict[str, Any]:
    asked: dict[str, Any] = {"format": data.format}
    if data.format == "class-folders":
        asked |= {"test_fraction": data.test_fraction, "split_seed": data.split_seed}
    if data.classes is not None:  # else the folders or lists say them
        asked["classes"] = list(data.classes)
    return asked


def _strong(strong: StrongSpec) -> dict[str, Any]:
    return {
        "library": strong.library,
        "model": strong.model,
        "files": _model_files(strong.model),
        "checkpoint": _content(strong.checkpoint),
        "precision": strong.precision,
        "templates": list(strong.templates),
        **_decoder(strong.decoder),
    }


def _weak(weak: WeakSpec) -> dict[str, Any]:
    fields = weak.model_dump(mode="json", exclude={"batch_size", "decoder"})
    return {**fields, "checkpoint": _content(weak.checkpoint), **_decoder(weak.decoder)}


def _decoder(name: str) -> dict[str, str]:
    """Named only where it is not the library's own, so that older caches and records stay valid."""
    return {} if name == "pillow" else {"decoder": name}


def _model_files(model: str) -> dict[str, str]:
    """Content of the files a model name stands for: a bundled model's, a local directory's."""
    files: list[Path] = []
    if model in BUNDLED:
        files = [BUNDLED[model].config, BUNDLED[model].weights]
    elif model.startswith("local-dir:"):
        folder = Path(model.removeprefix("local-dir:"))
        if not folder.is_dir():
            raise SpecError(
                f"model {model}",
                expected="local-dir: with a folder of model files",
                found="a file" if folder.exists() else "no such folder",
                fix="Correct `model` in the spec, or --strong.",
            )
        files = sorted(path for path in folder.iterdir() if path.is_file())
    return {file.name: file_sha256(file) for file in files}


def _content(checkpoint: str | None) -> str | dict[str, str] | None:
    """A local weights file, or the files of a model folder, by sha256: it may move, not change."""
    if checkpoint is None:
        return None
    path = Path(checkpoint)
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix in _MODEL_FILES)
        return {file.name: file_sha256(file) for file in files}
    if not path.is_file():
        raise SpecError(
            f"checkpoint {checkpoint}",
            expected="a weights file or a model folder",
            found="no such file",
            fix="Correct `checkpoint` in the spec or put the file there.",
        )
    return file_sha256(path)
