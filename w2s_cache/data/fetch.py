"""Download the official DomainNet, one domain at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pooch
import requests

from w2s_cache.command_line import command_line
from w2s_cache.data.official_domainnet import DOMAINNET_FILES, Source
from w2s_cache.data.resume import ResumingDownload
from w2s_cache.data.unpack import unpack_folder
from w2s_cache.errors import DownloadError, UnknownNameError

__all__ = ["FETCHABLE", "fetch"]

FETCHABLE: Mapping[str, Mapping[str, Sequence[Source]]] = {"domainnet": DOMAINNET_FILES}


def fetch(
    dataset: str,
    domain: str,
    root: Path,
    *,
    progress: Callable[[int], None] | None = None,
    catalogue: Mapping[str, Mapping[str, Sequence[Source]]] = FETCHABLE,
) -> Path:
    """Bring the lists and the images of one domain to ``root``.

    A download that broke off goes on where it stopped (``<name>.part``). Every file is checked
    against its md5 before it gets its name; the image folder appears when it is complete. What is
    there already is not fetched again; the archive is kept.

    Args:
        dataset: Name of the data set.
        domain: Name of the domain.
        root: The data root; made if absent.
        progress: Called with the number of bytes just received (or found in a partial file).
        catalogue: Files by data set and domain.

    Returns:
        The folder with the domain's images.

    Raises:
        UnknownNameError: If there is nothing to fetch under that name.
        DownloadError: If a download fails, its md5 differs, or the archive is broken or unsafe.
    """
    if dataset not in catalogue:
        raise UnknownNameError("data set to fetch", dataset, catalogue)
    if domain not in catalogue[dataset]:
        raise UnknownNameError("domain", domain, catalogue[dataset])
    root.mkdir(parents=True, exist_ok=True)
    folder = root / domain
    for source in catalogue[dataset][domain]:
        packed = source.name.endswith(".zip")
        if packed and folder.is_dir():
            continue
        path = _download(source, root, progress)
        if packed:
            unpack_folder(path, domain, root)
    return folder


def _download(source: Source, root: Path, progress: Callable[[int], None] | None) -> Path:
    part = root / f"{source.name}.part"
    wanted = root / source.name
    if wanted.is_file() and pooch.file_hash(str(wanted), alg="md5") != source.md5:
        raise _failed(source, wanted, "another file of that name", "Move it away or delete it.")
    try:
        found = pooch.retrieve(
            source.url,
            known_hash=f"md5:{source.md5}",
            fname=source.name,
            path=root,
            downloader=ResumingDownload(part=part, progress=progress),
        )
    except requests.RequestException as error:
        by_hand = (
            f"Download {source.url} by hand to {root}, unpack archives there, "
            f"then run `{command_line('data', 'check', 'domainnet', root=root)}`."
        )
        raise _failed(source, wanted, _reason(error), by_hand) from error
    except ValueError as error:  # pooch's word for a hash that differs; it deletes the file
        again = "Fetch it again; if that does not help, the file on the server has changed."
        raise _failed(source, wanted, "a download with another md5", again) from error
    except OSError as error:
        space = "Free some space, or make the folder writable, and run the command again."
        raise _failed(source, wanted, error.strerror or str(error), space) from error
    return Path(found)


def _failed(source: Source, wanted: Path, found: str, fix: str) -> DownloadError:
    expected = f"{wanted.name} from {source.url} with md5 {source.md5}"
    return DownloadError(f"download to {wanted}", expected=expected, found=found, fix=fix)


def _reason(error: requests.RequestException) -> str:
    """One short clause; the chains of requests and urllib3 run over many lines."""
    if error.response is not None:
        return f"the answer {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    return "no connection to the server, or one that broke off"
