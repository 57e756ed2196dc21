"""Laws of putting a file in place in one step."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from w2s_cache.errors import StoreWriteError
from w2s_cache.store.publish import made_durably, publish, remove_temporaries


def fail(number: int) -> Any:
    """An action that fails as the disk would."""

    def action() -> None:
        raise OSError(number, os.strerror(number))

    return action


def test_content_arrives_whole_even_in_small_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that takes seven bytes at a time still ends with the whole content."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:7]))
    publish(tmp_path / "file", bytes(range(100)))
    assert (tmp_path / "file").read_bytes() == bytes(range(100))
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_the_name_appears_last_and_after_the_flush(tmp_path: Path, failing_os: Any) -> None:
    """File and directory are flushed on either side of the rename."""
    with failing_os(0, fail(errno.EIO)) as calls:
        publish(tmp_path / "file", b"x")
    assert calls == ["open", "write", "fsync", "close", "replace", "open", "fsync", "close"]


@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "No space left.*Free space"),
        (errno.EROFS, "Read-only.*choose another --cache-dir"),
        (errno.EACCES, "Permission denied.*Get write permission"),
        (errno.EIO, "error.*Check that disk"),
    ],
)
def test_a_failing_disk_leaves_the_old_file_and_no_temporary(
    tmp_path: Path, failing_os: Any, nth: int, number: int, advice: str
) -> None:
    """At whatever step the disk fails, the message says why and the directory is as before."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with failing_os(nth, fail(number)), pytest.raises(StoreWriteError, match=advice):
        publish(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_the_name_of_every_new_directory_is_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flushed file is lost with a directory whose own name never reached the disk."""
    opened: list[Path] = []
    real = os.open

    def watched(path: Any, *rest: Any) -> int:
        opened.append(Path(path))
        return real(path, *rest)

    monkeypatch.setattr(os, "open", watched)
    made_durably(tmp_path / "a" / "b")
    assert sorted(opened) == [tmp_path, tmp_path / "a"]
    opened.clear()
    made_durably(tmp_path / "a" / "b")
    assert opened == []


def test_temporaries_alone_are_removed(tmp_path: Path) -> None:
    """What a killed process was writing goes, everything else stays."""
    for name in ("file", "file.tmp-12-ab", ".writer.lock"):
        (tmp_path / name).write_bytes(b"x")
    remove_temporaries(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".writer.lock", "file"]
