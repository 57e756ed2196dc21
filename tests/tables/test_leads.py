"""The leads below a table: each method against the best baseline."""

import pytest

from w2s_cache.errors import SpecError
from w2s_cache.tables import build, parse_layout, render

LAYOUT = """
name = "leads"
title = "Leads"

[rows.lp-kd]
label = "KD + LP"

[rows.cpl]
label = "CPL"

[rows.ceiling-lp]
reference = true

[significance]
against = ["lp-kd"]
"""


@pytest.fixture
def layout():
    """Two methods, one of them the baseline."""
    return parse_layout(LAYOUT, origin="leads.toml")


def test_every_method_but_references_is_compared_with_the_best_baseline(layout, answered):
    """One line for CPL against KD + LP; the only baseline has none, nor has the reference."""
    records, read = answered
    [listing] = build(layout, records, read=read).listings
    assert [line[:2] for line in listing.lines] == [("CPL", "KD + LP")]


def test_without_predictions_there_are_no_leads(layout, answered):
    """A table is a function of records alone unless their predictions are offered."""
    records, _ = answered
    assert build(layout, records).listings == ()


def test_a_method_that_lacks_a_run_is_not_compared_and_named(layout, answered):
    """Leads stand on equal rows; what is missing is said."""
    records, read = answered
    lacking = [r for r in records if (r.method, r.domain, r.seed) != ("cpl", "art", 1)]
    table = build(layout, lacking, read=read)
    assert table.listings == ()
    assert any(line.startswith("No significance: too few methods") for line in table.footer)


@pytest.mark.parametrize("form", ["text", "md", "latex"])
def test_leads_are_printed_below_the_blocks(layout, answered, form):
    """Interval, p and the sentence about resampling stand in every format for readers."""
    records, read = answered
    printed = render(build(layout, records, read=read), form)
    assert printed.index("best baseline") > printed.index("CPL")
    assert "resamples of each domain" in printed


def test_csv_has_no_leads(layout, answered):
    """Its columns are those of scores; `compare --format csv` has every number of the leads."""
    records, read = answered
    assert "best baseline" not in render(build(layout, records, read=read), "csv")


def test_a_baseline_that_is_no_row_is_refused():
    """The error offers the nearest row."""
    with pytest.raises(SpecError, match=r"compares rows that are not there.*lp-ce"):
        parse_layout(LAYOUT.replace('["lp-kd"]', '["lp-ce"]'), origin="leads.toml")
