"""Decoding ahead in threads."""

import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image

from w2s_cache.data import decode
from w2s_cache.data.decode import decode_ahead
from w2s_cache.data.images import read_image
from w2s_cache.errors import DataError


def to_tensor(image):
    """(3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(np.asarray(image, np.float32).transpose(2, 0, 1) / 255)


def small(image):
    """A fixed output shape, as every preprocessing has."""
    return to_tensor(image.resize((8, 6)))


@pytest.fixture
def photos(tmp_path, picture):
    """Eleven images that all differ."""
    return [picture(tmp_path / f"photo {i} ü.png", seed=i) for i in range(11)]


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("ahead", [1, 2, 9])
def test_batches_come_in_order_and_are_the_images(photos, workers, ahead):
    """Whatever the number of threads, row i is image i; the last batch is the rest."""
    batches = list(decode_ahead(photos, small, batch_size=4, workers=workers, ahead=ahead))
    assert [batch.start for batch in batches] == [0, 4, 8]
    assert [len(batch.pixels) for batch in batches] == [4, 4, 3]
    expected = torch.stack([small(Image.open(path).convert("RGB")) for path in photos])
    assert torch.equal(torch.cat([batch.pixels for batch in batches]), expected)
    assert not any(batch.failures for batch in batches)


def test_no_images_give_no_batches():
    """An empty sequence is no error."""
    assert list(decode_ahead([], small, batch_size=4, workers=1)) == []


def test_failures_are_named_and_their_rows_zero(photos):
    """Broken images keep their rows, filled with zeros, and are listed with position and reason."""
    photos[1].write_bytes(b"")
    photos[6].write_bytes(b"<html>")
    batches = list(decode_ahead(photos, small, batch_size=4, workers=2))
    found = [(f.position, f.path, f.reason) for batch in batches for f in batch.failures]
    assert found == [
        (1, photos[1], "an empty file"),
        (6, photos[6], "no image of a known format"),
    ]
    assert batches[0].failures[0].position == 1
    everything = torch.cat([batch.pixels for batch in batches])
    zero = [i for i in range(11) if not everything[i].any()]
    assert zero == [1, 6]
    assert everything.isfinite().all()


def test_a_wholly_broken_batch_keeps_its_shape(photos):
    """Even a batch without one good image has the common shape and lists them all."""
    for path in photos[4:8]:
        path.write_bytes(b"broken")
    batches = list(decode_ahead(photos, small, batch_size=4, workers=2))
    assert batches[1].pixels.shape == batches[0].pixels.shape == (4, 3, 6, 8)
    assert not batches[1].pixels.any()
    assert [failure.position for failure in batches[1].failures] == [4, 5, 6, 7]


@pytest.mark.parametrize("ahead", [0, 1, 2])
def test_no_more_than_ahead_batches_are_started_beyond_the_one_in_use(photos, ahead):
    """While the caller holds batch i, no image beyond batch i + ahead has been touched."""
    begun = []

    def counting(image):
        begun.append(image)
        return small(image)

    for batch in decode_ahead(photos, counting, batch_size=2, workers=2, ahead=ahead):
        time.sleep(0.02)
        assert len(begun) <= min(batch.start + 2 * (1 + ahead), len(photos))
    assert len(begun) == len(photos)


def threads_alive():
    """Decoding threads that are still there."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


@pytest.mark.parametrize("end", ["close", "interrupt", "error"])
def test_no_thread_outlives_the_iteration(photos, end, monkeypatch):
    """Closing early, an interrupt while waiting, a failing transform: the pool is gone after."""

    def fail(_):
        raise ZeroDivisionError

    def interrupt(*_):
        raise KeyboardInterrupt

    batches = decode_ahead(photos, fail if end == "error" else small, batch_size=1, workers=2)
    if end == "close":
        next(batches)
        assert threads_alive()
        batches.close()
    elif end == "interrupt":
        next(batches)
        monkeypatch.setattr(decode, "_collect", interrupt)
        with pytest.raises(KeyboardInterrupt):
            next(batches)
    else:
        with pytest.raises(ZeroDivisionError):
            next(batches)
    assert threads_alive() == []


def test_an_interrupt_cancels_what_waits(photos):
    """Images that no thread has begun are not decoded after the iteration has ended."""
    begun = []
    gate = threading.Event()

    def slow(image):
        begun.append(image)
        gate.wait(0.05)
        return small(image)

    batches = decode_ahead(photos, slow, batch_size=1, workers=1, ahead=10)
    next(batches)
    batches.close()
    assert len(begun) < len(photos)


def test_workers_run_torch_on_one_thread_and_the_caller_keeps_its_own(photos):
    """Every transform sees one torch thread; the caller, and threads made later, see theirs."""
    seen = []

    def spy(image):
        seen.append(torch.get_num_threads())
        return small(image)

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        list(decode_ahead(photos, spy, batch_size=4, workers=2))
        assert set(seen) == {1}
        assert torch.get_num_threads() == 2
        later = []
        thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert later == [2]
    finally:
        torch.set_num_threads(before)


def test_differing_shapes_are_refused(tmp_path, picture):
    """A transform that leaves sizes as they are cannot fill a batch; the shapes are named."""
    paths = [picture(tmp_path / "a.png"), picture(tmp_path / "b.png", size=(9, 9))]
    with pytest.raises(DataError, match=r"\(3, 9, 9\), \(3, 12, 10\)") as caught:
        list(decode_ahead(paths, to_tensor, batch_size=2, workers=1))
    assert all((caught.value.what, caught.value.expected, caught.value.found, caught.value.fix))


@pytest.mark.parametrize(("name", "number"), [("batch_size", 0), ("workers", 0), ("ahead", -1)])
def test_numbers_that_are_too_small_are_refused(photos, name, number):
    """Nothing can be decoded by no worker, in no batch."""
    numbers = {"batch_size": 1, "workers": 1, "ahead": 1, name: number}
    with pytest.raises(DataError, match="at least 1"):
        next(decode_ahead(photos, small, **numbers))


def test_a_transform_that_fails_on_one_image_names_its_file(photos):
    """Whatever a preprocessing raises is a failure of that file, not of the whole batch."""
    broken = read_image(photos[1]).tobytes()

    def picky(image):
        if image.tobytes() == broken:
            raise ZeroDivisionError("no width")
        return small(image)

    [batch] = decode_ahead(photos[:3], picky, batch_size=3, workers=2)
    [failure] = batch.failures
    assert (failure.position, failure.path) == (1, photos[1])
    assert failure.reason == "preprocessing failed, ZeroDivisionError: no width"


def test_a_transform_that_needs_few_pixels_sees_jpegs_scaled_down(tmp_path):
    """What it says in ``at_least`` reaches the decoder; a transform that says nothing sees all."""

    class Needing:
        def __init__(self):
            self.seen = []

        def __call__(self, image):
            self.seen.append(image.size)
            return small(image)

    Image.new("RGB", (320, 240)).save(tmp_path / "a.jpg")
    plain, modest = Needing(), Needing()
    modest.at_least = 60
    for transform in (plain, modest):
        list(decode_ahead([tmp_path / "a.jpg"], transform, batch_size=1, workers=1))
    assert (plain.seen, modest.seen) == ([(320, 240)], [(80, 60)])
