"""A feature pack: one plain HDF5 file, the same bytes every time, and back."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from w2s_cache.cache.inventory import take_inventory
from w2s_cache.cache.pack_layout import SCHEMA, pack_name
from w2s_cache.errors import CorruptStoreError, StoreError
from w2s_cache.store import publish
from w2s_cache.store.check import check_store
from w2s_cache.store.failures import RowFailure, write_failures
from w2s_cache.store.fingerprint import digest
from w2s_cache.store.layout import FAILURES_FILE, MANIFEST_FILE
from w2s_cache.store.lock import writer_lock

SET = "v1/toy/art/sets/clip__net.json"


def contents(home: Path) -> dict[str, bytes]:
    """Every file but locks, file times and weak models."""
    files = (
        f for f in home.rglob("*") if f.is_file() and f.suffix != ".lock" and "/weak/" not in str(f)
    )
    return {file.relative_to(home).as_posix(): file.read_bytes() for file in files}


def test_plain_h5py_reads_what_the_cache_holds(home, pack):
    """Arrays, columns and JSON are where the specification says, as plain types."""
    fields = json.loads((home.path / SET).read_text())
    with h5py.File(pack, "r") as file:
        assert file.attrs["schema"] == SCHEMA
        assert (file.attrs["dataset"], file.attrs["domain"], file.attrs["rows"]) == (
            "toy",
            "art",
            10,
        )
        assert set(file) == {"files", "index", "image", "logits", "text", "digests"}
        features = file["image/features"]
        assert (features.shape, features.dtype, features.chunks) == ((10, 4), np.float16, None)
        expected = home.block("image", 0, 10)["features"].astype(np.float16)
        assert (features[()] == expected).all()
        assert set(file["image"]) == {"features", "preprojection", "valid"}
        assert file["text/tokens"].shape == (3, 2, 5)
        assert file["index/path"].asstr()[3] == "art/ärger 03.png"
        assert list(file["index/classes"].asstr()) == ["ärger", "b", "c"]
        assert list(file["index/split"].asstr()[4:7]) == ["train", "train", "test"]
        assert json.loads(file["files/feature_set.json"].asstr()[()]) == fields
        manifest = json.loads(file["files/image.manifest.json"].asstr()[()])
        assert manifest["key_digest"] == fields["image"]["key_digest"]


def test_no_part_of_a_pack_needs_anything_but_hdf5(pack):
    """No compression, no external or virtual data, no pickled or opaque types."""
    with h5py.File(pack, "r") as file:
        found = []
        file.visititems(
            lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None
        )
        assert len(found) > 15
        for item in found:
            assert item.external is None
            assert not item.is_virtual
            assert item.compression is None
            assert item.dtype.kind in "fiubSO"
            assert item.dtype.kind != "O" or h5py.check_string_dtype(item.dtype).encoding == "utf-8"


@pytest.mark.skipif(shutil.which("h5dump") is None, reason="h5dump is not installed")
def test_h5dump_reads_a_pack(pack):
    """HDF5's own tool shows a number of the pack."""
    done = subprocess.run(
        ["h5dump", "-d", "/index/label", pack], capture_output=True, check=True, text=True
    )
    assert "H5T_STD_I64LE" in done.stdout


def test_packing_again_gives_the_same_bytes(home, pack, tmp_path):
    """Neither time nor process is in the file."""
    program = (
        "import sys; from pathlib import Path; from w2s_cache.cache.inventory import *\n"
        "from w2s_cache.cache.pack import write_pack\n"
        "home = Path(sys.argv[1])\n"
        f"e = [e for e in take_inventory(home).sets if e.path == {SET!r}]\n"
        "write_pack(home, e[0], Path(sys.argv[2]), replace=False, advance=lambda _: None)"
    )
    other = tmp_path / "again.h5"
    subprocess.run([sys.executable, "-c", program, home.path, other], check=True)
    assert other.read_bytes() == pack.read_bytes()


