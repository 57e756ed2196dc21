"""Tables: pure functions of run records, printed as text, Markdown, LaTeX or CSV."""

from __future__ import annotations

from w2s_cache.tables.build import build
from w2s_cache.tables.grid import Expected, absent_methods
from w2s_cache.tables.layout import Layout, load_layout, parse_layout
from w2s_cache.tables.missing import Missing, missing_runs
from w2s_cache.tables.render import FORMATS, render
from w2s_cache.tables.sizes import build_sizes
from w2s_cache.tables.table import Block, Cell, Row, Table

__all__ = [
    "FORMATS",
    "Block",
    "Cell",
    "Expected",
    "Layout",
    "Missing",
    "Row",
    "Table",
    "absent_methods",
    "build",
    "build_sizes",
    "load_layout",
    "missing_runs",
    "parse_layout",
    "render",
]
