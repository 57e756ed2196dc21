"""`w2s-cache cache`: verify, diff, pack, unpack, gc and rm, from the command line."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from w2s_cache.store.lock import writer_lock

SET = "v1/tiny/art/sets/clip__net.json"
LONG_AGO = 1_700_000_000


@pytest.fixture
def copy(cached, tmp_path: Path) -> Path:
    """A cache of one's own, all files old."""
    target = tmp_path / "cache"
    shutil.copytree(cached.cache, target)
    for file in target.rglob("*"):
        os.utime(file, (LONG_AGO, LONG_AGO))
    return target


@pytest.fixture
def cache(w2s, copy):
    """A function that runs `w2s-cache cache …` on the copy."""
    return lambda *words: w2s("cache", *words, "--cache-dir", copy)


def paths(folder: Path) -> set[str]:
    """Every file but locks."""
    files = (f for f in folder.rglob("*") if f.is_file() and f.suffix != ".lock")
    return {file.relative_to(folder).as_posix() for file in files}


def damage(path: Path) -> None:
    """Change the last byte of a file."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_cache_ls_is_ls(w2s, cache, copy):
    """`cache ls` prints what `ls` prints."""
    assert cache("ls").stdout == w2s("ls", "--cache-dir", copy).stdout != ""


def test_verify_reads_everything_and_says_so(cache):
    """A sound cache: the verdict is the only line that is no note, exit code 0."""
    told = cache("verify")
    assert told.exit_code == 0
    *notes, verdict = told.stdout.splitlines()
    assert all(": note: " in line for line in notes)
    assert verdict.startswith("11 artifacts, ")
    assert verdict.endswith("all laws hold")


def test_verify_names_each_violation_and_the_remedy(cache, copy):
    """Each damaged artifact has its line with the law and what to do, and the exit code is 1."""
    [shard] = copy.glob("v1/tiny/art/logits/*/part-00000.h5")
    damage(shard)
    (copy / "v1/tiny/photo/index.parquet").unlink()
    told = cache("verify", "--quiet")
    assert told.exit_code == 1
    store = shard.parent.relative_to(copy).as_posix()
    lines = told.stdout.splitlines()
    assert any(line.startswith(f"{store}: FS-08: ") and "extract" in line for line in lines)
    assert any("photo/sets" in line and "FSET-3" in line for line in lines)
    assert lines[-1].endswith("2 broken")
    assert cache("verify", "--domain", "photo").exit_code == 1
    assert cache("verify", "--domain", "mars").stderr.startswith("Error: unknown domain")


def test_verify_caps_what_it_prints_of_a_store(cache, copy):
    """Of many violations the first are printed and the rest is counted."""
    [store] = copy.glob("v1/tiny/art/image/*/")
    for number in range(30):
        (store / f"stray-{number:02}").write_bytes(b"")
    lines = cache("verify", "--max-findings", "3").stdout.splitlines()
    assert sum("FS-16" in line for line in lines) == 3
    assert any("and 27 more" in line for line in lines)


def test_recompute_agrees_with_a_sound_cache(cached, cache):
    """Features, texts and weak logits computed again are those that are stored."""
    told = cache("verify", "--spec", cached.spec, "--domain", "art", "--recompute", "4", "-q")
    assert (told.exit_code, told.stderr) == (0, "")
    lines = [line for line in told.stdout.splitlines() if "computed again" in line]
    assert [line.split()[1] for line in lines] == ["image", "text", "logits"]
    assert all(float(line.split("worst cosine ")[1].split()[0]) > 0.9999 for line in lines)


def test_recompute_finds_sound_bytes_with_wrong_numbers(cached, cache, copy):
    """Numbers that are not what the key describes fail, though every hash is right."""
    from w2s_cache.store.reader import open_store, read_manifest
    from w2s_cache.store.writer import open_writer

    [store] = copy.glob("v1/tiny/art/image/*/")
    manifest = read_manifest(store)
    arrays = {spec.name: open_store(store).read(spec.name)[::-1] for spec in manifest.arrays}
    shutil.rmtree(store)
    how = {"kind": manifest.kind, "key": manifest.key, "rows": manifest.rows}
    attributes = {"domain": "art"}
    with open_writer(store, arrays=manifest.arrays, attributes=attributes, **how) as writer:
        for start, stop in writer.missing():
            writer.write(start, {name: values[start:stop] for name, values in arrays.items()})
    assert cache("verify").exit_code == 0
    asked = (
        "--spec",
        cached.spec,
        "--domain",
        "art",
        "--recompute",
        "4",
        "--min-cosine",
        "0.9999999",
    )
    told = cache("verify", *asked)
    assert told.exit_code == 1
    assert "required: these are not the numbers of that key" in told.stdout


@pytest.mark.parametrize("why", ["images", "weak", "encoder"])
def test_recompute_says_what_is_missing(cached, cache, copy, tmp_path, why):
    """Changed images, a weak model that was not kept and other weights are named."""
    root, spec = cached.folder / "images", cached.spec
    if why == "images":
        root = tmp_path / "images"
        shutil.copytree(cached.folder / "images", root)
        for image in root.glob("art/*/*.png"):
            damage(image)
    elif why == "weak":
        shutil.rmtree(copy / "v1/tiny/art/weak")
    else:
        spec = cached.edited(
            'library = "open_clip"', 'library = "open_clip"\nprecision = "bf16"', tmp_path
        )
    told = cache("verify", "--spec", spec, "--domain", "art", "--recompute", "3", "--root", root)
    assert told.exit_code == 1
    words = {"images": "changed after", "weak": "was not kept", "encoder": "strong.precision"}
    assert words[why] in told.stderr


def test_recompute_needs_a_spec(cache):
    """Without a spec nobody knows which models to load."""
    told = cache("verify", "--recompute", "3")
    assert told.exit_code == 2
    assert "--spec" in told.stderr


def test_diff_names_fields_and_exits_like_diff(cache, copy):
    """Equal things exit 0; a field that differs is named with both values, and that exits 1."""
    [image] = copy.glob("v1/tiny/art/image/*/")
    [other] = copy.glob("v1/tiny/photo/image/*/")
    told = cache("diff", image, image.relative_to(copy))
    assert (told.exit_code, told.stdout) == (
        0,
        "settings: the same\nbytes: the same hashes, so the same numbers\n",
    )
    told = cache("diff", image, other)
    assert told.exit_code == 1
    assert "key.images: A has " in told.stdout
    assert told.stdout.endswith("settings: 1 field differs\n")
    assert "rows differ" in cache("diff", image, other, "--numbers").stdout
    assert cache("diff", image, SET).exit_code == 1
    assert cache("diff", image).exit_code == 2


def test_diff_with_a_spec_says_what_changed_since(cached, cache, copy, tmp_path):
    """A feature set, or a store by the sets that need it, beside what the spec asks for now."""
    told = cache("diff", SET, "--spec", cached.spec)
    assert (told.exit_code, told.stdout) == (0, f"{SET}: what the spec asks for now\n")
    edited = cached.edited('templates = ["plain"]', 'templates = ["openai-80"]', tmp_path)
    [image] = copy.glob("v1/tiny/art/image/*/")
    for asked in (SET, image):
        told = cache("diff", asked, "--spec", edited)
        assert told.exit_code == 1
        line = 'request.strong.templates[0]: the cache has "plain", spec tiny has "openai-80"'
        assert line in told.stdout


def test_diff_of_feature_sets_compares_their_stores(cache):
    """Two sets are compared by names and request, then store by store."""
    told = cache("diff", SET, SET.replace("art", "photo"))
    assert told.exit_code == 1
    assert 'domain: A has "art", B has "photo"' in told.stdout
    assert "text:\nsettings: the same\nbytes: the same hashes" in told.stdout


def test_a_packed_cache_comes_back_and_trains(w2s, cached, cache, copy, tmp_path, files):
    """Packs of all domains, unpacked elsewhere, are the same files, and `train` takes them."""
    told = cache("pack", "--output", tmp_path / "packs")
    assert told.exit_code == 0, told.output
    packs = sorted((tmp_path / "packs").iterdir())
    assert [pack.name for pack in packs] == ["tiny__art__clip__net.h5", "tiny__photo__clip__net.h5"]
    assert "--force" in cache("pack", "--output", tmp_path / "packs").stderr
    before = {pack: pack.read_bytes() for pack in packs}
    assert cache("pack", "--output", tmp_path / "packs", "--force").exit_code == 0
    assert {pack: pack.read_bytes() for pack in packs} == before
    target = tmp_path / "elsewhere"
    told = w2s("cache", "unpack", *packs, "--cache-dir", target)
    assert told.exit_code == 0, told.output
    mine, theirs = files(target), files(copy)
    assert mine == {name: theirs[name] for name in mine}
    assert {Path(name).name for name in set(theirs) - set(mine)} == {
        "stats.parquet",
        "weak.json",
        "weights.safetensors",
    }
    where = ("--cache-dir", target, "--results-dir", tmp_path / "results")
    asked = ("--spec", cached.spec, "--method", "soft-class-means", "--seeds", "0")
    assert w2s("train", *asked, *where).exit_code == 0
    assert w2s("cache", "verify", "--cache-dir", target).exit_code == 0


def test_pack_of_nothing_and_unpack_of_nonsense_are_refused(w2s, tmp_path):
    """An empty cache and a file that is no pack are each a sentence."""
    (tmp_path / "x.h5").write_bytes(b"nonsense")
    for words in (("pack", "-o", tmp_path / "out"), ("unpack", tmp_path / "x.h5")):
        told = w2s("cache", *words, "--cache-dir", tmp_path / "none")
        assert told.exit_code == 1
        assert told.stderr.startswith("Error: ")
        assert told.stderr.count("\n") == 1


def test_gc_shows_then_needs_an_answer(cache, copy):
    """Without --yes and a terminal nothing goes, the list is printed, the exit code is 1."""
    (copy / SET).unlink()
    before = paths(copy)
    dry = cache("gc", "--dry-run")
    assert dry.exit_code == 0
    refused = cache("gc")
    assert refused.exit_code == 1
    assert "--yes" in refused.stderr
    assert refused.stdout.splitlines() == dry.stdout.splitlines()[:-1]
    assert paths(copy) == before
    done = cache("gc", "--yes")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1].endswith("removed")
    assert not (copy / "v1/tiny/art").exists()
    assert cache("verify").exit_code == 0
    assert cache("gc").stdout == "nothing to remove\n"


@pytest.mark.parametrize("answer", ["y", "n"])
def test_gc_asks_at_a_terminal(copy, monkeypatch, answer):
    """At a terminal the answer decides."""
    (copy / SET).unlink()
    before = paths(copy)
    from click.testing import CliRunner

    from w2s_cache_cli.main import cli

    runner = CliRunner()
    with runner.isolation(input=f"{answer}\n"):
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
        with pytest.raises(SystemExit) as exit_:
            cli(["cache", "gc", "--cache-dir", str(copy)], standalone_mode=False)
    assert exit_.value.code == 0
    assert (paths(copy) == before) == (answer == "n")


def test_gc_keeps_what_is_young_or_being_written(cache, copy):
    """A writer's domain and fresh files stay, each with its reason."""
    (copy / SET).unlink()
    [image] = copy.glob("v1/tiny/art/image/*/")
    with writer_lock(image, timeout=0, on_wait=None):
        told = cache("gc", "--yes")
    assert told.stdout == "nothing to remove\n"
    assert "writes into" in told.stderr
    for file in copy.rglob("*"):
        os.utime(file)
    assert "minutes old" in cache("gc", "--dry-run").stderr
    assert cache("gc", "--dry-run", "--min-age", "0").stdout.endswith("would be removed\n")


