"""Laws of the shipped layouts and of the page that describes them."""

import re
from pathlib import Path

import pytest

from w2s_cache.spec_files import spec_directory
from w2s_cache.tables import load_layout, parse_layout
from w2s_cache.tables.published import find_published, load_paper
from w2s_cache.tables.recomputed import paper_disagreements

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"
SHIPPED = sorted(path.stem for path in (spec_directory() / "tables").glob("*.toml"))
SCORES = ["table1", "table3", "table4", "table5", "table6", "table7"]


def test_the_papers_tables_are_shipped():
    """One layout per table of the paper, the main table, and two for what the paper lacks."""
    assert [
        "beyond",
        "grid",
        "main",
        "self-training",
        *(f"table{number}" for number in range(1, 8)),
    ] == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_layout_has_the_name_of_its_file(name):
    """What is asked for by name says the same name in files and labels."""
    assert load_layout(name).name == name


@pytest.mark.parametrize("name", SCORES)
def test_every_published_row_has_its_counterpart(name):
    """No method of the paper is left out of the table that stands beside it."""
    layout = load_layout(name)
    assert layout.published == name
    table = find_published(name)[1]
    assert set(table.rows) <= set(layout.rows)
    assert set(table.delta) <= set(layout.delta)


@pytest.mark.parametrize("name", ["table1", "table3", "table4", "table6"])
def test_columns_are_the_papers_in_its_order(name):
    """Ours and the published block have the same columns, and Avg where the paper has one."""
    layout, table = load_layout(name), find_published(name)[1]
    assert tuple(layout.column) == table.columns
    assert layout.average == table.averaged


@pytest.mark.parametrize("name", ["table1", "table3", "table4", "table5", "table6"])
def test_rows_that_the_paper_lacks_are_added(name):
    """Zero-shot, where CPL starts, and the closed form stand in every table."""
    assert {"zero-shot", "soft-class-means"} <= set(load_layout(name).rows)


def test_the_layout_says_which_records_it_means():
    """Table 3 varies the weak model and Table 5 the strong one, both on clipart."""
    chosen = {n: load_layout(n) for n in ("table1", "table3", "table4", "table5")}
    assert {n: (x.columns, x.domain, x.strong, x.weak) for n, x in chosen.items()} == {
        "table1": ("domain", None, None, None),
        "table3": ("weak", "clipart", None, None),
        "table4": ("domain", None, "blip", None),
        "table5": ("strong", "clipart", None, None),
    }


def test_the_page_lists_every_layout():
    """A table that nobody can find does not exist."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    assert [n for n in SHIPPED if not any(f"`{n}`" in row for row in rows)] == []


def test_the_pages_example_is_a_layout():
    """What the page shows can be copied: it parses, and its published table exists."""
    [example] = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    layout = parse_layout(example, origin="docs/tables.md")
    assert layout.published is not None
    find_published(layout.published)


def test_the_page_lists_every_wrong_number_of_the_paper():
    """The documented defects are those that are found by computing."""
    found = [
        (d.table, d.row.removeprefix("delta:"), str(d.printed), str(d.recomputed))
        for d in paper_disagreements(load_paper("li2024"))
    ]
    text = PAGE.read_text(encoding="utf-8")
    row = re.compile(r"^\| (Table \d) \| (?:Δ of )?`([a-z-]+)` \| ([\d.]+) \| ([\d.]+) \|$", re.M)
    assert row.findall(text) == found
