"""Laws of cells, averages, differences and shares of the gap."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s_cache.errors import RecordError
from w2s_cache.tables.average import average_cell
from w2s_cache.tables.ceiling import ceiling_records
from w2s_cache.tables.collect import column_cells, mean_cell, sample_sd
from w2s_cache.tables.delta import delta_cells
from w2s_cache.tables.gap import gap_row
from w2s_cache.tables.table import Cell, Row


def _row(*means, status="complete"):
    cells = [
        Cell(status="missing") if mean is None else Cell(mean=mean, status=status) for mean in means
    ]
    return Row(name="x", label="X", kind="method", cells=tuple(cells))


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_spread_is_the_sample_deviation(values):
    """The divisor is n − 1, as in the standard library's stdev."""
    assert sample_sd(values) == pytest.approx(statistics.stdev(values), abs=1e-12)


def test_one_seed_has_no_spread():
    """With one value nothing is known of the spread; it is not zero."""
    assert sample_sd([0.5]) is None


def test_a_cell_with_fewer_seeds_is_partial():
    """Two of three seeds are averaged, named and marked."""
    cell = mean_cell({2: 0.75, 0: 0.25}, 3)
    assert (cell.mean, cell.seeds, cell.n, cell.status) == (0.5, (0, 2), 2, "partial")
    assert cell.lacks_seeds
    assert mean_cell({0: 0.1, 1: 0.2}, 2).status == "complete"


def test_cells_without_a_number_say_why(make):
    """No record is missing; only records that say so are not applicable; one result counts."""
    refused = {"status": "not-applicable", "reason": "no text", "metrics": {}}
    records = [
        make("cpl", "art", 0, **refused),
        make("cpl", "real", 0, **refused),
        make("cpl", "real", 1, accuracy=0.5),
    ]
    cells = column_cells(records, ["art", "real", "sketch"], metric="accuracy", expected=2)
    assert [cell.status for cell in cells] == ["not-applicable", "partial", "missing"]


def test_a_metric_that_a_run_lacks_is_an_error(make):
    """A record without the metric is never a missing cell."""
    with pytest.raises(RecordError, match=r"cpl on art lacks a metric: expected recall"):
        column_cells([make("cpl", "art")], ["art"], metric="recall", expected=1)


def test_average_weighs_domains_alike_and_spreads_over_seeds():
    """Means 0.3 and 0.6 give 0.45; the per-seed averages 0.4 and 0.5 spread by 0.1/√2."""
    scores = {"a": {0: 0.2, 1: 0.4}, "b": {0: 0.6, 1: 0.6}}
    cell = average_cell([mean_cell(runs, 2) for runs in scores.values()], scores)
    assert cell.mean == pytest.approx(0.45)
    assert cell.sd == pytest.approx(0.1 / math.sqrt(2))
    assert (cell.seeds, cell.status) == ((0, 1), "complete")


def test_average_of_cells_with_different_seeds_has_no_spread():
    """Per-seed averages do not exist then; the average is marked."""
    scores = {"a": {0: 0.2, 1: 0.4}, "b": {0: 0.6}}
    cell = average_cell([mean_cell(runs, 2) for runs in scores.values()], scores)
    assert (cell.mean, cell.sd, cell.seeds, cell.status) == (
        pytest.approx(0.45),
        None,
        (),
        "partial",
    )


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["missing", "complete"], "missing"),
        (["not-applicable", "complete"], "missing"),
        (["not-applicable", "not-applicable"], "not-applicable"),
    ],
)
def test_average_over_an_incomplete_row_does_not_exist(statuses, expected):
    """A row without some domain has no average: it would be of other domains than the rest."""
    cells = [Cell(mean=0.5 if s == "complete" else None, status=s) for s in statuses]
    average = average_cell(cells, {})
    assert (average.mean, average.status) == (None, expected)


def test_difference_is_to_the_best_baseline_of_each_column():
    """0.6 − 0.5 where the first baseline is best, 0.6 − 0.7 where the second is."""
    cells = delta_cells(_row(0.6, 0.6), [_row(0.5, 0.2), _row(0.4, 0.7)])
    assert [cell.mean for cell in cells] == pytest.approx([0.1, -0.1])
    assert {cell.status for cell in cells} == {"complete"}


def test_difference_without_some_baseline_is_marked():
    """A missing baseline might have been the best one; without any there is no difference."""
    cells = delta_cells(_row(0.6, 0.6, None), [_row(0.5, None, 0.5), _row(None, None, 0.5)])
    assert [cell.status for cell in cells] == ["partial", "missing", "missing"]


def test_a_baseline_that_is_not_applicable_is_left_out():
    """A method that cannot run here is no gap in the comparison."""
    baselines = [
        _row(0.5),
        Row(name="y", label="Y", kind="method", cells=(Cell(status="not-applicable"),)),
    ]
    assert delta_cells(_row(0.6), baselines)[0].status == "complete"


def test_share_of_the_gap_has_its_guards():
    """A half, no gap, no ceiling, a ceiling that lacks seeds."""
    row = gap_row(_row(0.5, 0.5, 0.5), _row(0.4, 0.6, 0.4), _row(0.6, 0.6, None))
    assert row.cells[0].mean == pytest.approx(0.5)
    assert [cell.status for cell in row.cells] == ["complete", "not-applicable", "missing"]
    partial = gap_row(_row(0.5), _row(0.4), _row(0.6, status="partial"))
    assert partial.cells[0].status == "partial"


def test_ceiling_is_the_better_by_mean_in_each_domain(make):
    """One lucky seed does not win; of equal means the linear probe is taken."""
    lp = [make("ceiling-lp", d, s, a) for d, s, a in [("a", 0, 0.9), ("a", 1, 0.5), ("b", 0, 0.7)]]
    cpl = [
        make("ceiling-cpl", d, s, a) for d, s, a in [("a", 0, 0.8), ("a", 1, 0.8), ("b", 0, 0.7)]
    ]
    chosen = ceiling_records(
        {"ceiling-lp": lp, "ceiling-cpl": cpl}, ["a", "b", "c"], metric="accuracy"
    )
    methods = {domain: [r.method for r in records] for domain, records in chosen.items()}
    assert methods == {"a": ["ceiling-cpl"] * 2, "b": ["ceiling-lp"], "c": []}


def test_a_ceiling_that_is_not_applicable_loses_to_any_result(make):
    """A result of 0 beats a refusal, and a refusal beats silence."""
    refused = make("ceiling-lp", "a", status="not-applicable", reason="x", metrics={})
    zero = make("ceiling-cpl", "a", accuracy=0.0)
    both = {"ceiling-lp": [refused], "ceiling-cpl": [zero]}
    assert ceiling_records(both, ["a"], metric="accuracy")["a"] == [zero]
    assert ceiling_records({"ceiling-cpl": [refused]}, ["a"], metric="accuracy")["a"] == [refused]
