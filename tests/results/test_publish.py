"""Laws of publishing a directory whole."""

import errno
from pathlib import Path

import pytest

from w2s_cache.results.publish import publishing


def _tree(root):
    return {str(p.relative_to(root)): p.read_text() for p in root.rglob("*") if p.is_file()}


def test_nothing_is_visible_before_the_end(tmp_path):
    """Inside the block the target does not exist; afterwards it is complete and alone."""
    target = tmp_path / "a" / "run"
    with publishing(target) as new:
        (new / "f").write_text("x")
        assert not target.exists()
        assert new.parent.name.startswith(".")
    assert _tree(tmp_path) == {"a/run/f": "x"}
    assert list(target.parent.iterdir()) == [target]


def test_an_older_directory_is_replaced_entirely(tmp_path):
    """No file of the older directory survives."""
    for name in ("old", "new"):
        with publishing(tmp_path / "run") as new:
            (new / name).write_text(name)
    assert _tree(tmp_path) == {"run/new": "new"}


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError(errno.ENOSPC, "full")])
def test_a_failure_inside_leaves_the_older_directory(tmp_path, failure):
    """An interrupt or a full disk while writing changes nothing and leaves no temporary."""
    with publishing(tmp_path / "run") as new:
        (new / "f").write_text("old")

    def fail():
        with publishing(tmp_path / "run") as new:
            (new / "f").write_text("half")
            raise failure

    with pytest.raises((KeyboardInterrupt, OSError)):
        fail()
    assert _tree(tmp_path) == {"run/f": "old"}
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError(errno.EROFS, "read-only")])
def test_a_failure_while_renaming_brings_the_older_directory_back(tmp_path, monkeypatch, failure):
    """When the new directory cannot take the place, the older one returns to it."""
    with publishing(tmp_path / "run") as new:
        (new / "f").write_text("old")
    rename = Path.rename

    def fail(self, target):
        if self.name == "new":
            raise failure
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(type(failure)), publishing(tmp_path / "run") as new:
        (new / "f").write_text("new")
    assert _tree(tmp_path) == {"run/f": "old"}


def test_a_directory_that_another_process_just_published_is_replaced(tmp_path, monkeypatch):
    """Losing the race for the name is met by moving the other one out, not by an error."""
    rename = Path.rename
    rivals = ["rival"]

    def race(self, target):
        if self.name == "new" and rivals:
            Path(target).mkdir()
            (Path(target) / rivals.pop()).write_text("theirs")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", race)
    with publishing(tmp_path / "run") as new:
        (new / "f").write_text("ours")
    assert _tree(tmp_path) == {"run/f": "ours"}
