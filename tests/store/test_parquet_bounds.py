"""Parquet tables cost no more memory than their file, or what is expected of them, warrants."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from w2s_cache.data.file_stats import read_stats
from w2s_cache.errors import CorruptStoreError, ImportedFeaturesError, W2SError, WeakLogitsError
from w2s_cache.interchange.array_sources import read_array_source
from w2s_cache.interchange.clip_retrieval import read_clip_retrieval
from w2s_cache.results.run_tables import parse_table
from w2s_cache.store import parquet_bounds
from w2s_cache.store.failures import COLUMNS, read_failures
from w2s_cache.store.index import Index, read_index, write_index
from w2s_cache.store.layout import FAILURES_FILE
from w2s_cache.store.parquet_bounds import read_bounded
from w2s_cache.store.parquet_footer import read_footer
from w2s_cache.store.thrift_compact import read_struct
from w2s_cache.weak.imported_files import read_predictions

ROWS = 200_000
DENSE = "packed too densely to be a table of this kind"
PATHS = pa.array([f"d/a/{row}.png" for row in range(3)])


def same(value: object, kind: pa.DataType, rows: int = ROWS) -> pa.ChunkedArray:
    """A column that repeats one value."""
    return pa.chunked_array([pa.array([value], kind).take(pa.array(np.zeros(rows, np.int64)))])


@pytest.fixture
def little_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read however small it is packed: 100 kB, so that bombs can be small."""
    monkeypatch.setattr(parquet_bounds, "FREE", 100_000)


@pytest.fixture
def nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading rows fails: whatever is refused now was refused by its footer."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("rows were read")

    monkeypatch.setattr(pq, "read_table", refuse)


def small_index() -> Index:
    """Two rows."""
    return Index(
        dataset="toy",
        domain="art",
        classes=("a", "b"),
        paths=("art/0.png", "art/1.png"),
        labels=np.array([0, 1]),
        is_train=np.array([True, False]),
        sizes=np.array([7, 7]),
        sha256=("0" * 63 + "1", "0" * 63 + "2"),
    )


def bomb_index(folder: Path) -> Callable[[], object]:
    """An index whose rows are repeated, with the metadata of a sound one."""
    path = folder / "index.parquet"
    write_index(path, small_index())
    row = pq.ParquetFile(path).read().slice(0, 1)
    pq.write_table(row.take(pa.array(np.zeros(ROWS, np.int64))), path, compression="zstd")
    return lambda: read_index(path)


def bomb_failures(folder: Path) -> Callable[[], object]:
    """Failures that repeat one row."""
    columns = [same(0 if f.type == pa.int64() else "decode", f.type) for f in COLUMNS]
    pq.write_table(pa.table(columns, schema=COLUMNS), folder / FAILURES_FILE)
    return lambda: read_failures(folder)


def bomb_features(folder: Path) -> Callable[[], object]:
    """Features of zeros; the dictionary of one number costs no bytes however long the lists."""
    flat = pa.array(np.zeros(ROWS * 3, np.float32))
    features = pa.FixedSizeListArray.from_arrays(flat, ROWS)
    pq.write_table(pa.table({"path": PATHS, "features": features}), folder / "x.parquet")
    return lambda: read_array_source(folder / "x.parquet")


def bomb_logits(folder: Path) -> Callable[[], object]:
    """Logits of zeros for one path that is repeated."""
    columns = {"path": same("p", pa.string())} | {n: same(0.0, pa.float64()) for n in "ab"}
    pq.write_table(pa.table(columns), folder / "x.parquet")
    return lambda: read_predictions(folder / "x.parquet", ("a", "b"))


def bomb_partition(folder: Path) -> Callable[[], object]:
    """A partition of clip-retrieval with one path repeated."""
    (folder / "img_emb").mkdir()
    (folder / "metadata").mkdir()
    np.save(folder / "img_emb" / "img_emb_0.npy", np.ones((3, 4), np.float32))
    table = pa.table({"image_path": same("p", pa.string())})
    pq.write_table(table, folder / "metadata" / "metadata_0.parquet")
    return lambda: read_clip_retrieval(folder)


BOMBS = {
    "index": (bomb_index, CorruptStoreError),
    "failures": (bomb_failures, CorruptStoreError),
    "imported features": (bomb_features, ImportedFeaturesError),
    "weak logits": (bomb_logits, WeakLogitsError),
    "clip-retrieval": (bomb_partition, ImportedFeaturesError),
}


