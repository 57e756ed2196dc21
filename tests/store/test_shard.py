"""Laws of the bytes of one shard."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import xxhash

from w2s_cache.errors import CorruptStoreError
from w2s_cache.store.shard import (
    READ_BLOCK,
    ShardHeader,
    array_view,
    content_digest,
    read_hashed,
    shard_bytes,
)

HEADER = ShardHeader(kind="image", key_digest="k" * 64, start=8, stop=11)
ARRAYS = {"features": np.arange(6, dtype="<f4").reshape(3, 2)}
VALID = np.array([True, False, True])
AGAIN = """
import sys, numpy as np
from w2s_cache.store.shard import ShardHeader, shard_bytes, content_digest
header = ShardHeader(kind="image", key_digest="k" * 64, start=8, stop=11)
arrays = {"features": np.arange(6, dtype="<f4").reshape(3, 2)}
print(content_digest(shard_bytes(header, arrays, valid=np.array([True, False, True]))))
"""


def test_equal_content_makes_equal_bytes_in_any_process() -> None:
    """Shards have no time stamp, no address and no file name in them."""
    again = subprocess.run(
        [sys.executable, "-c", AGAIN], capture_output=True, text=True, check=True
    )
    assert again.stdout.strip() == content_digest(shard_bytes(HEADER, ARRAYS, valid=VALID))


def test_plain_h5py_reads_a_shard(tmp_path: Path) -> None:
    """Arrays, row numbers, mask and attributes are where the specification says."""
    (tmp_path / "part.h5").write_bytes(shard_bytes(HEADER, ARRAYS, valid=VALID))
    with h5py.File(tmp_path / "part.h5", "r") as file:
        assert set(file) == {"features", "row", "valid"}
        assert np.array_equal(file["features"][()], ARRAYS["features"])
        assert file["row"][()].tolist() == [8, 9, 10]
        assert file["valid"][()].tolist() == [True, False, True]
        assert file["features"].chunks is None
        assert dict(file.attrs) == {
            "schema": "w2s-cache/feature-store/1",
            "kind": "image",
            "key_digest": "k" * 64,
            "start": 8,
            "stop": 11,
        }


@pytest.mark.parametrize("size", [0, 1, READ_BLOCK - 1, READ_BLOCK, READ_BLOCK + 1])
def test_hashing_in_blocks_is_hashing_the_whole(tmp_path: Path, size: int) -> None:
    """Block boundaries change neither the digest nor the bytes read."""
    content = np.random.default_rng(0).bytes(size)
    (tmp_path / "file").write_bytes(content)
    buffer = np.zeros(size, dtype=np.uint8)
    assert read_hashed(tmp_path / "file", buffer) == (size, xxhash.xxh3_128_hexdigest(content))
    assert buffer.tobytes() == content


def test_known_digest() -> None:
    """XXH3-128 of nothing, as published with the reference implementation of xxHash."""
    assert content_digest(b"") == "99aa06d3014798d86001c324468d497f"


def test_an_array_elsewhere_than_declared_is_refused(tmp_path: Path) -> None:
    """Absent, chunked or mis-shaped datasets are damage."""
    path = tmp_path / "part.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("chunked", data=np.zeros((3, 2), "f4"), chunks=(1, 2))
        file.create_group("group")
    buffer = np.frombuffer(path.read_bytes(), np.uint8)
    for name, shape, found in [
        ("absent", (3, 2), "unreadable HDF5"),
        ("group", (3, 2), "unreadable HDF5"),
        ("chunked", (3, 2), "no single place"),
        ("chunked", (4, 2), r"shape \(3, 2\)"),
    ]:
        with pytest.raises(CorruptStoreError, match=found):
            array_view(path, name, buffer, shape=shape, dtype="float32")
