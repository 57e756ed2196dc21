"""Laws of the shipped spec files."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from w2s_cache.errors import SpecError, UnknownNameError
from w2s_cache.spec_files import copy_spec, load_spec, spec_directory, spec_names


@pytest.mark.parametrize("name", spec_names())
def test_a_copy_differs_from_its_original_in_the_name_alone(tmp_path: Path, name: str) -> None:
    """Comments are kept, and all values but the name are the original's."""
    copy_spec(name, tmp_path / "birds.toml")
    original = (spec_directory() / f"{name}.toml").read_text(encoding="utf-8")
    copied = (tmp_path / "birds.toml").read_text(encoding="utf-8")
    pairs = zip(original.splitlines(), copied.splitlines(), strict=True)
    (changed,) = [pair for pair in pairs if pair[0] != pair[1]]
    assert changed == (f'name = "{name}"', 'name = "birds"')
    assert tomllib.loads(copied) == {**tomllib.loads(original), "name": "birds"}
    assert load_spec(str(tmp_path / "birds.toml")).name == "birds"


def test_a_copy_never_overwrites(tmp_path: Path) -> None:
    """A file that exists stays as it is."""
    (tmp_path / "birds.toml").write_text("mine")
    with pytest.raises(SpecError, match="a file of that name"):
        copy_spec("folder", tmp_path / "birds.toml")
    assert (tmp_path / "birds.toml").read_text() == "mine"


@pytest.mark.parametrize("file", ["Birds.toml", "birds", "my birds.toml", ".toml"])
def test_a_file_name_that_names_no_spec_is_refused(tmp_path: Path, file: str) -> None:
    """What `--spec` could not load afterwards is not written."""
    with pytest.raises(SpecError, match="no spec can be called"):
        copy_spec("folder", tmp_path / file)
    assert list(tmp_path.iterdir()) == []


def test_a_copy_says_where_it_cannot_be_written(tmp_path: Path) -> None:
    """A folder that does not exist is one sentence."""
    with pytest.raises(SpecError, match="cannot be written"):
        copy_spec("folder", tmp_path / "gone" / "birds.toml")


def test_an_unknown_original_is_offered_the_nearest(tmp_path: Path) -> None:
    """Only shipped specs are copied by name."""
    with pytest.raises(UnknownNameError, match="Did you mean 'folder'"):
        copy_spec("foldr", tmp_path / "birds.toml")
