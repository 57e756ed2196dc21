"""`w2s-cache neighbours` on the tiny data set."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import shutil

import numpy as np
import pytest
import torch

from w2s_cache.loading import load_domain


def rows(text):
    """Lines of a CSV as dicts."""
    return list(csv.DictReader(io.StringIO(text)))


def where(studied):
    """Options that name the session's spec, cache and one domain."""
    return "--spec", studied.spec, "--cache-dir", studied.cache, "--domain", "art"


@pytest.fixture(scope="module")
def art(studied):
    """The cached tensors of one domain."""
    return load_domain(str(studied.spec), "art", cache_dir=studied.cache)


def test_duplicates_are_pairs_of_files_with_their_cosine(studied, art, w2s):
    """Every pair at or above the threshold, by path, equal to looking at all of them."""
    told = w2s("neighbours", "duplicates", *where(studied), "--threshold", 0.9, "--format", "csv")
    assert told.exit_code == 0, told.output
    unit = torch.nn.functional.normalize(art.features.double(), dim=-1)
    cosines = (unit @ unit.T).numpy()
    paths = art.index.paths
    wanted = {
        (paths[i], paths[j]) for i, j in zip(*np.nonzero(np.triu(cosines, 1) >= 0.9), strict=True)
    }
    found = rows(told.stdout)
    assert {(line["path"], line["other_path"]) for line in found} == wanted
    assert wanted
    values = [float(line["cosine"]) for line in found]
    assert values == sorted(values, reverse=True)


def test_a_copy_in_both_halves_is_reported_as_a_leak(studied, tmp_path, w2s):
    """A training image copied over a test image: the one pair of identical files, cosine 1."""
    shutil.copytree(studied.folder / "images", tmp_path / "images")
    index = load_domain(str(studied.spec), "art", cache_dir=studied.cache).index
    train, test = int(index.is_train.argmax()), int(index.is_train.argmin())
    shutil.copy(tmp_path / "images" / index.paths[train], tmp_path / "images" / index.paths[test])
    np.savez(
        tmp_path / "logits.npz",
        path=np.array(index.paths),
        logits=np.eye(len(index.classes), dtype=np.float32)[index.labels] * 3,
    )
    place = ("--spec", studied.spec, "--cache-dir", tmp_path / "cache", "--domain", "art")
    data = ("--root", tmp_path / "images", "--weak-logits", tmp_path / "logits.npz")
    assert w2s("extract", *place, *data, "--weak", "mine").exit_code == 0
    asked = ("neighbours", "duplicates", *place, "--weak", "mine", "--threshold", 0.999999)
    [found] = json.loads(w2s(*asked, "--across", "--format", "json").stdout)
    pair = {index.paths[train], index.paths[test]}
    [same] = [line for line in found["lines"] if line["identical"]]
    assert {same["path"], same["other_path"]} == pair
    assert (same["kind"], same["cosine"]) == ("train-test", pytest.approx(1.0))
    assert found["identical"] == {"train-train": 0, "train-test": 1, "test-test": 0}
    assert found["leaked"] >= 1
    assert f"{found['leaked']} of {found['test']} test images have a near-dup" in w2s(*asked).stdout


def test_the_table_of_labels_is_about_all_images_of_the_half(studied, art, w2s):
    """Classes in order, images counted by weak label, no accuracy unless it was asked for."""
    asked = ("neighbours", "labels", *where(studied), "--format", "csv", "--neighbours", 5)
    found = rows(w2s(*asked).stdout)
    weak = art.weak_logits.argmax(1).numpy()[~art.index.is_train]
    assert [line["class"] for line in found] == list(art.index.classes)
    assert [int(line["images"]) for line in found] == np.bincount(weak, minlength=3).tolist()
    assert "weak_accuracy" not in found[0]
    known = rows(w2s(*asked, "--ground-truth").stdout)
    labels = art.index.labels[~art.index.is_train]
    for number, line in enumerate(known):
        mine = weak == number
        if mine.any():
            assert float(line["weak_accuracy"]) == (labels[mine] == number).mean()


