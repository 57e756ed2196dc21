"""Laws of exports: the cache's numbers, traceable, whole or not at all."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save

from w2s_cache.errors import (
    CorruptStoreError,
    ExportError,
    RecordError,
    StaleStoreError,
    StoreWriteError,
    UnknownNameError,
)
from w2s_cache.interchange import export
from w2s_cache.interchange.column import ExportTable, text_column, values_column
from w2s_cache.interchange.safetensors_format import write_safetensors
from w2s_cache.interchange.selection import select_rows
from w2s_cache.results import RunRecord
from w2s_cache.store.feature_set import open_member
from w2s_cache.store.fingerprint import file_sha256
from w2s_cache.store.once_reader import OnceReader

EMPTY = ("protocol", "config", "metrics", "counts", "selected", "timing", "environment")
FORMATS = ("parquet", "npz", "safetensors")


def read(file: Path) -> dict[str, Any]:
    """Arrays and texts of an exported file, by the library of its format."""
    if file.suffix == ".npz":
        with np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    if file.suffix == ".safetensors":
        with safe_open(file, "np") as tensors:
            texts = {name: json.loads(text) for name, text in tensors.metadata().items()}
        return {**texts, **load_file(file)}
    table = pq.read_table(file)
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    return {**columns, "about": json.loads(table.schema.metadata[b"w2s_cache.export"])}


def about(file: Path) -> dict[str, Any]:
    """What a file says of itself."""
    found = read(file)["about"]
    return found if isinstance(found, dict) else json.loads(str(found))


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_holds_the_cache_s_numbers_in_row_order(house, tmp_path, form):
    """Whatever the format, features and logits are bit for bit those training reads."""
    done = house.export(tmp_path / "out", format=form)
    inputs, found = house.inputs(), read(done.directory / f"images.{form}")
    assert done.rows == len(inputs.index) == 12
    assert tuple(found["path"]) == inputs.index.paths
    assert list(found["row"]) == list(range(12))
    assert list(found["label"]) == inputs.index.labels.tolist()
    assert list(found["split"]) == ["train" if t else "test" for t in inputs.index.is_train]
    assert np.array_equal(np.array(found["features"], "f4"), inputs.features.numpy())
    assert np.array_equal(np.array(found["weak_logits"], "f4"), inputs.weak_logits.numpy())
    answers = inputs.weak_logits.argmax(1).tolist()
    names = [inputs.index.classes[label] for label in answers]
    assert list(found["weak"]) == (names if form == "parquet" else answers)


@pytest.mark.parametrize("form", FORMATS)
def test_text_has_a_row_per_class_and_template(house, tmp_path, form):
    """Class text stands beside the images, class by class."""
    found = read(house.export(tmp_path / "out", format=form).directory / f"text.{form}")
    stored = open_member(house.home, house.feature_set().text).read("features")
    assert list(found["class"]) == ["blue", "green", "red"]
    assert list(found["template"]) == ["a photo of a {}"] * 3
    assert np.array_equal(np.array(found["features"], "f4"), stored[:, 0])


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_can_be_traced(house, tmp_path, form):
    """Every file names keys, their digests and the index; export.json the files' digests."""
    done = house.export(tmp_path / "out", format=form)
    said, found = about(done.directory / f"images.{form}"), house.feature_set()
    for kind, ref in (("image", found.image), ("logits", found.logits), ("text", found.text)):
        assert said["stores"][kind]["key_digest"] == ref.key_digest
        assert said["stores"][kind]["key"] == open_member(house.home, ref).manifest.key
    assert said["index_digest"] == found.index_digest
    assert (said["strong"], said["normalized"], said["rows"]) == ("fake", False, 12)
    listed = json.loads((done.directory / "export.json").read_text())
    for name, facts in listed["files"].items():
        assert facts["sha256"] == file_sha256(done.directory / name)
    assert {n: v for n, v in listed.items() if n != "files"} == said


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("split", "half"), [("train", True), ("test", False)])
def test_a_split_is_a_half_of_the_rows(house, tmp_path, form, split, half):
    """Only rows of the half asked for are there, and they keep their row numbers."""
    done = house.export(tmp_path / "out", format=form, split=split)
    index = house.inputs().index
    found = read(done.directory / f"images.{form}")
    assert list(found["row"]) == np.flatnonzero(index.is_train == half).tolist()
    assert about(done.directory / f"images.{form}")["split"] == split


