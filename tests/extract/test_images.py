"""Laws of filling a store with images: interrupts, broken images, full disks, strange numbers."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from w2s_cache.errors import EncoderError, ImageError, StoreWriteError
from w2s_cache.store import publish


def shards(home: Path) -> dict[str, bytes]:
    """Bytes of every shard below a home, and the manifests without their time of birth."""
    found = {p.relative_to(home).as_posix(): p.read_bytes() for p in home.rglob("part-*")}
    for path in home.rglob("manifest.json"):
        fields = {**json.loads(path.read_text()), "created": ""}
        found[path.relative_to(home).as_posix()] = json.dumps(fields).encode()
    return found


def interrupt_at(batch: int, error: BaseException) -> Callable[[int], None]:
    """A hook that raises before the batch of this number."""

    def hook(number: int) -> None:
        if number == batch:
            raise error

    return hook


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("out of memory")])
@pytest.mark.parametrize(("batch", "kept"), [(0, 0), (1, 0), (2, 4), (5, 8)])
def test_an_interrupted_extraction_resumes_to_the_same_bytes(
    bench: Any, tmp_path: Path, error: BaseException, batch: int, kept: int
) -> None:
    """Only missing shards are computed, and the stores equal those of an uninterrupted run."""
    bench.encoder.fail = interrupt_at(batch, error)  # batches of 3 and 1 rows in shards of 4
    with pytest.raises(type(error)):
        bench.run()
    bench.encoder.fail = None
    assert bench.run().computed["features"] == 12 - kept
    assert sum(bench.encoder.batches) == 12 - kept
    assert ("d: fake", 12, kept) in bench.progress.begun
    bench.run(home=tmp_path / "at once")
    assert shards(bench.request.home) == shards(tmp_path / "at once")


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_broken_images_are_all_listed_and_finished_shards_are_kept(
    bench: Any, listed: Any, content: bytes | None
) -> None:
    """Every broken image of the shard is named; after the repair only the rest is computed."""
    root = bench.request.root
    broken = [root / path for path in listed(root)[5:7]]
    whole = [path.read_bytes() for path in broken]
    for path in broken:  # None stands for a file cut short
        path.write_bytes(path.read_bytes()[:60] if content is None else content)
    with pytest.raises(ImageError, match="2 image") as caught:
        bench.run()
    assert all(str(path) in caught.value.found for path in broken)
    assert "finished shards are kept" in caught.value.fix
    assert len(list(bench.request.home.glob("v1/tiny/d/image/*/part-*"))) == 1
    for path, bytes_ in zip(broken, whole, strict=True):
        path.write_bytes(bytes_)
    assert bench.run().computed["features"] == 12


def test_a_long_list_of_broken_images_is_cut(bench: Any, listed: Any) -> None:
    """Ten are shown and the others counted."""
    for path in listed(bench.request.root):
        (bench.request.root / path).write_bytes(b"")
    spec = bench.request.spec
    store = spec.store.model_copy(update={"shard_rows": 100})
    with pytest.raises(ImageError, match="12 image") as caught:
        bench.run(spec=spec.model_copy(update={"store": store}))
    assert caught.value.found.endswith("; and 2 more")
    assert caught.value.found.count(".png") == 10


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_features_that_are_not_finite_are_refused_with_the_image(
    bench: Any, listed: Any, value: float
) -> None:
    """NaN never enters a store; the first image it came from is named."""
    real = bench.encoder.encode_images

    def poisoned(pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        found: dict[str, torch.Tensor] = real(pixels)
        if len(bench.encoder.batches) == 3:  # rows 4, 5 and 6
            found["preprojection"][1, 0] = value
        return found

    bench.encoder.encode_images = poisoned
    with pytest.raises(EncoderError, match="preprojection of 1 image") as caught:
        bench.run()
    assert caught.value.what.endswith(listed(bench.request.root)[5])
    assert len(list(bench.request.home.glob("v1/tiny/d/image/*/part-*"))) == 1


def test_a_full_disk_is_one_sentence_and_the_same_command_continues(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No space left keeps what is published; with space again the rest follows, byte by byte."""
    real, calls = publish._write_through, []

    def full(path: Path, content: bytes) -> None:
        if path.match("image/*/part-*"):
            calls.append(path)
            if len(calls) == 2:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(publish, "_write_through", full)
        with pytest.raises(StoreWriteError, match="Free space on that disk"):
            bench.run()
    assert len(list(bench.request.home.glob("v1/tiny/d/image/*/part-*"))) == 1
    assert not list(bench.request.home.rglob("*.tmp-*"))
    assert bench.run().computed["features"] == 8
    bench.run(home=tmp_path / "at once")
    assert shards(bench.request.home) == shards(tmp_path / "at once")


def test_a_shard_lost_on_disk_is_computed_again(bench: Any) -> None:
    """A missing shard makes the set incomplete, and only that shard is computed."""
    bench.run()
    before = shards(bench.request.home)
    sorted(bench.request.home.glob("v1/tiny/d/image/*/part-*"))[1].unlink()
    assert bench.run().computed == {"features": 4, "text": 0, "logits": 0}
    assert shards(bench.request.home) == before


def test_progress_counts_the_rows_computed(bench: Any) -> None:
    """What is advanced while encoding sums up to what was missing."""
    bench.run()
    assert sum(bench.progress.advanced) == 12 + 12  # the index, then the features
    bench.run()
    assert sum(bench.progress.advanced) == 12
