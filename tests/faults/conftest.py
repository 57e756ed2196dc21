"""The tiny extraction and a judge of it, in memory where there is room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.extraction import Extraction
from faults.judge import Judge
from faults.place import scratch


@pytest.fixture(autouse=True)
def calm(one_thread: None) -> None:
    """Every test of this folder runs torch on one thread, children too."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where a module's trials put their files."""
    with scratch() as place:
        yield place


@pytest.fixture(scope="module")
def extraction(folder: Path) -> Extraction:
    """Fifteen images, imported logits."""
    return Extraction(folder=folder).prepare()


@pytest.fixture
def judge(extraction: Extraction) -> Judge:
    """A judge with an empty home."""
    return Judge(extraction=extraction, home=extraction.folder / "home")


@pytest.fixture
def whole(judge: Judge) -> Judge:
    """A judge whose home is filled."""
    judge.work()
    return judge