def test_rm_by_name_keeps_what_is_shared(cache, copy):
    """One domain goes with its stores; the texts that the other domain needs stay."""
    told = cache("rm", "--dataset", "tiny", "--domain", "art", "--yes")
    assert told.exit_code == 0
    assert "kept: v1/tiny/text/" in told.stderr
    assert not (copy / "v1/tiny/art/sets").exists()
    assert list(copy.glob("v1/tiny/text/*/manifest.json"))
    assert cache("verify").exit_code == 0


def test_rm_by_path_stays_inside_the_cache(cache, copy, tmp_path, cached):
    """Folders outside, the home itself and links out of it are refused; nothing is removed."""
    outside = tmp_path / "precious"
    outside.mkdir()
    (copy / "v1/tiny/link").symlink_to(outside)
    before = paths(copy)
    for path in (outside, copy, copy / "v1/tiny/link", "v1/../..", cached.cache / "v1/tiny/art"):
        told = cache("rm", path, "--yes")
        assert told.exit_code == 1
        assert "is not removed" in told.stderr
    assert paths(copy) == before
    assert outside.is_dir()
    assert cache("rm", "v1/tiny/photo", "--yes").exit_code == 0
    assert not (copy / "v1/tiny/photo").exists()


def test_rm_needs_something_to_remove(cache):
    """No name at all is a usage error, and so are paths and names together."""
    assert cache("rm", "--yes").exit_code == 2
    assert cache("rm", "v1/tiny", "--domain", "art").exit_code == 2


