"""Budgets that keep files and functions readable in one go."""

from __future__ import annotations

import ast
import difflib
import io
import itertools
import tokenize
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [*ROOT.glob("w2s_cache/**/*.py"), *ROOT.glob("cli/**/*.py")]
NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
MODULE_LINES, FUNCTION_LINES, SIMILARITY = 250, 40, 0.6


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: set[int]) -> int:
    """Lines of a function's body that hold code: no docstring, comment or blank line."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if not body:
        return 0
    return len(lines & set(range(body[0].lineno, (body[-1].end_lineno or 0) + 1)))


def lines_with_code(text: str) -> set[int]:
    """Numbers of the lines on which a token other than a comment stands."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    spans = [(t.start[0], t.end[0]) for t in tokens if t.type not in NO_CODE]
    return {line for start, end in spans for line in range(start, end + 1)}


def test_no_module_is_long():
    """A module has at most 250 lines."""
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {str(path): n for path, n in lengths.items() if n > MODULE_LINES} == {}


def test_no_function_is_long():
    """A function has at most 40 lines of code; its docstring and its signature do not count."""
    long = {}
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        lines = lines_with_code(text)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                count = code_lines(node, lines)
                if count > FUNCTION_LINES:
                    long[f"{path.name}:{node.name}"] = count
    assert long == {}


def shape(path: Path) -> list[str]:
    """The lines of a module that hold more than a bracket."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if len(line) > 3]


def test_no_two_modules_are_alike():
    """No module is a copy of another with changes: at most 0.6 of their lines agree in order."""
    shapes = {path: shape(path) for path in SOURCES}
    kept = {path: lines for path, lines in shapes.items() if len(lines) >= 15}
    alike = []
    for (one, a), (other, b) in itertools.combinations(kept.items(), 2):
        matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
        bounds = (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio)
        if all(ratio() > SIMILARITY for ratio in bounds):
            alike.append((one.name, other.name))
    assert alike == []
