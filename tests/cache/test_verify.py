"""Verifying a cache: each sort of damage is named with its place and its remedy."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from w2s_cache.cache import verify as verify_module
from w2s_cache.cache.inventory import take_inventory
from w2s_cache.cache.selection import Selection, scope_of
from w2s_cache.cache.set_laws import LAWS
from w2s_cache.cache.verify import verify
from w2s_cache.store.failures import RowFailure, write_failures
from w2s_cache.store.index import read_index
from w2s_cache.store.layout import FAILURES_FILE, LOCK_FILE, MANIFEST_FILE, ArraySpec
from w2s_cache.store.lock import writer_lock

SET = "v1/toy/art/sets/clip__net.json"


def verified(home, **names):
    """What verifying finds, by path."""
    scope = scope_of(take_inventory(home.path), Selection(**names))
    return {item.path: item for item in verify(scope, advance=lambda _: None)}


def laws(home, **names):
    """The laws that are broken, by path."""
    return {
        p: [f.law for f in item.findings]
        for p, item in verified(home, **names).items()
        if item.findings
    }


def image(home, domain="art", strong="clip"):
    """The image store of a feature set."""
    fields = json.loads((home.path / f"v1/toy/{domain}/sets/{strong}__net.json").read_text())
    return home.path / fields["image"]["path"]


def edit(path: Path, **changes):
    """Change fields of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_sound_cache_breaks_no_law_and_every_byte_is_counted(home):
    """All artifacts are looked at, and as many bytes read as the manifests list."""
    scope = scope_of(take_inventory(home.path), Selection())
    read: list[int] = []
    found = list(verify(scope, advance=read.append))
    assert [item.findings for item in found] == [()] * len(found)
    kinds = [item.kind for item in found]
    counts = {kind: kinds.count(kind) for kind in kinds}
    assert counts == {"index": 2, "store": 8, "weak model": 2, "feature set": 4}
    assert sum(read) == scope.bytes == sum(f.stat().st_size for f in home.path.rglob("part-*"))


def test_every_shard_is_read_once(home, laid_down, bytes_read):
    """Hashes, laws and notes are all taken from one reading of the bytes."""
    values = np.random.default_rng(0).normal(size=(4_000, 256)).astype(np.float32)
    spec = ArraySpec(name="features", row_shape=(256,), dtype="float32")
    place = home.path / "v1/toy/art/image/large"
    laid_down(place, [spec], {"features": values}, valid=np.ones(4_000, bool), shard_rows=1_000)
    scope = scope_of(take_inventory(home.path), Selection())
    before = bytes_read()
    found = list(verify(scope, advance=lambda _: None))
    assert [item.findings for item in found] == [()] * len(found)
    assert bytes_read() - before < 1.5 * scope.bytes


def test_the_index_is_read_once_for_each_store(home, monkeypatch):
    """However many feature sets share the logits of a domain; copies of images are told by it."""
    read = []

    def noted(path):
        read.append(path.parent.name)
        return read_index(path)

    monkeypatch.setattr(verify_module, "read_index", noted)
    verified(home, domains=("art",))
    assert read == ["art"] * (1 + 3)  # the index itself, two image stores, one logits store


def test_a_selection_takes_feature_sets_with_all_that_they_need(home):
    """By names of models, only those sets' stores, weak models and indexes are read."""
    found = verified(home, domains=("art",), strong="clip")
    kinds = [item.kind for item in found.values()]
    assert sorted(kinds) == ["feature set", "index", "store", "store", "store", "weak model"]
    assert not any("siglip" in path or "photo" in path for path in found)


def damaged_shard(home):
    """A bit of a shard."""
    path = image(home) / "part-00001.h5"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def other_store(home):
    """A feature set that means another key."""
    fields = json.loads((home.path / SET).read_text())
    fields["image"]["key_digest"] = "0" * 64
    (home.path / SET).write_text(json.dumps(fields))


