"""What names a store: its path, or the beginning of its digest."""

from __future__ import annotations

from pathlib import Path

import pytest

from w2s_cache.cache.operand import StoreOperand, operand
from w2s_cache.errors import CorruptStoreError, StoreError
from w2s_cache.store.contents import list_stores
from w2s_cache.store.fingerprint import digest


def entries(home):
    """The stores of a home as (digest, folder)."""
    stores = list_stores(home.path)
    return [(store.manifest.key_digest, home.path / store.path) for store in stores]


@pytest.mark.parametrize("digits", [4, 12, 64])
def test_a_digest_or_its_beginning_names_the_store(home, digits):
    """Four digits, the twelve of the folder and the whole digest all mean the same store."""
    for whole, folder in entries(home):
        for start in (whole[:digits], whole[:digits].upper()):
            found = operand(Path(start), home.path)
            assert isinstance(found, StoreOperand)
            assert found.directory == folder
            assert found.manifest.key_digest == whole


def test_a_path_comes_before_a_digest(home, tmp_path, monkeypatch):
    """A store whose folder has a digest's name is the one that is meant; other things are not."""
    (first, folder), (_, other) = entries(home)[:2]
    monkeypatch.chdir(tmp_path)
    Path(first[:6]).mkdir()
    assert operand(Path(first[:6]), home.path).directory == folder
    Path(first[:6]).rmdir()
    Path(first[:6]).symlink_to(other)
    assert operand(Path(first[:6]), home.path).directory == Path(first[:6])


def test_several_digests_that_begin_alike_are_named(home):
    """Who means one of two is asked for more digits, with the paths to choose from."""
    seen: dict[str, int] = {}
    for number in range(4_000):
        key = {"kind": "image", "encoder": {"name": "clip"}, "images": number}
        start = digest(key)[:4]
        if start in seen:
            break
        seen[start] = number
    pair = seen[start], number
    paths = [home.store("image", "clip", "art", images=images).path for images in pair]
    with pytest.raises(StoreError, match=f"{start} does not name one store") as refused:
        operand(Path(start), home.path)
    told = str(refused.value)
    assert "2 stores" in told
    assert all(path in told for path in paths)
    assert "more digits" in told
    for path in paths:
        assert operand(Path(path.rpartition("-")[2]), home.path).directory == home.path / path


@pytest.mark.parametrize("name", ["0000", "abc", "v1/toy/nowhere", "clip-zz"])
def test_what_names_nothing_is_refused_with_what_would(home, name):
    """An unknown digest, three digits and a path to nowhere get the same four-part sentence."""
    if name == "abc":
        name = entries(home)[0][0][:3]
    with pytest.raises(StoreError, match="cannot compare") as refused:
        operand(Path(name), home.path)
    for part in ("four digits", "nothing of that name or digest", "w2s-cache ls"):
        assert part in str(refused.value)


def test_a_damaged_store_named_by_digest_is_damaged_not_unknown(home):
    """The manifest that cannot be read is said to be so."""
    whole, folder = entries(home)[0]
    (folder / "manifest.json").write_text("{")
    with pytest.raises(CorruptStoreError, match=folder.name):
        operand(Path(whole[:8]), home.path)
