"""What gc takes for an orphan, and what it never touches."""

from __future__ import annotations

from pathlib import Path

import pytest

from w2s_cache.cache.orphans import GcRules, plan_gc
from w2s_cache.cache.removal import carry_out
from w2s_cache.store.lock import writer_lock
from w2s_cache.store.writer import open_writer

SET = "v1/toy/{0}/sets/{1}__net.json"


def removed(home, **rules):
    """Paths that gc would remove."""
    return {item.path for item in plan_gc(home.path, GcRules(**rules)).remove}


def kept(home, **rules):
    """Reasons by path of what gc considered and would not remove."""
    return {item.path: item.why for item in plan_gc(home.path, GcRules(**rules)).keep}


def ref_of(home, path):
    """The stores of a feature set."""
    import json

    fields = json.loads((home.path / path).read_text())
    return {kind: fields[kind]["path"] for kind in ("image", "logits", "text")}


def test_what_feature_sets_of_any_request_need_is_no_orphan(home):
    """A home in which every store is referred to loses nothing, however old it is."""
    assert removed(home, min_age=0) == set()
    assert kept(home) == {}


def test_a_store_that_no_feature_set_refers_to_goes(home):
    """Without its feature set an image store is an orphan; what others share stays."""
    lost = ref_of(home, SET.format("art", "siglip"))
    (home.path / SET.format("art", "siglip")).unlink()
    assert removed(home) == {lost["image"]}


def test_a_weak_model_outlives_the_manifest_of_its_logits(home):
    """Logits that an extraction will compute anew need the model that was fine-tuned for them."""
    [manifest] = home.path.glob("v1/toy/art/logits/*/manifest.json")
    manifest.write_text("{")
    assert not [path for path in removed(home, min_age=0) if "/weak/" in path]
    [why] = [why for path, why in kept(home, min_age=0).items() if "/weak/" in path]
    assert "cannot be read" in why


def test_a_domain_without_feature_sets_goes_with_its_weak_model_and_index(home):
    """Stores, fine-tuned weak model and index of a domain without feature sets are all orphans."""
    for strong in ("clip", "siglip"):
        (home.path / SET.format("art", strong)).unlink()
    plan = plan_gc(home.path, GcRules())
    freed = []
    assert carry_out(home.path, plan, advance=freed.append) == plan.bytes == sum(freed) > 0
    assert not (home.path / "v1/toy/art").exists()
    assert removed(home) == set()
    assert any(path.startswith("v1/toy/photo/image") for path in home.listing())


def test_what_is_young_stays(home):
    """What was written a moment ago may be the first part of an extraction that goes on."""
    ref = home.store("image", "new", "photo")
    assert removed(home) == set()
    assert "minutes old" in kept(home)[ref.path]
    assert removed(home, min_age=0) == {ref.path}


@pytest.mark.parametrize("held", ["self", "neighbour"])
def test_a_domain_in_which_somebody_writes_is_left_alone(home, held):
    """A live writer's lock protects its store and every orphan of that domain."""
    ref = home.store("image", "new", "photo")
    other = ref_of(home, SET.format("photo", "clip"))["image"]
    home.age()
    locked = home.path / (ref.path if held == "self" else other)
    with writer_lock(locked, timeout=0, on_wait=None):
        assert removed(home) == set()
        assert "process" in kept(home)[ref.path]
    assert removed(home) == {ref.path}


def test_unfinished_extractions_stay_unless_asked_for(home):
    """An incomplete store is work to go on from; so is all that its domain has beside it."""
    whole = home.store("image", "new", "photo").path
    partial = home.path / "v1/toy/photo/image/partial"
    with open_writer(
        partial, kind="logits", key={}, rows=9, arrays=home.arrays("logits"), shard_rows=4
    ) as writer:
        writer.write(0, home.block("logits", 0, 4))
    home.age()
    assert removed(home) == set()
    assert "--unfinished" in kept(home)[whole]
    assert removed(home, unfinished=True) == {whole, "v1/toy/photo/image/partial"}


def test_an_unreadable_feature_set_protects_what_it_may_need(home):
    """Nobody knows what a damaged feature set refers to, so its domain keeps everything."""
    path = home.path / SET.format("art", "siglip")
    image = ref_of(home, SET.format("art", "siglip"))["image"]
    path.write_text("{")
    home.age()
    assert removed(home) == set()
    assert "cannot be read" in kept(home)[image]


def test_stray_files_go_and_their_stores_stay(home):
    """Temporary files, unlisted shards and remains without a manifest go, at once in stores."""
    store = ref_of(home, SET.format("art", "clip"))["image"]
    rubble = home.path / "v1/toy/art/image/begun"
    rubble.mkdir()
    (rubble / "part-00000.h5").write_bytes(b"x")
    home.age()
    names = ("part-00007.h5", "part-00000.h5.tmp-12")
    for name in names:
        (home.path / store / name).write_bytes(b"x")
    old, young = "v1/toy/art/sets/a.json.tmp-3", "v1/toy/photo/sets/a.json.tmp-3"
    for path in (old, young):
        (home.path / path).write_bytes(b"x")
    import os

    os.utime(home.path / old, (1, 1))
    strays = {f"{store}/{name}" for name in names}
    assert removed(home) == {*strays, old, "v1/toy/art/image/begun"}
    with writer_lock(home.path / store, timeout=0, on_wait=None):
        assert removed(home) == {old}
    before = home.listing()
    carry_out(home.path, plan_gc(home.path, GcRules()), advance=lambda _: None)
    assert before - home.listing() == {*strays, old, "v1/toy/art/image/begun/part-00000.h5"}


def test_a_link_out_of_the_cache_is_no_orphan(home, tmp_path: Path):
    """What a symbolic link leads to lies outside, and neither it nor its files are removed."""
    outside = tmp_path / "elsewhere"
    ref = home.store("image", "new", "photo")
    (home.path / ref.path).rename(outside)
    (home.path / ref.path).symlink_to(outside)
    home.age()
    assert removed(home, min_age=0) == set()
    assert sorted(path.name for path in outside.glob("part-*"))


def test_files_beside_the_stores_are_not_looked_at(home):
    """Gc knows nothing of what lies beside ``v1``, such as drawn images."""
    (home.path / "pocket-images").mkdir()
    (home.path / "pocket-images" / "a.png.tmp-1").write_bytes(b"x")
    assert removed(home, min_age=0) == set()


def test_a_domain_called_text_is_no_remains_of_texts(home):
    """Every file of a sound domain stays, whatever the domain is called."""
    home.feature_set("text")
    home.age()
    before = home.listing()
    carry_out(home.path, plan_gc(home.path, GcRules()), advance=lambda _: None)
    assert home.listing() == before


def test_a_folder_with_anything_known_below_it_is_no_remains(home):
    """No folder goes while a store, weak model or feature set lies somewhere below it."""
    (home.path / "v1/toy/art").rename(home.path / "v1/toy/text/art")
    (home.path / "v1/toy/text/art/sets").rename(home.path / "v1/toy/text/sets")
    home.age()
    (home.path / "v1/toy/photo").rename(home.path / "v1/toy/text/sets/photo")
    gone = removed(home)
    for path in ("v1/toy/text/art", "v1/toy/text/sets"):
        assert path not in gone
        assert "lies in it" in kept(home)[path]
