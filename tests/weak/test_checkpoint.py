"""Laws of fine-tuned weak models on disk."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from w2s_cache.errors import CorruptStoreError, StoreWriteError
from w2s_cache.spec import WeakSpec
from w2s_cache.weak.checkpoint import (
    KEY_FILE,
    WEIGHTS_FILE,
    kept_classifier,
    weak_classifier,
)
from w2s_cache.weak.classifier import WeakClassifier


def nudge(network: Any, *_: object) -> None:
    """Stand in for training: move every weight a little."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.01)


def never(*_: object) -> None:
    """Training that must not happen."""
    raise AssertionError("trained again")


@pytest.fixture
def get(tmp_path: Path, spec_of: Any) -> Callable[..., tuple[WeakClassifier, bool]]:
    """A function that asks for a weak model below ``tmp_path``."""

    def ask(weak: WeakSpec | None = None, **changes: Any) -> tuple[WeakClassifier, bool]:
        means = {"classes": ("a", "b"), "trained_on": "0" * 64, "train": nudge, **changes}
        return weak_classifier(
            lambda key: tmp_path / key, weak=weak or spec_of(), device="cpu", **means
        )

    return ask


def test_a_model_is_trained_once(get: Any) -> None:
    """The second call loads the same bits and does not train."""
    first, trained = get()
    second, again = get(train=never)
    assert (trained, again) == (True, False)
    assert first.identity() == second.identity()
    assert not second.network.training
    one, other = first.network.state_dict(), second.network.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    "change",
    [
        {"trained_on": "1" * 64},
        {"classes": ("b", "a")},
        {"weak": {"epochs": 3}},
        {"weak": {"seed": 1}},
        {"weak": {"flip": True}},
    ],
)
def test_another_recipe_is_another_model(
    get: Any, spec_of: Any, tmp_path: Path, change: dict[str, Any]
) -> None:
    """Data, classes in order and every field of the recipe have their own directory."""
    get()
    if "weak" in change:
        change = {"weak": spec_of(**change["weak"])}
    assert get(**change)[1]
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("change", [{"batch_size": 1}, {"precision": "bf16"}])
def test_what_does_not_change_the_weights_reuses_them(
    get: Any, spec_of: Any, change: dict[str, Any]
) -> None:
    """Batch size and precision of the evaluation need no training of their own."""
    get()
    weak = spec_of().model_copy(update=change)
    assert not get(weak, train=never)[1]


@pytest.mark.parametrize("size", [24, 48])
def test_another_image_size_is_another_model(get: Any, spec_of: Any, size: int) -> None:
    """Preprocessing is part of what decides the weights."""
    get()
    assert get(spec_of().model_copy(update={"image_size": size}))[1]