def test_images_are_listed_most_doubtful_first(studied, w2s):
    """Agreement ascends, every line names a file, and --limit cuts the list."""
    asked = ("neighbours", "labels", *where(studied), "--by", "image", "--format", "csv")
    found = rows(w2s(*asked).stdout)
    values = [float(line["agreement"]) for line in found]
    assert values == sorted(values)
    assert all((studied.folder / "images" / line["path"]).is_file() for line in found)
    assert rows(w2s(*asked, "--limit", 3).stdout) == found[:3]


def test_prototypes_show_the_images_nearest_to_each_class(studied, art, w2s):
    """For zero-shot, whose prototypes are the text features: the test images of highest cosine."""
    asked = ("neighbours", "prototypes", *where(studied), "--results-dir", studied.results)
    told = w2s(*asked, "--method", "zero-shot", "--format", "csv", "--neighbours", 2)
    assert told.exit_code == 0, told.output
    test = np.flatnonzero(~art.index.is_train)
    cosines = torch.nn.functional.normalize(art.features[test], dim=-1) @ art.text.T
    best = cosines.topk(2, dim=0).indices.T.flatten().tolist()
    assert [line["path"] for line in rows(told.stdout)] == [art.index.paths[test[i]] for i in best]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("prototypes", "--method", "weak"), "the head of weak has no prototypes"),
        (("prototypes", "--method", "cpl", "--seed", "9"), "found runs with seeds 0-1"),
        (("prototypes", "--method", "cpl", "--class", "gren"), "Did you mean 'green'"),
        (("duplicates", "--strong", "clap"), "unknown strong encoder"),
        (("labels", "--domain", "arts"), "Did you mean 'art'"),
        (("labels", "--weak", "nobody"), "unknown weak model: expected one of net"),
    ],
)
def test_what_cannot_be_looked_at_is_refused_in_one_sentence(studied, w2s, command, said):
    """Exit code 1, what is wrong and what to do, no traceback."""
    own = () if command[0] != "prototypes" else ("--results-dir", studied.results)
    told = w2s("neighbours", command[0], *where(studied), *own, *command[1:])
    assert told.exit_code == 1
    assert said in told.stderr
    assert isinstance(told.exception, SystemExit)


def test_a_missing_run_is_refused_before_features_are_read(studied, w2s, tmp_path):
    """Of two domains the second has no run: nothing of the first is indexed or printed."""
    results = tmp_path / "results"
    place = ("--spec", studied.spec, "--cache-dir", studied.cache, "--results-dir", results)
    for domain, seed in (("art", 0), ("photo", 1)):
        train = ("train", *place, "--method", "zero-shot", "--seeds", seed, "--domain", domain)
        assert w2s(*train).exit_code == 0
    asked = ("neighbours", "prototypes", *place, "--method", "zero-shot")
    told = w2s(*asked, "--domain", "art,photo")
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr.startswith("Error: no runs of spec tiny")
    assert w2s(*asked, "--domain", "art").exit_code == 0


def test_the_command_for_a_missing_seed_makes_its_run(studied, w2s, tmp_path):
    """Of the runs asked for only the seed is missing: it is named, and the command has it."""
    results = ("--results-dir", tmp_path)
    train = ("train", *where(studied), *results, "--method", "zero-shot")
    assert w2s(*train, "--seeds", "0").exit_code == 0
    asked = ("neighbours", "prototypes", *where(studied), *results, "--method", "zero-shot")
    told = w2s(*asked, "--seed", 9)
    assert "no runs of spec tiny with seed 9" in told.stderr
    assert "found runs with seed 0." in told.stderr
    [command] = [shlex.split(text)[1:] for text in re.findall("`([^`]+)`", told.stderr)]
    assert w2s(*command).exit_code == 0
    assert w2s(*asked, "--seed", 9).exit_code == 0


def test_the_index_used_is_said_on_standard_error(studied, w2s):
    """With its recall where it may miss something; results alone stand on standard output."""
    asked = ("neighbours", "duplicates", *where(studied), "--format", "csv")
    assert "art: 60 images, faiss, exact" in w2s(*asked).stderr
    assert "IVF of 1 cells, 1 visited" in w2s(*asked, "--index", "ivf").stderr
    assert w2s(*asked, "--quiet").stderr == ""
