"""`plot` through the command line."""

from __future__ import annotations

import shutil

import pytest


def options(place, folder, **changes):
    """The options that name spec, results and where figures go."""
    plain = {"spec": place.spec, "results-dir": place.results, "output-dir": folder / "figures"}
    return [part for name, path in {**plain, **changes}.items() for part in (f"--{name}", path)]


def drawn(told, folder, stem):
    """Both files are there, printed and not empty."""
    assert told.exit_code == 0, told.output
    paths = [folder / "figures" / f"tiny-{stem}.{form}" for form in ("png", "svg")]
    assert told.stdout.split() == [str(path) for path in paths]
    return [path.read_bytes() for path in paths]


def test_sensitivity_is_drawn_from_runs_of_several_values(cached, w2s, tmp_path):
    """Runs of `train --set` are found, whatever the spec says; twice the same bytes."""
    where = ("--spec", cached.spec, "--cache-dir", cached.cache)
    results = tmp_path / "results"
    for tau in (0.1, 1):
        train = ("--method", "cpl", "--set", f"tau={tau}", "--results-dir", results)
        assert w2s("train", *where, *train).exit_code == 0
    command = ("plot", "sensitivity", "--method", "cpl", "--parameter", "tau")
    command += tuple(options(cached, tmp_path, **{"results-dir": results}))
    first = drawn(w2s(*command), tmp_path, "sensitivity-cpl-tau")
    assert all(first)
    assert drawn(w2s(*command), tmp_path, "sensitivity-cpl-tau") == first


@pytest.mark.parametrize("method", ["lp-adapt", "tp-adapt"])
def test_beta_is_drawn_from_a_run_and_its_features(cached, w2s, tmp_path, method):
    """The stored head and the cache are enough; of prompts, the spec's strong encoder too."""
    results = tmp_path / "results"
    where = ("--spec", cached.spec, "--cache-dir", cached.cache, "--results-dir", results)
    assert w2s("train", *where, "--method", method, "--domain", "art").exit_code == 0
    command = ("plot", "beta", "--method", method, "--domain", "art")
    command += tuple(
        options(cached, tmp_path, **{"results-dir": results, "cache-dir": cached.cache})
    )
    assert all(drawn(w2s(*command), tmp_path, f"beta-{method}-art"))


def test_curves_are_drawn_from_runs_trained_with_curves(cached, w2s, tmp_path):
    """Without --method every trained method; that there is no ceiling is said."""
    results = tmp_path / "results"
    where = ("--spec", cached.spec, "--cache-dir", cached.cache, "--results-dir", results)
    train = ("train", *where, "--method", "lp-kd,cpl", "--domain", "art", "--curves")
    assert w2s(*train).exit_code == 0
    more = options(cached, tmp_path, **{"results-dir": results})
    told = w2s("plot", "curves", "--domain", "art", *more)
    assert all(drawn(told, tmp_path, "curves-art"))
    assert told.stderr == "no runs on ground truth, drawn without a strong ceiling\n"


def test_curves_are_drawn_beside_runs_trained_without(studied, w2s, tmp_path):
    """`train` before `train --curves`: what has curves is drawn, a command adds the rest."""
    results = tmp_path / "results"
    shutil.copytree(studied.results, results)
    where = ("--spec", studied.spec, "--cache-dir", studied.cache, "--results-dir", results)
    train = ("train", *where, "--method", "cpl", "--domain", "art", "--seeds", "0", "--curves")
    assert w2s(*train).exit_code == 0
    more = options(studied, tmp_path, **{"results-dir": results})
    told = w2s("plot", "curves", "--domain", "art", "--method", "cpl", *more)
    assert all(drawn(told, tmp_path, "curves-art"))
    assert "1 run left out, trained without --curves: cpl on art with seed 1; to" in told.stderr
    assert "train --method cpl --domain art --seeds 1 --curves --spec" in told.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            "curves --domain art --method cpl",
            ["no accuracies", "train --method cpl", "--curves --spec"],
        ),
        ("curves --domain art --method lp-ce", ["no curves of lp-ce"]),
        ("curves --domain art --method cpl --seeds 0-3", ["no run of cpl", "--seeds 2-3"]),
        ("curves --domain arts", ["unknown domain of tiny", "'art'"]),
        (
            "beta --domain art --method lp-adapt",
            ["lp-adapt on art", "train --method lp-adapt"],
        ),
        ("beta --domain art --method lp-adapted", ["unknown method", "'lp-adapt'"]),
        ("sensitivity --method cpl --parameter tau", ["too few values", "--set tau=VALUE"]),
        ("sensitivity --method cpl --parameter tua", ["unknown hyper-parameter", "'tau'"]),
    ],
)
def test_what_cannot_be_drawn_is_refused(studied, w2s, tmp_path, words, told):
    """One sentence of four parts, exit code 1, and no file."""
    result = w2s("plot", *words.split(), *options(studied, tmp_path))
    assert (result.exit_code, result.stdout) == (1, "")
    assert all(part in result.stderr for part in ("Error: ", *told, "expected", "found"))
    assert list(tmp_path.iterdir()) == []


def test_figures_of_other_domains_have_other_names(cached, w2s, tmp_path):
    """Domains asked for stand in the name of a file, so that no figure replaces another."""
    where = ("--spec", cached.spec, "--cache-dir", cached.cache)
    results = tmp_path / "results"
    for tau in (0.1, 1):
        train = ("--method", "cpl", "--set", f"tau={tau}", "--results-dir", results)
        assert w2s("train", *where, *train, "--seeds", "0").exit_code == 0
    command = ("plot", "sensitivity", "--method", "cpl", "--parameter", "tau")
    command += tuple(options(cached, tmp_path, **{"results-dir": results}))
    command += ("--seeds", "0", "--domain")
    assert drawn(w2s(*command, "art"), tmp_path, "sensitivity-cpl-tau-art")
    assert drawn(w2s(*command, "photo"), tmp_path, "sensitivity-cpl-tau-photo")
