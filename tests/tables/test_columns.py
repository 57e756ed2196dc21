"""Laws of columns: what they are made of, which there are, in which order."""

import pytest

from w2s_cache.errors import RecordError, SpecError
from w2s_cache.tables import Expected, build, parse_layout
from w2s_cache.tables.comparable import check_comparable

WEAK = """
name = "models"
title = "T"
columns = "weak"
[column.r18]
label = "ResNet-18"
[column.cvt]
[rows.weak]
[rows.cpl]
[rows.ceiling]
"""
INPUTS = {"index_digest": "i", "image_key": "s", "text_key": "t"}


@pytest.fixture
def models(make):
    """Two weak models under one strong one, on one domain."""
    return [
        make(method, "art", weak=weak, accuracy=accuracy, inputs=INPUTS | {"logits_key": weak})
        for weak, accuracy in [("cvt", 0.25), ("r18", 0.5)]
        for method in ("weak", "cpl", "ceiling-tp")
    ]


def _layout(text=WEAK):
    return parse_layout(text, origin="t.toml")


def _footer(table):
    return "\n".join(table.footer)


def test_weak_models_can_be_columns(models):
    """The columns stand in the layout's order under its labels, the average after them."""
    table = build(_layout(), models)
    assert table.columns == ("r18", "cvt", "Avg")
    assert table.labels == ("ResNet-18", "cvt", "Avg")
    assert [cell.mean for cell in table.blocks[0].rows[1].cells] == [0.5, 0.25, 0.375]


def test_the_average_over_models_spreads_over_seeds(make):
    """Per-seed averages of 0.3 and 0.5 and of 0.5 and 0.7 are 0.4 and 0.6: 0.2 / √2 apart."""
    scores = {("cvt", 0): 0.3, ("r18", 0): 0.5, ("cvt", 1): 0.5, ("r18", 1): 0.7}
    records = [
        make("cpl", "art", seed, a, weak=w, inputs=INPUTS) for (w, seed), a in scores.items()
    ]
    average = build(_layout(), records).blocks[0].rows[1].cells[-1]
    assert (average.mean, average.sd) == (pytest.approx(0.5), pytest.approx(0.2 / 2**0.5))


def test_strong_models_can_be_columns(make):
    """Features and texts differ with the strong model, the weak logits do not."""
    records = [
        make("cpl", "art", strong=s, inputs={"index_digest": "i", "image_key": s, "text_key": s})
        for s in ("b", "a")
    ]
    layout = _layout('name="t"\ntitle="T"\ncolumns="strong"\naverage=false\n[rows.cpl]')
    table = build(layout, records)
    assert table.columns == ("a", "b")
    assert "strong model a, b; weak model resnet10t" in _footer(table)
    assert "domain art" in _footer(table)


def test_a_fixed_column_without_records_is_missing(models):
    """A column that was asked for is not left out silently."""
    table = build(_layout(), [r for r in models if r.weak == "cvt"])
    assert table.columns == ("r18", "cvt", "Avg")
    assert [c.status for c in table.blocks[0].rows[1].cells] == ["missing", "complete", "missing"]
    assert "no run of any row on ResNet-18" in _footer(table)


def test_other_columns_are_named_but_not_shown(models, make):
    """Runs of a model that the layout does not name stand in the footer."""
    other = make("cpl", "art", weak="vit", inputs=INPUTS | {"logits_key": "vit"})
    table = build(_layout(), [*models, other])
    assert table.columns == ("r18", "cvt", "Avg")
    assert "Not shown: runs with weak vit." in _footer(table)


def test_other_data_sets_bring_their_own_columns(make):
    """Where no fixed column has a run, those with runs are shown, and the footer says so."""
    table = build(_layout(), [make("cpl", "art", weak="tiny")])
    assert table.columns == ("tiny",)
    assert "none of the layout's (r18, cvt) has one" in _footer(table)


def test_a_layout_of_other_domains_does_not_take_a_namesake(make):
    """A domain that two data sets call alike stands under its own name, among its own."""
    layout = _layout('name="t"\ntitle="T"\n[column.art]\nlabel="Art"\n[column.product]\n[rows.cpl]')
    records = [make("cpl", "art")]
    assert build(layout, records).labels == ("Art", "product", "Avg")
    table = build(layout, records, Expected(domains=("art", "sketch")))
    assert table.labels == ("art", "sketch", "Avg")
    assert "not the layout's: there is no domain product." in _footer(table)


def test_columns_can_be_narrowed(models):
    """Asking for some columns leaves the others away, in the order asked for."""
    layout = _layout().narrowed(["cvt"])
    assert build(layout, models).columns == ("cvt",)
    assert _layout().narrowed([]) == _layout()


def test_the_footer_says_what_is_alike_and_what_varies(models):
    """Data set, domain and strong model once, the weak models in the order of the columns."""
    footer = _footer(build(_layout(), models))
    assert "Data set pocket; domain art; strong model pocket-clip; weak model r18, cvt." in footer
    assert "Rows evaluated: 20." in footer
    assert "the best by mean is ceiling-tp on ResNet-18, cvt." in footer


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"domain": "real"}, "domain of the table is 'art' or 'real'"),
        ({"strong": "x"}, "strong of the table is 'pocket-clip' or 'x'"),
        ({"inputs": INPUTS | {"image_key": "x"}}, "inputs.image_key of the table is 's' or 'x'"),
        ({"counts": {"eval": 21}}, "counts.eval of the table is 20 or 21"),
    ],
)
def test_nothing_but_the_column_may_vary(make, changes, field):
    """Records of two weak models that differ in more than that are refused by name."""
    one = make("cpl", "art", weak="a", inputs=INPUTS | {"logits_key": "a"})
    common = {"domain": "art", "weak": "b", "inputs": INPUTS | {"logits_key": "b"}}
    check_comparable([one, make("cpl", **common)], "weak")
    with pytest.raises(RecordError, match=field):
        check_comparable([one, make("cpl", **common | changes)], "weak")


def test_twins_are_found_in_any_kind_of_column(make):
    """One method has one record for each weak model and seed."""
    with pytest.raises(RecordError, match="two records of cpl on a with seed 0"):
        check_comparable([make("cpl", "art", weak="a"), make("cpl", "art", weak="a")], "weak")


def test_a_layout_cannot_fix_what_it_varies():
    """One weak model for a table whose columns are weak models is a contradiction."""
    with pytest.raises(SpecError, match="fixes what its columns vary"):
        _layout(WEAK.replace('columns = "weak"', 'columns = "weak"\nweak = "cvt"'))


def test_agreement_is_shown_when_asked_for(models):
    """A block with the metric of that name, without the weak model, without bold numbers."""
    records = [type(r)(**{f: getattr(r, f) for f in r.__slots__} | _metrics(r)) for r in models]
    table = build(_layout("agreement = true\n" + WEAK), records)
    block = table.blocks[1]
    assert (block.name, [row.name for row in block.rows]) == (
        "models:agreement",
        ["cpl", "ceiling"],
    )
    assert {row.kind for row in block.rows} == {"reference"}
    assert [cell.mean for cell in block.rows[0].cells] == [0.75, 0.75, 0.75]
    assert "Agreement: share of evaluated rows" in _footer(table)


def _metrics(record):
    return {"metrics": record.metrics | {"agreement": 0.75}}
