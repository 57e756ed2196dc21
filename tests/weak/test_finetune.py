"""Laws of fine-tuning a weak model."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from w2s_cache.data.decode import decode_ahead
from w2s_cache.errors import DataError, ImageError, TrainError
from w2s_cache.spec import FinetuneSpec, WeakSpec
from w2s_cache.weak import finetune as module
from w2s_cache.weak.finetune import finetune


@pytest.fixture
def trained(train_images: Any, start: Any) -> Any:
    """A function from a weak spec to the state dict after fine-tuning."""

    def train(weak: WeakSpec, **how: Any) -> dict[str, torch.Tensor]:
        network, transform = start(weak)
        images = train_images(transform, how.pop("count", None))
        advance = how.pop("advance", lambda _: None)
        finetune(network, images, weak.finetune, device="cpu", advance=advance)
        return {name: value.clone() for name, value in network.state_dict().items()}

    return train


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether two state dicts are equal bit by bit."""
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_separable_toy_is_learnt(train_images: Any, start: Any, spec_of: Any) -> None:
    """Three colours are told apart after a few epochs, and were not before."""
    weak = spec_of(epochs=8)
    network, transform = start(weak)
    images = train_images(transform)
    pixels = torch.cat(list(module._decoded(images, range(30), 30)))
    with torch.inference_mode():
        before = (network.eval()(pixels).argmax(1).numpy() == images.labels).mean()
    finetune(network, images, weak.finetune, device="cpu", advance=lambda _: None)
    assert not network.training
    assert not any(weight.requires_grad for weight in network.parameters())
    with torch.inference_mode():
        after = (network(pixels).argmax(1).numpy() == images.labels).mean()
    assert before < 0.7
    assert after > 0.95


@pytest.mark.parametrize("how", [{}, {"flip": True, "shift": 3, "label_smoothing": 0.1}])
def test_the_seed_decides_the_weights(trained: Any, spec_of: Any, how: dict[str, Any]) -> None:
    """The same seed gives the same bits, another seed other ones."""
    first = trained(spec_of(seed=1, **how))
    assert same(first, trained(spec_of(seed=1, **how)))
    assert not same(first, trained(spec_of(seed=2, **how)))


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 3},
        {"batch_size": 10},
        {"lr": 1e-3},
        {"optimizer": "sgd"},
        {"optimizer": "adamw", "weight_decay": 0.5},
        {"warmup_ratio": 0.5},
        {"label_smoothing": 0.2},
        {"flip": True},
        {"shift": 2},
    ],
)
def test_every_field_of_the_recipe_takes_effect(
    trained: Any, spec_of: Any, change: dict[str, Any]
) -> None:
    """No field of the recipe is ignored."""
    assert not same(trained(spec_of()), trained(spec_of(**change)))


def test_the_global_generators_are_left_alone(trained: Any, spec_of: Any) -> None:
    """Fine-tuning neither reads nor moves anyone else's random numbers."""
    torch.manual_seed(5)
    first = trained(spec_of(flip=True))
    state = torch.get_rng_state()
    others = repr((random.getstate(), np.random.get_state(legacy=False)))
    torch.manual_seed(6)
    moved = torch.get_rng_state()
    assert same(first, trained(spec_of(flip=True)))
    assert torch.equal(torch.get_rng_state(), moved)
    assert torch.equal(state, torch.manual_seed(5).get_state())
    assert repr((random.getstate(), np.random.get_state(legacy=False))) == others