@pytest.mark.usefixtures("little_is_free", "nothing_is_read")
@pytest.mark.parametrize(("make", "refusal"), BOMBS.values(), ids=BOMBS)
def test_a_file_that_repeats_itself_is_refused_before_a_row_of_it_is_read(
    tmp_path: Path, make: Callable[[Path], Callable[[], object]], refusal: type[W2SError]
) -> None:
    """Every parquet file that somebody else may have written is judged by its footer first."""
    with pytest.raises(refusal, match=DENSE) as refused:
        make(tmp_path)()
    assert refused.value.expected
    assert refused.value.fix


@pytest.mark.usefixtures("little_is_free")
@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())]
)
def test_a_long_text_that_stands_in_many_rows_is_counted_in_each(kind: pa.DataType) -> None:
    """The footer tells of a dictionary's bytes once; they are counted before they are unpacked."""
    text = "x" * 5000
    table = pa.table({"path": same(text, pa.string(), 1000).cast(kind)})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    content = sink.getvalue().to_pybytes()
    with pytest.raises(ValueError, match=rf"{DENSE}: {len(content):,} bytes would unpack to 5,0"):
        read_bounded(content)
    assert read_bounded(content, expected=6_000_000).num_rows == 1000


@pytest.mark.usefixtures("little_is_free")
def test_records_of_hashes_and_tables_of_runs_have_the_same_bound(tmp_path: Path) -> None:
    """Hashes that cannot be trusted are not remembered; tables of runs are damaged."""
    table = pa.table({"path": same("p", pa.string())})
    pq.write_table(table, tmp_path / "stats.parquet")
    assert read_stats(tmp_path / "stats.parquet", tmp_path) == {}
    with pytest.raises(ValueError, match=DENSE):
        parse_table((tmp_path / "stats.parquet").read_bytes())


def test_texts_inside_lists_are_refused() -> None:
    """Their bytes cannot be counted before they are unpacked, and nothing needs them."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"path": PATHS, "logits": [["1", "2"]] * 3}), sink)
    with pytest.raises(ValueError, match=r"texts inside column logits"):
        read_bounded(sink.getvalue().to_pybytes())
    assert read_bounded(sink.getvalue().to_pybytes(), columns=["path"]).num_rows == 3


@pytest.mark.usefixtures("little_is_free")
def test_what_is_expected_is_read_however_small_it_is_packed(tmp_path: Path) -> None:
    """Logits of hard labels are nearly constant; those of the domain's rows are no bomb."""
    read = bomb_logits(tmp_path)
    with pytest.raises(WeakLogitsError, match=DENSE):
        read()
    paths, logits = read_predictions(tmp_path / "x.parquet", ("a", "b"), rows=ROWS)
    assert len(paths) == ROWS
    assert logits.shape == (ROWS, 2)


def test_a_sound_table_comes_back_as_it_was() -> None:
    """Types, nulls, several row groups and metadata; texts are plain, however they were packed."""
    table = pa.table(
        {
            "text": ["a", None, "ccc"] * 5,
            "large": pa.array(["a", "b", ""] * 5, pa.large_string()),
            "number": pa.array(range(15)),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(np.arange(30, dtype="f2")), 2),
        }
    ).replace_schema_metadata({"who": "me"})
    for group in (4, 100):
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, row_group_size=group)
        found = read_bounded(sink.getvalue().to_pybytes())
        assert found.equals(table)
        assert found.schema.metadata == {b"who": b"me"}


@pytest.mark.parametrize("columns", [["number", "none"], ["none"]])
def test_a_column_that_is_not_there_is_named(columns: list[str]) -> None:
    """With those that are."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"number": [1]}), sink)
    with pytest.raises(LookupError, match=re.escape("no column none among number")):
        read_bounded(sink.getvalue().to_pybytes(), columns=columns)


def test_a_footer_with_any_byte_changed_is_refused_or_read() -> None:
    """Never a crash, nor an error of another kind: Arrow's own accessors end the process there."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"path": PATHS, "number": [1.5, 2.5, 3.5]}), sink)
    content = sink.getvalue().to_pybytes()
    length = int.from_bytes(content[-8:-4], "little")
    outcomes = set()
    for at in range(len(content) - 8 - length, len(content)):
        for flip in (1, 0x80, 0xFF):
            changed = bytearray(content)
            changed[at] ^= flip
            try:
                outcomes.add(len(read_footer(pa.BufferReader(bytes(changed))).chunks))
            except ValueError:
                outcomes.add(None)
    assert {None, 2} <= outcomes


