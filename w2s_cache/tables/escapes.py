"""Text as LaTeX and Markdown must be given it, so that no name becomes markup."""

from __future__ import annotations

import re

from w2s_cache.printable import on_one_line

_APART = "\0"  # no text on one line holds it
_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "_": r"\_",
        "%": r"\%",
        "&": r"\&",
        "#": r"\#",
        "$": r"\$",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        '"': r"\textquotedbl{}",
        "[": r"{[}",
        "]": r"{]}",
        "Δ": r"$\Delta$",
        "±": r"$\pm$",
        "−": r"$-$",
        "–": r"--",
        _APART: "{}",
    }
)


def escape_latex(text: str) -> str:
    """Keeps characters that LaTeX would read as commands.

    Brackets too: at the start of a row one would be taken for the option of the break above. The
    hyphens of an option of a command stay two.
    """
    return re.sub(r"-(?=-)", f"-{_APART}", on_one_line(text)).translate(_ESCAPES)


def escape_markdown(text: str) -> str:
    """Keeps characters that Markdown would read as markup."""
    return re.sub(r"([\\`*_|<\[\]])", r"\\\1", on_one_line(text))


def escape_csv(text: str) -> str:
    """Keeps a name from being a formula: spreadsheets compute cells that begin with such a sign."""
    text = on_one_line(text)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
