"""Laws of progress: something moves on a terminal, a log grows slowly, quiet is quiet."""

from __future__ import annotations

import sys

import pytest

from w2s_cache_cli import progress
from w2s_cache_cli.progress import LINE_SECONDS, Bars


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still until it is set."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def work(bars: Bars, clock: list[float], *, seconds: float) -> None:
    """Two hundred of eight hundred images at a time; a quarter was done before."""
    bars.begin("sketch: clip", 800, done=200)
    for _ in range(3):
        clock[0] += seconds
        bars.advance(200)
    bars.end()


def test_a_log_gets_a_line_each_half_minute(clock: list[float], capsys) -> None:
    """With count, rate and time left; what was done before counts for the rate no more."""
    work(Bars(quiet=False), clock, seconds=LINE_SECONDS / 2)
    assert capsys.readouterr().err == "sketch: clip: 600/800 [00:30<00:15, 13.33img/s]\n"


def test_short_work_leaves_no_line_in_a_log(clock: list[float], capsys) -> None:
    """Nor does work that is quiet, however long it takes."""
    work(Bars(quiet=False), clock, seconds=LINE_SECONDS / 4)
    work(Bars(quiet=True), clock, seconds=LINE_SECONDS)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("columns", ["0", "70"])
def test_a_terminal_shows_what_is_at_work_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys, columns: str
) -> None:
    """Before the first batch is done, and also where the terminal does not say how wide it is."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", columns)
    bars = Bars(quiet=False)
    bars.begin("sketch: clip", 800)
    assert "sketch: clip:   0%" in capsys.readouterr().err
    bars.end()


def test_what_is_done_already_shows_no_bar(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """A cached store does not flash."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    bars = Bars(quiet=False)
    bars.begin("sketch: clip", 800, done=800)
    bars.end()
    assert capsys.readouterr().err == ""
