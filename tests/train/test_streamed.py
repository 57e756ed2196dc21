"""Law: a run whose features are read from disk when asked for is the run in memory, bit by bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from w2s_cache.train import source
from w2s_cache.train.memory import default_limit, shown_bytes
from w2s_cache.train.source import Streamed
from w2s_cache.train.study import run_study

METHODS = (
    "weak",
    "zero-shot",
    "lp-kd",  # random start, raw features
    "lp-aux",  # a loss that looks at all rows
    "cpl",  # text start, unit-norm features, candidates
    "cpl-class-means",  # a start that reads the rows
    "pooled-lda",  # closed form
    "cpl-grip",  # rounds of pseudo-labels
    "ceiling-lp",  # supervised by ground truth
)
SAME = ("metrics", "selected", "counts", "per_class_accuracy", "run_id", "inputs", "config")


def half(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays with features stored as float16."""
    return {**arrays, "features": arrays["features"].astype(np.float16)}


def study_of(toy: Any, results: Path, **changes: Any) -> list[tuple[Any, dict[str, bytes]]]:
    """Every run with the files it left, apart from the record with its times."""
    options = {"recipe.batch_size": 7, "recipe.epochs": 2}  # 64 fit rows: the last batch has one
    study = toy.study(methods=METHODS, seeds=(0, 1), options=options, curves=True, **changes)
    found = []
    for outcome in run_study(study, home=toy.home, results_dir=results):
        files = {p.name: p.read_bytes() for p in outcome.directory.iterdir()}
        files.pop("record.json")
        found.append((outcome.record, files))
    return found


@pytest.mark.parametrize("block", [7, source.BLOCK])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_runs_from_disk_are_bit_identical_to_runs_in_memory(
    make_toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str, block: int
) -> None:
    """Heads, traces with curves, predictions and records are equal, also with unusable rows."""
    monkeypatch.setattr(source, "BLOCK", block)
    plain = make_toy("plain")
    arrays = half(plain.arrays) if dtype == "float16" else plain.arrays
    toy = make_toy(arrays=arrays, invalid=(3, 60, 99, 140))
    said: list[str] = []
    memory = study_of(toy, tmp_path / "memory")
    disk = study_of(toy, tmp_path / "disk", memory=0, say=said.append)
    assert len(memory) == len(disk) == 2 * len(METHODS)
    for (one, files), (other, others) in zip(memory, disk, strict=True):
        assert files == others
        assert [getattr(one, name) for name in SAME] == [getattr(other, name) for name in SAME]
    [line] = [line for line in said if "read from disk" in line]
    assert "art: training would take" in line


def test_nothing_is_read_but_the_rows_asked_for(toy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training asks for a batch at a time: no read is larger than a block or the largest split."""
    inputs = toy.inputs(memory=0)
    assert isinstance(inputs.features, Streamed)
    asked: list[int] = []

    def spied(rows: Tensor) -> Tensor:
        asked.append(len(rows))
        return reads(rows)

    reads = inputs.features.read
    watched = replace(inputs, features=replace(inputs.features, read=spied))
    monkeypatch.setattr(source, "BLOCK", 20)
    toy.run("cpl", inputs=watched, **{"recipe.batch_size": 16})
    assert max(asked) == 20


def test_what_fits_stays_in_memory_and_nothing_is_said(toy: Any) -> None:
    """The limit counts every copy that training makes; one byte less and it is read from disk."""
    need = 4 * (8 + 4) * (150 + 3 * 100)
    said: list[str] = []
    assert isinstance(toy.inputs(memory=need, say=said.append).features, Tensor)
    assert said == []
    assert isinstance(toy.inputs(memory=need - 1, say=said.append).features, Streamed)
    assert said[0].startswith("art: training would take 21.6 kB, more than the 21.6 kB")


def test_sizes_are_said_in_decimal_units() -> None:
    """Three digits and a unit."""
    assert [shown_bytes(n) for n in (999, 21_600, 4_000_000_000)] == [
        "999 bytes",
        "21.6 kB",
        "4 GB",
    ]


def test_the_default_limit_is_half_of_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the machine's memory, or of the container's where that is less."""
    from w2s_cache.train import memory

    monkeypatch.setattr(memory.os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 100}.get)
    monkeypatch.setattr(memory, "_container_limit", lambda: None)
    assert default_limit() == 204_800
    monkeypatch.setattr(memory, "_container_limit", lambda: 1000)
    assert default_limit() == 500
