"""A pack from a stranger costs no memory before its claims are judged, and leads nowhere else."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from w2s_cache.errors import CorruptStoreError

HUGE = 1 << 37  # entries: more memory than any machine that runs this has


def anew(name, **how):
    """A change of a pack: a dataset made anew with other storage, of the same numbers if small."""

    def change(file):
        kept = {} if "shape" in how else {"data": file[name][()]}
        del file[name]
        file.create_dataset(name, **kept, **how)

    return change


def linked(name, link):
    """A change of a pack: a link in the place of a part that still lies elsewhere in the file."""

    def change(file):
        file.move(name, "elsewhere")
        file[name] = link

    return change


def longest(file):
    """Four bytes in which the digests claim to be a string of 4 GiB."""
    place, path = file["digests"].id.get_offset(), file.filename
    file.close()
    with open(path, "r+b") as raw:  # noqa: PTH123
        raw.seek(place)
        raw.write(b"\xff" * 4)


def many_schemas(file):
    """An attribute that is a vector."""
    file.attrs.create("schema", ["w2s-cache/feature-pack/1"] * 3)


CLAIMS = {
    "labels in chunks": anew("index/label", shape=(HUGE,), dtype="i8", chunks=(1024,)),
    "paths never written": anew("index/path", shape=(HUGE,), dtype="S9"),
    "classes never written": anew("index/classes", shape=(HUGE,), dtype="S9"),
    "an index file in chunks": anew(
        "files/index.parquet", shape=(HUGE,), dtype="u1", chunks=(1024,), compression="gzip"
    ),
    "a manifest of fixed length": anew(
        "files/image.manifest.json", shape=(), dtype=h5py.string_dtype(length=(1 << 31) - 1)
    ),
    "a vector of feature sets": anew(
        "files/feature_set.json", shape=(HUGE,), dtype=h5py.string_dtype(), chunks=(1024,)
    ),
    "a vector of digests": anew("digests", shape=(HUGE,), dtype=h5py.string_dtype()),
    "digests of 4 GiB": longest,
    "schema as a vector": many_schemas,
}

FORMS = {
    "chunks": anew("image/features", chunks=(5, 4)),
    "gzip": anew("logits/logits", compression="gzip"),
    "checksums": anew("image/valid", fletcher32=True),
    "big-endian": anew("index/label", dtype=">i8"),
    "labels that are no integers": anew("index/label", dtype="f8"),
    "sizes of 32 bits": anew("index/bytes", dtype="i4"),
    "an index file of wider numbers": anew("files/index.parquet", dtype="u2"),
}

LINKS = {
    "a soft link": linked("index/label", h5py.SoftLink("/elsewhere")),
    "a soft link to a group": linked("image", h5py.SoftLink("/elsewhere")),
    "an external link": linked("image/features", h5py.ExternalLink("other.h5", "/features")),
    "an external link to a group": linked("files", h5py.ExternalLink("other.h5", "/")),
}

SURPLUS = ["more", "index/more", "files/more", "files/text.failures.json", "image/more"]
CHANGES = {**CLAIMS, **FORMS, **LINKS}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_a_part_is_read_only_where_it_lies_flat_in_the_file(pack, unpacked, tmp_path, change):
    """Claims of terabytes, chunks, filters, other dtypes and links are refused before reading."""
    with h5py.File(pack, "r+") as file:
        change(file)
    with pytest.raises(CorruptStoreError, match=r"pack .*art\.h5"):
        unpacked(pack, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", SURPLUS)
def test_what_a_pack_does_not_name_is_refused(pack, unpacked, tmp_path, name):
    """A part too many is named, not read."""
    with h5py.File(pack, "r+") as file:
        file.create_dataset(name, shape=(HUGE,), dtype="i8", chunks=(1024,))
    with pytest.raises(CorruptStoreError, match=name.rpartition("/")[2]):
        unpacked(pack, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_column_of_another_length_is_refused(pack, unpacked, tmp_path):
    """Every column of the index has the rows that the root states."""
    with h5py.File(pack, "r+") as file:
        anew("index/bytes", shape=(11,), dtype="i8")(file)
        file["index/bytes"][...] = np.arange(11)
    with pytest.raises(CorruptStoreError, match="10 entries, int64"):
        unpacked(pack, tmp_path / "new")
