"""Goldens and laws of the printed formats."""

import csv
import io
from pathlib import Path

import pytest

from w2s_cache.errors import UnknownNameError
from w2s_cache.tables import FORMATS, Block, Cell, Row, Table, build, render
from w2s_cache.tables.escapes import escape_latex, escape_markdown

GOLDEN = Path(__file__).parent / "golden"
ENDINGS = {"text": "txt", "md": "md", "latex": "tex", "csv": "csv"}


def _table(*rows, unit="percent"):
    columns = tuple(f"c{place}" for place in range(len(rows[0].cells)))
    return Table(
        name="t",
        columns=columns,
        blocks=(Block(name="t", title="T", unit=unit, rows=rows),),
        footer=(),
    )


def _row(name, *means, kind="method", label=None):
    cells = tuple(Cell(mean=mean, status="complete") for mean in means)
    return Row(name=name, label=label or name, kind=kind, cells=cells)


@pytest.mark.parametrize("form", FORMATS)
def test_the_study_prints_as_kept(layout, study, form):
    """Each format equals its kept file; means and deviations there were checked by hand."""
    kept = (GOLDEN / f"study.{ENDINGS[form]}").read_text(encoding="utf-8")
    assert render(build(layout, study), form) == kept


def test_an_unknown_format_is_refused():
    """A misspelt format offers the nearest."""
    with pytest.raises(UnknownNameError, match="Did you mean 'latex'"):
        render(_table(_row("a", 0.5)), "latx")


def test_best_methods_are_bold_but_references_and_differences_are_not():
    """The highest rounded number among methods; equal ones are all bold."""
    table = _table(
        _row("weak", 0.9, kind="reference"),
        _row("a", 0.5001),
        _row("b", 0.5004),
        _row("c", 0.4),
        _row("d", 0.95, kind="delta"),
    )
    markdown = render(table, "md")
    assert "| a | **50.0** |" in markdown
    assert "| b | **50.0** |" in markdown
    assert markdown.count("**") == 6  # title, a and b
    latex = render(table, "latex")
    assert r"b & \textbf{50.04} \\" in latex
    assert latex.count("textbf") == 1


def test_a_negative_best_number_is_bold():
    """The best may lie below zero and beside a missing cell."""
    missing = Row(name="m", label="m", kind="method", cells=(Cell(status="missing"),))
    assert "**-10.0**" in render(_table(_row("a", -0.2), _row("b", -0.1), missing), "md")


def test_terminal_escapes_appear_only_when_asked_for():
    """Without colour the text is plain; with it the best number alone is bold, still aligned."""
    table = _table(_row("a", 0.5), _row("b", 0.25))
    plain, bold = render(table, "text"), render(table, "text", color=True)
    assert "\x1b" not in plain
    assert bold == plain.replace("50.0", "\x1b[1m50.0\x1b[0m")


def test_columns_are_aligned(layout, study):
    """In every block all lines of numbers end at the same place."""
    blocks = render(build(layout, study), "text").split("\n\n")[:2]
    for block in blocks:
        lines = [line for line in block.splitlines()[2:] if line != "Linear probe"]
        assert len({len(line) for line in lines}) == 1


def test_options_of_commands_keep_their_hyphens_in_latex():
    """Two hyphens would be set as one dash, and the command could not be pasted."""
    assert escape_latex("run `w2s-cache train --seeds 0`") == "run `w2s-cache train -{}-seeds 0`"
    assert escape_latex("---") == "-{}-{}-"
    assert escape_latex("1–2") == "1--2"


def test_latex_escapes_every_special_character():
    """Names reach the page as they are written."""
    assert escape_latex(r"a_b%c&d#e$f{g}h~i^j\k") == (
        r"a\_b\%c\&d\#e\$f\{g\}h\textasciitilde{}i\textasciicircum{}j\textbackslash{}k"
    )
    row = _row("x", 0.5, label="A_B & C%")
    assert r"A\_B \& C\% & \textbf{50.00} \\" in render(_table(row), "latex")


def test_markdown_escapes_what_would_be_markup():
    """A bar in a name does not open a column, stars and underscores do not emphasise."""
    assert escape_markdown("a|b*c_d`e\\f<g[h]") == r"a\|b\*c\_d\`e\\f\<g\[h\]"


def test_csv_keeps_every_digit(layout, study):
    """Numbers read back equal the table's, absent ones are empty."""
    table = build(layout, [r for r in study if r.method != "lp-kd"])
    lines = list(csv.DictReader(io.StringIO(render(table, "csv"))))
    own = ["table", "row", "column", "mean", "sd", "n", "seeds", "status"]
    assert list(lines[0]) == [*own, "published", "published_recomputed"]
    cells = [cell for block in table.blocks for row in block.rows for cell in row.cells]
    for line, cell in zip(lines, cells, strict=True):
        assert line["mean"] == ("" if cell.mean is None else repr(cell.mean))
        assert line["status"] == cell.status
    assert lines[0]["seeds"] == "0 1"