def test_decoding_every_epoch_gives_the_same_weights(
    trained: Any, spec_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether D_train fits into memory changes nothing in the result."""
    weak = spec_of(flip=True, shift=2)
    kept = trained(weak)
    monkeypatch.setattr(module, "_IN_MEMORY_BYTES", 0)
    decoded: list[int] = []
    real = decode_ahead

    def counting(paths: list[Path], *means: Any, **named: Any) -> Any:
        decoded.append(len(paths))
        return real(paths, *means, **named)

    monkeypatch.setattr(module, "decode_ahead", counting)
    assert same(kept, trained(weak))
    assert decoded == [1, 30, 30]


def test_progress_counts_every_image_seen(trained: Any, spec_of: Any) -> None:
    """The counts passed to progress are the batches, epoch by epoch."""
    seen: list[int] = []
    trained(spec_of(batch_size=16), advance=seen.append)
    assert seen == [16, 14, 16, 14]


def test_a_last_batch_of_one_image_is_left_out(trained: Any, spec_of: Any) -> None:
    """One image has no batch statistics: it sits out its epoch, and training does not fail."""
    seen: list[int] = []
    state = trained(spec_of(batch_size=8), count=17, advance=seen.append)
    assert seen == [8, 8, 8, 8]
    assert all(value.isfinite().all() for value in state.values())


def test_an_empty_training_half_is_an_error(trained: Any, spec_of: Any) -> None:
    """Without training images there is a sentence, not a stray exception."""
    with pytest.raises(DataError, match="--weak-logits"):
        trained(spec_of(), count=0)


def test_a_broken_training_image_is_named(start: Any, spec_of: Any, tmp_path: Path) -> None:
    """A training image that cannot be decoded stops the training with its name."""
    (tmp_path / "broken.png").write_bytes(b"")
    network, transform = start(spec_of())
    images = module.TrainImages(
        paths=[tmp_path / "broken.png"], labels=np.array([0]), transform=transform, workers=1
    )
    with pytest.raises(ImageError, match=r"broken\.png"):
        finetune(network, images, spec_of().finetune, device="cpu", advance=lambda _: None)


def test_shifts_repeat_the_edge_and_flips_mirror() -> None:
    """Augmented pixels are the image moved by at most ``shift`` pixels, or mirrored, or as is."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.arange(25.0).reshape(1, 1, 5, 5)
    padded = torch.nn.functional.pad(pixels, [2] * 4, mode="replicate")
    windows = [padded[..., y : y + 5, x : x + 5] for y in range(5) for x in range(5)]
    found = set()
    recipe = FinetuneSpec(shift=2)
    for _ in range(200):
        shown = module._augment(pixels, recipe, generator)
        found |= {i for i, window in enumerate(windows) if torch.equal(shown, window)}
        assert any(torch.equal(shown, window) for window in windows)
    assert len(found) == 25
    many = pixels.expand(400, 1, 5, 5)
    mirrored = module._augment(many, FinetuneSpec(flip=True), generator)
    flipped = (mirrored == pixels.flip(-1)).flatten(1).all(1)
    assert torch.equal(mirrored[~flipped], many[~flipped])
    assert 140 < int(flipped.sum()) < 260  # 200 ± 6 standard deviations of a fair coin


@pytest.mark.parametrize("memory", [0, 1 << 30], ids=["every epoch", "once"])
def test_all_broken_training_images_are_listed(
    train_images: Any, start: Any, spec_of: Any, memory: int, tmp_path: Path, monkeypatch: Any
) -> None:
    """Nobody repairs one image to learn of the next, whether images are kept in memory or not."""
    monkeypatch.setattr(module, "_IN_MEMORY_BYTES", memory)
    weak = spec_of()
    network, transform = start(weak)
    images = train_images(transform)
    broken = [tmp_path / f"{place}.png" for place in (0, 13, 29)]
    paths = list(images.paths)
    for path in broken:
        path.write_bytes(b"junk")
        paths[int(path.stem)] = path
    images = replace(images, paths=paths)
    with pytest.raises(ImageError, match=r"3 training image\(s\)") as caught:
        finetune(network, images, weak.finetune, device="cpu", advance=lambda _: None)
    assert all(str(path) in str(caught.value) for path in broken)


def test_a_rate_that_diverges_is_named_as_the_cause(trained: Any, spec_of: Any) -> None:
    """Weights that are not finite end the training there, before any logits."""
    with pytest.raises(TrainError, match=r"diverged.*lr = 1e\+30.*Lower `lr`"):
        trained(spec_of(lr=1e30, optimizer="sgd"))


@pytest.mark.parametrize(("count", "batch_size"), [(1, 8), (4, 1)])
def test_batches_of_one_image_are_refused_where_they_have_no_variance(
    train_images: Any, spec_of: Any, count: int, batch_size: int
) -> None:
    """Batch normalisation of one value per channel is an error of the recipe, in four parts."""
    recipe = spec_of(batch_size=batch_size).finetune
    network = torch.nn.Sequential(
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.BatchNorm1d(3)
    )
    images = train_images(lambda _: torch.ones(3, 4, 4), count)
    with pytest.raises(DataError, match=r"batch of one image.*batch normalisation"):
        finetune(network, images, recipe, device="cpu", advance=lambda _: None)
