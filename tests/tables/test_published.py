"""Laws of the numbers that papers print, and of the block that shows them."""

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest

from w2s_cache.errors import SpecError, UnknownNameError
from w2s_cache.tables import FORMATS, build, parse_layout, render
from w2s_cache.tables.published import find_published, load_paper, parse_paper
from w2s_cache.tables.recomputed import paper_disagreements, row_average, row_delta

GOLDEN = Path(__file__).parent / "golden"
ENDINGS = {"text": "txt", "md": "md", "latex": "tex", "csv": "csv"}

# (table, row, column, printed, recomputed), by hand from the cells of the paper's Tables 4 and 6.
WRONG = [
    ("Table 4", "lp-kd", "Avg", "59.36", "59.03"),
    ("Table 4", "lp-aux", "Avg", "53.37", "53.04"),
    ("Table 4", "tp-kd", "Avg", "59.30", "58.97"),
    ("Table 4", "delta:cpl", "Avg", "3.84", "5.03"),
    ("Table 6", "lp-kd", "Avg", "69.00", "69.51"),
    ("Table 6", "lp-aux", "Avg", "70.20", "70.70"),
    ("Table 6", "lp-adapt", "Avg", "71.45", "71.95"),
    ("Table 6", "tp-ce", "Avg", "70.11", "70.24"),
    ("Table 6", "tp-kd", "Avg", "71.02", "71.45"),
    ("Table 6", "tp-aux", "Avg", "72.42", "72.92"),
    ("Table 6", "tp-adapt", "Avg", "73.20", "73.70"),
    ("Table 6", "cpl", "Avg", "75.36", "75.86"),
]
LAYOUT = """
name = "study"
title = "A study"
published = "table4"
[rows.zero-shot]
[rows.lp-kd]
label = "KD + LP"
group = "Linear probe"
[rows.cpl]
label = "CPL"
[delta.cpl]
against = ["lp-kd"]
"""
SMALL = """
name = "p"
authors = "P"
reference = "P: On P"
[tables.t]
label = "Table 1"
title = "Data"
columns = ["a", "b"]
labels = ["A", "B"]
[tables.t.rows]
cpl = { values = [1.50, 2] }
"""


@pytest.fixture
def table(study):
    """The small study beside the paper's Table 4."""
    return build(parse_layout(LAYOUT, origin="t.toml"), study)


def test_exactly_these_printed_numbers_contradict_their_cells():
    """Twelve averages and differences are wrong in the paper; all others follow from its cells."""
    found = [
        (d.table, d.row, d.column, str(d.printed), str(d.recomputed))
        for d in paper_disagreements(load_paper("li2024"))
    ]
    assert found == WRONG


def test_sizes_add_up():
    """Training and test images make the total in every domain; all totals are DomainNet's size."""
    rows = find_published("table2", unit="count")[1].rows
    columns = zip(rows["train"].values, rows["test"].values, rows["total"].values, strict=True)
    assert all(train + test == total for train, test, total in columns)
    assert sum(rows["total"].values) == 586_575


def test_every_table_of_scores_has_the_papers_eleven_rows():
    """Weak model, ceiling, four losses on two heads, and CPL, with a number in every column."""
    paper = load_paper("li2024")
    assert list(paper.tables) == [f"table{number}" for number in range(1, 8)]
    probes = [f"{head}-{loss}" for head in ("lp", "tp") for loss in ("ce", "kd", "aux", "adapt")]
    for name in ("table1", "table3", "table4", "table5", "table6"):
        assert list(paper.tables[name].rows) == ["weak", "ceiling", *probes, "cpl"]


def test_digits_are_kept():
    """57.2 is not 57.20 and 68.00 is not 68: decimals stay as printed."""
    rows = find_published("table3")[1].rows
    assert (str(rows["weak"].values[1]), str(rows["lp-kd"].average)) == ("57.2", "68.00")


def test_averages_are_rounded_half_up():
    """The sums of two rows of Table 1 end in a tie, and the paper rounds both away from zero."""
    rows = find_published("li2024/table1")[1].rows
    assert row_average(rows["tp-aux"]) == Decimal("57.47")  # 344.79 / 6 = 57.465
    assert row_average(rows["tp-adapt"]) == Decimal("60.85")  # 365.07 / 6 = 60.845


