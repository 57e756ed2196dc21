"""Laws of clip-retrieval's folder; its files are written here as that program writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from w2s_cache.errors import ImportedFeaturesError
from w2s_cache.store.feature_set import open_member

PARTITIONS, WIDTH = 11, 8


def write(folder: Path, paths: list[str], features: np.ndarray) -> Path:
    """Partition p holds every 11th image from the p-th on, scaled to unit length in float16."""
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    for kind in ("img_emb", "metadata"):
        (folder / kind).mkdir(parents=True)
    for number in range(PARTITIONS):
        mine = slice(number, None, PARTITIONS)
        np.save(folder / "img_emb" / f"img_emb_{number:02}.npy", unit[mine].astype(np.float16))
        table = pa.table({"image_path": paths[mine], "caption": ["x"] * len(paths[mine])})
        pq.write_table(table, folder / "metadata" / f"metadata_{number:02}.parquet")
    return folder


@pytest.fixture
def folder(house, tmp_path) -> Path:
    """Both domains as one run over the folder of images leaves them, with absolute paths."""
    paths = [p for domain in ("art", "photo") for p in house.inputs(domain).index.paths]
    features = np.random.default_rng(2).normal(size=(len(paths), WIDTH)).astype(np.float32)
    np.save(tmp_path / "raw.npy", features)
    return write(tmp_path / "run", [f"{house.images}/{path}" for path in paths], features)


def test_rows_come_from_all_partitions_by_path(house, folder, tmp_path):
    """Striped partitions are put into row order; that rows are normalised need not be said."""
    raw = np.load(tmp_path / "raw.npy")
    for number, domain in enumerate(("art", "photo")):
        house.bring(folder, domain, normalized=None, prefix=str(house.images))
        mine = raw[12 * number : 12 * (number + 1)]
        unit = (mine / np.linalg.norm(mine, axis=1, keepdims=True)).astype(np.float16)
        assert np.array_equal(house.inputs(domain, "theirs").features, unit.astype(np.float32))
    ref = house.feature_set(strong="theirs").image
    key = open_member(house.home, ref).manifest.key
    assert key["encoder"]["normalized"] is True
    assert key["source"]["format"] == "clip-retrieval"
    assert len(key["source"]["files"]) == 2 * PARTITIONS


def shorter_metadata(folder: Path) -> None:
    """One partition's paths lose their last row."""
    file = folder / "metadata" / "metadata_03.parquet"
    pq.write_table(pq.read_table(file).slice(0, 1), file)


def other_width(folder: Path) -> None:
    """One partition is of another model."""
    np.save(folder / "img_emb" / "img_emb_05.npy", np.ones((2, 4), np.float16))


def no_paths(folder: Path) -> None:
    """One partition has captions only."""
    pq.write_table(pa.table({"caption": ["x", "y"]}), folder / "metadata" / "metadata_00.parquet")


def cut_short(folder: Path) -> None:
    """One partition was written until the disk was full."""
    file = folder / "img_emb" / "img_emb_01.npy"
    file.write_bytes(file.read_bytes()[:-5])


FAULTS = {
    "half a partition": (
        lambda folder: (folder / "metadata" / "metadata_07.parquet").unlink(),
        "partitions 07 with one of both",
    ),
    "shorter metadata": (shorter_metadata, r"3 paths, as img_emb_03.npy|2 paths, as img_emb_03"),
    "other width": (other_width, "expected features of width 8.*width 4 in img_emb_05.npy"),
    "no paths": (no_paths, "image_path"),
    "cut short": (cut_short, "img_emb_01.npy"),
    "skipped images": (
        lambda folder: [p.unlink() for p in folder.glob("*/*_02.*")],
        "missing",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_run_that_is_not_whole_is_refused(house, folder, fault):
    """Partitions that are absent, differ or are damaged are named, and nothing is written."""
    spoil: Callable[[Path], object]
    spoil, said = FAULTS[fault]
    spoil(folder)
    before = house.files()
    with pytest.raises(ImportedFeaturesError, match=said):
        house.bring(folder, normalized=None, prefix=str(house.images))
    assert house.files() == before
