"""How writing, verifying, loading and training grow from ten thousand rows to a million.

Run: ``python benchmarks/scale.py [--rows 10000,100000,1000000] [--dtype float16]``

For each number of rows of 512 features a store is written, verified, loaded into float32, and CPL
is trained for one epoch of 100 classes, from memory and with features and supervision read from
disk by row. Each is the best of several turns and is printed per row, relative to the fewest rows
of the same run. The target is a ratio of at most 1.5: nothing grows faster than its rows.

Last, the peak resident memory of a process that trains that epoch on the most rows, from memory
and from disk, each in a process of its own; the target is at most a quarter.
"""

from __future__ import annotations

import argparse
import functools
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from in_turn import best_in_turn

from w2s_cache.heads.prototypes import PrototypeHead
from w2s_cache.losses.distillation import Distillation
from w2s_cache.store.layout import ArraySpec
from w2s_cache.store.reader import open_store
from w2s_cache.store.writer import open_writer
from w2s_cache.train.config import TrainConfig
from w2s_cache.train.loop import fit
from w2s_cache.train.source import changed, in_memory, stored_rows, targets_of
from w2s_cache.train.stack import FitData, Learner

WIDTH, CLASSES, BATCH = 512, 100, 512
GROWTH_TARGET, MEMORY_TARGET = 1.5, 0.25
HEAD, LOSS = PrototypeHead(), Distillation(tau_strong=0.1, tau_weak=0.1)
SOURCES = {"memory": in_memory, "disk": stored_rows}


def main() -> None:
    """Measure every size and print a table, then the memory of the largest."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="10000,100000,1000000")
    parser.add_argument("--dtype", default="float16", choices=["float16", "float32"])
    parser.add_argument("--train", nargs=2, metavar=("SOURCE", "FOLDER"), help="print peak MB")
    options = parser.parse_args()
    if options.train:
        train(options.train[0], Path(options.train[1]))
        print(peak_megabytes())
        return
    sizes = sorted(int(rows) for rows in options.rows.split(","))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        refuse_a_small_disk(folder, sizes)
        seconds = {rows: measure(folder / str(rows), rows, options.dtype) for rows in sizes}
        print_growth(seconds, options.dtype)
        print_memory(folder / str(sizes[-1]), sizes[-1])


def refuse_a_small_disk(folder: Path, sizes: list[int]) -> None:
    """End with a sentence when the stores would not fit."""
    need = 2 * sum(sizes) * (WIDTH + CLASSES) * 4
    if shutil.disk_usage(folder).free < need:
        sys.exit(f"needs {need / 1e9:.1f} GB below {folder}; set TMPDIR or give fewer --rows")


def measure(folder: Path, rows: int, dtype: str) -> dict[str, float]:
    """Seconds of every step; the stores stay in the folder."""
    turns = 5 if rows <= 100_000 else 3
    write_weak(folder / "logits", rows)
    store = folder / "features"
    written = [0]

    def write() -> None:
        written[0] += 1
        shutil.rmtree(store, ignore_errors=True)
        write_store(store, "features", WIDTH, rows, dtype)

    steps: dict[str, Callable[[], object]] = {
        "write": write,
        "verify": lambda: open_store(store).verify(),
        "load": lambda: open_store(store).read("features"),
    }
    found = {name: best_in_turn(step, repeats=turns)[0] for name, step in steps.items()}
    for source in SOURCES:
        epoch = ready(source, folder)
        found[f"epoch from {source}"] = best_in_turn(epoch, repeats=turns)[0]
        del epoch
    return found


def write_store(directory: Path, name: str, width: int, rows: int, dtype: str) -> None:
    """Write rows of random numbers; every shard has the same ones, which no step can tell."""
    kind = "logits" if name == "logits" else "image"
    spec = ArraySpec(name=name, row_shape=(width,), dtype=dtype)
    with open_writer(directory, kind=kind, key={}, rows=rows, arrays=[spec]) as writer:
        values = random_block(width)
        for start, stop in writer.missing():
            writer.write(start, {name: values[: stop - start]})


@functools.cache
def random_block(width: int) -> np.ndarray:
    """As many rows as a shard holds."""
    return np.random.default_rng(0).standard_normal((8192, width), np.float32)


def write_weak(directory: Path, rows: int) -> None:
    """Write weak logits."""
    write_store(directory, "logits", CLASSES, rows, "float32")


def ready(source: str, folder: Path) -> Callable[[], object]:
    """One epoch of CPL on the stores of a folder; what is done once is done now."""
    rows_of = SOURCES[source]
    features, _ = rows_of(open_store(folder / "features"), "features")
    weak, _ = rows_of(open_store(folder / "logits"), "logits")
    data = FitData(prepared=changed(features, HEAD.prepare), targets=targets_of(weak, LOSS.targets))
    del features
    rows = torch.arange(weak.shape[0])
    learner = Learner(
        start={"prototypes": torch.ones(CLASSES, WIDTH)},
        rows=rows,
        val_rows=rows[:BATCH],
        val_labels=torch.zeros(BATCH, dtype=torch.int64),
        generator=torch.Generator().manual_seed(0),
    )
    config = TrainConfig(epochs=1, batch_size=BATCH)
    return lambda: fit(HEAD, LOSS, data, [learner], config)


def train(source: str, folder: Path) -> None:
    """One epoch, from opening the stores to the last step."""
    ready(source, folder)()


def peak_megabytes() -> float:
    """Peak resident memory of this process in MB."""
    status = Path("/proc/self/status")
    if status.is_file():  # what getrusage says on Linux begins with the parent's peak
        return float(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def print_growth(seconds: dict[int, dict[str, float]], dtype: str) -> None:
    """One line per step: seconds, and the cost of a row relative to the fewest rows."""
    fewest = min(seconds)
    print(f"{WIDTH} features, {dtype}, {CLASSES} classes  ({torch.get_num_threads()} threads)")
    for step in seconds[fewest]:
        parts, worst = [], 0.0
        for rows, found in seconds.items():
            ratio = found[step] / rows / (seconds[fewest][step] / fewest)
            worst = max(worst, ratio)
            parts.append(f"{rows:,} rows {found[step]:.3f} s ({ratio:.2f})")
        verdict = "met" if worst <= GROWTH_TARGET else "MISSED"
        print(f"{step}: {', '.join(parts)}  target {GROWTH_TARGET}: {verdict}")


def print_memory(folder: Path, rows: int) -> None:
    """Peak resident memory of one epoch from memory and from disk, less that of an import."""
    peaks = {}
    for source in SOURCES:
        command = [sys.executable, __file__, "--train", source, str(folder)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        peaks[source] = float(done.stdout)
    ratio = peaks["disk"] / peaks["memory"]
    verdict = "met" if ratio <= MEMORY_TARGET else "MISSED"
    print(
        f"peak memory of one epoch on {rows:,} rows: from memory {peaks['memory']:,.0f} MB, from "
        f"disk {peaks['disk']:,.0f} MB, ratio {ratio:.2f}  target {MEMORY_TARGET}: {verdict}"
    )


if __name__ == "__main__":
    main()
