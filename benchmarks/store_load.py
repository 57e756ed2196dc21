"""How fast a verified load is, against reading as many bytes from a plain file.

Run: ``python benchmarks/store_load.py [--rows 60000] [--width 512] [--repeats 20]``

For each storage dtype one line: the best time of loading the store into a float32 array, every
shard hashed, and the best time of reading a plain file of the same number of stored bytes into a
fresh buffer. Both files are in the page cache and the two are measured in turn, in one process,
often: giving a process 120 MB of fresh memory takes the system 13 ms or, at times, 150.
The target is a ratio (store speed / plain speed) of at least 0.7 for float32.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from in_turn import best_in_turn

from w2s_cache.store.layout import ArraySpec
from w2s_cache.store.reader import open_store
from w2s_cache.store.writer import open_writer

TARGET = 0.7


def main() -> None:
    """Measure both dtypes and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args()
    values = np.random.default_rng(0).standard_normal((options.rows, options.width), np.float32)
    for dtype in ("float32", "float16"):
        with tempfile.TemporaryDirectory() as folder:
            store, plain = prepare(Path(folder), values, dtype)
            load_store(store)  # warm: page cache, and torch's import for float16
            load_plain(plain)
            plain_s, store_s = best_in_turn(
                lambda path=plain: load_plain(path),
                lambda path=store: load_store(path),
                repeats=options.repeats,
            )
        print(line(dtype, plain_bytes(values, dtype), plain_s, store_s))


def prepare(folder: Path, values: np.ndarray, dtype: str) -> tuple[Path, Path]:
    """Write the values (N, D) as a store and as a plain file; return both paths."""
    store, plain = folder / "store", folder / "plain.bin"
    spec = ArraySpec(name="features", row_shape=(values.shape[1],), dtype=dtype)
    with open_writer(store, kind="image", key={}, rows=len(values), arrays=[spec]) as writer:
        for start, stop in writer.missing():
            writer.write(start, {"features": values[start:stop]})
    values.astype(dtype).tofile(plain)
    return store, plain


def load_store(store: Path) -> np.ndarray:
    """Load the features as float32, every shard verified."""
    return open_store(store).read("features")


def load_plain(plain: Path) -> np.ndarray:
    """Read a file's bytes into a fresh buffer."""
    buffer = np.empty(plain.stat().st_size, dtype=np.uint8)
    view, filled = memoryview(buffer), 0
    with plain.open("rb", buffering=0) as file:
        while count := file.readinto(view[filled:]):
            filled += count
    return buffer


def plain_bytes(values: np.ndarray, dtype: str) -> int:
    """Return how many bytes the values take in the stored dtype."""
    return values.size * np.dtype(dtype).itemsize


def line(dtype: str, size: int, plain_s: float, store_s: float) -> str:
    """Describe one measurement; the target holds for float32 only."""
    ratio = plain_s / store_s
    verdict = f"  target {TARGET}: {'met' if ratio >= TARGET else 'MISSED'}"
    return (
        f"{dtype}  {size / 1e6:6.1f} MB stored  plain {plain_s * 1e3:6.1f} ms  "
        f"verified load {store_s * 1e3:6.1f} ms  ratio {ratio:.2f}"
        f"{verdict if dtype == 'float32' else ''}"
    )


if __name__ == "__main__":
    main()