@pytest.mark.parametrize("form", FORMATS)
def test_features_are_normalised_only_when_asked(house, tmp_path, form):
    """With `normalize` rows have length 1, and the file says so."""
    done = house.export(tmp_path / "out", format=form, normalize=True, dtype="float16")
    found = np.array(read(done.directory / f"images.{form}")["features"], "f4")
    raw = house.inputs().features.numpy()
    unit = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    assert np.abs(found - unit).max() < 1e-3
    assert about(done.directory / f"images.{form}")["normalized"] is True


def test_parquet_is_written_and_read_shard_by_shard(house, tmp_path, monkeypatch):
    """A row group is a shard, and never are more rows of features asked for at once."""
    asked = []
    real = OnceReader.read

    def counted(self: OnceReader, rows: Any) -> Any:
        if self.name == "features":
            asked.append(len(rows))
        return real(self, rows)

    monkeypatch.setattr(OnceReader, "read", counted)
    done = house.export(tmp_path / "out")
    assert asked == [5, 5, 2]
    assert pq.read_metadata(done.directory / "images.parquet").num_row_groups == 3


@pytest.mark.parametrize("what", [("features", "logits"), ("index",)])
@pytest.mark.parametrize("split", ["all", "test"])
@pytest.mark.parametrize("form", FORMATS)
def test_every_shard_is_read_once(house, tmp_path, shards_read, form, split, what):
    """Whatever is exported: rows, mask and hash of one reading, also where no row is asked for."""
    house.export(tmp_path / "out", format=form, split=split, what=what)
    assert sorted(path.name for path in shards_read) == sorted(
        2 * [f"part-0000{n}.h5" for n in range(3)]
    )
    assert len(set(shards_read)) == 6


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", ["image", "logits"])
def test_damage_met_while_writing_leaves_nothing(house, tmp_path, form, kind):
    """The last shard is read when most is written; its damage is named, and no folder is there."""
    [shard] = house.home.glob(f"v1/tiny/art/{kind}/*/part-00002.h5")
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(content)
    with pytest.raises(CorruptStoreError, match=r"part-00002\.h5 is damaged"):
        house.export(tmp_path / "out", format=form)
    assert not (tmp_path / "out" / "art").exists()


def test_vectors_are_fixed_size_lists(house, tmp_path):
    """Readers see the width without looking at a row."""
    schema = pq.read_schema(house.export(tmp_path / "out").directory / "images.parquet")
    assert str(schema.field("features").type).endswith("[6]")
    assert str(schema.field("weak_logits").type).endswith("[3]")


def test_what_is_not_asked_for_is_not_there(house, tmp_path):
    """`index` adds size and digest of each image; identity is always there."""
    done = house.export(tmp_path / "out", what=("index",))
    found = read(done.directory / "images.parquet")
    identity = {"row", "path", "label", "class", "split"}
    assert set(found) == identity | {"bytes", "sha256", "about"}
    assert not (done.directory / "text.parquet").exists()


def test_rows_without_data_are_left_out_and_named(house):
    """No NaN leaves the cache: an invalid row is counted and named instead."""
    index = house.inputs().index
    valid = np.arange(12) != 7
    chosen = select_rows(index, "all", valid=valid, shard_rows=5)
    assert chosen.left_out == (index.paths[7],)
    assert chosen.rows.tolist() == [row for row in range(12) if row != 7]
    assert chosen.bounds == ((0, 5), (5, 9), (9, 11))


def test_safetensors_are_those_of_the_library(tmp_path):
    """The own layout gives the bytes of safetensors' writer, whatever the types."""
    arrays = {
        "label": np.arange(3, dtype=np.int64),
        "features": np.ones((3, 2), np.float32),
        "half": np.full((3, 1), 0.5, np.float16),
    }
    columns = tuple(values_column(n, a.dtype.name, a) for n, a in arrays.items())
    table = ExportTable(
        columns=(*columns, text_column("path", ["ä", "b", "c"])), bounds=((0, 2), (2, 3)), about={}
    )
    write_safetensors(tmp_path / "own.safetensors", table, lambda _: None)
    library = save(arrays, {"path": '["ä", "b", "c"]', "about": "{}"})
    own = (tmp_path / "own.safetensors").read_bytes()
    length = int.from_bytes(own[:8], "little")
    assert json.loads(own[8 : 8 + length]) == json.loads(
        library[8 : 8 + int.from_bytes(library[:8], "little")]
    )
    assert own[8 + length :] == library[-len(own) + 8 + length :]
    assert length % 8 == 0


