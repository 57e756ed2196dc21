"""Progress bars with rate and time left, on standard error, silent when not a terminal."""

from __future__ import annotations

import sys

from tqdm import tqdm

from w2s_cache.printable import printable


class Bars:
    """Draws one bar at a time; says sentences unless quiet."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: tqdm | None = None

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
        """Starts a bar; it appears only when the work lasts longer than a moment."""
        self.end()
        self._bar = tqdm(
            desc=printable(label),
            total=total,
            initial=done,
            unit=unit,
            unit_scale=unit == "B",
            delay=0.5,
            leave=False,
            disable=True if self._quiet else None,
        )

    def advance(self, count: int) -> None:
        """Moves the bar."""
        if self._bar is not None:
            self._bar.update(count)

    def end(self) -> None:
        """Removes the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
