"""Laws of `--on-error skip`: what cannot be used is left out, said, counted, and tried again."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from w2s_cache.data.images import MAX_PIXELS
from w2s_cache.errors import DataError, EncoderError, ImageError
from w2s_cache.extract import domain
from w2s_cache.store.check import check_store
from w2s_cache.store.failures import RowFailure


def bomb() -> bytes:
    """A PNG of a few hundred kilobytes that claims more pixels than are allowed."""
    side = int(MAX_PIXELS**0.5) + 1
    buffer = io.BytesIO()
    Image.new("1", (side, side)).save(buffer, "PNG")
    return buffer.getvalue()


def skip(bench: Any, **changes: Any) -> dict[int, RowFailure]:
    """Extracts with skipping; the failures of the image store by row, which must be lawful."""
    done = bench.run(on_error="skip", **changes)
    store = bench.stores(**changes)["image"]
    assert check_store(store.directory) == []
    assert done.skipped == store.failures()
    return {failure.row: failure for failure in done.skipped}


def image_of(bench: Any, listed: Any, row: int) -> Path:
    """The file of a row."""
    path: Path = bench.request.root / listed(bench.request.root)[row]
    return path


@pytest.mark.parametrize(
    ("content", "stage", "message"),
    [
        (lambda _: b"", "decode", "an empty file"),
        (lambda _: b"<html>no image</html>", "decode", "no image of a known format"),
        (lambda whole: whole[: len(whole) // 2], "decode", ""),
        (lambda _: bomb(), "decode", "pixels"),
    ],
    ids=["empty", "text", "truncated", "bomb"],
)
def test_a_broken_image_leaves_an_invalid_row_that_says_why(
    bench: Any, listed: Any, content: Callable[[bytes], bytes], stage: str, message: str
) -> None:
    """Its row is NaN, listed with path, stage and reason; every other row is what it was."""
    bench.run(home=bench.request.home / "whole")
    whole = bench.stores(home=bench.request.home / "whole")["image"].read("features")
    path = image_of(bench, listed, 5)
    path.write_bytes(content(path.read_bytes()))
    [failure] = skip(bench).values()
    assert (failure.row, failure.path, failure.stage) == (
        5,
        path.relative_to(bench.request.root).as_posix(),
        stage,
    )
    assert message in failure.message
    features = bench.stores()["image"].read("features")
    others = np.arange(12) != 5
    assert np.isnan(features[5]).all()
    assert np.array_equal(features[others], whole[others])


def test_a_file_that_vanished_or_changed_after_it_was_indexed_is_skipped_by_name(
    bench: Any, listed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is decoded are the bytes of the index: another image in its place is not used."""
    real, root = domain.build_index, bench.request.root
    gone, changed, longer = (image_of(bench, listed, row) for row in (1, 6, 9))
    other = image_of(bench, listed, 0).read_bytes()

    def then_change(*args: Any, **kwargs: Any) -> Any:
        index = real(*args, **kwargs)
        gone.unlink()
        size = changed.stat().st_size
        changed.write_bytes(other.ljust(size, b"\0")[:size])
        longer.write_bytes(longer.read_bytes() + b"\0")
        return index

    monkeypatch.setattr(domain, "build_index", then_change)
    found = skip(bench)
    assert sorted(found) == [1, 6, 9]
    assert {failure.stage for failure in found.values()} == {"read"}
    assert found[1].error == "FileNotFoundError"
    assert found[6].message == found[9].message == "a file that changed since it was indexed"
    assert found[6].path == changed.relative_to(root).as_posix()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_with_an_image_s_name_is_skipped_and_not_waited_for(
    bench: Any, listed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it stood there when the index was made or came after."""
    real, before, after = domain.build_index, *(image_of(bench, listed, row) for row in (1, 6))
    before.unlink()
    os.mkfifo(before)

    def then_change(*args: Any, **kwargs: Any) -> Any:
        index = real(*args, **kwargs)
        after.unlink()
        os.mkfifo(after)
        return index

    monkeypatch.setattr(domain, "build_index", then_change)
    found = skip(bench)
    assert {row: failure.stage for row, failure in found.items()} == {1: "index", 6: "read"}
    assert {failure.message for failure in found.values()} == {"not a regular file"}


def test_without_skipping_a_changed_file_stops_the_extraction(
    bench: Any, listed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Features of other bytes than the key vouches for never enter a store."""
    real = domain.build_index

    def then_change(*args: Any, **kwargs: Any) -> Any:
        index = real(*args, **kwargs)
        image_of(bench, listed, 2).write_bytes(image_of(bench, listed, 3).read_bytes())
        return index

    monkeypatch.setattr(domain, "build_index", then_change)
    with pytest.raises(ImageError, match="changed since it was indexed"):
        bench.run()


def test_an_image_that_cannot_be_indexed_keeps_its_row(bench: Any, listed: Any) -> None:
    """A link to nothing has a row without content; when it is whole again, so is everything."""
    path = image_of(bench, listed, 4)
    whole = path.read_bytes()
    path.unlink()
    path.symlink_to("nothing.png")
    with pytest.raises(DataError, match="absent"):
        bench.run()
    [failure] = skip(bench).values()
    assert (failure.row, failure.stage, failure.error) == (4, "index", "FileNotFoundError")
    path.unlink()
    path.write_bytes(whole)
    done = bench.run()
    assert done.skipped == ()
    assert done.computed["features"] == 12  # another content is another store


def test_preprocessing_and_encoding_may_fail_for_single_images(bench: Any, listed: Any) -> None:
    """An exception of the transform and NaN of the encoder are put down to their images."""
    poison = np.asarray(Image.open(image_of(bench, listed, 7)).convert("RGB"))
    refused = np.asarray(Image.open(image_of(bench, listed, 2)).convert("RGB"))
    transform, encode = bench.encoder.preprocess, bench.encoder.encode_images
    mark = float(torch.mean(transform(Image.fromarray(poison))))

    def choosy(image: Image.Image) -> torch.Tensor:
        if np.array_equal(np.asarray(image), refused):
            raise ZeroDivisionError("no such \x1b[31mcolour")
        result: torch.Tensor = transform(image)
        return result

    def nan(pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        found: dict[str, torch.Tensor] = encode(pixels)
        found["features"][(pixels.mean((1, 2, 3)) - mark).abs() < 1e-7] = torch.nan
        return found

    bench.encoder.preprocess, bench.encoder.encode_images = choosy, nan
    found = skip(bench)
    assert {row: (f.stage, f.error) for row, f in found.items()} == {
        2: ("preprocess", "ZeroDivisionError"),
        7: ("encode", "EncoderError"),
    }


def test_a_whole_shard_may_be_bad_but_not_the_whole_domain(bench: Any, listed: Any) -> None:
    """Four bad rows fill a shard; with all twelve there is nothing to extract, now or later."""
    for row in range(4, 8):
        image_of(bench, listed, row).write_bytes(b"")
    assert sorted(skip(bench)) == [4, 5, 6, 7]
    said = "d: class 1 'green' has no usable test image, all are skipped"
    assert said in bench.progress.said
    skip(bench, retry_skipped=True)
    assert bench.progress.said.count(said) == 1
    for row in range(12):
        image_of(bench, listed, row).write_bytes(b"")
    for _ in range(2):
        with pytest.raises(ImageError, match="none of the 12 images can be used"):
            bench.run(on_error="skip")


def test_what_was_skipped_is_said_again_and_computed_only_when_retried(
    bench: Any, listed: Any
) -> None:
    """A later extraction is a hit whatever its policy; a retry that fails changes nothing."""
    image_of(bench, listed, 5).write_bytes(b"")
    first = bench.run(on_error="skip")
    before = {p: p.read_bytes() for p in bench.stores()["image"].directory.iterdir()}
    again = bench.run()
    assert again.reused
    assert again.skipped == first.skipped
    assert again.failures == bench.stores()["image"].directory / "failures.parquet"
    with pytest.raises(ImageError, match="1 image"):
        bench.run(retry_skipped=True)
    assert bench.run(on_error="skip", retry_skipped=True).skipped == first.skipped
    after = {p: p.read_bytes() for p in bench.stores()["image"].directory.iterdir()}
    assert after == before


def test_an_image_without_numbers_is_called_so_when_it_is_retried(bench: Any) -> None:
    """NaN is the encoder's, on a second try as on the first: the image itself was decoded."""
    encode = bench.encoder.encode_images

    bench.encoder.encode_images = lambda pixels: {
        name: torch.cat([values[:1] * torch.nan, values[1:]]) if len(values) == 3 else values
        for name, values in encode(pixels).items()
    }
    assert {failure.stage for failure in skip(bench).values()} == {"encode"}
    bench.encoder.encode_images = lambda pixels: {
        name: values * torch.nan for name, values in encode(pixels).items()
    }
    with pytest.raises(EncoderError, match=r"3 image\(s\) are not finite"):
        bench.run(retry_skipped=True)


def test_a_retry_computes_only_the_shards_of_images_that_can_be_used_now(
    bench: Any, listed: Any
) -> None:
    """After a passing trouble the store is, byte for byte, the one that would have been."""
    bench.run(home=bench.request.home / "whole")
    transform = bench.encoder.preprocess

    def troubled(_: Image.Image) -> torch.Tensor:
        raise OSError("device busy")

    wanted = {np.asarray(Image.open(image_of(bench, listed, row))).tobytes() for row in (1, 9)}
    bench.encoder.preprocess = lambda image: (
        troubled(image) if np.asarray(image).tobytes() in wanted else transform(image)
    )
    assert sorted(skip(bench)) == [1, 9]
    bench.encoder.preprocess = transform
    done = bench.run(retry_skipped=True)
    assert done.computed["features"] == 8
    assert done.skipped == ()
    made, whole = (
        bench.stores(home=h)["image"] for h in (bench.request.home, bench.request.home / "whole")
    )
    assert check_store(made.directory) == []
    for shard in whole.manifest.shards:
        assert (made.directory / shard.file).read_bytes() == (
            whole.directory / shard.file
        ).read_bytes()


def small_weak(bench: Any) -> dict[str, Any]:
    """Changes of a request that fine-tune the spec's own weak model for an epoch."""
    weak = bench.request.spec.weak["small"]
    recipe = weak.finetune.model_copy(update={"epochs": 1, "batch_size": 4})
    section = weak.model_copy(update={"finetune": recipe})
    return {"weak_name": "small", "weak": section, "weak_logits": None}


def test_the_weak_model_learns_without_the_images_that_are_skipped(bench: Any) -> None:
    """Its key names them, so the model of all images is another; a hit trains nothing again."""
    weak, root = small_weak(bench), bench.request.root
    bench.run(**weak)
    index = domain.read_index(next(bench.request.home.glob("v1/tiny/d/index.parquet")))
    row = int(np.flatnonzero(index.is_train)[0])
    path = root / index.paths[row]
    whole = path.read_bytes()
    path.write_bytes(b"")
    with pytest.raises(ImageError, match="1 training image"):
        bench.run(**weak)
    done = bench.run(on_error="skip", **weak)
    assert [failure.row for failure in done.skipped] == [row]
    keys = [json.loads(p.read_text())["key"] for p in bench.request.home.rglob("weak.json")]
    assert sorted(key.get("skipped", []) for key in keys) == [[], [index.paths[row]]]
    models = {p: p.read_bytes() for p in bench.request.home.rglob("weights.safetensors")}
    bench.encoder.weights = "w1"
    bench.run(on_error="skip", recheck=True, **weak)
    assert {p: p.read_bytes() for p in bench.request.home.rglob("weights.safetensors")} == models
    path.write_bytes(whole)
    assert bench.run(**weak).skipped == ()


def test_a_crash_between_shards_leaves_no_row_without_a_reason(bench: Any, listed: Any) -> None:
    """An interrupted skipping extraction goes on where it stopped and ends as one in one go."""
    for row in (1, 6):
        image_of(bench, listed, row).write_bytes(b"no image")
    once = skip(bench, home=bench.request.home / "once")

    def stop(number: int) -> None:
        if number == 3:
            raise KeyboardInterrupt

    bench.encoder.fail = stop
    with pytest.raises(KeyboardInterrupt):
        bench.run(on_error="skip")
    bench.encoder.fail = None
    assert skip(bench) == once
