"""Laws of a root that is one level too high or too low."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from w2s_cache.data.source import list_domains
from w2s_cache.errors import DataError
from w2s_cache.spec import DataSpec

FOLDERS = DataSpec(format="class-folders")


@pytest.fixture
def root(colours: Callable[..., Path], tmp_path: Path) -> Path:
    """Two domains of three classes."""
    for domain in ("photo", "sketch"):
        colours(tmp_path / "sets" / "mini", domain, per_class=1)
    return tmp_path / "sets" / "mini"


def test_the_right_depth_is_taken(root: Path) -> None:
    """One empty class folder or a stray picture beside the classes changes nothing."""
    (root / "photo" / "aaa").mkdir()
    (root / "photo" / "preview.png").write_bytes(b"")
    assert list_domains(FOLDERS, root) == ("photo", "sketch")


def test_a_root_that_holds_classes_is_pointed_up(root: Path) -> None:
    """The folder of one domain is no data root."""
    with pytest.raises(DataError, match="holds classes, not domains") as caught:
        list_domains(FOLDERS, root / "sketch")
    assert caught.value.fix == f"Point --root one level up: --root {root}."


def test_a_root_that_holds_data_sets_is_pointed_down(root: Path) -> None:
    """The folder above the data root holds no classes where they should be."""
    with pytest.raises(DataError, match="holds data sets, not domains") as caught:
        list_domains(FOLDERS, root.parent)
    assert caught.value.fix == f"Point --root one level down: --root {root}."


def test_folders_without_any_image_are_left_to_the_reader(tmp_path: Path) -> None:
    """What is no question of depth is said by whoever reads the classes."""
    (tmp_path / "photo" / "dog").mkdir(parents=True)
    assert list_domains(FOLDERS, tmp_path) == ("photo",)