def test_a_mistyped_command_is_answered_with_the_nearest(w2s):
    """The group suggests as the program does."""
    told = w2s("cache", "verfy")
    assert told.exit_code == 2
    assert "verify" in told.stderr


def test_the_layout_of_ls_and_inspect_on_nothing(w2s, tmp_path):
    """Empty and absent caches, and folders of another kind, are called what they are."""
    told = w2s("ls", "--cache-dir", tmp_path)
    assert (told.exit_code, told.stdout) == (0, "")
    assert "nothing is cached there yet" in told.stderr
    assert "w2s-cache extract" in told.stderr
    assert "no such folder yet" in w2s("ls", "--cache-dir", tmp_path / "none").stderr
    assert "an empty folder" in w2s("inspect", tmp_path).stderr
    (tmp_path / "photo.jpg").write_bytes(b"")
    assert "1 other entries, such as photo.jpg" in w2s("inspect", tmp_path).stderr


def test_inspect_calls_other_parts_of_the_cache_by_their_names(w2s, copy):
    """A weak model, feature sets and shards without manifest are not "no such store"."""
    [weak] = copy.glob("v1/tiny/art/weak/*/")
    assert "found a fine-tuned weak model" in w2s("inspect", weak).stderr
    assert "found feature sets" in w2s("inspect", copy / "v1/tiny/art/sets").stderr
    [image] = copy.glob("v1/tiny/art/image/*/")
    (image / "manifest.json").unlink()
    told = w2s("inspect", image)
    assert told.exit_code == 1
    assert "found shards without a manifest" in told.stderr