def test_the_difference_of_averages_is_between_rounded_ones():
    """64.74 − 61.07 = 3.67 as printed, where unrounded averages give 3.66."""
    assert row_delta(find_published("table1")[1], "cpl").average == Decimal("3.67")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"B"]', '"B", "C"]', "tables.t.labels has 3, columns has 2"),
        ("[1.50, 2]", "[1.50]", r"tables.t.rows.cpl has 1, columns has 2"),
        (
            "[tables.t.rows]",
            "[tables.t.delta]\nx={values=[1,2]}\n[tables.t.rows]",
            "lacks the row x",
        ),
        (
            "[tables.t.rows]",
            "unit='count'\n[tables.t.rows]",
            "row train; tables.t lacks the row test",
        ),
        ("label =", "lable =", "unknown key 'tables.t.lable'"),
        ("1.50", "nan", "finite"),
        ("name =", "name", "is not TOML"),
    ],
)
def test_wrong_files_are_refused(old, new, message):
    """Rows that do not fit the columns, missing rows and misspelt keys are named."""
    assert SMALL.count(old) == 1
    parse_paper(SMALL, origin="p.toml")
    with pytest.raises(SpecError, match=message):
        parse_paper(SMALL.replace(old, new), origin="p.toml")


def test_unknown_names_are_refused():
    """A misspelt paper or table offers the nearest."""
    with pytest.raises(UnknownNameError, match="Did you mean 'table1'"):
        find_published("tabel1")
    with pytest.raises(UnknownNameError, match="Did you mean 'li2024'"):
        find_published("li2042/table1")
    with pytest.raises(SpecError, match="Table 2 does not fit the layout"):
        find_published("table2")


def test_a_block_without_any_row_is_refused(study):
    """A published table that shares no row with the layout cannot stand beside it."""
    text = 'name = "t"\ntitle = "T"\npublished = "table7"\n[rows.lp-kd]'
    with pytest.raises(SpecError, match=r"no row of Li et al\., Table 7.*found lp-kd"):
        build(parse_layout(text, origin="t.toml"), study)


@pytest.mark.parametrize("form", FORMATS)
def test_the_block_prints_as_kept(table, form):
    """Each format equals its kept file; its digits are those of the paper's Table 4."""
    own = {"footer": table.footer[-3:]}
    shown = type(table)(
        **{f: getattr(table, f) for f in ("name", "columns", "labels", "blocks")}, **own
    )
    kept = (GOLDEN / f"published.{ENDINGS[form]}").read_text(encoding="utf-8")
    assert render(shown, form) == kept


def test_only_rows_of_the_paper_are_shown(table):
    """Zero-shot has no published counterpart, and nothing is made up for it."""
    assert [row.name for row in table.blocks[1].rows] == ["lp-kd", "cpl", "delta:cpl"]


def test_csv_has_published_fractions_with_all_digits(table):
    """59.36 % is 0.5936 and its recomputed average 0.5903, in fields of their own."""
    lines = list(csv.DictReader(io.StringIO(render(table, "csv"))))
    place = ("study:published", "lp-kd", "Avg")
    [line] = [x for x in lines if (x["table"], x["row"], x["column"]) == place]
    digits = (line["mean"], line["published"], line["published_recomputed"])
    assert digits == ("", "0.5936", "0.5903")
    assert {x["published"] for x in lines if x["table"] == "study"} == {""}


def test_nobody_takes_the_papers_numbers_for_ours(table):
    """Heading and footer say whose data the published numbers are and what the paper omits."""
    assert "Published for DomainNet (Li et al., Table 4" in table.blocks[1].title
    footer = "\n".join(table.footer)
    assert "The published numbers are of domainnet, those above of pocket" in footer
    assert "Li et al. leave open: the temperature tau;" in footer
    assert "https://openreview.net/forum?id=quE8gDDegf" in footer


def test_the_same_data_set_needs_no_warning(make):
    """Where ours is the paper's data set, the footer does not say that it is another."""
    records = [make("cpl", "clipart", dataset="domainnet")]
    footer = "\n".join(build(parse_layout(LAYOUT, origin="t.toml"), records).footer)
    assert "cannot be compared" not in footer


def test_brackets_are_explained_only_where_there_are_any(study):
    """Table 1 has no wrong number, hence no sentence about brackets."""
    layout = parse_layout(LAYOUT.replace("table4", "table1"), origin="t.toml")
    assert not [line for line in build(layout, study).footer if line.startswith("[ ]")]
