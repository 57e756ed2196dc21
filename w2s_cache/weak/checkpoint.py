"""A fine-tuned weak model on disk: weights as safetensors, a small JSON that says what they are.

The directory is named by the digest of everything that decides the weights, so a model that was
trained once is never trained again and never confused with another.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from w2s_cache.encoders.weights import weights_digest
from w2s_cache.errors import CorruptStoreError, StoreError
from w2s_cache.spec import WeakSpec
from w2s_cache.store.fingerprint import diff_keys, digest, sides_shown
from w2s_cache.store.lock import Owner, writer_lock
from w2s_cache.store.publish import make_directory, publish, remove_temporaries
from w2s_cache.store.regular_file import is_irregular, not_regular, read_regular
from w2s_cache.store.shallow_json import parse_json
from w2s_cache.weak.checkpoint_files import KEY_FILE, WEIGHTS_FILE
from w2s_cache.weak.classifier import WeakClassifier, WeakStart
from w2s_cache.weak.start import start_of

Trainer = Callable[[Any, Callable[..., Any], Sequence[str]], None]
"""(network, transform, training images to leave out) → nothing, the network trained in place."""

Unusable = Callable[[Callable[..., Any]], Sequence[str]]
"""Transform → the training images that cannot be used with it."""


def weak_classifier(  # noqa: PLR0913  everything that decides a weak model, keyword-only
    directory_of: Callable[[str], Path],
    *,
    weak: WeakSpec,
    classes: tuple[str, ...],
    trained_on: str,
    device: str,
    train: Trainer,
    unusable: Unusable | None = None,
    retry: bool = False,
    on_wait: Callable[[Owner | None], None] | None = None,
) -> tuple[WeakClassifier, bool]:
    """Loads the fine-tuned weak model, training it first when there is none.

    A model that learned without some images, because they could not be used, is another model: its
    key names them. It is taken where there is none that learned from all.

    Args:
        directory_of: Key digest → directory.
        weak: The weak model's section of the spec.
        classes: Class names in label order.
        trained_on: Digest of the index (images, labels and split).
        device: A torch device string.
        train: Called to fine-tune in place.
        unusable: Finds the training images to leave out; None leaves out none.
        retry: Pass over models that learned without some images.
        on_wait: Called once, with the owner if known, when another process is fine-tuning it.

    Returns:
        The classifier, and whether it was trained now.

    Raises:
        EncoderError: The network cannot be built.
        CorruptStoreError: The stored weights are not those that were written, or another model's.
        StoreWriteError: The checkpoint cannot be written.
    """
    start = start_of(weak, len(classes))
    network = start.network
    key = {
        "kind": "weak",
        "model": weak.model,
        "start": weights_digest(network.state_dict()),
        "preprocess": dict(start.preprocessing),
        "recipe": weak.finetune.model_dump(mode="json"),
        "index": trained_on,
        "classes": list(classes),
        **start.facts,
    }
    if not (directory_of(digest(key)) / KEY_FILE).is_file():
        known = None if retry else _without_some(directory_of, key)
        left_out = [] if known or unusable is None else list(unusable(start.transform))
        key = known or ({**key, "skipped": left_out} if left_out else key)
    directory = directory_of(digest(key))
    fresh = False
    if not (directory / KEY_FILE).is_file():
        with _lock(directory, on_wait):
            fresh = not (directory / KEY_FILE).is_file()  # or the other process has made it
            if fresh:
                train(network, start.transform, key.get("skipped", []))
                _publish(directory, network, key)
    if not fresh:
        network.load_state_dict(kept_weights(directory, key))
    return _classifier(start, directory, weak=weak, classes=len(classes), device=device), fresh


def kept_classifier(
    directory: Path, *, weak: WeakSpec, classes: int, device: str
) -> WeakClassifier:
    """Loads the fine-tuned weak model that a directory holds.

    Raises:
        EncoderError: The network cannot be built.
        CorruptStoreError: The weights are absent, not those that were written, or of a model that
            belongs into another directory.
    """
    start = start_of(weak, classes)
    start.network.load_state_dict(kept_weights(directory))
    return _classifier(start, directory, weak=weak, classes=classes, device=device)


def _classifier(
    start: WeakStart, directory: Path, *, weak: WeakSpec, classes: int, device: str
) -> WeakClassifier:
    start.network.to(device).eval().requires_grad_(False)
    return WeakClassifier(
        library=weak.library,
        start=start,
        weights=weights_digest(start.network.state_dict()),
        classes=classes,
        precision=weak.precision,
        device=device,
        directory=directory,
    )


def _without_some(
    directory_of: Callable[[str], Path], key: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The key of the kept model that learned from all but the fewest images."""
    found: list[dict[str, Any]] = []
    for file in sorted(directory_of(digest(key)).parent.glob(f"*/{KEY_FILE}")):
        try:
            stored = parse_json(read_regular(file))["key"]
            named = digest(stored)
            alike = digest({**key, "skipped": stored["skipped"]}) == named
        except (OSError, ValueError, LookupError, TypeError, StoreError):
            continue  # of all images, or broken, which is said where it is loaded
        if alike and file.parent == directory_of(named):
            found.append(stored)
    return min(found, key=lambda stored: len(stored["skipped"]), default=None)


