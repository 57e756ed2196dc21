"""What `unpack` refuses: packs that were changed, that are none, or that would write elsewhere."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from w2s_cache.errors import CorruptStoreError, StoreError
from w2s_cache.store.check import check_store
from w2s_cache.store.layout import FAILURES_FILE

SET = "v1/toy/art/sets/clip__net.json"


def put(name, value):
    """Put something else in the place of a dataset or an attribute of a pack."""

    def change(file):
        if name.startswith("@"):
            file.attrs[name[1:]] = value
            return
        if name in file:
            del file[name]
        if value is not None:
            file[name] = value

    return change


def elsewhere(file):
    """Features that lie outside the file."""
    del file["image/features"]
    file.create_dataset("image/features", shape=(10, 4), dtype="f2", external=[("x", 0, 80)])


@pytest.mark.parametrize(
    "change",
    [
        put("@schema", "w2s-cache/feature-pack/2"),
        put("@rows", 11),
        put("image/features", np.zeros((10, 4), np.float16)),
        put("image/features", np.zeros((10, 5), np.float16)),
        put("image/features", None),
        put("image/valid", np.zeros(10, bool)),
        put("index/label", np.zeros(10, np.int64)),
        put("index/path", np.array([b"/abs"] * 10)),
        put("files/feature_set.json", "{}"),
        put("files/image.manifest.json", None),
        put("digests", "{}"),
        put("digests", "nonsense"),
        elsewhere,
    ],
)
def test_a_changed_pack_is_refused(pack, unpacked, tmp_path, change, monkeypatch):
    """Whatever is changed, absent or outside is found, and no feature set appears."""
    monkeypatch.chdir(tmp_path)
    with h5py.File(pack, "r+") as file:
        change(file)
    with pytest.raises(CorruptStoreError):
        unpacked(pack, tmp_path / "new")
    assert not list((tmp_path / "new").rglob("sets/*"))


@pytest.mark.parametrize("digests", ['{"files/feature_set.json": "abc"}', "[]", '{"x": [1]}'])
def test_digests_of_another_form_are_named(pack, unpacked, tmp_path, digests):
    """What the digests are not is said, instead of what a digit of one does not equal."""
    with h5py.File(pack, "r+") as file:
        put("digests", digests)(file)
    with pytest.raises(CorruptStoreError, match="digests as a JSON object of lists of strings"):
        unpacked(pack, tmp_path / "new")


@pytest.mark.parametrize("content", [b"", b"no HDF5", None])
def test_what_is_no_pack_is_refused_with_a_sentence(unpacked, tmp_path, content):
    """Empty files, other files and absent ones."""
    file = tmp_path / "x.h5"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StoreError, match=r"x\.h5"):
        unpacked(file, tmp_path / "new")


@pytest.mark.parametrize(
    "path", ["v1/toy/photo/image/x-{0}", "v1/toy/art/image/x", "../x-{0}", "v1/toy/art/sets/x-{0}"]
)
def test_a_pack_cannot_write_outside_its_place(pack, unpacked, tmp_path, path):
    """A store is written only where stores of its kind and domain are, whatever a pack says."""
    import xxhash

    with h5py.File(pack, "r+") as file:
        fields = json.loads(file["files/feature_set.json"].asstr()[()])
        fields["image"]["path"] = path.format(fields["image"]["key_digest"][:12])
        text = json.dumps(fields)
        digests = json.loads(file["digests"].asstr()[()])
        digests["files/feature_set.json"] = [xxhash.xxh3_128_hexdigest(text.encode())]
        put("files/feature_set.json", text)(file)
        put("digests", json.dumps(digests))(file)
    with pytest.raises(CorruptStoreError, match=r"in its place|outside"):
        unpacked(pack, tmp_path / "new")
    assert not list(tmp_path.glob("x-*"))


def test_no_line_of_failures_outlives_the_shards_it_spoke_of(home, pack, unpacked):
    """A damaged list of failures, of a store that is packed without one, is gone afterwards."""
    folder = home.path / json.loads((home.path / SET).read_text())["image"]["path"]
    (folder / FAILURES_FILE).write_bytes(b"damaged")
    assert not any("image" in said for said in unpacked(pack, home.path))
    assert check_store(folder) == []


@pytest.mark.parametrize("linked", ["v1/toy/art/sets", "v1/toy/art", "v1/toy/art/index.parquet"])
def test_no_link_leads_what_is_unpacked_out_of_the_home(home, pack, unpacked, tmp_path, linked):
    """Where a part of the cache is a link out of it, nothing is written, there or here."""
    outside, new = tmp_path / "outside", tmp_path / "new"
    (home.path / linked).rename(outside) if linked.endswith("parquet") else outside.mkdir()
    (new / linked).parent.mkdir(parents=True)
    (new / linked).symlink_to(outside)
    with pytest.raises(StoreError, match="a link that leads out of it"):
        unpacked(pack, new)
    assert not outside.is_dir() or not list(outside.iterdir())
    assert not [file for file in new.rglob("*") if not file.is_symlink() and file.is_file()]


def test_the_way_to_make_room_for_other_images_is_quoted_for_a_shell(home, packed, unpacked):
    """The command that removes a domain names it as one word, whatever its name."""
    file = packed(
        home,
        home.path.parent / "out.h5",
        home.feature_set("my art").relative_to(home.path).as_posix(),
    )
    index = next(home.path.glob("v1/toy/my-art-*/index.parquet"))
    index.write_bytes((home.path / "v1/toy/photo/index.parquet").read_bytes())
    with pytest.raises(StoreError, match="`w2s-cache cache rm --dataset toy --domain 'my art'`"):
        unpacked(file, home.path)
