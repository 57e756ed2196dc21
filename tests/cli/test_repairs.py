"""Damaged caches: the command that a message names, pasted, mends what it names."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

COMMAND = re.compile(r"`(w2s-cache [^`]+)`")


def flip(path: Path) -> None:
    """Change the last byte of a file."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def pasted(text: str, **filled: object) -> list[list[str]]:
    """The words of every command in a text, its places filled in."""
    commands = [shlex.split(found)[1:] for found in COMMAND.findall(text)]
    return [[str(filled.get(word, word)) for word in words] for words in commands]


@pytest.fixture
def theirs(cached: Any, w2s: Any, copy: Path, tmp_path: Path) -> dict[str, Any]:
    """A cache with features and logits of `art` imported too, and the files they came from."""
    index = pq.read_table(copy / "v1/tiny/art/index.parquet").to_pydict()
    paths = np.array(index["path"])
    noise = np.random.default_rng(0).normal(size=(len(paths), 8)).astype(np.float32)
    np.savez(tmp_path / "feats.npz", path=paths, features=noise)
    np.savez(tmp_path / "weak.npz", path=paths, logits=noise[:, :3])
    where = ("--spec", cached.spec, "--cache-dir", copy)
    logits = ("--weak", "guess", "--weak-logits", tmp_path / "weak.npz")
    declared = ("--domain", "art", "--strong", "rand", "--model", "own", "--raw")
    told = w2s("import", tmp_path / "feats.npz", *where, *declared, *logits)
    assert told.exit_code == 0, told.output
    assert w2s("extract", *where, "--domain", "art", *logits).exit_code == 0
    train = (
        "--results-dir",
        tmp_path / "r",
        "--domain",
        "art",
        "--method",
        "lp-kd",
        "--seeds",
        "0",
    )
    return {
        "where": where,
        "train": ("train", *where, *train),
        "filled": {"SOURCE": tmp_path / "feats.npz", "FILE": tmp_path / "weak.npz"},
        "cache": copy,
    }


@pytest.mark.parametrize(
    ("strong", "weak", "kind"),
    [("rand", "guess", "image"), ("rand", "guess", "logits"), ("clip", "guess", "logits")],
)
def test_damage_to_what_was_imported_is_mended_by_the_command_that_training_names(
    theirs: Any, w2s: Any, strong: str, weak: str, kind: str
) -> None:
    """`import SOURCE` for features, `--weak-logits FILE` for logits; then training works."""
    name = strong if kind == "image" else weak
    [shard] = theirs["cache"].glob(f"v1/tiny/art/{kind}/{name}-*/part-00000.h5")
    sound = shard.read_bytes()
    flip(shard)
    told = w2s(*theirs["train"], "--strong", strong, "--weak", weak)
    assert told.exit_code == 1
    [command] = pasted(told.stderr, **theirs["filled"])
    assert command[0] == ("import" if strong == "rand" else "extract")
    mended = w2s(*command)
    assert mended.exit_code == 0, mended.output
    assert shard.read_bytes() == sound
    assert w2s(*theirs["train"], "--strong", strong, "--weak", weak).exit_code == 0


@pytest.mark.parametrize("words", [("train", "--method", "weak"), ("export",)])
def test_a_lost_declaration_of_imported_features_is_asked_for(
    theirs: Any, w2s: Any, words: tuple[str, ...], tmp_path: Path
) -> None:
    """Their manifest alone says which model they are of: the message names what is to be added."""
    [manifest] = theirs["cache"].glob("v1/tiny/art/image/rand-*/manifest.json")
    manifest.write_text("{")
    place = {"train": "--results-dir", "export": "--output"}[words[0]]
    where = (*theirs["where"], "--domain", "art", "--strong", "rand", "--weak", "guess")
    told = w2s(*words, *where, place, tmp_path / "new")
    assert told.exit_code == 1
    assert "add --model and --raw or --normalized" in told.stderr
    [command] = pasted(told.stderr, **theirs["filled"])
    mended = w2s(*command, "--model", "own", "--raw")
    assert mended.exit_code == 0, mended.output
    assert w2s(*words, *where, place, tmp_path / "new").exit_code == 0


DAMAGED = {
    "a shard": ("image/clip", lambda store: flip(store / "part-00000.h5")),
    "no shard": ("logits/net", lambda store: (store / "part-00000.h5").unlink()),
    "a manifest": ("image/clip", lambda store: (store / "manifest.json").write_text("{")),
    "a manifest of logits": ("logits/net", lambda s: (s / "manifest.json").write_text("{")),
    "imported features": ("image/rand", lambda store: flip(store / "part-00000.h5")),
    "imported logits": ("logits/guess", lambda store: flip(store / "part-00000.h5")),
    "their manifest": ("image/rand", lambda store: (store / "manifest.json").write_text("{")),
}


