"""Laws of `export` and `import` as typed: what goes out comes back, and can be trained on."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from w2s_cache.results import find_runs, read_predictions

METHODS = "cpl,zero-shot,soft-class-means,tp-ce"


@pytest.fixture(scope="module")
def own(studied, tmp_path_factory) -> Path:
    """A copy of the cache that tests here may add to."""
    return Path(shutil.copytree(studied.cache, tmp_path_factory.mktemp("own") / "cache"))


@pytest.fixture(scope="module")
def exported(studied, own, w2s, tmp_path_factory) -> Path:
    """Both domains as npz."""
    output = tmp_path_factory.mktemp("out")
    asked = ("--spec", studied.spec, "--cache-dir", own)
    told = w2s("export", *asked, "--format", "npz", "--output", output)
    assert told.exit_code == 0, told.output
    assert told.stdout.splitlines()[0] == f"art: 60 images → {output / 'art'}"
    return output


@pytest.fixture(scope="module")
def imported(studied, own, w2s, exported) -> Path:
    """The cache with the export back in it, named `theirs`."""
    asked = ("--spec", studied.spec, "--cache-dir", own, "--strong", "theirs")
    told = w2s("import", f"{exported}/{{domain}}", *asked)
    assert told.exit_code == 0, told.output
    assert "art: 60 images, features 60 written, logits reused, text 3 written" in told.stdout
    assert "next: `w2s-cache train --strong theirs" in told.stderr
    return own


def test_imported_features_train_to_the_same_answers(studied, imported, w2s, tmp_path):
    """Equal numbers give equal predictions; prompts, which need an encoder, do not apply."""
    asked = ("--spec", studied.spec, "--results-dir", tmp_path, "--cache-dir", imported)
    told = w2s("train", *asked, "--strong", "theirs", "--method", METHODS, "--seeds", "0")
    assert told.exit_code == 0, told.output
    assert re.search(r"tp-ce +n/a: theirs are imported features", told.stdout)
    assert "loading the text tower" not in told.stderr
    theirs = [r for r in find_runs(tmp_path, strong="theirs") if r.status == "done"]
    assert len(theirs) == 6
    for run in theirs:
        filters = {"domain": run.domain, "method": run.method, "seed": 0, "strong": "clip"}
        [mine] = find_runs(studied.results, **filters)
        predicted = read_predictions(tmp_path, run).predicted
        assert np.array_equal(predicted, read_predictions(studied.results, mine).predicted)
        assert run.inputs["image_key"] != mine.inputs["image_key"]
    table = w2s("tables", *asked, "--strong", "theirs", "--seeds", "0")
    assert table.exit_code == 0, table.output
    assert "strong model theirs" in table.stdout.lower()


def test_imported_features_cannot_be_computed_again_but_weak_logits_can(studied, imported, w2s):
    """`cache verify --recompute` says whence they came, and goes on: nothing is broken."""
    asked = ("--spec", studied.spec, "--strong", "theirs", "--domain", "art", "--recompute", 2)
    told = w2s("cache", "verify", *asked, "--cache-dir", imported)
    assert told.exit_code == 0, told.output
    assert "art: features of theirs were imported from images.npz; no encoder" in told.stdout
    assert "art: logits of 2 rows computed again" in told.stdout
    assert "all laws hold" in told.stdout
    assert "loading theirs" not in told.stderr


@pytest.mark.parametrize("command", ["train", "export", "neighbours", "tables", "compare"])
def test_a_name_nobody_imported_is_unknown(studied, imported, w2s, tmp_path, command):
    """A misspelt name is refused with the known ones, imported ones among them."""
    where = ("--spec", studied.spec, "--strong", "their")
    cache, results = ("--cache-dir", imported), ("--results-dir", studied.results)
    more = {
        "train": (*cache, *results),
        "export": (*cache, "--output", tmp_path / "out"),
        "neighbours": ("duplicates", *cache),
        "tables": (*cache, *results),
        "compare": ("cpl", "--against", "lp-kd", *results),
    }
    told = w2s(command, *more[command], *where)
    assert told.exit_code == 1
    assert "unknown strong encoder" in told.stderr
    assert ("theirs" in told.stderr) == (command in ("train", "export", "neighbours"))


def test_features_imported_without_text_say_how_it_comes_in(studied, own, w2s, exported, tmp_path):
    """A method that needs class text names the import's option; prompts need more than text."""
    asked = ("--spec", studied.spec, "--cache-dir", own, "--strong", "bare", "--domain", "art")
    assert w2s("import", f"{exported}/{{domain}}", *asked, "--text", "none").exit_code == 0
    train = ("train", *asked, "--results-dir", tmp_path, "--seeds", "0")
    told = w2s(*train, "--method", "zero-shot,tp-ce")
    assert re.search(r"zero-shot +n/a: bare was imported without class text; .*--text", told.stdout)
    assert re.search(r"tp-ce +n/a: bare are imported features", told.stdout)


