"""Small stores, and an operating system that fails on demand."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w2s_cache.store.failures import RowFailure
from w2s_cache.store.layout import ArraySpec
from w2s_cache.store.writer import open_writer

KEY = {
    "encoder": {"arch": "ViT-B-32", "tag": "openai"},
    "storage": "float32",
    "classes": ["a", "b"],
}
ROWS, WIDTH, SHARD_ROWS = 20, 4, 8
INVALID_ROW = 9
BROKEN = RowFailure(
    row=INVALID_ROW, path="d/a/9.png", stage="decode", error="ImageError", message="an empty file"
)
STEPS = ("open", "write", "fsync", "close", "replace")


class Maker:
    """Writes small image stores: row r holds r, r + 1/4, …; row 9 is invalid."""

    key, rows, shard_rows, invalid_row, broken = KEY, ROWS, SHARD_ROWS, INVALID_ROW, BROKEN

    def declaration(self, **changes: Any) -> dict[str, Any]:
        """Keyword arguments of ``open_writer``."""
        arrays = [ArraySpec(name="features", row_shape=(WIDTH,), dtype="float32")]
        plain = {"kind": "image", "key": KEY, "rows": ROWS, "arrays": arrays}
        return {**plain, "shard_rows": SHARD_ROWS, **changes}

    def block(self, start: int, stop: int) -> tuple[dict[str, np.ndarray], list[RowFailure]]:
        """Arrays and failures of rows [start, stop)."""
        rows = np.arange(start, stop)
        features = (rows[:, None] + np.arange(WIDTH) / 4).astype(np.float32)
        return {"features": features}, [BROKEN] if INVALID_ROW in rows else []

    def fill(self, directory: Path, **changes: Any) -> Path:
        """Write every missing shard."""
        with open_writer(directory, **self.declaration(**changes)) as writer:
            for start, stop in writer.missing():
                arrays, failures = self.block(start, stop)
                writer.write(start, arrays, failures=failures)
        return directory


def shard_contents(directory: Path) -> dict[str, bytes]:
    """The bytes of every shard by file name."""
    return {path.name: path.read_bytes() for path in directory.glob("part-*")}


@pytest.fixture
def maker() -> Maker:
    """The maker of small stores."""
    return Maker()


@pytest.fixture
def store(maker: Maker, tmp_path: Path) -> Path:
    """A complete store of 20 rows in 3 shards, below a name with a space and an umlaut."""
    return maker.fill(tmp_path / "Real Wörld" / "image")


@pytest.fixture
def contents() -> Callable[[Path], dict[str, bytes]]:
    """A function from a store to the bytes of its shards."""
    return shard_contents


@pytest.fixture
def failing_os() -> Callable[..., contextlib.AbstractContextManager[list[str]]]:
    """A context in which the n-th file-system call runs ``action`` before or after it is made."""

    @contextlib.contextmanager
    def failing(
        nth: int, action: Callable[[], None], *, steps: tuple[str, ...] = STEPS, after: bool = False
    ) -> Iterator[list[str]]:
        calls: list[str] = []

        def wrap(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
            def step(*args: Any, **kwargs: Any) -> Any:
                calls.append(name)
                due = len(calls) == nth
                if due and not after:
                    action()
                result = real(*args, **kwargs)
                if due and after:
                    action()
                return result

            return step

        with pytest.MonkeyPatch.context() as patch:
            for name in steps:
                patch.setattr(os, name, wrap(name, getattr(os, name)))
            yield calls

    return failing
