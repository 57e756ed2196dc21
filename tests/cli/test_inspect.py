"""`w2s-cache ls` and `inspect`: what is cached, described and checked."""

from __future__ import annotations

import json
import shutil


def test_ls_lists_every_store(cached, w2s):
    """Two image, two logits and one text store, their paths relative to the cache."""
    listed = w2s("ls", "--cache-dir", cached.cache)
    assert listed.exit_code == 0
    kinds = [line.split("/")[-2] for line in listed.stdout.splitlines()]
    assert sorted(kinds) == ["image", "image", "logits", "logits", "text"]
    assert [line.split()[:2] for line in listed.stdout.splitlines()] == [
        [rows, "rows"] for rows in ("60", "60", "60", "60", "3")
    ]
    for line in listed.stdout.splitlines():
        assert (cached.cache / line.split()[-1] / "manifest.json").is_file()
    assert listed.stderr.startswith("5 stores")


def test_inspect_describes_and_checks_every_artifact(studied, w2s):
    """A store's manifest and a run's record are printed as JSON, and all laws hold."""
    [store] = studied.cache.glob("v1/tiny/art/image/*/manifest.json")
    [run, _] = sorted(studied.results.glob("tiny/art/cpl/*/record.json"))
    for path, name, value in ((store, "kind", "image"), (run, "method", "cpl")):
        for asked in (path, path.parent):
            told = w2s("inspect", asked)
            assert told.exit_code == 0
            header, verdict = told.stdout.rstrip().rsplit("\n", 1)
            assert json.loads(header)[name] == value
            assert (verdict, told.stderr) == ("all laws hold", "")


def test_inspect_names_a_broken_law(cached, w2s, tmp_path):
    """A store with one byte changed is described, the law named, and the exit code is 1."""
    [manifest] = cached.cache.glob("v1/tiny/art/logits/*/manifest.json")
    for file in manifest.parent.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    [shard] = tmp_path.glob("part-*")
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(content)
    told = w2s("inspect", tmp_path)
    assert told.exit_code == 1
    assert told.stdout.splitlines()[-1].startswith("FS-")


def test_inspect_finds_what_ls_prints(cached, w2s):
    """A path relative to the cache, as `ls` prints it, is as good as a path from here."""
    path = w2s("ls", "--cache-dir", cached.cache).stdout.splitlines()[0].split()[-1]
    told = w2s("inspect", path, "--cache-dir", cached.cache)
    assert told.exit_code == 0
    assert told.stdout.endswith("\nall laws hold\n")


def test_inspect_checks_every_artifact_below_a_folder(studied, w2s, tmp_path):
    """Of many runs only the broken ones have a line; the count and the verdict stand last."""
    told = w2s("inspect", studied.results)
    assert told.stdout == "24 stores and runs checked: all laws hold\n"
    assert w2s("inspect", studied.cache).stdout.startswith("5 stores and runs checked: all laws")
    shutil.copytree(studied.results, tmp_path / "results")
    broken, *_ = sorted((tmp_path / "results").glob("tiny/art/cpl/*/predictions.parquet"))
    broken.unlink()
    told = w2s("inspect", tmp_path / "results")
    assert told.exit_code == 1
    line, verdict = told.stdout.splitlines()
    assert line.startswith(f"{broken.parent.relative_to(tmp_path / 'results')}: RR-")
    assert verdict == "24 stores and runs checked: 1 broken"


def test_the_layout_of_ls_and_inspect_on_nothing(w2s, tmp_path):
    """Empty and absent caches, and folders of another kind, are called what they are."""
    told = w2s("ls", "--cache-dir", tmp_path)
    assert (told.exit_code, told.stdout) == (0, "")
    assert "nothing is cached there yet" in told.stderr
    assert "w2s-cache extract" in told.stderr
    assert "no such folder yet" in w2s("ls", "--cache-dir", tmp_path / "none").stderr
    assert "an empty folder" in w2s("inspect", tmp_path).stderr
    (tmp_path / "photo.jpg").write_bytes(b"")
    assert "1 other entry, such as photo.jpg" in w2s("inspect", tmp_path).stderr


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