def test_unpacking_restores_every_file_byte_for_byte(home, pack, unpacked, tmp_path):
    """Shards, manifests, index and feature set are those that were packed."""
    target = tmp_path / "other home"
    assert unpacked(pack, target) == []
    before = contents(home.path)
    after = contents(target)
    assert len(after) == 12  # index, set, 3 manifests, 3 + 3 + 1 shards
    assert {name: before[name] for name in after} == after
    assert json.loads(after[SET]) == json.loads(before[SET])


@pytest.fixture
def pack_of_failures(home, laid_down, packed, tmp_path: Path) -> Path:
    """The pack of art with an image store whose row 5 is invalid, with a file of reasons."""
    from w2s_cache.store.fingerprint import digest

    fields = json.loads((home.path / SET).read_text())
    key = {"kind": "image", "some": "invalid"}
    where = home.path / f"v1/toy/art/image/clip-{digest(key)[:12]}"
    blocks, valid = home.block("image", 0, 10), np.arange(10) != 5
    laid_down(where, home.arrays("image"), blocks, valid=valid, key=key)
    shard = json.loads((where / MANIFEST_FILE).read_text())["shards"][1]  # rows 4..8
    reason = RowFailure(row=5, path="art/5.png", stage="read", error="OSError", message="gone")
    write_failures(where, {shard["digest"]: (reason,)})
    path = where.relative_to(home.path).as_posix()
    fields["image"] = {"path": path, "key_digest": digest(key)}
    (home.path / SET).write_text(json.dumps(fields))
    return packed(home, tmp_path / "failures.h5")


def test_invalid_rows_and_their_failures_come_back(home, pack_of_failures, unpacked, tmp_path):
    """Blanked rows, the mask and failures.parquet survive the way."""
    unpacked(pack_of_failures, tmp_path / "new")
    before, after = contents(home.path), contents(tmp_path / "new")
    mine = {name for name in after if "/art/image/" in name}
    assert len(mine) == 5
    assert {name: before[name] for name in mine} == {name: after[name] for name in mine}


