"""`w2s-cache cache`: verify, diff, pack, unpack, gc and rm, from the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

SET = "v1/tiny/art/sets/clip__net.json"


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


@pytest.mark.parametrize("why", ["images", "gone", "weak", "encoder"])
def test_recompute_says_what_is_missing(cached, cache, copy, tmp_path, why):
    """Changed images, a weak model that was not kept and other weights are named."""
    root, spec = cached.folder / "images", cached.spec
    if why in ("images", "gone"):
        root = tmp_path / "images"
        shutil.copytree(cached.folder / "images", root)
        for image in root.glob("art/*/*.png"):
            damage(image) if why == "images" else image.unlink()
    elif why == "weak":
        shutil.rmtree(copy / "v1/tiny/art/weak")
    else:
        spec = cached.edited(
            'library = "open_clip"', 'library = "open_clip"\nprecision = "bf16"', tmp_path
        )
    told = cache("verify", "--spec", spec, "--domain", "art", "--recompute", "3", "--root", root)
    assert told.exit_code == 1
    words = {
        "images": "changed after",
        "gone": "No such file",
        "weak": "was not kept",
        "encoder": "strong.precision",
    }
    assert words[why] in told.stderr


def test_recompute_needs_a_spec(cache):
    """Without a spec nobody knows which models to load."""
    told = cache("verify", "--recompute", "3")
    assert told.exit_code == 2
    assert "--recompute needs --spec" in told.stderr
    assert "which must be given" in " ".join(cache("verify", "--help").stdout.split())


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


def test_diff_takes_the_digests_that_ls_prints(cache):
    """A store named by the digits that end its line of `ls` is compared as by its path."""
    paths = [line.split()[-1] for line in cache("ls").stdout.splitlines() if "/image/" in line]
    digests = [path.rpartition("-")[2][:6] for path in paths]
    assert cache("diff", *digests).stdout == cache("diff", *paths).stdout
    told = cache("diff", digests[0], "0000")
    assert (told.exit_code, told.stderr.count("\n")) == (1, 1)


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


def test_a_mistyped_command_is_answered_with_the_nearest(w2s):
    """The group suggests as the program does."""
    told = w2s("cache", "verfy")
    assert told.exit_code == 2
    assert "verify" in told.stderr


def test_local_weights_named_beside_the_spec_are_those_of_extract(cached, cache, tmp_path):
    """`diff --spec` takes --strong-checkpoint as `extract` did: other weights differ, these not."""
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"other")
    same = cached.folder / "clip.safetensors"
    for weights, code in ((same, 0), (other, 1)):
        told = cache("diff", SET, "--spec", cached.spec, "--strong-checkpoint", weights)
        assert told.exit_code == code
    assert "request.strong.checkpoint" in told.stdout