def test_predictions_stand_beside_the_images(studied, own, w2s, tmp_path):
    """A column per method and seed names the class, and is null where nothing was evaluated."""
    asked = ("--spec", studied.spec, "--cache-dir", own, "--results-dir", studied.results)
    told = w2s(
        *("export", *asked, "--domain", "art", "--method", "cpl,weak", "--seeds", "0,1"),
        *("--output", tmp_path, "--what", "predictions"),
    )
    assert told.exit_code == 0, told.output
    table = pq.read_table(tmp_path / "art" / "images.parquet")
    for run in find_runs(studied.results, domain="art", method=["cpl", "weak"]):
        found = read_predictions(studied.results, run)
        column = table.column(f"{run.method}_seed{run.seed}").to_pylist()
        names = ["blue", "green", "red"]
        assert [column[row] for row in found.row] == [names[k] for k in found.predicted]
        assert sum(name is not None for name in column) == len(found.row)
        said = json.loads((tmp_path / "art" / "export.json").read_text())["runs"]
        assert said[f"{run.method}_seed{run.seed}"]["run_id"] == run.run_id


def test_methods_of_an_export_are_known_and_those_without_runs_are_named(
    studied, own, w2s, tmp_path
):
    """A group is its methods; what has no column is said; a misspelt method is refused."""
    asked = ("--spec", studied.spec, "--cache-dir", own, "--results-dir", studied.results)
    asked += ("--domain", "art", "--seeds", 0, "--output", tmp_path / "out")
    wrong = w2s("export", *asked, "--method", "cpll")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "unknown method" in wrong.stderr
    told = w2s("export", *asked, "--method", "calibrated")
    assert told.exit_code == 0, told.output
    assert "left out, without runs: ceiling-cpl, cpl-calibrated; `w2s-cache train" in told.stderr
    columns = pq.read_schema(tmp_path / "out" / "art" / "images.parquet").names
    assert [name for name in columns if name.endswith("_seed0")] == [
        *("ceiling_lp_seed0", "weak_seed0", "zero_shot_seed0")
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--strong", "clip"), "the section [strong.clip]"),
        (("--strong", "ViT-B-32,openai"), "without comma, colon and slash"),
        (("--weak", "nett"), "unknown weak model"),
        (("--weak-logits", "x.csv", "--weak", "net"), "the section [weak.net]"),
        (("--row-order", "index", "--raw"), "one domain, or `{domain}` in the path"),
        (("--tensor", "preprojection", "--text", "model"), "Leave out --text"),
        (("--raw",), "--model"),
    ],
)
def test_options_that_do_not_go_together_are_refused(studied, own, w2s, tmp_path, words, said):
    """Exit 1 and one sentence, before any work."""
    np.savez(tmp_path / "mine.npz", path=np.array(["a"]), features=np.ones((1, 2), np.float32))
    told = w2s("import", tmp_path / "mine.npz", "--spec", studied.spec, "--cache-dir", own, *words)
    assert told.exit_code == 1, told.output
    assert said in told.stderr
    assert "Traceback" not in told.output


def test_the_named_model_encodes_class_text(studied, own, w2s, exported):
    """`--text model` loads the declared open_clip model with the weights that are given."""
    told = w2s(
        *("import", f"{exported}/{{domain}}", "--spec", studied.spec, "--cache-dir", own),
        *("--domain", "art", "--strong", "named", "--model", "pocket-clip", "--text", "model"),
        *("--strong-checkpoint", studied.folder / "clip.safetensors"),
    )
    assert told.exit_code == 0, told.output
    assert "text 3 written" in told.stdout


def test_domains_that_were_not_imported_are_advised_to_be(studied, w2s, exported, tmp_path):
    """The command for what is missing is `import`: `extract` knows no such encoder."""
    home = Path(shutil.copytree(studied.cache, tmp_path / "cache"))
    spec = studied.edited("[data]", '[data]\ndomains = ["art", "photo"]', tmp_path)
    asked = ("--spec", spec, "--cache-dir", home, "--strong", "theirs")
    assert w2s("import", f"{exported}/{{domain}}", *asked, "--domain", "art").exit_code == 0
    results = ("--results-dir", tmp_path / "results", "--method", "cpl", "--seeds", 0)
    every, one = (w2s("train", *asked, *results, *more) for more in ((), ("--domain", "photo")))
    assert (every.exit_code, one.exit_code) == (0, 1)
    for told in (every, one):
        assert "`w2s-cache import SOURCE --domain photo --strong theirs" in told.stderr


def test_a_mistyped_weak_model_of_predictions_is_answered_with_the_nearest(studied, w2s, tmp_path):
    """Export refuses a name that no run has, as compare does."""
    asked = ("--spec", studied.spec, "--cache-dir", studied.cache)
    told = w2s(
        *("export", *asked, "--results-dir", studied.results, "--output", tmp_path),
        *("--method", "cpl", "--weak", "nett"),
    )
    assert told.exit_code == 1
    assert "Did you mean 'net'?" in told.stderr


def test_predictions_of_all_domains_are_looked_at_before_one_is_imported(
    studied, exported, own, w2s, files, tmp_path
):
    """A file of weak logits that does not fit the second domain leaves the first as it was."""
    lines = "".join(f"{path},1,2,3\n" for path in np.load(exported / "art" / "images.npz")["path"])
    header = "path," + ",".join(np.load(exported / "art" / "text.npz")["class"].tolist()[:3]) + "\n"
    (tmp_path / "art.csv").write_text(header + lines)
    (tmp_path / "photo.csv").write_text(header)
    before = files(own)
    asked = ("--spec", studied.spec, "--cache-dir", own, "--strong", "other")
    logits = ("--weak-logits", tmp_path / "{domain}.csv", "--weak", "mine")
    told = w2s("import", f"{exported}/{{domain}}", *asked, *logits)
    assert told.exit_code == 1
    assert "photo.csv" in told.output
    assert files(own) == before