def test_no_list_of_a_footer_is_longer_than_its_bytes() -> None:
    """A count is a claim: structs nested without end, and lists of a billion, are refused."""
    with pytest.raises(ValueError, match="cut short"):
        read_struct(bytes([0x19, 0xF5, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]))
    with pytest.raises(ValueError, match="in one another"):
        read_struct(b"\x1c" * 1000)
    with pytest.raises(ValueError, match="in one another"):
        read_struct(b"\x19" * 2000)


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
def test_texts_stored_as_differences_are_read(tmp_path, encoding):
    """No dictionary can hold them; DuckDB's second version of the format writes such columns."""
    table = pa.table({"path": PATHS, "logits": [1.0, 2.0, 3.0]})
    file = tmp_path / "delta.parquet"
    pq.write_table(table, file, use_dictionary=False, column_encoding={"path": encoding})
    assert read_bounded(file).equals(table)


@pytest.mark.usefixtures("little_is_free", "nothing_is_read")
def test_texts_stored_as_differences_are_counted_as_they_will_stand(tmp_path):
    """A long text that each row repeats takes a byte or two in the file, and its length here."""
    file = tmp_path / "delta.parquet"
    table = pa.table({"path": same("x" * 1000, pa.string(), rows=20_000)})
    pq.write_table(table, file, use_dictionary=False, column_encoding={"path": "DELTA_BYTE_ARRAY"})
    with pytest.raises(ValueError, match=DENSE):
        read_bounded(file)


@pytest.mark.usefixtures("little_is_free", "nothing_is_read")
@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.float64(), 20), pa.decimal256(3)],
    ids=["fixed lists of doubles", "wide decimals"],
)
def test_rows_are_counted_in_the_width_that_they_have_in_memory(tmp_path, kind):
    """Absent lists of fixed length and small decimals take their full width once they are read."""
    file = tmp_path / "wide.parquet"
    pq.write_table(pa.table({"x": pa.nulls(6_000, kind)}), file, compression="zstd")
    with pytest.raises(ValueError, match=DENSE):
        read_bounded(file)


@pytest.mark.usefixtures("nothing_is_read")
@pytest.mark.parametrize(
    "kind",
    [
        pa.struct({"x": pa.list_(pa.float64(), 1000)}),
        pa.list_(pa.list_(pa.float64(), 1000)),
        pa.map_(pa.int8(), pa.float64()),
    ],
    ids=["struct", "lists of lists", "map"],
)
def test_columns_that_nothing_has_are_refused(tmp_path, kind):
    """Structs, maps and lists of lists are in no table of ours, and hide how large they are."""
    file = tmp_path / "nested.parquet"
    pq.write_table(pa.table({"x": pa.nulls(5, kind)}), file)
    with pytest.raises(ValueError, match=r"column x of .*, which is not read"):
        read_bounded(file)


def test_integers_and_footers_without_end_are_refused():
    """An integer ends after 64 bits, and no footer has millions of values."""
    with pytest.raises(ValueError, match="an integer of more than 10 bytes"):
        read_struct(b"\x16" + b"\xff" * 3_000_000)
    count = 3_000_000
    length = bytes((count >> 7 * k & 0x7F) | 0x80 * (k < 3) for k in range(4))
    with pytest.raises(ValueError, match="more than 2,000,000 values"):
        read_struct(b"\x19\xf3" + length + b"\x01" * count)


def test_long_paths_of_clip_retrieval_may_be_packed_very_small(tmp_path, monkeypatch):
    """Paths with a common beginning are no bomb where there is a vector for each of them."""
    monkeypatch.setattr(parquet_bounds, "FREE", 1_000)
    rows = 3_000
    for name in ("img_emb", "metadata"):
        (tmp_path / name).mkdir()
    np.save(tmp_path / "img_emb/img_emb_0.npy", np.ones((rows, 4), np.float32))
    paths = pa.array([f"{'folder/' * 120}{row:06}.jpg" for row in range(rows)])
    file = tmp_path / "metadata/metadata_0.parquet"
    pq.write_table(pa.table({"image_path": paths}), file, compression="zstd", use_dictionary=False)
    assert paths.nbytes > 200 * file.stat().st_size
    assert len(read_clip_retrieval(tmp_path).paths) == rows