def other_scale(home):
    """A text store whose attribute is not its key's."""
    key = {"logit_scale": 100.0}
    ref = home.store("text", "clip", **key)
    fields = json.loads((home.path / SET).read_text())
    fields["text"] = {"path": ref.path, "key_digest": ref.key_digest}
    (home.path / SET).write_text(json.dumps(fields))


def other_images(home):
    """A feature set that names another domain's image store, of as many rows."""
    other = json.loads((home.path / SET.replace("art", "photo")).read_text())
    edit(home.path / SET, image=other["image"])


def other_domain(home):
    """A domain copied under another name, its feature set changed to fit."""
    import shutil

    shutil.copytree(home.path / "v1/toy/art", home.path / "v1/toy/sketch")
    for file in (home.path / "v1/toy/sketch/sets").iterdir():
        fields = json.loads(file.read_text().replace("/art/", "/sketch/"))
        file.write_text(json.dumps({**fields, "domain": "sketch"}))


def wide_logits(home):
    """An index of two classes under logits of three."""
    from dataclasses import replace

    from w2s_cache.store.index import read_index, write_index

    path = home.path / "v1/toy/art/index.parquet"
    index = replace(read_index(path), classes=("a", "b"), labels=np.arange(10) % 2)
    write_index(path, index)
    for strong in ("clip", "siglip"):
        edit(home.path / f"v1/toy/art/sets/{strong}__net.json", index_digest=index.digest)


def broken_weights(home):
    """A weak model whose weights were swapped."""
    import torch
    from safetensors.torch import save_file

    folder = next(home.path.glob("v1/toy/art/weak/*/"))
    save_file({"w": torch.zeros(3)}, folder / "weights.safetensors")


def exchanged_weak_models(home):
    """Two weak models, each whole, in each other's directory."""
    one, other = (next(home.path.glob(f"v1/toy/{d}/weak/*/")) for d in ("art", "photo"))
    for name in ("weak.json", "weights.safetensors"):
        contents = [(folder / name).read_bytes() for folder in (other, one)]
        for folder, content in zip((one, other), contents, strict=True):
            (folder / name).write_bytes(content)


def failure_of_a_valid_row(home):
    """A reason for a row that is there."""
    told = RowFailure(row=0, path="p", stage="read", error="OSError", message="gone")
    shard = json.loads((image(home) / MANIFEST_FILE).read_text())["shards"][0]
    write_failures(image(home), {shard["digest"]: (told,)})


DAMAGE = [
    (damaged_shard, "image/clip", "FS-08", "extract"),
    (lambda h: (image(h) / "part-00002.h5").unlink(), "image/clip", "FS-07", "extract"),
    (
        lambda h: edit(image(h) / MANIFEST_FILE, key_digest="0" * 64),
        "image/clip",
        "FS-03",
        "Run `w2s-cache extract --spec SPEC --domain art --strong clip --weak net`",
    ),
    (lambda h: (image(h) / "x.tmp-1").write_text(""), "image/clip", "FS-16", "gc"),
    (lambda h: (h.path / SET).write_text("{"), SET, "FSET-1", f"rm {SET}"),
    (lambda h: edit(h.path / SET, strong="other"), SET, "FSET-1", f"rm {SET}"),
    (lambda h: edit(h.path / SET, request={"strong": {"modem": "clip"}}), SET, "FSET-1", "extract"),
    (lambda h: (image(h) / MANIFEST_FILE).unlink(), SET, "FSET-2", "extract"),
    (other_store, SET, "FSET-2", "extract"),
    (lambda h: (h.path / "v1/toy/art/index.parquet").unlink(), SET, "FSET-3", "extract"),
    (
        lambda h: (image(h) / FAILURES_FILE).write_bytes(b"x"),
        "image/clip",
        "FS-17",
        "--weak net --on-error skip`",
    ),
    (failure_of_a_valid_row, "image/clip", "FS-18", "--weak net --on-error skip`"),
    (lambda h: edit(h.path / SET, index_digest="0" * 64), SET, "FSET-3", "extract"),
    (wide_logits, SET, "FSET-4", "extract"),
    (other_scale, SET, "FSET-5", "extract"),
    (other_images, SET, "FSET-6", "extract"),
    (other_domain, SET.replace("art", "sketch"), "FSET-6", "extract"),
    (
        lambda h: (h.path / "v1/toy/art/index.parquet").write_bytes(b"x"),
        "index.parquet",
        "index",
        "extract",
    ),
    (broken_weights, "weak/net", "weak model", "extract"),
    (exchanged_weak_models, "art/weak/net", "weak model", "extract"),
    (exchanged_weak_models, "photo/weak/net", "weak model", "extract"),
]


