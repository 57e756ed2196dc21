"""Row identity on disk."""

import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from w2s_cache.errors import CorruptStoreError, StoreError, StoreWriteError
from w2s_cache.store.index import Index, read_index, write_index

COLUMNS = {
    "dataset": "toys",
    "domain": "real",
    "classes": ("axe", "t-shirt"),
    "paths": ("real/axe/a 1.jpg", "real/axe/ä.jpg", "real/t-shirt/b.png"),
    "labels": np.array([0, 0, 1]),
    "is_train": np.array([True, False, False]),
    "sizes": np.array([3, 0, 5]),
    "sha256": ("0" * 64, "a" * 64, "9f" * 32),
}


def index(**changes):
    """Three good rows, with changes."""
    return Index(**{**COLUMNS, **changes})


def test_reading_undoes_writing(tmp_path):
    """An index read back has every column, every dtype and both digests of the one written."""
    write_index(tmp_path / "deep" / "index.parquet", index())
    back = read_index(tmp_path / "deep" / "index.parquet")
    for name, value in COLUMNS.items():
        assert np.array_equal(getattr(back, name), value)
    assert (back.labels.dtype, back.is_train.dtype) == (np.int64, np.bool_)
    assert (back.digest, back.images_digest) == (index().digest, index().images_digest)
    assert len(back) == 3


def test_file_is_plain_parquet_with_the_documented_columns(tmp_path):
    """Anyone can read the index with parquet alone."""
    write_index(tmp_path / "index.parquet", index())
    table = pq.read_table(tmp_path / "index.parquet")
    assert table.schema.names == ["row", "path", "label", "class", "split", "bytes", "sha256"]
    assert table.to_pylist()[2] == {
        "row": 2,
        "path": "real/t-shirt/b.png",
        "label": 1,
        "class": "t-shirt",
        "split": "test",
        "bytes": 5,
        "sha256": "9f" * 32,
    }


def test_digests_stay_what_they_were():
    """Golden digests of this implementation: a change would orphan every store."""
    images = "3789564264bc22056235bad9cba27f61e21ae73dd4826dc4d5c1e1c4b9ac954b"
    whole = "2b66783867a5c115c5c8c6a5e704d8767bef77240b15894f73b7c665671b68ac"
    assert (index().images_digest, index().digest) == (images, whole)


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": "other"},
        {"domain": "sketch"},
        {"classes": ("t-shirt", "axe")},
        {"classes": ("axe", "t-shirt", "zebra")},
        {"labels": np.array([0, 1, 1])},
        {"is_train": np.array([True, True, False])},
        {"sizes": np.array([3, 1, 5])},
    ],
)
def test_digest_sees_what_the_images_digest_does_not(changes):
    """Names, class order, labels and split change the digest but not what image features need."""
    assert index(**changes).digest != index().digest
    assert index(**changes).images_digest == index().images_digest


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": ("0" * 64, "b" * 64, "9f" * 32)},
        {"paths": ("real/axe/a 2.jpg", *COLUMNS["paths"][1:])},
    ],
)
def test_both_digests_see_paths_and_contents(changes):
    """Another path or another content is another image."""
    assert index(**changes).images_digest != index().images_digest
    assert index(**changes).digest != index().digest


def test_order_is_that_of_bytes():
    """Upper case sorts before lower case and 'é' after 'z', as UTF-8 bytes do."""
    rows = {"labels": [0, 0, 0], "paths": ("r/a/Z.jpg", "r/a/z.jpg", "r/a/é.jpg")}
    assert index(**rows).paths[0] == "r/a/Z.jpg"
    with pytest.raises(StoreError, match="ascending byte order"):
        index(labels=[0, 0, 0], paths=("r/a/z.jpg", "r/a/Z.jpg", "r/a/é.jpg"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"paths": ("b", "a", "c")}, "ascending byte order"),
        ({"paths": ("a", "a", "c")}, "ascending byte order"),
        ({"paths": ("/etc/passwd", "a", "b")}, "inside the data root"),
        ({"paths": ("../x", "a", "b")}, "inside the data root"),
        ({"paths": ("a\nb", "b", "c")}, "inside the data root"),
        ({"paths": ("a", "b\udcff", "c")}, "UTF-8"),
        ({"labels": np.array([0, 0, 2])}, "labels below 2"),
        ({"labels": np.array([0, -1, 1])}, "labels below 2"),
        ({"labels": np.array([0, 1])}, "one length"),
        ({"classes": ("axe", "axe")}, "differ from one another"),
        ({"sizes": np.array([0, -1, 1])}, "negative"),
        ({"sha256": ("0" * 64, "A" * 64, "9f" * 32)}, "64 hex digits"),
        ({"sha256": ("0" * 64, "a" * 63, "9f" * 32)}, "64 hex digits"),
    ],
)
def test_contradictory_columns_are_refused(changes, said):
    """No index object exists that breaks a law; the message has its four parts."""
    with pytest.raises(StoreError, match=said) as caught:
        index(**changes)
    assert all((caught.value.what, caught.value.expected, caught.value.found, caught.value.fix))


