"""Laws of comparing methods, and of how comparisons are printed."""

import csv
import dataclasses
import io

import numpy as np
import pytest

from w2s_cache.errors import UnknownNameError
from w2s_cache.metrics import GapEstimate
from w2s_cache.tables.evaluated import load_evaluated
from w2s_cache.tables.listing import text_listing
from w2s_cache.tables.significance import (
    average_accuracy,
    best_baseline,
    best_pairs,
    significance,
)
from w2s_cache.tables.significance_format import render_significance, summary


@pytest.fixture
def evaluated(answered):
    """All methods of the small study."""
    records, read = answered
    return load_evaluated(records, ("cpl", "lp-kd", "ceiling-lp"), read)


def compare(evaluated, *pairs, resamples=400):
    """Compares with a fixed generator."""
    return significance(evaluated, pairs, resamples=resamples, generator=np.random.default_rng(0))


@pytest.fixture
def result(evaluated):
    """CPL against two others."""
    return compare(evaluated, ("cpl", "lp-kd"), ("cpl", "ceiling-lp"))


def test_the_average_is_the_mean_of_the_domains(result, evaluated):
    """Every domain counts alike, and rows that one answers alone add up."""
    art, sketch, average = result.comparisons[:3]
    assert [c.column for c in result.comparisons[:3]] == ["art", "sketch", "Avg"]
    mean = (art.difference.value + sketch.difference.value) / 2
    assert average.difference.value == pytest.approx(mean)
    assert average.accuracies[0] == pytest.approx(average_accuracy(evaluated, "cpl"))
    assert average.only_method == art.only_method + sketch.only_method
    assert average.only_method == sum(
        run.first_only for c in (art, sketch) for run in c.runs.values()
    )


def test_one_domain_has_no_average(answered):
    """There is nothing to average."""
    records, read = answered
    art = load_evaluated([r for r in records if r.domain == "art"], ("cpl", "lp-kd"), read)
    assert [c.column for c in compare(art, ("cpl", "lp-kd")).comparisons] == ["art"]


def test_exchanging_the_methods_turns_every_sign(evaluated):
    """A against B is minus B against A, on the same resamples."""
    both = compare(evaluated, ("cpl", "lp-kd"), ("lp-kd", "cpl")).comparisons
    for one, other in zip(both[:3], both[3:], strict=True):
        assert one.difference.value == -other.difference.value
        assert (one.difference.p, one.rows_p) == (other.difference.p, other.rows_p)
        assert one.difference.low == pytest.approx(-other.difference.high)
        assert (one.only_method, one.only_against) == (other.only_against, other.only_method)


def test_a_method_against_itself_has_p_one(evaluated):
    """Identical answers differ by nothing."""
    for told in compare(evaluated, ("cpl", "cpl")).comparisons:
        assert (told.difference.value, told.difference.p, told.rows_p) == (0, 1, 1)
        assert all(run.p == 1 for run in told.runs.values())


def test_the_gap_of_the_average_is_that_of_the_averages(result, evaluated):
    """(method − weak)/(ceiling − weak) of averages, as the tables print it."""
    method, weak, ceiling = (
        average_accuracy(evaluated, name) for name in ("cpl", "weak labels", "ceiling")
    )
    told = result.gaps["cpl", "Avg"]
    assert told.value == pytest.approx((method - weak) / (ceiling - weak))
    assert told.low < told.value < told.high


def test_the_best_baseline_has_the_highest_average(evaluated):
    """A method is no baseline of itself; without baselines there is none."""
    assert best_baseline(evaluated, "cpl", ["lp-kd", "ceiling-lp"]) == "ceiling-lp"
    assert best_baseline(evaluated, "ceiling-lp", ["lp-kd", "ceiling-lp"]) == "lp-kd"
    assert best_baseline(evaluated, "cpl", ["cpl"]) is None


@pytest.mark.parametrize("form", ["text", "md"])
def test_printed_comparisons_name_what_they_are(result, form):
    """Baselines, columns, rows, images, seeds and how often was drawn."""
    told = render_significance(result, form)
    words = (
        "lp-kd",
        "ceiling-lp",
        "sketch",
        "Avg",
        "40 rows of",
        "2 seeds (0, 1)",
        "400 resamples",
    )
    assert all(word in told for word in words)
    assert told.endswith("\n")
    assert not told.endswith("\n\n")


def test_csv_has_every_digit(result):
    """One line per number; 2 pairs × 3 columns twice, 2 × 2 × 2 runs, 3 × 3 gaps."""
    lines = list(csv.DictReader(io.StringIO(render_significance(result, "csv"))))
    assert len(lines) == 2 * 2 * 3 + 2 * 2 * 2 + 3 * 3
    first = lines[0]
    assert (first["quantity"], first["against"], first["column"]) == ("difference", "lp-kd", "art")
    assert float(first["value"]) == result.comparisons[0].difference.value
    assert float(first["p"]) == result.comparisons[0].difference.p


def test_gaps_that_do_not_exist_are_said(result):
    """n/a where the ceiling is not above the weak model; left-out resamples are counted."""
    none = GapEstimate(value=None, low=None, high=None, gapless=250)
    changed = dataclasses.replace(result, gaps={**result.gaps, ("cpl", "art"): none})
    told = render_significance(changed, "text")
    assert "n/a" in told
    assert "PGR of cpl on art: 250 resamples without a gap" in told
    without = dataclasses.replace(result, gaps={}, no_gap="no runs of ceiling-lp")
    assert "No performance gap recovered: no runs of ceiling-lp." in render_significance(
        without, "text"
    )


def test_the_summary_has_one_line_per_method(evaluated):
    """What stands below a table: the average's difference, interval, p and PGR."""
    pairs = best_pairs(evaluated, ["cpl", "lp-kd"], ["cpl", "lp-kd"])
    assert best_pairs(evaluated, ["cpl"], ["cpl"]) == []
    result = compare(evaluated, *pairs)
    told = summary(result, {"cpl": "CPL", "lp-kd": "KD + LP"})
    assert [line[:2] for line in told.lines] == [("CPL", "KD + LP"), ("KD + LP", "CPL")]
    assert told.lines[0][2].startswith("+")
    assert told.lines[1][2] == told.lines[0][2].replace("+", "-")
    assert "CPL" in text_listing(told)


def test_an_unknown_format_is_refused(result):
    """The known ones are offered."""
    with pytest.raises(UnknownNameError, match="text"):
        render_significance(result, "pdf")
