"""Laws of several processes that encode for one store; each is spawned, so there are few tests."""

from __future__ import annotations

import functools
import hashlib
import multiprocessing
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from w2s_cache.data.images import Content, IndexedFile
from w2s_cache.errors import EncoderError, ImageError
from w2s_cache.extract.bad_images import OnError
from w2s_cache.extract.crew import Crew
from w2s_cache.extract.encode import encode_rows
from w2s_cache.extract.images import ImageJob, fill_store
from w2s_cache.store.check import check_store
from w2s_cache.store.reader import open_store, read_manifest

ENCODER = '''
import os, signal, time
import numpy as np, torch

class Encoder:
    """Mean and maximum of each channel; does what a file called by the first argument asks for."""
    widths = {"features": 6}
    def __init__(self, weights): self.weights = weights
    def identity(self): return {"weights": self.weights}
    def preprocess(self, image):
        return torch.from_numpy(np.asarray(image, dtype=np.float32).transpose(2, 0, 1) / 255)
    def encode_images(self, pixels):
        return {"features": torch.cat([pixels.mean((2, 3)), pixels.amax((2, 3))], dim=1)}

class Failing(Encoder):
    """Fails at its batch of number ``at`` in the way that is asked for."""
    def __init__(self, weights, at, how): super().__init__(weights); self.left, self.how = at, how
    def encode_images(self, pixels):
        if self.how == "nan":
            made = super().encode_images(pixels)
            made["features"][made["features"][:, 0] > 0.5] = float("nan")
            return made
        self.left -= 1
        if self.left < 0 and self.how == "kill": os.kill(os.getpid(), signal.SIGKILL)
        if self.left < 0 and self.how == "sleep": time.sleep(600)
        if self.left < 0: raise RuntimeError("out of memory\\nand more")
        return super().encode_images(pixels)

class Threads(Encoder):
    """The number of torch's threads."""
    def encode_images(self, pixels):
        return {"features": torch.full((len(pixels), 6), float(torch.get_num_threads()))}

def load_threads(*, device): return Threads("w0")

def load(weights="w0", at=None, how=None, *, device):
    return Encoder(weights) if at is None else Failing(weights, at, how)
'''


def indexed(path: Path) -> IndexedFile:
    """A file as an index made now knows it."""
    held = path.read_bytes()
    return IndexedFile(
        path=path, content=Content(size=len(held), sha256=hashlib.sha256(held).hexdigest())
    )


