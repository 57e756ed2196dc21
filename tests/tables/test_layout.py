"""Laws of table files."""

import pytest

from w2s_cache.errors import SpecError, UnknownNameError
from w2s_cache.tables import load_layout, parse_layout

SMALL = 'name = "t"\ntitle = "T"\n[rows.cpl]\n'


def test_rows_and_differences_keep_the_order_of_the_file():
    """Rows are printed as they are written, not sorted."""
    text = (
        SMALL
        + "[rows.ceiling]\n[delta.cpl]\nagainst = ['ceiling']\n[delta.ceiling]\nagainst = ['cpl']"
    )
    layout = parse_layout(text, origin="t.toml")
    assert list(layout.rows) == ["cpl", "ceiling"]
    assert list(layout.delta) == ["cpl", "ceiling"]


def test_the_shipped_main_table():
    """The main table has the eight rows, the two differences and the gap."""
    layout = load_layout("main")
    names = ["zero-shot", "weak", "lp-ce", "lp-kd", "cpl", "soft-class-means", "pooled-lda"]
    names.append("ceiling")
    assert list(layout.rows) == names
    assert [n for n in names if layout.rows[n].reference] == ["weak", "ceiling"]
    assert {of: delta.against for of, delta in layout.delta.items()} == {
        "cpl": ("lp-ce", "lp-kd"),
        "pooled-lda": ("zero-shot", "lp-ce", "lp-kd", "cpl", "soft-class-means"),
    }
    assert layout.pgr
    assert layout.methods()[-3:] == ("ceiling-lp", "ceiling-tp", "ceiling-cpl")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"titel = 'x'\n{SMALL}", "unknown key 'titel'.*'title'"),
        (f"{SMALL}lable = 'x'", "unknown key 'rows.cpl.lable'.*'label'"),
        ('name = "t"\n[rows.cpl]\n', "missing key 'title'"),
        ('name = "a b"\ntitle = ""\n[rows.cpl]\n', "'name': string should match"),
        ('name = "t"\ntitle = "a\\nb"\n[rows.cpl]\n', "'title': string should match"),
        ('name = "t"\ntitle = "T"\nrows = {}\n', "'rows'"),
        (f"{SMALL}[delta.cpl]\nagainst = []", "'delta.cpl.against'"),
        (f"{SMALL}[delta.cpl]\nagainst = ['lp']", "compares rows that are not there.*found lp"),
        (f"{SMALL}[delta.cpll]\nagainst = ['cpl']", "found cpll. Did you mean 'cpl'"),
        (f"pgr = true\n{SMALL}", "found ceiling, weak"),
        (f"{SMALL}[column.a]\n[column.b]\nlabel = 'a'", "columns that look alike.*found a, a"),
        (f"columns = 'weka'\n{SMALL}", "'columns'.*'weak'"),
        (f"pgr = 'yes'\n{SMALL}", "'pgr': .*boolean.*'yes'"),
        (f"average = 1\n{SMALL}", "'average': .*boolean"),
        (f"{SMALL}reference = 0", "'rows.cpl.reference': .*boolean"),
        (f"footer = [1]\n{SMALL}", "'footer.0': .*string"),
        (f"footer = 'one'\n{SMALL}", "'footer'"),
        (f"{SMALL}[significance]\nagianst = ['cpl']", "'significance.agianst'.*'against'"),
        (f"{SMALL}[colunm.a]", "unknown key 'colunm'.*'column'"),
        (f"{SMALL}[rows.ldaa]", "rows of unknown methods.*found ldaa. Did you mean 'lda'"),
        ("name = 't'\ntitle = 'T'\n[row.lda]", "docs/tables.md.*unknown key 'row'.*'rows'"),
        ("name = ", "is not TOML"),
    ],
)
def test_wrong_files_are_refused(text, message):
    """Each mistake is named, and the file too."""
    with pytest.raises(SpecError, match=message) as caught:
        parse_layout(text, origin="t.toml")
    assert "t.toml" in str(caught.value)


def test_a_table_is_found_by_path(tmp_path):
    """Any file can be a table."""
    file = tmp_path / "own.toml"
    file.write_text(SMALL)
    assert load_layout(str(file)).name == "t"


def test_an_unknown_table_is_refused(tmp_path):
    """A misspelt name offers the nearest; a path without a file says so."""
    with pytest.raises(UnknownNameError, match="Did you mean 'main'"):
        load_layout("mian")
    with pytest.raises(SpecError, match="no table file"):
        load_layout(str(tmp_path / "none.toml"))


def test_a_file_that_is_no_text_is_said(tmp_path):
    """Bytes that are not UTF-8 are a sentence, not a traceback."""
    (tmp_path / "t.toml").write_bytes(b"name = '\xff\xfe'")
    with pytest.raises(SpecError, match="is not TOML"):
        load_layout(str(tmp_path / "t.toml"))