@contextlib.contextmanager
def _lock(directory: Path, on_wait: Callable[[Owner | None], None] | None) -> Iterator[None]:
    """The only right to fine-tune this model; clears what a killed process left of it."""
    make_directory(directory)
    with writer_lock(directory, timeout=-1, on_wait=on_wait):
        remove_temporaries(directory)
        yield


def _publish(directory: Path, network: Any, key: Mapping[str, Any]) -> None:
    """Weights first, the JSON that vouches for them last."""
    state = {
        name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()
    }
    publish(directory / WEIGHTS_FILE, save(state))
    facts = {"key": dict(key), "weights": weights_digest(state)}
    publish(directory / KEY_FILE, json.dumps(facts, indent=1, sort_keys=True).encode())


def kept_weights(directory: Path, wanted: Mapping[str, Any] | None = None) -> dict[str, Tensor]:
    """Reads a fine-tuned model's weights if they are those that were written for its key.

    Args:
        directory: Where the model is kept; its name ends in the first digits of its key's digest.
        wanted: The key it must have; None leaves it at what the directory's name says.

    Raises:
        CorruptStoreError: They are absent, damaged, not those that were written, or the model's key
            is not the wanted one or belongs into another directory.
    """
    try:
        facts = parse_json(read_regular(directory / KEY_FILE))
        promised, key = str(facts["weights"]), dict(facts["key"])
        named = digest(key)
        if is_irregular(directory / WEIGHTS_FILE):
            raise not_regular(directory / WEIGHTS_FILE)
        state = load_file(os.fspath(directory / WEIGHTS_FILE))
    except (OSError, ValueError, LookupError, TypeError, SafetensorError, StoreError) as error:
        raise _corrupt(directory, f"{WEIGHTS_FILE} and {KEY_FILE}", str(error)) from error
    if differences := [] if wanted is None else diff_keys(key, wanted):
        raise _corrupt(directory, *sides_shown(differences))
    place = directory.name.rpartition("-")[2]
    if place != named[: max(12, len(place))]:
        expected = "a model whose key's digest ends the directory's name"
        raise _corrupt(directory, expected, f"the model of key {named[:12]}")
    found = weights_digest(state)
    if found != promised:
        raise _corrupt(directory, f"weights with digest {promised[:12]}", found[:12])
    return state


def _corrupt(directory: Path, expected: str, found: str) -> CorruptStoreError:
    fix = f"Delete {directory}, then run `w2s-cache extract` again: it trains the model anew."
    return CorruptStoreError(f"weak model {directory}", expected=expected, found=found, fix=fix)