@pytest.fixture
def encoders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of encoders that spawned processes can import."""
    (tmp_path / "made_up_encoders.py").write_text(ENCODER)
    monkeypatch.syspath_prepend(tmp_path)
    import made_up_encoders

    return made_up_encoders


@pytest.fixture
def fill(
    encoders: Any, colours: Any, listed: Any, tmp_path: Path, progress: Any
) -> Callable[..., int]:
    """Fills ``tmp_path / name`` from twelve images, four rows a shard, batches of three."""
    root = colours(tmp_path / "images", "d", per_class=4)

    def filled(
        name: str,
        load: Any = None,
        *,
        devices: tuple[str, ...] = ("cpu", "cpu"),
        on_error: OnError = "stop",
        unlike: Mapping[int, Mapping[str, Any]] | None = None,
        encode: Any = None,
        encoder: Any = None,
    ) -> int:
        files = [indexed(root / path) for path in listed(root)]
        for row, said in (unlike or {}).items():
            files[row] = replace(files[row], **said)
        job = ImageJob(
            directory=tmp_path / name,
            kind="image",
            key={"made": "up"},
            names=listed(root),
            files=files,
            encode=encode,
            encoder=encoder or encoders.load(device="cpu"),
            dtypes={"features": "float32"},
            attributes={},
            label="d: made up",
            on_error=on_error,
        )
        crew = load and Crew(devices=devices, load=load, identity={"weights": "w0"})
        means = {"shard_rows": 4, "batch_size": 3, "workers": 1, "progress": progress}
        return fill_store(job, **means, crew=crew)

    return filled


def shards(directory: Path) -> dict[str, bytes]:
    """The bytes of every shard by name."""
    return {path.name: path.read_bytes() for path in directory.glob("part-*")}


def test_two_processes_make_the_bytes_that_one_makes(
    fill: Any, encoders: Any, tmp_path: Path, progress: Any
) -> None:
    """Every shard is equal, every row counted once under one bar; with all done none is started.

    This encoder's numbers do not depend on the number of threads.
    """
    assert fill("one") == 12
    assert fill("two", encoders.load) == 12
    assert shards(tmp_path / "two") == shards(tmp_path / "one")
    assert check_store(tmp_path / "two") == []
    assert progress.begun == [("d: made up", 12, 0)] * 2
    assert sum(progress.advanced) == 24
    assert fill("two", functools.partial(encoders.load, at=0, how="kill")) == 0


def test_processes_share_the_threads_of_torch(fill: Any, encoders: Any, tmp_path: Path) -> None:
    """Each has what one process must have for equal bytes, where kernels depend on their number."""
    share = 1 + (os.cpu_count() or 1)  # no process has it by itself
    torch.set_num_threads(2 * share)
    fill("s", encoders.load_threads)
    assert (open_store(tmp_path / "s").read("features") == share).all()


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (
            "kill",
            r"process \d+ on cpu ended while encoding rows 4 to 6 of part-00001.h5: .* found "
            r"signal 9 \(SIGKILL\)",
        ),
        (
            "raise",
            "encoding rows 4 to 6 of part-00001.h5 on cpu failed: .* found RuntimeError: "
            r"out of memory\. If memory",
        ),
    ],
)
def test_a_process_that_fails_is_named_with_its_shard_and_finished_shards_are_kept(
    fill: Any, encoders: Any, tmp_path: Path, how: str, told: str
) -> None:
    """Whether it dies or raises, the store holds whole shards, and the same command goes on."""
    with pytest.raises(EncoderError, match=told):
        fill("s", functools.partial(encoders.load, at=2, how=how), devices=("cpu",))
    assert [shard.file for shard in read_manifest(tmp_path / "s").shards] == ["part-00000.h5"]
    assert multiprocessing.active_children() == []
    assert fill("s") == 8
    assert fill("one") == 12
    assert shards(tmp_path / "s") == shards(tmp_path / "one")


def test_an_interrupt_ends_all_processes(
    fill: Any, encoders: Any, tmp_path: Path, progress: Any
) -> None:
    """Ctrl-C while processes are busy leaves none behind and nothing half-written."""

    def interrupt(_count: int) -> None:
        raise KeyboardInterrupt

    progress.advance = interrupt
    with pytest.raises(KeyboardInterrupt):
        fill("s", functools.partial(encoders.load, at=1, how="sleep"))
    assert multiprocessing.active_children() == []
    assert shards(tmp_path / "s") == {}


def test_a_process_that_loads_another_encoder_is_refused(fill: Any, encoders: Any) -> None:
    """Weights that changed meanwhile never mix with those that the key names."""
    with pytest.raises(EncoderError, match=r"loaded another encoder: .* weights") as caught:
        fill("s", functools.partial(encoders.load, "w1"), devices=("cpu",))
    assert caught.value.expected.endswith('weights = "w0"')
    assert caught.value.found == 'weights = "w1"'


def test_broken_images_are_named_as_by_one_process(
    fill: Any, encoders: Any, listed: Any, tmp_path: Path
) -> None:
    """What processes cannot decode reaches the one that writes, which names it."""
    for path in listed(tmp_path / "images")[4:7:2]:
        (tmp_path / "images" / path).write_bytes(b"")
    with pytest.raises(ImageError, match="2 image") as alone:
        fill("one")
    with pytest.raises(ImageError, match="2 image") as crew:
        fill("two", encoders.load, devices=("cpu",))
    assert str(crew.value) == str(alone.value)


def test_images_are_skipped_as_by_one_process(
    fill: Any, encoders: Any, listed: Any, tmp_path: Path
) -> None:
    """Shards and failures.parquet are equal to the byte, also of a wholly bad batch."""
    (tmp_path / "images" / listed(tmp_path / "images")[6]).write_bytes(b"")
    (tmp_path / "images" / listed(tmp_path / "images")[11]).write_bytes(b"no image")
    unlike = {
        4: {"problem": ("FileNotFoundError", "it is gone")},
        5: {"content": Content(size=1, sha256="0" * 64)},
    }
    fill("one", on_error="skip", unlike=unlike)
    fill("two", encoders.load, on_error="skip", unlike=unlike)
    one, two = tmp_path / "one", tmp_path / "two"
    told = [(failure.row, failure.stage) for failure in open_store(one).failures()]
    assert told == [(4, "index"), (5, "read"), (6, "decode"), (11, "decode")]
    assert shards(two) == shards(one)
    assert (two / "failures.parquet").read_bytes() == (one / "failures.parquet").read_bytes()
    assert check_store(two) == []


def test_images_without_finite_numbers_are_skipped_as_by_one_process(
    fill: Any, encoders: Any, tmp_path: Path
) -> None:
    """What an encoder makes no numbers of is known of a process's batches as of one's own."""
    load = functools.partial(encoders.load, "w0", 0, "nan")
    for name, crew in (("one", None), ("two", load)):
        fill(name, crew, on_error="skip", encoder=load(device="cpu"))
    one, two = tmp_path / "one", tmp_path / "two"
    told = {failure.stage for failure in open_store(one).failures()}
    assert told == {"encode"}
    assert shards(two) == shards(one)
    assert (two / "failures.parquet").read_bytes() == (one / "failures.parquet").read_bytes()


def test_the_list_of_broken_images_is_in_row_order(
    fill: Any, encoders: Any, listed: Any, tmp_path: Path
) -> None:
    """Processes answer in any order; what is said of their images does not depend on it."""
    for path in listed(tmp_path / "images")[:4:3]:
        (tmp_path / "images" / path).write_bytes(b"")
    files = [indexed(tmp_path / "images" / path) for path in listed(tmp_path / "images")]
    means = {"batch_size": 3, "workers": 1, "ahead": 0}

    def backwards(rows: range) -> Any:
        batches = encode_rows(encoders.load(device="cpu"), files[rows.start : rows.stop], **means)
        yield from reversed(list(batches))

    with pytest.raises(ImageError) as alone:
        fill("one")
    with pytest.raises(ImageError) as other:
        fill("two", encode=backwards)
    assert str(other.value) == str(alone.value)
