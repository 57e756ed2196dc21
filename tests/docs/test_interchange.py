"""The examples of docs/interchange.md run as they stand."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w2s_cache.interchange.array_sources import read_array_source
from w2s_cache.interchange.column import ExportTable, text_column, values_column
from w2s_cache.interchange.npz_format import write_npz
from w2s_cache.interchange.parquet_format import write_parquet
from w2s_cache.interchange.safetensors_format import write_safetensors

PAGE = (Path(__file__).parents[2] / "docs" / "interchange.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
PATHS = ["real/blue/00.png", "real/red/00.png"]
FEATURES = np.random.default_rng(0).normal(size=(2, 128)).astype(np.float32)
READERS = {"pandas", "polars", "duckdb", "datasets"}


def needed(program: str) -> set[str]:
    """The reading libraries a program imports."""
    return READERS & set(re.findall(r"^import (\w+)", program, flags=re.MULTILINE))


@pytest.fixture
def exports(tmp_path: Path, monkeypatch: Any) -> None:
    """Small exports where the examples look for them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    names = ["blue", "red"]
    columns = (
        values_column("row", "int64", np.arange(2)),
        text_column("path", list(PATHS)),
        text_column("class", list(names)),
        text_column("weak", list(names)),
        values_column("features", "float32", FEATURES),
    )
    table = ExportTable(columns=columns, bounds=((0, 2),), about={})
    writers = {"out": write_parquet, "out-npz": write_npz, "out-safetensors": write_safetensors}
    for folder, write in writers.items():
        Path(folder, "real").mkdir(parents=True)
        suffix = folder.removeprefix("out").lstrip("-") or "parquet"
        write(Path(folder, "real", f"images.{suffix}"), table, lambda _: None)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.usefixtures("exports")
@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_every_program_runs(program: str) -> None:
    """A program reads what an export holds, or writes what an import reads."""
    absent = [name for name in needed(program) if importlib.util.find_spec(name) is None]
    if absent:
        pytest.skip(f"{', '.join(absent)} is not installed")
    space: dict[str, Any] = {"paths": PATHS, "features": FEATURES}
    exec(program, space)  # noqa: S102 - the page's own example
    assert np.asarray(space["features"]) == pytest.approx(FEATURES)
    assert list(space["paths"]) == PATHS
    for file in Path().glob("mine.*"):
        found = read_array_source(file)
        assert found.paths == tuple(PATHS)
        assert np.array_equal(found.rows(np.array([0, 1])), FEATURES)


def test_every_reader_has_an_example() -> None:
    """The libraries that exports are tested with are those that the page shows."""
    assert set().union(*map(needed, PROGRAMS)) == READERS
