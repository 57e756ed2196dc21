"""Laws of sentences on a terminal."""

from __future__ import annotations

import pytest

from w2s_cache.printable import wrapped


def test_a_sentence_goes_on_below_indented() -> None:
    """No line is longer than 100 columns, and the words are all there in their order."""
    sentence = "word " * 50 + "end."
    lines = wrapped(sentence).splitlines()
    assert max(map(len, lines)) <= 100
    assert [line[:2] for line in lines] == ["wo", "  ", "  "]
    assert " ".join(wrapped(sentence).split()) == sentence


@pytest.mark.parametrize("short", ["", "One sentence.", "x" * 100])
def test_what_fits_stays_as_it_is(short: str) -> None:
    """A line of 100 columns is not too long."""
    assert wrapped(short) == short


def test_commands_are_not_broken() -> None:
    """What is copied from a terminal to be run stands on one line, however long it is."""
    command = f"`w2s-cache train --method {'cpl,' * 30}cpl`"
    assert wrapped(f"To make them, run {command}, then look again.").splitlines() == [
        "To make them, run",
        f"  {command},",
        "  then look again.",
    ]
    assert wrapped("a `b " + "c" * 100) == "a `b\n  " + "c" * 100