def test_failures_that_name_other_files_are_refused(
    pack_of_failures, unpacked, tmp_path, monkeypatch
):
    """Reasons name shards by digest; a version of HDF5 that changes these cannot keep them."""
    from w2s_cache.cache import pack_laws as module

    real = module.shard_bytes
    monkeypatch.setattr(module, "shard_bytes", lambda *a, **k: real(*a, **k) + bytes(8))
    with pytest.raises(StoreError, match="lays equal numbers out otherwise"):
        unpacked(pack_of_failures, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("content", [None, b"PAR1 whatever"])
@pytest.mark.usefixtures("pack_of_failures")
def test_a_store_that_would_not_unpack_is_not_packed(home, packed, tmp_path, content):
    """Invalid rows without a reason, or a damaged list of reasons, stop packing."""
    for file in home.path.rglob(FAILURES_FILE):
        file.unlink()
        if content is not None:
            file.write_bytes(content)
    with pytest.raises(CorruptStoreError, match=r"FS-18|failures"):
        packed(home, tmp_path / "again.h5")
    assert not (tmp_path / "again.h5").exists()


def test_the_specification_s_example_reads_a_pack(pack, monkeypatch):
    """The lines of docs/feature-store.md find what they say they find."""
    text = (Path(__file__).parents[2] / "docs" / "feature-store.md").read_text(encoding="utf-8")
    [program] = [b for b in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "pack" in b]
    pack.rename(pack.with_name("pocket__real__pocket-clip__tiny.h5"))
    monkeypatch.chdir(pack.parent)
    found: dict = {}
    exec(program, found)  # noqa: S102 - our own documentation
    assert found["features"].shape == (10, 4)
    assert found["paths"][0] == "art/ärger 00.png"
    assert found["key"]["encoder"] == {"name": "clip"}


def test_what_is_there_already_stays(pack, unpacked, tmp_path):
    """Unpacking twice writes no store again; a damaged store is put right."""
    target = tmp_path / "new"
    unpacked(pack, target)
    before = contents(target)
    assert len(unpacked(pack, target)) == 3
    shard = next(target.glob("v1/toy/art/image/*/part-00001.h5"))
    shard.write_bytes(b"damaged")
    assert len(unpacked(pack, target)) == 2
    assert contents(target) == before


def test_another_layout_of_equal_numbers_is_said_and_sound(pack, unpacked, tmp_path, monkeypatch):
    """A version of HDF5 that writes other bytes gives a sound store of the same key."""
    from w2s_cache.cache import pack_laws as module

    real = module.shard_bytes
    monkeypatch.setattr(module, "shard_bytes", lambda *a, **k: real(*a, **k) + bytes(8))
    said = unpacked(pack, tmp_path / "new")
    assert len(said) == 3
    assert "laid out otherwise" in said[0]
    for manifest in (tmp_path / "new").rglob(MANIFEST_FILE):
        assert check_store(manifest.parent) == []


def test_packs_are_never_replaced_silently(home, pack, packed):
    """A file in the way stays unless it may be replaced."""
    pack.write_bytes(b"mine")
    with pytest.raises(StoreError, match="there already"):
        packed(home, pack)
    assert pack.read_bytes() == b"mine"
    packed(home, pack, replace=True)
    assert pack.read_bytes() != b"mine"
    assert [path.name for path in pack.parent.iterdir()] == [pack.name]


def test_a_broken_cache_is_not_packed(home, packed, tmp_path):
    """A damaged shard stops packing, and nothing half-written is left."""
    shard = next(home.path.glob("v1/toy/art/image/clip*/part-00001.h5"))
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(content)
    with pytest.raises(CorruptStoreError, match="XXH3-128"):
        packed(home, tmp_path / "out" / "art.h5")
    shard.unlink()
    (shard.parent / MANIFEST_FILE).unlink()
    with pytest.raises(CorruptStoreError, match="FSET-2"):
        packed(home, tmp_path / "out" / "art.h5")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("refusal", ["other rows", "other set", "busy", "link"])
def test_a_cache_that_holds_something_else_is_refused(home, pack, unpacked, tmp_path, refusal):
    """Nothing of a cache is overwritten by what a pack brings, unless that is asked for."""
    target = tmp_path / "new"
    unpacked(pack, target)
    store = next(target.glob("v1/toy/art/image/*/"))
    if refusal == "other rows":
        from dataclasses import replace

        from w2s_cache.store.index import read_index, write_index

        file = target / "v1/toy/art/index.parquet"
        write_index(file, replace(read_index(file), sizes=np.full(10, 8)))
    elif refusal == "other set":
        fields = {**json.loads((target / SET).read_text()), "request": {}}
        (target / SET).write_text(json.dumps({**fields, "request_digest": digest({})}))
    elif refusal == "link":
        store.rename(tmp_path / "elsewhere")
        store.symlink_to(tmp_path / "elsewhere")
    before = contents(target)
    messages = {
        "other rows": "other images",
        "other set": "--force",
        "busy": "process",
        "link": "link",
    }
    locked = writer_lock(store, timeout=0, on_wait=None)
    with (
        locked if refusal == "busy" else contextlib.nullcontext(),
        pytest.raises(StoreError, match=messages[refusal]),
    ):
        unpacked(pack, target)
    assert {k: v for k, v in contents(target).items() if ".writer" not in k} == before
    if refusal == "other set":
        unpacked(pack, target, replace=True)
        assert (target / SET).read_bytes() == (home.path / SET).read_bytes()


def test_the_name_of_a_pack_names_all_it_holds(home):
    """Data set, domain and both models are in the file name."""
    entry = take_inventory(home.path).sets[0]
    assert pack_name(entry.found) == "toy__art__clip__net.h5"


def test_the_names_of_new_folders_outlast_a_loss_of_power(
    home, packed, unpacked, tmp_path, monkeypatch
):
    """Each folder that packing and unpacking make is flushed in the folder it lies in."""
    flushed, real = set(), publish._sync_directory

    def flush(folder):
        flushed.add(folder)
        real(folder)

    monkeypatch.setattr(publish, "_sync_directory", flush)
    into, new = tmp_path / "a" / "b", tmp_path / "c" / "d"
    unpacked(packed(home, into / "art.h5"), new)
    made = {folder for folder in (into, new) for folder in (folder, folder.parent)}
    made |= {folder for folder in new.rglob("*") if folder.is_dir()}
    assert {folder.parent for folder in made} <= flushed
