"""No list, folder, archive or file of the cache leads out of the place it belongs to."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w2s_cache.data.class_folders import read_class_folders
from w2s_cache.data.domainnet import read_domainnet
from w2s_cache.data.unpack import unpack_folder
from w2s_cache.errors import DataError, DownloadError, StoreError
from w2s_cache.store.feature_set import StoreRef, open_member
from w2s_cache.store.layout import ArraySpec
from w2s_cache.store.reader import open_store
from w2s_cache.store.writer import open_writer


def lists(root: Path, path: str) -> Path:
    """A DomainNet root of one domain whose training list has one more path."""
    for half in ("train", "test"):
        image = root / "d" / "a" / f"{half}.png"
        image.parent.mkdir(parents=True, exist_ok=True)
        image.write_bytes(b"image")
        extra = f"{path} 0\n" if half == "train" else ""
        (root / f"d_{half}.txt").write_text(f"d/a/{half}.png 0\n{extra}")
    return root


@pytest.mark.parametrize(
    "path",
    [
        "d/a/../../../secret.png",
        "../secret.png",
        "/etc/passwd",
        "d/a/./x.png",
        "d//a/x.png",
        "C:/d/a/x.png",
        "d/a/C:\\x.png",
        "d\\a\\x.png",
        "d/a/x\x1b[2J.png",
    ],
)
@pytest.mark.parametrize("allowed", [False, True])
def test_a_list_names_only_plain_paths_below_its_domain(
    tmp_path: Path, path: str, allowed: bool
) -> None:
    """Climbing, absolute, Windows and control characters are refused, whatever may lack."""
    (tmp_path / "secret.png").write_bytes(b"secret")
    with pytest.raises(DataError) as caught:
        read_domainnet(lists(tmp_path / "root", path), "d", domains=("d",), absent_allowed=allowed)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize("what", ["file", "class", "domain"])
@pytest.mark.parametrize("reader", ["lists", "folders"])
def test_links_out_of_the_root_are_refused_at_every_level(
    tmp_path: Path, reader: str, what: str, allowed: bool
) -> None:
    """An image, a class folder or a domain folder that is a link must stay in the data root."""
    root, outside = lists(tmp_path / "root", "d/a/x.png"), tmp_path / "outside"
    (root / "d/a/x.png").write_bytes(b"image")
    place = {"file": root / "d/a/x.png", "class": root / "d/a", "domain": root / "d"}[what]
    place.rename(outside)
    place.symlink_to(outside)
    read = {
        "lists": lambda: read_domainnet(root, "d", domains=("d",), absent_allowed=allowed),
        "folders": lambda: read_class_folders(root, "d", dataset="toy", absent_allowed=allowed),
    }[reader]
    with pytest.raises(DataError, match="leads out of the data root"):
        read()


def test_links_inside_the_root_are_followed(tmp_path: Path) -> None:
    """A class folder that is a link to a folder of the same root is read as one."""
    root = lists(tmp_path / "root", "d/a/x.png")
    (root / "d/a/x.png").write_bytes(b"image")
    (root / "d/a").rename(root / "elsewhere")
    (root / "d/a").symlink_to(root / "elsewhere")
    assert len(read_domainnet(root, "d", domains=("d",)).entries) == 3


def member(name: str, mode: int = 0) -> zipfile.ZipInfo:
    """A member of an archive with a Unix mode."""
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


ARCHIVES: dict[str, Callable[[zipfile.ZipFile], None]] = {
    "climbs": lambda z: z.writestr("d/../../evil", b"x"),
    "absolute": lambda z: z.writestr("/tmp/evil", b"x"),  # noqa: S108  a name, not a file
    "drive": lambda z: z.writestr("C:/evil", b"x"),
    "backslash": lambda z: z.writestr(member("d\\..\\evil"), b"x"),
    "link": lambda z: z.writestr(member("d/l", stat.S_IFLNK | 0o777), b"/etc"),
    "device": lambda z: z.writestr(member("d/zero", stat.S_IFCHR | 0o666), b""),
    "fifo": lambda z: z.writestr(member("d/pipe", stat.S_IFIFO | 0o666), b""),
    "bomb": lambda z: z.writestr("d/zeros", b"\0" * (8 << 20), zipfile.ZIP_DEFLATED),
}


@pytest.mark.parametrize("name", list(ARCHIVES))
def test_an_archive_writes_nothing_outside_and_nothing_special(tmp_path: Path, name: str) -> None:
    """It is refused before a byte is written, and nothing is left."""
    root = tmp_path / "root"
    root.mkdir()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("d/ok.png", b"fine")
        ARCHIVES[name](archive)
    with pytest.raises(DownloadError):
        unpack_folder(tmp_path / "a.zip", "d", root)
    assert list(root.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "root"]


def test_a_link_followed_by_a_write_through_it_is_refused(tmp_path: Path) -> None:
    """The second half of the trick never comes to pass: the link itself is refused."""
    (tmp_path / "root").mkdir()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(member("d/out", stat.S_IFLNK | 0o777), str(tmp_path))
        archive.writestr("d/out/evil", b"x")
    with pytest.raises(DownloadError, match="symbolic link"):
        unpack_folder(tmp_path / "a.zip", "d", tmp_path / "root")
    assert not (tmp_path / "evil").exists()


def store(directory: Path) -> Path:
    """A store of four rows."""
    arrays = [ArraySpec(name="features", row_shape=(2,), dtype="float32")]
    with open_writer(directory, kind="image", key={"a": 1}, rows=4, arrays=arrays) as writer:
        writer.write(0, {"features": np.ones((4, 2), np.float32)})
    return directory


@pytest.mark.parametrize("path", ["../store", "/store", "a/../../store", "C:store", "a\\store"])
def test_a_feature_set_names_no_store_outside(path: str) -> None:
    """Its paths are plain and below the home."""
    with pytest.raises(StoreError, match="outside its home"):
        StoreRef(path=path, key_digest="0" * 64)


def test_a_link_out_of_the_home_is_refused(tmp_path: Path) -> None:
    """A store is read, and completed, only where the cache is."""
    made = store(tmp_path / "outside")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "link").symlink_to(made)
    digest = open_store(made).manifest.key_digest
    with pytest.raises(StoreError, match="leads out of the cache home"):
        open_member(tmp_path / "home", StoreRef(path="link", key_digest=digest))
    assert open_member(tmp_path, StoreRef(path="outside", key_digest=digest))


def hostile(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    """The text of a manifest with some fields changed."""

    def edit(text: str) -> str:
        fields = json.loads(text)
        change(fields)
        return json.dumps(fields)

    return edit


MANIFESTS: dict[str, Callable[[str], str]] = {
    "shard climbs": hostile(lambda m: m["shards"][0].update(file="../part-00000.h5")),
    "shard absolute": hostile(lambda m: m["shards"][0].update(file="/part-00000.h5")),
    "many rows": hostile(lambda m: m.update(rows=10**18)),
    "many shards": hostile(lambda m: m.update(rows=10**12, shard_rows=1)),
    "huge shard": hostile(lambda m: m["shards"][0].update(bytes=10**17)),
    "wide rows": hostile(lambda m: m["arrays"][0].update(row_shape=[10**15])),
    "deep": lambda text: text.replace('"attributes": {}', '"attributes": ' + "[" * 10**5),
    "deep and closed": lambda text: text.replace(
        '"attributes": {}', '"attributes": {"a": ' + "[" * 500 + "]" * 500 + "}"
    ),
}


def use(directory: Path) -> None:
    """Verify a store and read all of it."""
    opened = open_store(directory)
    opened.verify()
    opened.read("features")


@pytest.mark.parametrize("name", list(MANIFESTS))
def test_a_hostile_manifest_is_refused_before_it_costs_anything(tmp_path: Path, name: str) -> None:
    """Separators in names, sizes that no file has and JSON without end are one error each."""
    made = store(tmp_path / "s") / "manifest.json"
    text = made.read_text()
    edited = MANIFESTS[name](text)
    assert edited != text
    made.write_text(edited)
    with pytest.raises(StoreError):
        use(tmp_path / "s")
