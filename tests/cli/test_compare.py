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
