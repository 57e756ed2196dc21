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


def unpack_folder(archive: Path, folder: str, root: Path) -> Path:
    """Unpack the top folder ``folder`` of a zip archive to ``root/folder``.

    The members are checked before one byte is written: none may leave the target, none may be a
    link. The folder appears in one step, when it is complete; anything beside it is dropped.

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


def _refuse_unsafe(archive: Path, member: zipfile.ZipInfo) -> None:
    name = member.filename.rstrip("/")
    reason = unsafe_reason(name)
    if reason is None and stat.S_ISLNK(member.external_attr >> 16):
        reason = "a symbolic link"
    if reason is not None:
        raise _broken(archive, f"{reason}: {name!r}")


def _broken(archive: Path, found: str) -> DownloadError:
    return DownloadError(
        f"archive {archive}",
        expected="a whole zip archive whose members stay inside it",
        found=found,
        fix="Delete it and fetch it again, or unpack it by hand after a look inside.",
    )