def test_an_earlier_export_stays_unless_told(house, tmp_path):
    """A second export is refused and changes nothing; with `overwrite` it replaces the first."""
    done = house.export(tmp_path / "out")
    before = (done.directory / "images.parquet").read_bytes()
    with pytest.raises(ExportError, match="--overwrite"):
        house.export(tmp_path / "out", normalize=True)
    assert (done.directory / "images.parquet").read_bytes() == before
    house.export(tmp_path / "out", normalize=True, format="npz", overwrite=True)
    assert sorted(p.name for p in done.directory.iterdir()) == [
        "export.json",
        "images.npz",
        "text.npz",
    ]


@pytest.mark.parametrize("beside", [True, False])
def test_what_is_no_export_is_never_replaced(house, tmp_path, beside):
    """A folder with anything else in it is not touched, `overwrite` or not."""
    mine = tmp_path / "out" / "art" / "thesis.txt"
    if beside:
        house.export(tmp_path / "out")
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_text("years of work")
    with pytest.raises(ExportError, match="not touched"):
        house.export(tmp_path / "out", overwrite=True)
    assert mine.read_text() == "years of work"


def test_an_export_that_fails_leaves_the_earlier_one(house, tmp_path, monkeypatch):
    """A full disk is said, and what was there is there."""
    done = house.export(tmp_path / "out", format="npz")
    before = (done.directory / "images.npz").read_bytes()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "open", full)
    with pytest.raises(StoreWriteError, match="No space left"):
        house.export(tmp_path / "out", format="npz", overwrite=True)
    monkeypatch.undo()
    assert (done.directory / "images.npz").read_bytes() == before
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["art"]


def test_parts_are_known(house, tmp_path):
    """A misspelt part is refused with the nearest, predictions of no run at all."""
    with pytest.raises(UnknownNameError, match="Did you mean 'logits'"):
        house.export(tmp_path / "out", what=("logit",))
    with pytest.raises(ExportError, match="--method"):
        house.export(tmp_path / "out", what=("predictions",))


def test_predictions_stand_beside_the_features_they_were_made_of(house, tmp_path):
    """Equal paths are not enough: of other images, logits or text they are refused unread."""
    facts = {
        "dataset": "tiny",
        "domain": "art",
        "strong": "fake",
        "weak": "small",
        "method": "weak",
    }
    texts = {"spec": "tiny", "run_id": "0" * 12, "created": "2026-01-01T00:00:00+00:00"}
    empty: dict[str, Any] = {"per_class_accuracy": [], **{name: {} for name in EMPTY}}
    inputs = house.inputs().digests
    own = RunRecord(**facts, **texts, **empty, seed=0, inputs=inputs)
    with pytest.raises(RecordError, match="predictions"):  # past the check, to the missing file
        house.export(tmp_path / "out", what=("predictions",), runs=[own], results_dir=tmp_path)
    for name in ("index_digest", "image_key", "logits_key", "text_key"):
        other = replace(own, inputs={**inputs, name: "a" * 64})
        with pytest.raises(
            StaleStoreError, match=f"{name} a{{12}},? .*`w2s-cache train --method weak"
        ):
            house.export(tmp_path / "out", what=("predictions",), runs=[own, other])
    assert not (tmp_path / "out").exists()


def test_float16_does_not_overflow_silently(house, tmp_path, monkeypatch):
    """A number beyond half precision is refused, never written as infinity."""
    real = OnceReader.read
    monkeypatch.setattr(OnceReader, "read", lambda *a, **k: real(*a, **k) * 1e6)
    with pytest.raises(ExportError, match="magnitudes up to 65504"):
        house.export(tmp_path / "out", dtype="float16")
    assert not (tmp_path / "out" / "art").exists()
    assert export.MANIFEST == "export.json"


def test_float16_does_not_swallow_small_rows(house, tmp_path, monkeypatch):
    """A row below the normal numbers of half precision is refused, never written as zeros."""
    real = OnceReader.read
    monkeypatch.setattr(OnceReader, "read", lambda *a, **k: real(*a, **k) * 1e-9)
    with pytest.raises(ExportError, match=r"at least 6.1e-05"):
        house.export(tmp_path / "out", dtype="float16")
    assert not (tmp_path / "out" / "art").exists()
