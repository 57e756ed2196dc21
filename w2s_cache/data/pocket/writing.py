"""The drawings as files, laid out as DomainNet lays out its own."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path

from w2s_cache.data.pocket.drawing import CLASSES, DOMAINS, POCKET_VERSION, draw
from w2s_cache.data.pocket.seeds import TEST_SEEDS, TRAIN_SEEDS
from w2s_cache.errors import DataError, StoreWriteError

MARKER = "pocket.json"
JPEG_QUALITY = 92


def write_pocket(
    root: Path,
    *,
    train_per_class: int = 30,
    test_per_class: int = 40,
    workers: int = 2,
    progress: Callable[[int], None] | None = None,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Write all pictures and list files under ``root``, all or nothing.

    The layout is DomainNet's: ``<domain>/<class>/<domain>_<class number>_<n>.jpg`` (quickdraw
    ``.png``), ``<domain>_train.txt`` and ``<domain>_test.txt`` with lines ``path label``, labels
    0..39 in alphabetical order. Everything is written beside ``root`` and renamed at the end; a
    root that already holds this version with these counts is left as it is.

    Args:
        root: Directory to create; it may exist only empty or as an earlier result.
        train_per_class: Pictures per class and domain in the train lists.
        test_per_class: Pictures per class and domain in the test lists.
        workers: Worker processes; 0 draws in this process.
        progress: Called with the number of pictures just written, a class and domain at a time.
        announce: Called with a sentence before drawing, which may take minutes.

    Raises:
        DataError: ``root`` holds something else.
        StoreWriteError: ``root`` lies where nothing can be written.
    """
    marker = {
        "version": POCKET_VERSION,
        "train_per_class": train_per_class,
        "test_per_class": test_per_class,
    }
    if _holds(root, marker):
        return
    if announce is not None:
        count = (train_per_class + test_per_class) * len(CLASSES) * len(DOMAINS)
        announce(f"drawing {count:,} images once, into {root}")
    with _write_errors(root), _folder_beside(root) as beside:
        _write_pictures(beside, (train_per_class, test_per_class), workers, progress)
        _write_lists(beside, train_per_class, test_per_class)
        (beside / MARKER).write_text(json.dumps(marker) + "\n", encoding="utf-8")
        beside.chmod(0o755)
        beside.replace(root)


@contextlib.contextmanager
def _folder_beside(root: Path) -> Iterator[Path]:
    """A folder in the making, gone afterwards unless it was renamed; those of the dead go first."""
    root.parent.mkdir(parents=True, exist_ok=True)
    owner = f".{root.name}.{re.sub('[^A-Za-z0-9]', '-', socket.gethostname())}."
    for path in root.parent.glob(f"{owner}*"):
        process = path.name.removeprefix(owner).partition(".")[0]
        if process.isdigit() and not _is_alive(int(process)):
            shutil.rmtree(path, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{owner}{os.getpid()}.", dir=root.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process: int) -> bool:
    """Whether a process of this machine runs; where that cannot be asked, it counts as running."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


@contextlib.contextmanager
def _write_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreWriteError(
            f"the pocket data set cannot be drawn into {root.parent}",
            expected="a folder that can be written to, with enough space",
            found=error.strerror or str(error),
            fix="Free space there, choose another --cache-dir or set W2S_CACHE_HOME.",
        ) from error


def _holds(root: Path, marker: dict[str, int]) -> bool:
    """Whether ``root`` is finished already; anything but that or nothing is an error."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    found = root / MARKER
    if found.is_file() and found.read_text(encoding="utf-8") == json.dumps(marker) + "\n":
        return True
    raise DataError(
        f"{root} cannot become the pocket data set",
        expected=f"an empty place or pocket version {marker['version']} with the same counts",
        found=found.read_text(encoding="utf-8").strip() if found.is_file() else "other files",
        fix="Remove the directory or choose another root.",
    )


def _write_pictures(
    root: Path, counts: tuple[int, int], workers: int, progress: Callable[[int], None] | None
) -> None:
    jobs = list(product(DOMAINS, range(len(CLASSES))))
    for domain, label in jobs:
        (root / domain / CLASSES[label]).mkdir(parents=True, exist_ok=True)
    for written in _each(partial(_write_class, root, counts), jobs, workers):
        if progress is not None:
            progress(written)


def _each(
    write: Callable[[tuple[str, int]], int], jobs: Sequence[tuple[str, int]], workers: int
) -> Iterator[int]:
    if workers == 0:
        yield from map(write, jobs)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(write, jobs, chunksize=4)


def _write_class(root: Path, counts: tuple[int, int], job: tuple[str, int]) -> int:
    """Draw and save every picture of one class in one domain; returns how many."""
    domain, label = job
    seeds = [*TRAIN_SEEDS[: counts[0]], *TEST_SEEDS[: counts[1]]]
    for number, seed in enumerate(seeds, start=1):
        picture = draw(CLASSES[label], domain, seed)
        path = root / _relative(domain, label, number)
        if path.suffix == ".png":
            picture.save(path)
        else:
            picture.save(path, quality=JPEG_QUALITY, subsampling=0)
    return len(seeds)


def _write_lists(root: Path, train: int, test: int) -> None:
    numbers = {"train": range(1, train + 1), "test": range(train + 1, train + test + 1)}
    for domain, (part, chosen) in product(DOMAINS, numbers.items()):
        rows = [
            f"{_relative(domain, label, number)} {label}\n"
            for label, number in product(range(len(CLASSES)), chosen)
        ]
        (root / f"{domain}_{part}.txt").write_text("".join(rows), encoding="utf-8")


def _relative(domain: str, label: int, number: int) -> str:
    suffix = "png" if domain == "quickdraw" else "jpg"
    return f"{domain}/{CLASSES[label]}/{domain}_{label + 1:03d}_{number:06d}.{suffix}"
