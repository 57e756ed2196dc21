"""The share of the gap between weak model and ceiling: where there is one, and how large."""

import dataclasses

import pytest

from w2s_cache.tables import build, render


def test_no_gap_is_not_applicable(layout, study):
    """Where the ceiling is not above the weak model, PGR is n/a."""
    weak = [
        dataclasses.replace(r, metrics={"accuracy": 0.9}) if r.method == "weak" else r
        for r in study
    ]
    row = next(row for row in build(layout, weak).blocks[1].rows if row.name == "cpl")
    assert {cell.status for cell in row.cells} == {"not-applicable"}


@pytest.mark.parametrize(
    ("without", "weak", "why"),
    [
        (None, 0.9, "the ceiling is above the weak model in no column"),
        ("ceiling", 0.3, "no column has runs of both the weak model and the ceiling"),
        ("methods", 0.3, "where the ceiling is above the weak model, no method has runs"),
    ],
)
def test_a_block_without_a_share_is_one_sentence(layout, study, without, weak, why):
    """Nobody reads a block without a number: why there is none is said, and CSV keeps its lines."""
    kinds = {"ceiling": ("ceiling-lp", "ceiling-cpl"), "methods": ("cpl", "lp-kd")}
    records = [
        dataclasses.replace(r, metrics={"accuracy": weak}) if r.method == "weak" else r
        for r in study
        if r.method not in kinds.get(without, ())
    ]
    table = build(layout, records)
    [said] = [sentence for sentence in table.footer if "PGR" in sentence]
    assert said == f"No performance gap recovered (PGR): {why}."
    for form in ("text", "md", "latex"):
        assert render(table, form).count("Performance gap recovered") == 0
    assert f"{table.name}:pgr" in render(table, "csv")


def _with_weak_on_sketch(study, accuracy):
    """The study with other scores of the weak model on sketch, whose ceiling is 0.75."""
    return [
        dataclasses.replace(r, metrics={"accuracy": accuracy})
        if (r.method, r.domain) == ("weak", "sketch")
        else r
        for r in study
    ]


@pytest.mark.parametrize(("weak", "gap"), [(0.746, "0.40"), (0.7401, "0.99"), (0.7499, "0.01")])
def test_a_share_of_a_gap_below_a_point_is_said_to_be_one(layout, study, weak, gap):
    """The domain is named with its gap where a PGR is printed there, and no other domain."""
    [said] = [s for s in build(layout, _with_weak_on_sketch(study, weak)).footer if "tiny" in s]
    assert said.startswith(f"PGR on sketch ({gap} points) is a quotient of a tiny gap")


@pytest.mark.parametrize("weak", [0.74, 0.3, 0.75, 0.9])
def test_nothing_is_said_of_gaps_of_a_point_or_of_none(layout, study, weak):
    """A whole point is no tiny gap, and where there is no gap no PGR is printed."""
    table = build(layout, _with_weak_on_sketch(study, weak))
    assert not [sentence for sentence in table.footer if "tiny" in sentence]


def test_nothing_is_said_of_tiny_gaps_where_no_share_is_printed(layout, study):
    """A layout without PGR, and a domain where no method ran, have no share to speak of."""
    records = _with_weak_on_sketch(study, 0.746)
    plain = layout.model_copy(update={"pgr": False})
    unran = [r for r in records if r.method in ("weak", "ceiling-cpl") or r.domain == "art"]
    for table in (build(plain, records), build(layout, unran)):
        assert not [sentence for sentence in table.footer if "tiny" in sentence]


def test_references_take_no_part_in_the_gap(layout, study):
    """Only methods have a share; weak model and ceiling are its ends."""
    assert [row.name for row in build(layout, study).blocks[1].rows] == ["lp-kd", "cpl"]
