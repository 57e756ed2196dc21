"""Names and messages that come from files, as a terminal or a table may be given them."""

from __future__ import annotations

import re

_WIDTH = 100
_UNBROKEN = re.compile(r"(?:`[^`]*`|\S)+")
_ORDERING = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that reorder what is read
_CONTROL = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{_ORDERING}]")


def printable(text: str) -> str:
    """Writes control characters, marks that reorder text and lone surrogates as escapes.

    A file or class name could else move the cursor, recolour or rename a terminal. Line breaks and
    tabs stay.
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def on_one_line(text: str) -> str:
    """The same, with line breaks and tabs as escapes too: for a cell of a table."""
    return re.sub(r"[\n\t\u2028\u2029]", lambda f: repr(f[0])[1:-1], printable(text))


def wrapped(sentence: str) -> str:
    """A sentence on lines of 100 columns, those after the first indented.

    What stands in backticks is a command to paste, so it stays on one line, however long.
    """
    lines = [""]
    for word in _UNBROKEN.findall(sentence):
        joined = f"{lines[-1]} {word}" if lines[-1].strip() else f"{lines[-1]}{word}"
        if len(joined) > _WIDTH and lines[-1].strip():
            lines.append(f"  {word}")
        else:
            lines[-1] = joined
    return "\n".join(lines)