@pytest.mark.parametrize("file", [WEIGHTS_FILE, KEY_FILE])
@pytest.mark.parametrize("damage", ["flip", "head", "cut", "empty", "swap"])
def test_damaged_files_are_noticed(get: Any, tmp_path: Path, file: str, damage: str) -> None:
    """Bytes that are not those that were written are an error that says what to delete."""
    get()
    (path,) = tmp_path.glob(f"*/{file}")
    content = path.read_bytes()
    at = {"flip": content.rfind(b"\x3c") if file == WEIGHTS_FILE else 2, "head": 3}.get(damage, 0)
    changed = bytearray(content)
    changed[at] ^= 0xFF
    new = {"cut": content[: len(content) // 2], "empty": b"", "swap": b"{}"}.get(damage, changed)
    path.write_bytes(bytes(new))
    with pytest.raises(CorruptStoreError, match="Delete") as caught:
        get(train=never)
    assert str(path.parent) in caught.value.fix
    assert "`w2s-cache extract`" in caught.value.fix


def put_in_place_of(there: Path, other: Path) -> None:
    """Copies a whole kept model over another one."""
    for file in (KEY_FILE, WEIGHTS_FILE):
        shutil.copy(there / file, other / file)


def test_a_whole_model_of_another_key_is_refused_and_the_field_named(get: Any) -> None:
    """A kept model is used only for the key that it states."""
    one, other = get()[0], get(trained_on="1" * 64)[0]
    put_in_place_of(other.directory, one.directory)
    with pytest.raises(CorruptStoreError, match=r"index = .*Delete") as caught:
        get(train=never)
    assert "1" * 64 in caught.value.found
    assert "0" * 64 in caught.value.expected


def test_a_model_in_a_directory_named_for_another_key_is_refused(get: Any, spec_of: Any) -> None:
    """Where no key is asked for, the directory's name says which one must stand there."""
    one, other = get()[0], get(trained_on="1" * 64)[0]
    put_in_place_of(other.directory, one.directory)
    with pytest.raises(CorruptStoreError, match="directory's name"):
        kept_classifier(one.directory, weak=spec_of(), classes=2, device="cpu")
    moved = other.directory.rename(other.directory.with_name("net-"))
    with pytest.raises(CorruptStoreError, match="directory's name"):
        kept_classifier(moved, weak=spec_of(), classes=2, device="cpu")


def test_a_misplaced_model_that_learned_without_some_is_not_taken(get: Any) -> None:
    """Nor does it decide which images the model that is trained in its place leaves out."""
    made, _ = get(unusable=lambda _: ["x.png"])
    made.directory.rename(made.directory.with_name("f" * 64))
    asked: list[object] = []
    get(train=lambda network, _, left_out: (nudge(network), asked.append(left_out)))
    assert asked == [[]]


def test_missing_weights_are_noticed(get: Any, tmp_path: Path) -> None:
    """A directory that vouches for weights it has not is an error."""
    get()
    next(tmp_path.glob(f"*/{WEIGHTS_FILE}")).unlink()
    with pytest.raises(CorruptStoreError, match="weak model"):
        get(train=never)


def test_an_interrupted_training_leaves_no_model(get: Any, tmp_path: Path) -> None:
    """A training that did not finish is not taken for one that did."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get(train=stop)
    assert not list(tmp_path.rglob(KEY_FILE))
    assert get()[1]


def test_a_place_that_cannot_be_written_is_one_sentence(get: Any, tmp_path: Path) -> None:
    """Where no directory can be made the error says so."""
    tmp_path.rmdir()
    tmp_path.write_text("a file where the folder should be")
    with pytest.raises(StoreWriteError, match="cannot write"):
        get()


def test_a_model_that_another_process_is_training_is_waited_for(get: Any) -> None:
    """Two extractions at once: the second says whom it waits for, then loads what came of it."""
    begun, go_on, waited = threading.Event(), threading.Event(), threading.Event()

    def slowly(network: Any, *_: object) -> None:
        begun.set()
        assert go_on.wait(60)
        nudge(network)

    def on_wait(_: object) -> None:
        waited.set()
        go_on.set()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(get, train=slowly)
        assert begun.wait(60)
        second = pool.submit(get, train=never, on_wait=on_wait)
        assert [future.result(60)[1] for future in (first, second)] == [True, False]
    assert waited.is_set()
    assert first.result()[0].identity() == second.result()[0].identity()


def test_the_fast_decoder_makes_another_model(get: Any, spec_of: Any) -> None:
    """What the network is trained on changes its weights, so it is in the key and the identity."""
    own, _ = get()
    fast, trained = get(spec_of().model_copy(update={"decoder": "fast"}))
    assert trained
    assert own.identity()["preprocess"]["decoder"] == "pillow"
    assert fast.identity()["preprocess"]["decoder"] == "fast"
    assert (hasattr(own.preprocess, "at_least"), fast.preprocess.at_least) == (False, 48)


def test_a_model_is_loaded_from_its_own_folder_whichever_lie_beside_it(
    get: Any, spec_of: Any
) -> None:
    """Who is told the folder of a model that learned without some images gets no other."""
    partly, _ = get(unusable=lambda _: ["x.png"])
    wholly, _ = get(retry=True, train=lambda network, *_: (nudge(network), nudge(network)))
    assert partly.identity() != wholly.identity()
    for made in (partly, wholly):
        kept = kept_classifier(made.directory, weak=spec_of(), classes=2, device="cpu")
        assert kept.identity() == made.identity()
        assert not kept.network.training
