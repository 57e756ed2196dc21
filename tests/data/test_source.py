"""Laws of finding the data root, its domains and their rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from w2s_cache.data import pocket
from w2s_cache.data.source import POCKET_FOLDER, data_root, list_domain, list_domains
from w2s_cache.errors import DataError, StoreWriteError, UnknownNameError
from w2s_cache.spec import DataSpec
from w2s_cache.spec_files import load_spec

FOLDERS = DataSpec(format="class-folders")


def test_what_is_given_comes_before_the_spec(tmp_path: Path) -> None:
    """``--root`` wins over ``root``; ``root`` serves where nothing is given."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    spec = FOLDERS.model_copy(update={"root": str(one)})
    assert data_root(spec, given=str(other), home=tmp_path) == other
    assert data_root(spec, given=None, home=tmp_path) == one


def test_a_tilde_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A root may be written with a tilde, as in a shell."""
    (tmp_path / "images").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert data_root(FOLDERS, given="~/images", home=tmp_path) == tmp_path / "images"


def test_without_a_root_the_option_is_named(tmp_path: Path) -> None:
    """Nothing is guessed."""
    with pytest.raises(DataError, match="--root DIR"):
        data_root(FOLDERS, given=None, home=tmp_path)


@pytest.mark.parametrize(("make", "found"), [(None, "no such folder"), ("file", "a file")])
def test_a_root_that_is_no_folder_is_said(tmp_path: Path, make: str | None, found: str) -> None:
    """A root must be a folder that exists."""
    if make:
        (tmp_path / "root").write_text("")
    with pytest.raises(DataError) as caught:
        data_root(FOLDERS, given=str(tmp_path / "root"), home=tmp_path)
    assert caught.value.found == found


def test_the_embedded_data_set_is_drawn_only_where_no_root_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``source = "pocket"`` draws below the cache home, unless the user has a folder."""
    drawn: list[Path] = []
    monkeypatch.setattr(pocket, "write_pocket", lambda root, **_: drawn.append(root))
    spec = DataSpec(format="domainnet", source="pocket")
    assert data_root(spec, given=str(tmp_path), home=tmp_path / "home") == tmp_path
    assert drawn == []
    wanted = tmp_path / "home" / POCKET_FOLDER
    assert data_root(spec, given=None, home=tmp_path / "home") == wanted
    assert drawn == [wanted]


def test_domains_are_the_spec_s_or_the_folders(tmp_path: Path) -> None:
    """Named domains keep their order; else visible folders are domains, sorted."""
    for name in ("b", "a", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / "file.txt").write_text("")
    assert list_domains(FOLDERS, tmp_path) == ("a", "b")
    named = FOLDERS.model_copy(update={"domains": ("z", "a")})
    assert list_domains(named, tmp_path) == ("z", "a")


def test_an_empty_root_has_no_domains(tmp_path: Path) -> None:
    """A root without folders is an error, not an empty data set."""
    with pytest.raises(DataError, match="one folder per domain"):
        list_domains(FOLDERS, tmp_path)


def test_an_unknown_domain_is_offered_the_nearest(tmp_path: Path) -> None:
    """A misspelt domain is refused with the known ones."""
    (tmp_path / "sketch").mkdir()
    with pytest.raises(UnknownNameError, match="Did you mean 'sketch'"):
        list_domain(FOLDERS, "mine", tmp_path, "skecth")


def test_class_folders_are_read_with_the_spec_s_split(colours: Any, tmp_path: Path) -> None:
    """Fraction and seed of the spec decide the split; class names come from the folders."""
    root = colours(tmp_path, "d", per_class=6)
    spec = FOLDERS.model_copy(update={"test_fraction": 0.5})
    listing = list_domain(spec, "mine", root, "d")
    assert (listing.dataset, listing.domain) == ("mine", "d")
    assert listing.classes == ("blue", "green", "red")
    assert [entry.split for entry in listing.entries].count("test") == 9
    moved = spec.model_copy(update={"split_seed": 1})
    assert list_domain(moved, "mine", root, "d").entries != listing.entries


def test_official_lists_are_read_where_the_spec_says_so(listed: Any) -> None:
    """The format of the spec picks the reader."""
    root = listed(
        ["clipart/cat/1.jpg 0", "clipart/dog/1.jpg 1"],
        ["clipart/cat/2.jpg 0", "clipart/dog/2.jpg 1"],
    )
    spec = DataSpec(format="domainnet", domains=("clipart",), classes=("cat", "dog"))
    listing = list_domain(spec, "mine", root, "clipart")
    assert [entry.split for entry in listing.entries] == ["train", "test"] * 2
    assert listing.classes == ("cat", "dog")


def test_a_root_for_another_layout_is_told_of_the_folder_spec(colours: Any, tmp_path: Path) -> None:
    """Whoever forgets `--spec folder` is told of it, not sent to fetch what cannot be fetched."""
    root = colours(tmp_path, "photo", per_class=1)
    spec = load_spec("pocket").data
    with pytest.raises(DataError) as caught:
        list_domain(spec, "pocket", root, "real")
    assert "--spec folder" in caught.value.fix
    assert "fetch" not in str(caught.value)


@pytest.mark.parametrize("home", ["/dev/null/x", "/proc/xx"])
def test_a_home_where_nothing_can_be_drawn_is_said(home: str) -> None:
    """The embedded data set needs a place; one sentence says which cannot be it."""
    if not Path(home).parent.exists():
        pytest.skip(f"this machine has no {Path(home).parent}")
    with pytest.raises(StoreWriteError, match="cannot be drawn into"):
        data_root(DataSpec(format="domainnet", source="pocket"), given=None, home=Path(home))
