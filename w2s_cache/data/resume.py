"""A download that goes on where it stopped: the downloader that `fetch` hands to pooch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

__all__ = ["ResumingDownload"]

_CHUNK = 1 << 16  # bytes; a connection that breaks off loses the chunk under way
_BROKEN_OFF = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)
_TIMEOUT = (15.0, 60.0)  # seconds to connect, seconds of silence


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumingDownload:
    """Download into ``part`` and move it to where pooch wants it once it is whole.

    Args:
        part: The partial file; what it holds is not asked for again.
        progress: Called with the number of bytes just received.
        attempts: How often a connection that breaks off is taken up again.
    """

    part: Path
    progress: Callable[[int], None] | None = None
    attempts: int = 4

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:  # noqa: ARG002  pooch's form
        """Fetch ``url``; pooch checks the hash of ``output_file`` afterwards.

        Raises:
            requests.RequestException: If the server cannot be reached, refuses, or breaks off more
                often than ``attempts``.
        """
        for left in reversed(range(self.attempts)):
            before = self._have()
            try:
                self._receive(url)
            except _BROKEN_OFF:
                if not left or self._have() == before:  # nothing came: no use in insisting
                    raise
            else:
                break
        self.part.replace(output_file)

    def _have(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _receive(self, url: str) -> None:
        have = self._have()
        # Without identity a server may compress, and offsets would count compressed bytes.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as answer:
            if have and answer.status_code == requests.codes.requested_range_not_satisfiable:
                if answer.headers.get("Content-Range") == f"bytes */{have}":
                    return
                self.part.unlink()
                raise requests.ConnectionError("the partial file is longer than the file")
            answer.raise_for_status()
            resumed = answer.status_code == requests.codes.partial_content
            with self.part.open("ab" if resumed else "wb") as file:
                if resumed and self.progress is not None:
                    self.progress(have)
                for chunk in answer.iter_content(_CHUNK):
                    file.write(chunk)
                    if self.progress is not None:
                        self.progress(len(chunk))
            _refuse_short(answer, file_size=self._have(), start=have if resumed else 0)


def _refuse_short(answer: requests.Response, *, file_size: int, start: int) -> None:
    """A connection that ends early without an error must count as broken off."""
    length = answer.headers.get("Content-Length")
    if length is not None and file_size - start < int(length):
        raise requests.ConnectionError(f"broke off after {file_size - start} of {length} bytes")
