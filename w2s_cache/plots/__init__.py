"""Figures: pure functions of run records and what lies beside them, drawn by matplotlib."""

from __future__ import annotations

from w2s_cache.plots.canvas import FORMATS, draw_figure, write_figure

__all__ = ["FORMATS", "draw_figure", "write_figure"]
