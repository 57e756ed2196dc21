"""`--dry-run` of extract, train and sweep: it says, and writes nothing."""

from __future__ import annotations


def test_dry_runs_write_nothing(cached, w2s, tmp_path):
    """`--dry-run` says what would happen and creates neither cache nor results."""
    cache, results = tmp_path / "cache", tmp_path / "results"
    told = w2s("extract", "--spec", cached.spec, "--cache-dir", cache, "--dry-run")
    assert told.exit_code == 0
    assert "clip and net" in told.stdout
    assert told.stdout.count(": 60 images, not cached") == 2
    told = w2s("train", *cached.options(**{"results-dir": results}), "--dry-run")
    assert told.exit_code == 0
    assert told.stdout.startswith("24 runs\nclip and net: zero-shot, weak")
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_says_what_is_cached(cached, w2s, tmp_path):
    """Per domain: how many images, and what the cache has of this pair for these settings."""
    dry = ("--cache-dir", cached.cache, "--dry-run", "--domain", "art")
    told = w2s("extract", "--spec", cached.spec, *dry)
    assert told.stdout.splitlines()[1:] == ["art: 60 images, cached"]
    edited = cached.edited("image_size = 32", "image_size = 24", tmp_path)
    told = w2s("extract", "--spec", edited, *dry)
    assert "art: 60 images, cached with other settings (weak.image_size" in told.stdout
    (tmp_path / "empty").mkdir()
    told = w2s("extract", "--spec", cached.spec, *dry, "--root", tmp_path / "empty")
    assert told.exit_code == 1
    assert "no folder" in told.stderr


def test_a_dry_run_never_draws(w2s, tmp_path):
    """The embedded data set is drawn by the first extraction that needs it, not to look at it."""
    told = w2s("extract", "--cache-dir", tmp_path / "cache", "--dry-run", "--domain", "real")
    assert told.stdout.splitlines()[1:] == ["real: not cached"]
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_refuses_logits_that_are_not_there(cached, w2s):
    """A file that no extraction could read; a misspelt placeholder is told what is one."""
    dry = ("extract", "--spec", cached.spec, "--cache-dir", cached.cache, "--dry-run")
    for file, hint in (
        ("~/x.csv", "Correct the path."),
        ("mine/{domian}.csv", "only `{domain}` is replaced"),
    ):
        told = w2s(*dry, "--weak", "mine", "--weak-logits", file)
        assert (told.exit_code, told.stdout) == (1, "")
        assert f"weak logits {file}: expected a parquet, csv or npz file, found no" in told.stderr
        assert hint in told.stderr