def test_inspect_cuts_long_headers_and_long_lists(w2s, copy):
    """Of many shards and violations the first are shown, all with --full."""
    [image] = copy.glob("v1/tiny/art/image/*/")
    fields = json.loads((image / "manifest.json").read_text())
    [shard] = fields["shards"]
    rows, n = fields["rows"], 30
    fields["shard_rows"] = rows // n
    fields["shards"] = [
        {**shard, "file": f"part-{i:05d}.h5", "start": i * rows // n, "stop": (i + 1) * rows // n}
        for i in range(n)
    ]
    (image / "manifest.json").write_text(json.dumps(fields))
    short, full = w2s("inspect", image), w2s("inspect", image, "--full")
    assert short.exit_code == full.exit_code == 1
    assert "24 more shards (--full)" in short.stdout
    assert "more (--max-findings)" in short.stdout
    assert len(short.stdout.splitlines()) < 150 < len(full.stdout.splitlines())


def test_local_weights_named_beside_the_spec_are_those_of_extract(cached, cache, tmp_path):
    """`diff --spec` takes --strong-checkpoint as `extract` did: other weights differ, these not."""
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"other")
    same = cached.folder / "clip.safetensors"
    for weights, code in ((same, 0), (other, 1)):
        told = cache("diff", SET, "--spec", cached.spec, "--strong-checkpoint", weights)
        assert told.exit_code == code
    assert "request.strong.checkpoint" in told.stdout