@pytest.mark.parametrize(("damage", "where", "law", "remedy"), DAMAGE)
def test_damage_is_named_with_its_place_and_its_remedy(home, damage, where, law, remedy):
    """Every sort of damage breaks its law, at its place, and the next step is said."""
    damage(home)
    found = [
        finding
        for path, item in verified(home).items()
        for finding in item.findings
        if where in path and finding.law == law
    ]
    assert found
    assert remedy in str(found[0])


def test_a_broken_index_says_what_was_expected_and_what_was_found(home):
    """Both halves of the sentence are told apart."""
    (home.path / "v1/toy/art/index.parquet").write_bytes(b"x")
    [finding] = verified(home)["v1/toy/art/index.parquet"].findings
    assert ", found " in finding.message


def test_every_law_of_feature_sets_has_a_broken_one():
    """The zoo covers all laws of feature sets."""
    assert {law for *_, law, _ in DAMAGE} >= set(LAWS)


def test_a_store_that_is_being_written_is_not_called_broken(home):
    """Temporary files and missing rows are a live writer's business."""
    store = image(home)
    (store / "part-00003.h5.tmp-1").write_text("")
    assert laws(home)
    with writer_lock(store, timeout=0, on_wait=None):
        (store / "x.tmp-1").write_text("")
        assert laws(home) == {}
        path = store.relative_to(home.path).as_posix()
        assert "writes into it" in verified(home)[path].notes[0]


def test_commands_among_the_remedies_are_quoted_for_a_shell(home):
    """Names and folders with blanks stand as one word."""
    home.feature_set("my art")
    next(home.path.glob("v1/toy/my-art-*/index.parquet")).unlink()
    shutil.copytree(image(home), image(home).with_name("a copy"))
    edit(image(home).with_name("a copy") / MANIFEST_FILE, key_digest="0" * 64)
    remedies = {f.fix for item in verified(home).values() for f in item.findings}
    assert remedies == {
        "Run `w2s-cache extract --spec SPEC --domain 'my art' --strong clip --weak net` again with "
        "the same spec.",
        "Run `w2s-cache cache rm 'v1/toy/art/image/a copy'`: no feature set needs it.",
    }


def test_damage_to_a_store_that_no_set_needs_can_be_removed_with_it(home):
    """`extract` makes what sets need; what none needs would stay broken."""
    copy = image(home).with_name("old")
    shutil.copytree(image(home), copy)
    next(copy.glob("*.h5")).unlink()
    remedies = {f.fix for item in verified(home).values() for f in item.findings}
    removal = "Or run `w2s-cache cache rm v1/toy/art/image/old`: no feature set needs it."
    assert remedies
    assert all(remedy.endswith(removal) for remedy in remedies)


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_nobody_writes_into_a_cache_that_cannot_be_written(home, monkeypatch, code):
    """Where a lock cannot be tried, what is missing or strange is named all the same."""

    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    (image(home) / LOCK_FILE).write_bytes(b"")
    (image(home) / "x.tmp-1").write_text("")
    monkeypatch.setattr(FileLock, "acquire", refuse)
    assert [f.law for item in verified(home).values() for f in item.findings] == ["FS-16"]
