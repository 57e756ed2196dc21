"""Names of classes, domains and files reach terminals, tables, markup and shells as plain text."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import w2s_cache_cli
from w2s_cache.errors import DataError
from w2s_cache.printable import on_one_line, printable
from w2s_cache.store.domain_command import domain_command
from w2s_cache.tables.escapes import escape_csv, escape_latex, escape_markdown
from w2s_cache.tables.listing import Listing, latex_listing, markdown_listing, text_listing
from w2s_cache_cli.progress import Bars
from w2s_cache_cli.terminal import echo

_PRINTS = re.compile(r"\bclick\.s?echo\b")  # called, or handed on to be called
HOSTILE = "red\x1b[2J\x9b31m\r\u202egnp.exe\x07\ud800"


def test_control_characters_are_written_as_escapes() -> None:
    """No byte that a terminal obeys is left; letters of all scripts and line breaks stay."""
    shown = printable(HOSTILE)
    assert shown == r"red\x1b[2J\x9b31m\r\u202egnp.exe\x07\ud800"
    assert shown.encode()
    assert printable("Grüße 東京\n\tnext") == "Grüße 東京\n\tnext"
    assert on_one_line("a\nb\tc\u2028d") == r"a\nb\tc\u2028d"


def test_errors_cannot_steer_a_terminal() -> None:
    """Whatever a file is called, the message that names it is printable."""
    error = DataError(HOSTILE, expected=HOSTILE, found=HOSTILE, fix=HOSTILE)
    assert printable(str(error)) == str(error)


def test_what_commands_print_cannot_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines, results and sentences beside a progress bar go through the same gate."""
    echo(HOSTILE)
    echo(HOSTILE, err=True)
    bars = Bars(quiet=False)
    bars.say(HOSTILE)
    bars.result(HOSTILE)
    told = capsys.readouterr()
    for text in (told.out, told.err):
        assert text.count(printable(HOSTILE)) == 2
        assert "\x1b" not in text


@pytest.mark.parametrize("make", [text_listing, markdown_listing, latex_listing])
def test_tables_hold_names_on_one_line_without_control_characters(make) -> None:
    """A name with a line break cannot begin a row, nor one with an escape colour the page."""
    listing = Listing(title=HOSTILE, header=("a\nb", "n"), lines=((HOSTILE + "\n| x | y |", "1"),))
    text = make(listing)
    assert "\x1b" not in text
    assert "\r" not in text
    assert "\n| x | y |" not in text


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0"])
def test_no_cell_of_a_csv_is_a_formula(name: str) -> None:
    """Spreadsheets would compute it; an apostrophe keeps it text. Plain names stay as they are."""
    assert escape_csv(name) == f"'{name}"
    assert escape_csv("lp-kd") == "lp-kd"


def test_markup_in_names_is_text() -> None:
    """Neither LaTeX nor Markdown nor HTML inside it gets anything to execute."""
    assert r"\input" not in escape_latex(r"\input{/etc/passwd}")
    assert "<script>" not in escape_markdown("<script>alert(1)</script>").replace(r"\<", "")
    assert escape_markdown("[x](javascript:alert)") == r"\[x\](javascript:alert)"


@pytest.mark.parametrize("domain", ["a b; rm -rf ~", "$(reboot)", "it's", "`x`", "--help"])
def test_commands_in_messages_can_be_pasted(domain: str) -> None:
    """A name with blanks, quotes or shell syntax comes back from the shell as that name."""

    class Told:
        kind, key = "text", ()  # stands for a store that was not imported
        attributes = {"domain": domain}  # noqa: RUF012  stands in for a manifest

    words = shlex.split(domain_command(Told()))  # type: ignore[arg-type]
    assert words[-1] == domain


def test_no_command_prints_past_the_gate() -> None:
    """Only the gate, errors (printable by themselves) and coloured tables use click's echo."""
    allowed = {"terminal.py", "main.py", "tables_command.py"}
    folder = Path(w2s_cache_cli.__file__).parent
    found = {file.name for file in folder.rglob("*.py") if _PRINTS.search(file.read_text())}
    assert found == allowed
