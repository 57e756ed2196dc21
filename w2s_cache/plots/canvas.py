"""Runs a drawing in a style of its own and gives the bytes of its files."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from w2s_cache.errors import PlotError
from w2s_cache.plots.style import SETTINGS
from w2s_cache.printable import printable

FORMATS = ("png", "svg")

Draw = Callable[[Any], None]
"""Draws into an empty ``matplotlib.figure.Figure``."""

_METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}


def draw_figure(draw: Draw, *, size: tuple[float, float]) -> dict[str, bytes]:
    """Draws a figure; equal data give equal bytes, whatever the reader's own settings are.

    Args:
        draw: Fills the figure.
        size: Width and height in inches.

    Returns:
        The files' content by format, see :data:`FORMATS`.

    Raises:
        PlotError: matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise PlotError(
            "figures cannot be drawn",
            expected="matplotlib",
            found="no such package",
            fix="Run `pip install 'w2s-cache[plots]'`.",
        )
    import matplotlib as mpl
    from matplotlib.figure import Figure

    files = {}
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        _take_names_literally(figure)
        for form in FORMATS:
            stream = io.BytesIO()
            figure.savefig(stream, format=form, metadata=_METADATA[form])
            files[form] = stream.getvalue()
    return files


def _take_names_literally(figure: Any) -> None:
    """Dollars in a name are no formula; numbers at the ticks, still blank here, may be ones."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        if text.get_text():
            text.set_text(printable(text.get_text()))
            text.set_parse_math(False)


def write_figure(files: Mapping[str, bytes], folder: Path, stem: str) -> list[Path]:
    """Writes a figure in every format.

    Returns:
        The paths ``folder/stem.png`` and ``folder/stem.svg``.

    Raises:
        PlotError: The folder cannot be written to.
    """
    paths = {folder / f"{stem}.{form}": content for form, content in files.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in paths.items():
            path.write_bytes(content)
    except OSError as error:
        raise PlotError(
            f"figures cannot be written to {folder}",
            expected="a writable folder",
            found=error.strerror or str(error),
            fix="Choose another --output-dir.",
        ) from error
    return list(paths)
