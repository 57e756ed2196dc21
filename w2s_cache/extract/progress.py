"""How long work reports itself: a counter the command line draws as a bar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from w2s_cache.errors import StoreError
from w2s_cache.store.lock import Owner


class Progress(Protocol):
    """Receives what happens; implementations draw bars, collect lines, or stay silent."""

    def say(self, text: str) -> None:
        """A sentence for the person at the terminal."""
        ...

    def begin(self, label: str, total: int, *, done: int = 0) -> None:
        """A countable piece of work starts; ``done`` of it was finished before."""
        ...

    def advance(self, count: int) -> None:
        """``count`` more pieces are done."""
        ...

    def end(self) -> None:
        """The piece of work begun last is finished."""
        ...


def waiting(progress: Progress, what: str) -> Callable[[Owner | None], None]:
    """Makes what a writer's lock calls when another process holds it: a sentence that names it."""
    return lambda owner: progress.say(f"{what}: waiting for {owner or 'another process'}")


def anew(progress: Progress, what: str) -> Callable[[StoreError], None]:
    """Makes what is called where a store cannot be gone on from: a sentence that says why."""
    return lambda error: progress.say(f"{what}: {error.what} ({error.found}); computing it anew")


class Silent:
    """Says nothing."""

    def say(self, text: str) -> None:
        """Ignores the sentence."""

    def begin(self, label: str, total: int, *, done: int = 0) -> None:
        """Ignores the start."""

    def advance(self, count: int) -> None:
        """Ignores the step."""

    def end(self) -> None:
        """Ignores the end."""