@pytest.mark.parametrize(("part", "damage"), DAMAGED.values(), ids=DAMAGED)
def test_what_verify_says_of_damage_mends_it(
    theirs: Any, cached: Any, w2s: Any, part: str, damage: Any
) -> None:
    """Every remedy is a whole command; pasted with its places filled, all laws hold again."""
    cache = theirs["cache"]
    [store] = cache.glob(f"v1/tiny/art/{part}-*/")
    weak = {p: p.stat().st_mtime_ns for p in cache.rglob("weights.safetensors")}
    damage(store)
    told = w2s("cache", "verify", "--cache-dir", cache)
    assert told.exit_code == 1
    lines = [line for line in told.stdout.splitlines() if ": note: " not in line]
    commands = pasted("\n".join(lines), SPEC=cached.spec, **theirs["filled"])
    assert commands
    assert {command[0] for command in commands} <= {"extract", "import"}
    for command in {tuple(command): None for command in commands}:
        declared = ["--model", "own", "--raw"] if command[0] == "import" else []
        mended = w2s(*command, *([] if "--raw" in command else declared))
        assert mended.exit_code == 0, mended.output
    assert w2s("cache", "verify", "--cache-dir", cache, "--quiet").exit_code == 0
    assert {p: p.stat().st_mtime_ns for p in cache.rglob("weights.safetensors")} == weak


def test_a_store_of_a_newer_version_is_left_alone_and_the_way_round_it_runs(
    cached: Any, w2s: Any, copy: Path, tmp_path: Path
) -> None:
    """The refusal names one command, which extracts elsewhere; the store stays as it was."""
    [manifest] = copy.glob("v1/tiny/art/image/*/manifest.json")
    fields = {**json.loads(manifest.read_text()), "schema": "w2s-cache/feature-store/2"}
    manifest.write_text(json.dumps(fields))
    before = manifest.read_bytes()
    told = w2s("extract", "--spec", cached.spec, "--cache-dir", copy, "--domain", "art")
    assert told.exit_code == 1
    [command] = pasted(told.stderr, DIR=tmp_path / "elsewhere")
    mended = w2s(*command)
    assert mended.exit_code == 0, mended.output
    assert manifest.read_bytes() == before


def test_the_note_on_a_store_that_nobody_needs_says_when_gc_removes_it(
    w2s: Any, copy: Path
) -> None:
    """A young orphan is kept by `gc` as such, and removed by the command that says at once."""
    for file in copy.glob("v1/tiny/art/sets/*.json"):
        file.unlink()
    [store] = copy.glob("v1/tiny/art/image/*/")
    (store / "manifest.json").touch()
    told = w2s("cache", "verify", "--cache-dir", copy)
    relative = store.relative_to(copy).as_posix()
    [note] = [line for line in told.stdout.splitlines() if relative in line and "gc" in line]
    assert "once it has lain untouched for 60 minutes" in note
    later, at_once = pasted(note)
    assert w2s(*later, "--yes").exit_code == 0
    assert store.exists()
    assert w2s(*at_once, "--yes").exit_code == 0
    assert not store.exists()


def lose_reasons(store: Path) -> None:
    """Why rows are invalid."""
    (store / "failures.parquet").unlink()


@pytest.mark.parametrize(
    "damage", [lambda store: flip(store / "part-00000.h5"), lose_reasons], ids=["shard", "reasons"]
)
def test_damage_to_a_store_with_skipped_images_is_mended_by_the_command_that_training_names(
    place: Any, w2s: Any, tmp_path: Path, damage: Any
) -> None:
    """Known skips need not be agreed to again, lost ones are: exit code 3, and training works."""
    shutil.copytree(place.folder / "images" / "art", tmp_path / "images" / "art")
    sorted((tmp_path / "images").rglob("*.png"))[5].write_bytes(b"no image")
    text = place.text.replace(str(place.folder / "images"), str(tmp_path / "images"))
    (tmp_path / "tiny.toml").write_text(text, encoding="utf-8")
    where = ("--spec", tmp_path / "tiny.toml", "--cache-dir", tmp_path / "cache")
    assert w2s("extract", *where, "--on-error", "skip").exit_code == 3
    [store] = tmp_path.glob("cache/v1/tiny/art/image/*/")
    damage(store)
    train = ("train", *where, "--results-dir", tmp_path / "r", "--method", "weak", "--seeds", "0")
    train = (*train, "--memory", "1kB")  # every shard is verified before a row is read from disk
    [command] = pasted(w2s(*train).stderr)
    assert w2s(*command).exit_code == 3
    assert w2s(*train).exit_code == 0
