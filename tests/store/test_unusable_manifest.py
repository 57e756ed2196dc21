"""Laws of manifests that cannot be used: never guessed at, and begun anew where that is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from w2s_cache.errors import BrokenManifestError, NewerStoreError
from w2s_cache.store import recover
from w2s_cache.store.check import check_store
from w2s_cache.store.fingerprint import digest
from w2s_cache.store.layout import MANIFEST_FILE
from w2s_cache.store.writer import open_writer


def test_a_damaged_manifest_is_not_overwritten(store: Path, maker: Any, contents: Any) -> None:
    """With a manifest it cannot read, a writer that was not told so neither guesses nor deletes."""
    before = contents(store)
    (store / MANIFEST_FILE).write_text("{")
    with pytest.raises(BrokenManifestError, match="is not a manifest"):
        maker.fill(store)
    assert contents(store) == before
    assert (store / MANIFEST_FILE).read_text() == "{"


def edited(store: Path, **changes: Any) -> None:
    """Change fields of the manifest."""
    path = store / MANIFEST_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


UNUSABLE = {
    "no JSON": lambda store: (store / MANIFEST_FILE).write_text("{"),
    "empty": lambda store: (store / MANIFEST_FILE).write_text(""),
    "shards beyond the rows": lambda store: edited(store, rows=9),
    "more rows": lambda store: edited(store, rows=28),
    "another key": lambda store: edited(store, key={}, key_digest=digest({})),
}


@pytest.mark.parametrize("damage", UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_manifest_is_said_once_and_its_store_begun_anew(
    store: Path, maker: Any, contents: Any, damage: Any
) -> None:
    """Where the directory is the key's own, every row is missing again and comes back the same."""
    before, said = contents(store), []
    damage(store)
    with open_writer(store, **maker.declaration(), on_unusable=said.append) as writer:
        assert writer.missing() == [(0, 8), (8, 16), (16, 20)]
        assert not list(store.glob("part-*"))
    assert len(said) == 1
    maker.fill(store)
    assert (contents(store), check_store(store)) == (before, [])


def test_what_a_newer_version_made_is_never_begun_anew(
    store: Path, maker: Any, contents: Any
) -> None:
    """A schema that this version does not know yet is refused, whoever asks."""
    edited(store, schema="w2s-cache/feature-store/2")
    before = contents(store)
    with (
        pytest.raises(NewerStoreError, match="cache-dir DIR"),
        open_writer(store, **maker.declaration(), on_unusable=pytest.fail),
    ):
        pytest.fail("opened")
    assert contents(store) == before


@pytest.mark.parametrize("call", ["publish_manifest", "remove_orphans", "drop_failures"])
def test_an_interrupt_while_a_store_is_begun_anew_loses_nothing_that_is_listed(
    store: Path, maker: Any, contents: Any, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Whenever it stops, the manifest is the broken one or an empty one; the next goes on."""
    before = contents(store)
    (store / MANIFEST_FILE).write_text("{")

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(recover, call, stop)
        with (
            pytest.raises(KeyboardInterrupt),
            open_writer(store, **maker.declaration(), on_unusable=lambda _: None),
        ):
            pytest.fail("opened")
    text = (store / MANIFEST_FILE).read_text()
    assert text == "{" or json.loads(text)["shards"] == []
    with open_writer(store, **maker.declaration(), on_unusable=lambda _: None):
        pass
    maker.fill(store)
    assert (contents(store), check_store(store)) == (before, [])