def test_columns_cannot_be_written_to():
    """An index is a value: its arrays are read-only copies."""
    labels = np.array([0, 0, 1])
    made = index(labels=labels)
    labels[0] = 1
    assert made.labels[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        made.labels[0] = 1


def test_absent_file_says_what_to_run(tmp_path):
    """A missing index is no corruption; the message names the command that makes it."""
    with pytest.raises(StoreError, match="w2s-cache extract") as caught:
        read_index(tmp_path / "index.parquet")
    assert not isinstance(caught.value, CorruptStoreError)


def rewrite(path, *, column=None, value=None, about=None):
    """Change one column or one metadata field of an index file, leaving the stored digest."""
    table = pq.read_table(path)
    meta = json.loads(table.schema.metadata[b"w2s_cache.index"])
    if column is not None:
        at = table.schema.get_field_index(column)
        table = table.set_column(at, table.schema.field(at), pa.array(value))
    meta |= about or {}
    table = table.replace_schema_metadata({b"w2s_cache.index": json.dumps(meta).encode()})
    pq.write_table(table, path)


@pytest.mark.parametrize(
    "change",
    [
        {"column": "label", "value": [0, 1, 1]},
        {"column": "class", "value": ["axe", "axe", "axe"]},
        {"column": "split", "value": ["train", "train", "test"]},
        {"column": "split", "value": ["train", "val", "test"]},
        {"column": "row", "value": [0, 2, 1]},
        {"column": "bytes", "value": [3, 0, 6]},
        {"column": "path", "value": ["z", "y", "x"]},
        {"column": "sha256", "value": ["1" * 64, "a" * 64, "9f" * 32]},
        {"about": {"classes": ["axe", "shirt"]}},
        {"about": {"domain": "sketch"}},
        {"about": {"digest": "0" * 64}},
        {"about": {"schema": "w2s-cache/index/2"}},
        {"about": {"classes": None}},
    ],
)
def test_any_changed_field_is_found(tmp_path, change):
    """A file whose rows are not those its digest names is corrupt, whichever field changed."""
    path = tmp_path / "index.parquet"
    write_index(path, index())
    rewrite(path)
    assert read_index(path).digest == index().digest
    rewrite(path, **change)
    with pytest.raises(CorruptStoreError, match="extract"):
        read_index(path)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not parquet at all"])
def test_a_file_that_is_no_parquet_is_corrupt(tmp_path, content):
    """Empty, cut or foreign files are reported, not parsed."""
    (tmp_path / "index.parquet").write_bytes(content)
    with pytest.raises(CorruptStoreError, match="whole index file"):
        read_index(tmp_path / "index.parquet")


def test_a_parquet_of_something_else_is_corrupt(tmp_path):
    """Parquet without the index's metadata is not an index."""
    pq.write_table(pa.table({"row": [0]}), tmp_path / "index.parquet")
    with pytest.raises(CorruptStoreError, match="KeyError"):
        read_index(tmp_path / "index.parquet")


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_index_and_nothing_else(tmp_path, monkeypatch, error):
    """A full disk or an interrupt in the middle of a write changes nothing."""
    path = tmp_path / "index.parquet"
    write_index(path, index())
    before = path.read_bytes()

    def fail(_descriptor):
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    kind = StoreWriteError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(kind):
        write_index(path, index(domain="sketch"))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
