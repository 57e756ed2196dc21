"""Laws of opening a file that may be none."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path

import pytest

from w2s_cache.data.images import read_content
from w2s_cache.errors import ImageError
from w2s_cache.store import regular_file
from w2s_cache.store.regular_file import open_regular


def pipe(path: Path) -> None:
    """A named pipe that nobody writes into."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    """A socket, bound under a short name since theirs are limited to some 100 characters."""
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip("this system has no sockets with names of files")
    with tempfile.TemporaryDirectory() as folder:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(f"{folder}/s")
        shutil.move(f"{folder}/s", path)


def device(path: Path) -> None:
    """A link to a device that never ends."""
    if not Path("/dev/zero").exists():
        pytest.skip("this system has no /dev/zero")
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [pipe, unix_socket, device, Path.mkdir])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, make) -> None:
    """Nothing is waited for and nothing read, by whichever way content is read."""
    make(tmp_path / "a.png")
    with pytest.raises(OSError, match="not a regular file"):
        open_regular(tmp_path / "a.png")
    with pytest.raises(ImageError) as caught:
        read_content(tmp_path / "a.png")
    assert caught.value.found == "not a regular file"


def test_files_and_links_to_files_are_opened(tmp_path: Path) -> None:
    """With the bytes that they hold."""
    (tmp_path / "a").write_bytes(b"content\r\n\x1a")
    (tmp_path / "b").symlink_to("a")
    for name in ("a", "b"):
        with open_regular(tmp_path / name) as file:
            assert file.read() == b"content\r\n\x1a"
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "c")


def test_systems_without_unblocked_opening_are_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a system has no named pipes among files either."""
    monkeypatch.setattr(regular_file, "_AT_ONCE", 0)
    (tmp_path / "a").write_bytes(b"content")
    with open_regular(tmp_path / "a", buffering=0) as file:
        assert file.read() == b"content"
    with pytest.raises(OSError, match="not a regular file"):
        open_regular(tmp_path)
