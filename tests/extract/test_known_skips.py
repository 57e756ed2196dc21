"""Laws of skips that are known: computed again they stay, and none is added without being asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from w2s_cache.errors import ImageError
from w2s_cache.store.check import check_store


@pytest.fixture(autouse=True)
def empty_image(bench: Any, listed: Any) -> None:
    """The image of row 5 has no content."""
    (bench.request.root / listed(bench.request.root)[5]).write_bytes(b"")


def test_lost_reasons_are_computed_again(bench: Any) -> None:
    """A hit vouches for the failures too: without them their shards are made anew."""
    bench.run(on_error="skip")
    (bench.stores()["image"].directory / "failures.parquet").unlink()
    done = bench.run(on_error="skip")
    assert done.computed["features"] == 3  # of the four of its shard
    assert any("failures.parquet is damaged" in said for said in bench.progress.said)
    assert [failure.row for failure in done.skipped] == [5]


def flipped(bench: Any) -> None:
    """A bit of the shard that holds row 5."""
    shard = bench.stores()["image"].directory / "part-00001.h5"
    content = shard.read_bytes()
    shard.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def absent(bench: Any) -> None:
    """The shard that holds row 5 is gone."""
    (bench.stores()["image"].directory / "part-00001.h5").unlink()


def no_manifest(bench: Any) -> None:
    """Nothing says any more which shards there are."""
    (bench.stores()["image"].directory / "manifest.json").write_text("{")


@pytest.mark.parametrize("damage", [flipped, absent, no_manifest])
def test_what_is_computed_again_keeps_the_skips_that_are_known(
    bench: Any, damage: Callable[[Any], None]
) -> None:
    """Without asking to skip anew, the store is byte for byte what it was, reasons and all."""
    first = bench.run(on_error="skip")
    directory = bench.stores()["image"].directory
    before = {p.name: p.read_bytes() for p in directory.glob("[pf]*")}
    damage(bench)
    bench.encoder.fail = lambda _: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):  # nor does an interrupt forget them
        bench.run()
    bench.encoder.fail = None
    assert bench.run().skipped == first.skipped
    assert {p.name: p.read_bytes() for p in directory.glob("[pf]*")} == before
    assert check_store(directory) == []


def test_an_image_that_fails_for_another_reason_than_before_stops_the_extraction(
    bench: Any, listed: Any
) -> None:
    """Only what was agreed to is left out: this image, with this problem, and no other."""
    bench.run(on_error="skip")
    flipped(bench)
    transform = bench.encoder.preprocess

    def broken(image: Image.Image) -> torch.Tensor:
        if np.asarray(image).tobytes() == other:
            raise ZeroDivisionError
        result: torch.Tensor = transform(image)
        return result

    other = np.asarray(Image.open(bench.request.root / listed(bench.request.root)[6])).tobytes()
    bench.encoder.preprocess = broken
    with pytest.raises(ImageError, match=r"1 image\(s\) cannot be decoded"):
        bench.run()
