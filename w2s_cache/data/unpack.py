"""Unpacking an archive that somebody else made: beside, checked, then renamed."""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path

from w2s_cache.data.safe_paths import unsafe_reason
from w2s_cache.errors import DownloadError

__all__ = ["unpack_folder"]

_LARGEST_RATIO = 100  # of unpacked to packed bytes
_SMALL = 1 << 20  # bytes; text files in a small archive shrink further


def unpack_folder(archive: Path, folder: str, root: Path) -> Path:
    """Unpack the top folder ``folder`` of a zip archive to ``root/folder``.

    The members are checked before one byte is written: none may leave the target, none may be a
    link or device, and together they may not unpack to a hundred times the archive. The folder
    appears in one step, when it is complete; anything beside it is dropped.

    Args:
        archive: The zip file.
        folder: The top folder it must hold.
        root: Where the folder goes; it must not be there yet.

    Raises:
        DownloadError: If the archive is broken or unsafe, or there is no room for it.
    """
    beside = Path(tempfile.mkdtemp(prefix=f".{folder}.", suffix=".partial", dir=root))
    try:
        with zipfile.ZipFile(archive) as packed:
            _refuse_bomb(archive, packed)
            for member in packed.infolist():
                _refuse_unsafe(archive, member)
            packed.extractall(beside)
        if not (beside / folder).is_dir():
            raise _broken(archive, f"no folder {folder!r} in it")
        (beside / folder).rename(root / folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _broken(archive, f"{error}") from error
    except OSError as error:
        raise DownloadError(
            f"archive {archive}",
            expected=f"room to unpack it into {root}",
            found=error.strerror or str(error),
            fix="Free some space and run the command again; the archive is kept.",
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return root / folder


def _refuse_bomb(archive: Path, packed: zipfile.ZipFile) -> None:
    """Images hardly shrink in an archive. A member never gives more bytes than it declares."""
    size, unpacked = archive.stat().st_size, sum(m.file_size for m in packed.infolist())
    if unpacked > _LARGEST_RATIO * size + _SMALL:
        raise _broken(archive, f"{unpacked:,} bytes packed into {size:,}")


def _refuse_unsafe(archive: Path, member: zipfile.ZipInfo) -> None:
    name = member.filename.rstrip("/")
    reason = unsafe_reason(name)
    mode = member.external_attr >> 16
    if reason is None and stat.S_ISLNK(mode):
        reason = "a symbolic link"
    if reason is None and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        reason = "neither a file nor a folder"
    if reason is not None:
        raise _broken(archive, f"{reason}: {name!r}")


def _broken(archive: Path, found: str) -> DownloadError:
    return DownloadError(
        f"archive {archive}",
        expected="a whole zip archive whose members stay inside it",
        found=found,
        fix="Delete it and fetch it again, or unpack it by hand after a look inside.",
    )
