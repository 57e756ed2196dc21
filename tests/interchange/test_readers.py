"""Exports open in the libraries that people read them with; each test needs its library."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest


@pytest.fixture
def file(house, tmp_path) -> str:
    """The parquet export of a domain."""
    return str(house.export(tmp_path / "out").directory / "images.parquet")


def needs(library: str) -> pytest.MarkDecorator:
    """Skips where a library is not installed; none of them is needed to use the project."""
    there = importlib.util.find_spec(library) is not None
    return pytest.mark.skipif(not there, reason=f"{library} is not installed")


@needs("pandas")
def test_pandas_reads_vectors_and_names(house, file):
    """A row's features are one float32 array."""
    import pandas as pd

    frame = pd.read_parquet(file)
    assert np.array_equal(np.stack(frame["features"]), house.inputs().features)
    assert frame["class"].tolist() == ["blue"] * 4 + ["green"] * 4 + ["red"] * 4


@needs("polars")
def test_polars_reads_a_fixed_width(house, file):
    """The column is an Array of float32, a matrix without copying row by row."""
    import polars as pl

    frame = pl.read_parquet(file)
    assert frame.schema["features"] == pl.Array(pl.Float32, 6)
    assert np.array_equal(frame["features"].to_numpy(), house.inputs().features)


@needs("duckdb")
def test_duckdb_computes_with_vectors(file):
    """Cast to its own arrays, an image is its own nearest neighbour."""
    import duckdb

    query = f"""
        SELECT count(*), min(array_cosine_similarity(a.features::FLOAT[6], b.features::FLOAT[6]))
        FROM '{file}' a JOIN '{file}' b USING (path)
    """  # noqa: S608 - the test's own file
    count, least = duckdb.sql(query).fetchall()[0]
    assert (count, least) == (12, pytest.approx(1, abs=1e-6))


@needs("datasets")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_datasets_reads_a_fixed_width(house, file, tmp_path, monkeypatch):
    """The feature type has the width, and rows come as tensors."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    data = datasets.load_dataset(
        "parquet", data_files=file, split="train", cache_dir=str(tmp_path / "cache")
    )
    assert data.features["features"].length == 6
    assert np.array_equal(data.with_format("numpy")[:]["features"], house.inputs().features)


@needs("embedding_atlas")
@pytest.mark.filterwarnings("ignore")
def test_embedding_atlas_lays_vectors_out(file):
    """Its projection takes the column as it is."""
    import pandas as pd
    from embedding_atlas.projection import compute_projection

    frame = compute_projection(
        pd.read_parquet(file),
        inputs="features",
        modality="vector",
        x="x",
        y="y",
        neighbors="neighbors",
        umap_args={"n_neighbors": 5},
    )
    assert np.isfinite(frame[["x", "y"]].to_numpy()).all()
