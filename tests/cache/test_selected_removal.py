"""What rm removes with what was named, and what it keeps."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import threading

import pytest

from w2s_cache.cache import removal
from w2s_cache.cache.boundary import below
from w2s_cache.cache.inventory import take_inventory
from w2s_cache.cache.removal import Plan, Removal, carry_out
from w2s_cache.cache.selected_removal import named_below, plan_removal
from w2s_cache.cache.selection import Selection, selected_sets
from w2s_cache.errors import StoreError, UnknownNameError
from w2s_cache.store import publish
from w2s_cache.store.lock import writer_lock


def plan(home, *paths, **names):
    """The plan for paths, or for feature sets by name."""
    inventory = take_inventory(home.path)
    sets = selected_sets(inventory, Selection(**names)) if names else ()
    inside = [below(home.path, home.path / path) for path in paths]
    return plan_removal(inventory, named_below(inventory, inside, sets))


def kinds(made):
    """How many of each kind a plan removes."""
    found = [item.kind for item in made.remove]
    return {kind: found.count(kind) for kind in found}


def refs(home, domain, strong):
    """The stores of a feature set."""
    fields = json.loads((home.path / f"v1/toy/{domain}/sets/{strong}__net.json").read_text())
    return {kind: fields[kind]["path"] for kind in ("image", "logits", "text")}


def test_shared_stores_stay_and_that_is_said(home):
    """Of one feature set goes what only it needs; its logits and texts are needed by others."""
    made = plan(home, domains=("art",), strong="siglip")
    mine = refs(home, "art", "siglip")
    assert [item.path for item in made.remove] == [
        "v1/toy/art/sets/siglip__net.json",
        mine["image"],
    ]
    assert {item.path: item.why for item in made.keep} == {
        mine["logits"]: "v1/toy/art/sets/clip__net.json needs it",
        mine["text"]: "v1/toy/photo/sets/siglip__net.json needs it",
    }


def test_a_whole_domain_goes_with_all_that_is_its_own(home):
    """Sets, stores, weak model and index of a domain go; feature sets go first."""
    made = plan(home, "v1/toy/art")
    assert kinds(made) == {"feature set": 2, "store": 3, "weak model": 1, "index": 1}
    carry_out(home.path, made, advance=lambda _: None)
    assert not (home.path / "v1/toy/art").exists()
    assert len([path for path in home.listing() if "/sets/" in path]) == 2


def test_a_store_that_is_needed_is_not_removed_alone(home):
    """Naming a store does not break the feature sets that need it: they are to be named, too."""
    path = refs(home, "art", "clip")["image"]
    with pytest.raises(StoreError, match=r"sets/clip__net\.json needs it"):
        plan(home, path)
    assert kinds(plan(home, path, "v1/toy/art/sets/clip__net.json")) == {
        "feature set": 1,
        "store": 1,
    }


def test_unknown_names_are_refused_with_the_nearest(home):
    """A name that the cache does not have is a mistake, not an empty selection."""
    with pytest.raises(UnknownNameError, match="Did you mean 'photo'"):
        plan(home, domains=("foto",))
    with pytest.raises(UnknownNameError, match="strong model"):
        plan(home, strong="vit")


@pytest.mark.parametrize("place", ["outside", "link", "climb", "home", "nothing", "index"])
def test_only_parts_of_the_cache_can_be_named(home, tmp_path, place):
    """Paths outside the home, links out of it and files that are no artifact are refused."""
    outside = tmp_path / "precious"
    (outside / "image").mkdir(parents=True)
    (home.path / "v1/toy/link").symlink_to(outside)
    path = {
        "outside": outside,
        "link": home.path / "v1/toy/link",
        "climb": home.path / "v1/../../precious",
        "home": home.path,
        "nothing": home.path / "v1/none",
        "index": home.path / "v1/toy/art/index.parquet",
    }[place]
    with pytest.raises(StoreError, match="is not removed"):
        plan(home, path)
    with pytest.raises(StoreError, match="is not removed"):
        plan(home, path / "image")
    assert (outside / "image").is_dir()


def test_a_store_that_is_being_written_is_refused(home):
    """A live writer is named and nothing is removed."""
    path = refs(home, "art", "clip")["image"]
    with (
        writer_lock(home.path / path, timeout=0, on_wait=None),
        pytest.raises(StoreError, match="process"),
    ):
        plan(home, "v1/toy/art")


def test_what_changes_between_the_answer_and_the_deed_stays(home):
    """A feature set that appears meanwhile keeps the stores that it needs."""
    before = plan(home, "v1/toy/art/sets/siglip__net.json")
    path = home.path / "v1/toy/art/sets/siglip__net.json"
    (path.parent / "other__net.json").write_text(path.read_text())
    agreed = before.still(plan(home, "v1/toy/art/sets/siglip__net.json"))
    assert kinds(agreed) == {"feature set": 1}


def test_an_interrupted_removal_leaves_nothing_that_passes_for_data(home, monkeypatch):
    """The manifest goes first, so half a store is no store."""
    made = plan(home, "v1/toy/art")

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(removal, "_empty", stop)
    with pytest.raises(KeyboardInterrupt):
        carry_out(home.path, made, advance=lambda _: None)
    now = take_inventory(home.path)
    stored = {entry.path for entry in now.stores}
    assert all(path in stored for entry in now.sets for path in entry.needs)
    assert len(stored) == 7


def test_who_waited_for_a_removal_is_the_only_writer_after_it(home, monkeypatch):
    """A removal takes no lock away from the writer who got it the moment it was free."""
    path = home.path / refs(home, "art", "clip")["image"]
    waiting, entered, leave = (threading.Event() for _ in range(3))

    def write():
        with writer_lock(path, timeout=10, on_wait=lambda _: waiting.set()):
            entered.set()
            leave.wait(10)

    writer = threading.Thread(target=write)

    @contextlib.contextmanager
    def with_somebody_waiting(*args, **kwargs):
        with writer_lock(*args, **kwargs):
            writer.start()
            waiting.wait(10)
            yield
        entered.wait(10)

    monkeypatch.setattr(removal, "writer_lock", with_somebody_waiting)
    named = path.relative_to(home.path).as_posix()
    removed = Removal(path=named, kind="store", bytes=0, why="named")
    carry_out(home.path, Plan(remove=(removed,), keep=()), advance=lambda _: None)
    try:
        with (
            pytest.raises(StoreError, match="another process"),
            writer_lock(path, timeout=0, on_wait=None),
        ):
            pytest.fail("two writers hold the lock")
    finally:
        leave.set()
        writer.join()


def test_space_is_freed_on_a_full_disk(home, monkeypatch):
    """A disk on which nothing can be written any more does not keep what is there."""

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(publish, "_write_through", full)
    made = plan(home, "v1/toy/art")
    assert carry_out(home.path, made, advance=lambda _: None) > 0
    assert not (home.path / "v1/toy/art").exists()


def test_an_unreadable_feature_set_keeps_what_its_own_domain_has(home):
    """What it may need is of its domain, or text of its data set; the other domains may go."""
    (home.path / "v1/toy/photo/sets/clip__net.json").write_text("{")
    art = refs(home, "art", "clip")
    named = [entry.path for entry in take_inventory(home.path).sets if "/art/" in entry.path]
    made = plan(home, *named)
    gone = {item.path for item in made.remove}
    assert {art["image"], art["logits"]} <= gone
    assert "cannot be read" in {item.path: item.why for item in made.keep}[art["text"]]
