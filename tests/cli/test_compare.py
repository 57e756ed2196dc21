"""`compare` through the command line."""

from __future__ import annotations

import csv
import io

import pytest


def options(place, *more):
    """The options that name spec and results."""
    return ("--spec", place.spec, "--results-dir", place.results, *more)


@pytest.mark.parametrize("form", ["text", "md", "csv"])
def test_compare_prints_every_baseline_and_domain(studied, w2s, form):
    """Results on standard output, nothing on standard error, one line break at the end."""
    more = ("--against", "lp-kd,weak", "--format", form, "--resamples", 200)
    told = w2s("compare", "cpl", *options(studied, *more))
    assert (told.exit_code, told.stderr) == (0, "")
    assert all(word in told.stdout for word in ("lp-kd", "weak", "art", "photo", "Avg"))
    assert told.stdout.endswith("\n")
    assert not told.stdout.endswith("\n\n")


def test_the_same_seed_prints_the_same(studied, w2s):
    """Resampling is seeded by an option of its own."""
    command = ("compare", "cpl", *options(studied, "--against", "lp-kd", "--format", "csv"))
    first, again = w2s(*command), w2s(*command)
    assert first.stdout == again.stdout
    assert w2s(*command, "--bootstrap-seed", 1).stdout != first.stdout


def test_every_seed_that_has_runs_is_compared(studied, w2s, tmp_path):
    """Seeds beyond the spec's, as a sweep makes them, count here as they do in tables."""
    spec = studied.edited("seeds = [0, 1]", "seeds = [0]", tmp_path)
    more = ("--against", "lp-kd", "--domain", "art", "--format", "csv")
    told = w2s("compare", "cpl", *more, "--spec", spec, "--results-dir", studied.results)
    lines = list(csv.DictReader(told.stdout.splitlines()))
    assert [line["seeds"] for line in lines if line["quantity"] == "mcnemar"] == ["0", "1"]


def test_domains_and_seeds_can_be_chosen(studied, w2s):
    """One domain has no average, one seed one exact test."""
    more = ("--against", "lp-kd", "--domain", "art", "--seeds", 1, "--format", "csv")
    told = w2s("compare", "cpl", *options(studied, *more))
    lines = list(csv.DictReader(io.StringIO(told.stdout)))
    assert {line["column"] for line in lines} == {"art"}
    assert [line["seeds"] for line in lines if line["quantity"] == "mcnemar"] == ["1"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("cpll", "--against", "lp-kd"), ["unknown method", "'cpl'"]),
        (("cpl", "--against", "lp-kdd"), ["unknown method", "'lp-kd'"]),
        (("cpl", "--against", "lp-ce"), ["no run of lp-ce", "train --method lp-ce"]),
        (("cpl", "--against", "cpl"), ["cannot be compared with itself"]),
        (
            ("cpl", "--against", "lp-kd", "--seeds", "7"),
            ["no runs of spec tiny", "w2s-cache train"],
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_be_compared_is_refused(studied, w2s, words, told):
    """One sentence of four parts, exit code 1, nothing on standard output."""
    result = w2s("compare", *words, *options(studied))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: ")
    assert all(part in result.stderr for part in (*told, "expected", "found"))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--seeds", "0-3"), ["cpl, lp-kd on art, photo with seeds 2-3", "--seeds 2-3"]),
        (("--domain", "art", "--seeds", "0,7"), ["cpl, lp-kd on art with seed 7", "--seeds 7"]),
    ],
)
def test_what_is_asked_for_by_name_is_not_dropped(studied, w2s, more, told):
    """Seeds and domains without any run are refused with the command that makes them."""
    result = w2s("compare", "cpl", *options(studied, "--against", "lp-kd", *more))
    assert (result.exit_code, result.stdout) == (1, "")
    assert all(part in result.stderr for part in (*told, "Run `w2s-cache train ", "--spec"))


@pytest.mark.parametrize("name", ["--domain arts", "--weak nett"])
def test_names_that_nothing_has_are_refused(studied, w2s, name):
    """A misspelt name gets the nearest one, as in `train` and `tables`."""
    result = w2s("compare", "cpl", *options(studied, "--against", "lp-kd"), *name.split())
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Did you mean" in result.stderr


def test_runs_of_other_models_are_named(studied, w2s):
    """Where the models asked for have no runs, those that have are said."""
    for command in (("compare", "cpl", "--against", "lp-kd"), ("tables",)):
        result = w2s(*command, *options(studied, "--strong", "RN50,openai"))
        assert "found none; there are runs of clip and net." in result.stderr


def test_what_the_spec_names_and_nobody_ran_is_said(studied, w2s, place, tmp_path):
    """Without --domain and --seeds the rest is compared, and what is left out is named."""
    spec = place.edited("seeds = [0, 1]", "seeds = [0, 1, 2]", tmp_path)
    text = spec.read_text().replace("[data]", '[data]\ndomains = ["art", "photo", "sea"]')
    spec.write_text(text)
    where = ("--spec", spec, "--results-dir", studied.results, "--resamples", 100)
    told = w2s("compare", "cpl", "--against", "lp-kd", *where)
    assert told.exit_code == 0, told.output
    assert told.stderr == "not compared, without runs: sea; seed 2\n"


def test_ceilings_are_compared_by_name_only(studied, w2s):
    """A group leaves them out aloud; their own names do not; the table's row is explained."""
    more = options(studied, "--domain", "art", "--resamples", 100)
    named = w2s("compare", "cpl", "--against", "ceiling-lp", *more)
    assert (named.exit_code, named.stderr) == (0, "")
    group = w2s("compare", "cpl", "--against", "calibrated", *more)
    assert group.stderr.startswith("ceiling-lp, ceiling-cpl left out: trained on ground truth")
    row = w2s("compare", "cpl", "--against", "ceiling", *more)
    assert "Name one of ceiling-lp, ceiling-tp, ceiling-cpl." in row.stderr
