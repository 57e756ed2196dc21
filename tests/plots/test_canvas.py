"""Laws of all figures: the same data give the same bytes, and nothing of the reader's leaks in."""

from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree as ET

import matplotlib as mpl
import pytest

from w2s_cache.errors import PlotError
from w2s_cache.plots import FORMATS, canvas, draw_figure, write_figure
from w2s_cache.plots.style import COLOURS, MARKERS, series_style


def line(figure):
    """Something with a clip path and a legend, whose names matplotlib invents."""
    panel = figure.subplots()
    panel.plot([0, 1, 2], [0, 2, 1], label="line")
    panel.fill_between([0, 1, 2], [0, 1, 0], [1, 2, 2])
    panel.legend()


def test_the_same_data_give_the_same_bytes():
    """No date, no random name: in this process and in another one."""
    files = draw_figure(line, size=(3, 2))
    assert draw_figure(line, size=(3, 2)) == files
    program = (
        "import sys; from test_canvas import line; from w2s_cache.plots import draw_figure; "
        "sys.stdout.buffer.write(draw_figure(line, size=(3, 2))['svg'])"
    )
    command = [sys.executable, "-c", program]
    told = subprocess.run(
        command, check=True, capture_output=True, timeout=120, cwd=__file__.rpartition("/")[0]
    )
    assert told.stdout == files["svg"]


def test_a_reader_s_settings_change_nothing():
    """What stands in somebody's matplotlibrc stays out, and is left as it was."""
    files = draw_figure(line, size=(3, 2))
    with mpl.rc_context({"font.size": 30, "svg.hashsalt": "other", "axes.grid": False}):
        assert draw_figure(line, size=(3, 2)) == files
        assert mpl.rcParams["font.size"] == 30


def test_each_format_is_what_it_says():
    """PNG and SVG, by their first bytes."""
    files = draw_figure(line, size=(3, 2))
    assert tuple(files) == FORMATS
    assert files["png"].startswith(b"\x89PNG")
    assert b"<svg" in files["svg"][:600]


def test_without_matplotlib_the_command_that_installs_it_is_named(monkeypatch):
    """The extra is named, not an import error."""
    monkeypatch.setattr(canvas, "find_spec", lambda _: None)
    with pytest.raises(PlotError, match=r"pip install 'w2s-cache\[plots\]'"):
        draw_figure(line, size=(3, 2))


def test_files_that_cannot_be_written_are_refused(tmp_path):
    """A folder below a file is said in one sentence."""
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(PlotError, match="cannot be written"):
        write_figure({"png": b"x"}, tmp_path / "file" / "out", "figure")


def test_no_two_of_many_series_look_alike():
    """Colours repeat after six, but not with the same marker."""
    styles = [series_style(number) for number in range(2 * len(COLOURS))]
    assert len({tuple(style.values()) for style in styles}) == len(styles)
    assert len(set(COLOURS)) == len(set(MARKERS)) == 6


@pytest.mark.parametrize("name", ["a $\\frac{ b$", "$", "<script>x</script>-->", "red\x1b[2J"])
def test_a_name_is_drawn_as_it_is(name):
    """Neither a formula nor markup nor an escape in a name breaks a figure or reaches its SVG."""

    def draw(figure):
        panel = figure.subplots()
        panel.plot([1, 10], [1, 2], label=name)
        panel.set(title=name, xscale="log")
        panel.legend()

    svg = draw_figure(draw, size=(3, 2))["svg"].decode()
    assert "<script" not in svg
    assert "\x1b" not in svg
    ET.fromstring(svg)  # noqa: S314  our own
