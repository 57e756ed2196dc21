"""Progress with rate and time left, on standard error: a bar on a terminal, lines in a file."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Final, Protocol

from tqdm import tqdm

from w2s_cache.printable import printable

LINE_SECONDS: Final = 30.0  # between two lines of a log


class Bars:
    """Draws one bar at a time; says sentences unless quiet."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: _Bar | None = None

    def say(self, text: str) -> None:
        """Prints a sentence above the bar."""
        if not self._quiet:
            tqdm.write(printable(text), file=sys.stderr)

    def announce(self, text: str) -> None:
        """Says what now begins and counts it without knowing how much it is."""
        self.say(text)
        self.begin("drawing", None)

    def result(self, text: str) -> None:
        """Prints a result on standard output, above the bar."""
        tqdm.write(printable(text), file=sys.stdout)

    def begin(self, label: str, total: int | None, *, done: int = 0, unit: str = "img") -> None:
        """Starts a bar; where all is done already, none appears."""
        self.end()
        if not self._quiet and (total is None or done < total):
            make = _terminal_bar if sys.stderr.isatty() else LogLines
            self._bar = make(printable(label), total, done, unit)

    def advance(self, count: int) -> None:
        """Moves the bar."""
        if self._bar is not None:
            self._bar.update(count)

    def end(self) -> None:
        """Removes the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class LogLines:
    """Where nobody watches, a line each half minute; work that is done before leaves none."""

    def __init__(self, label: str, total: int | None, done: int, unit: str) -> None:
        self._label, self._total, self._first, self._unit = label, total, done, unit
        self._done = done
        self._began = self._said = time.monotonic()

    def update(self, count: int) -> None:
        """Counts, and says how far it is when it is time to."""
        self._done += count
        now = time.monotonic()
        if now - self._said >= LINE_SECONDS:
            self._said = now
            tqdm.write(self._line(now - self._began), file=sys.stderr)

    def close(self) -> None:
        """Nothing is left to remove."""

    def _line(self, elapsed: float) -> str:
        line: str = tqdm.format_meter(
            self._done,
            self._total,
            elapsed,
            prefix=self._label,
            unit=self._unit,
            unit_scale=self._unit == "B",
            initial=self._first,
            bar_format="{desc}: {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}]",
        )
        return line


class _Bar(Protocol):
    def update(self, count: int) -> object: ...

    def close(self) -> object: ...


def _terminal_bar(label: str, total: int | None, done: int, unit: str) -> _Bar:
    bar: _Bar = tqdm(
        desc=label,
        total=total,
        initial=done,
        unit=unit,
        unit_scale=unit == "B",
        leave=False,
        ncols=shutil.get_terminal_size().columns,  # never 0, with which tqdm would draw nothing
    )
    return bar
