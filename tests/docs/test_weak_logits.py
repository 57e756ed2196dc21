"""The examples of docs/weak-logits.md are read as it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w2s_cache.weak.imported import read_weak_logits

PAGE = (Path(__file__).parents[2] / "docs" / "weak-logits.md").read_text(encoding="utf-8")
PATHS = ["photo/blue/00.png", "photo/red/00.png"]
LOGITS = np.array([[2.5, -0.3, 0.1], [-1.2, 0.4, 3.3]], dtype=np.float32)


def test_every_example_holds_the_same_logits(tmp_path: Path, monkeypatch: Any) -> None:
    """Two texts and two programs give the four files a reader may write."""
    monkeypatch.chdir(tmp_path)
    for number, text in enumerate(re.findall(r"```\n(path,.*?)```", PAGE, flags=re.DOTALL)):
        Path(f"{number}.csv").write_text(text, encoding="utf-8")
    for program in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(program, {"paths": PATHS, "logits": LOGITS})  # noqa: S102 - the page's own example
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == [
        "0.csv",
        "1.csv",
        "predictions.npz",
        "predictions.parquet",
    ]
    for file in files:
        found = read_weak_logits(file, paths=PATHS, classes=["blue", "green", "red"])
        assert found == pytest.approx(LOGITS)
