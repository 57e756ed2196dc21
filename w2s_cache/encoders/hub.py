"""Models of the Hugging Face hub, read with the optional library transformers.

A hub name becomes a local folder first, so both ways in are one: a folder with ``config.json`` and
safetensors. Files that could run code (pickles, a model's own Python) are neither fetched nor read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from w2s_cache.encoders.refusal import UNUSABLE, reason
from w2s_cache.errors import EncoderError

_PLAIN_FILES = ["*.json", "*.txt"]  # configuration and vocabulary
_BOOKKEEPING = {  # what a configuration says of its file, not of the network
    "_name_or_path", "transformers_version", "torch_dtype", "dtype", "id2label", "label2id",
}  # fmt: skip
_TOKENIZER_FILES = (
    "added_tokens.json", "merges.txt", "special_tokens_map.json", "tokenizer.json",
    "tokenizer_config.json", "vocab.json", "vocab.txt",
)  # fmt: skip
_REFUSALS: tuple[type[Exception], ...] = (ImportError, *UNUSABLE)  # a part it lacks, or the files
_SHOWN = 5


def transformers_library() -> Any:
    """The module ``transformers``, imported at the first call.

    Raises:
        EncoderError: It is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise EncoderError(
            "models of the Hugging Face hub cannot be read",
            expected="the optional library transformers",
            found=str(error).rstrip("."),
            fix="Run `pip install 'transformers>=4.45'`, the extra `hf` of w2s-cache.",
        ) from error
    return transformers


def model_folder(model: str, checkpoint: str | None, *, weights: bool = True) -> Path:
    """Where a model's files are; a hub name is fetched, or found in the hub's cache when offline.

    Args:
        model: ``ORG/REPO`` or ``ORG/REPO@REVISION``.
        checkpoint: A local folder that takes the hub's place.
        weights: Whether safetensors are needed beside the configuration.

    Raises:
        EncoderError: Nothing is there, or it is no model folder.
    """
    folder = _fetched(model, weights=weights) if checkpoint is None else Path(checkpoint)
    names = sorted(path.name for path in folder.glob("*")) if folder.is_dir() else None
    if names is None or "config.json" not in names:
        raise EncoderError(
            f"no model folder at {folder}",
            expected="a folder with config.json and safetensors",
            found=_listed(names),
            fix="Check the path; `save_pretrained` of transformers writes such a folder.",
        )
    if weights and not any(name.endswith(".safetensors") for name in names):
        raise EncoderError(
            f"no safetensors for {model} in {folder}",
            expected="weights as safetensors; pickled ones are never loaded",
            found=_listed(names),
            fix=f"Name a revision that has them ({model.partition('@')[0]}@REVISION), or convert "
            "them once with `save_pretrained` and point `checkpoint` at that folder.",
        )
    return folder


def _fetched(model: str, *, weights: bool) -> Path:
    import huggingface_hub

    name, _, revision = model.partition("@")
    try:
        fetched = huggingface_hub.snapshot_download(
            name,
            revision=revision or None,
            allow_patterns=[*_PLAIN_FILES, "*.safetensors"] if weights else _PLAIN_FILES,
        )
    except UNUSABLE as error:
        raise EncoderError(
            f"cannot fetch {model} from the Hugging Face hub",
            expected="a model that exists and can be had",
            found=reason(error),
            fix="Check the name and the network, or point `checkpoint` at a local folder.",
        ) from error
    return Path(fetched)


def _listed(names: list[str] | None) -> str:
    if names is None:
        return "no folder"
    more = ", …" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}" or "an empty folder"


def configuration(folder: Path) -> dict[str, Any]:
    """The folder's ``config.json``.

    Raises:
        EncoderError: It is no JSON object.
    """
    try:
        found = dict(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    except UNUSABLE as error:
        raise EncoderError(
            f"cannot read {folder / 'config.json'}",
            expected="a JSON object",
            found=reason(error),
            fix="Fetch or save the model again.",
        ) from error
    return found


def configuration_digest(folder: Path) -> str:
    """sha256 hex of all that ``config.json`` says of the network.

    Activation, heads and norms change features without changing a weight.
    """
    said = {key: v for key, v in configuration(folder).items() if key not in _BOOKKEEPING}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def tokenizer_digest(folder: Path) -> str:
    """sha256 hex of the files a tokenizer is made of: vocabulary, lower-casing, special tokens."""
    total = hashlib.sha256()
    for name in _TOKENIZER_FILES:
        file = folder / name
        if file.is_file():
            total.update(f"{name}:{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def read_part(reader: Any, folder: Path, **arguments: Any) -> Any:
    """``reader.from_pretrained`` of a local folder, without network and without foreign code.

    Raises:
        EncoderError: The library refuses the files.
    """
    with told_of(folder, reader.__name__):
        return reader.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, **arguments
        )


@contextmanager
def told_of(folder: Path, reader: str) -> Iterator[None]:
    """Turns what transformers raises over a folder into one sentence.

    Raises:
        EncoderError: The library refuses the files.
    """
    try:
        yield
    except _REFUSALS as error:
        raise EncoderError(
            f"transformers cannot read {folder}",
            expected=f"files that {reader} reads",
            found=reason(error),
            fix="Check that the model is of this kind and its files are whole.",
        ) from error


def read_network(reader: Any, folder: Path) -> tuple[Any, list[str]]:
    """A network in float32 and the names of weights that the folder does not have.

    Raises:
        EncoderError: The weights do not fit.
    """
    with _without_bar():
        network, told = read_part(reader, folder, use_safetensors=True, output_loading_info=True)
    return network.float(), sorted(told["missing_keys"])


@contextmanager
def _without_bar() -> Iterator[None]:
    """Silences the library's bar over reading a local file, and leaves its setting as it was."""
    bars = transformers_library().utils.logging
    if not bars.is_progress_bar_enabled():
        yield
        return
    bars.disable_progress_bar()
    try:
        yield
    finally:
        bars.enable_progress_bar()


def refuse_missing(folder: Path, missing: Iterable[str]) -> None:
    """Weights that are not there would be random numbers.

    Raises:
        EncoderError: Some weight is missing.
    """
    names = list(missing)
    if names:
        raise EncoderError(
            f"weights in {folder} do not fit the network",
            expected="every weight of it",
            found=f"{len(names)} missing, such as {names[0]}",
            fix="Take a checkpoint of this very architecture.",
        )
