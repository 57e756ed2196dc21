"""Law: of two processes that extract the same, one works and the other waits and reuses."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from w2s_cache.extract.domain import extract_domain

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork for a second process")


def test_the_second_process_says_for_whom_it_waits_and_computes_nothing(
    bench: Any, progress: Any
) -> None:
    """It names process, machine and time; the store is the other's."""
    working, go_on = os.pipe(), os.pipe()

    def pause(batch: int) -> None:
        if batch == 1:
            os.write(working[1], b".")
            os.read(go_on[0], 1)

    bench.encoder.fail = pause
    child = os.fork()
    if child == 0:
        try:
            bench.run()
            os._exit(0)
        finally:
            os._exit(1)
    os.read(working[0], 1)

    def say(text: str) -> None:
        progress.said.append(text)
        if "waiting" in text:
            os.write(go_on[1], b".")

    progress_here = type(progress)(said=progress.said)
    progress_here.say = say
    done = extract_domain(
        bench.request, "d", strong=lambda _: bench.encoder, progress=progress_here
    )
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (done.computed["features"], bench.encoder.batches) == (0, [])
    who = rf"d: fake: waiting for process {child} on {re.escape(socket.gethostname())} since 2"
    assert [text for text in progress.said if re.match(who, text)]
    assert len(list(Path(bench.request.home).glob("v1/tiny/d/image/*/part-*"))) == 3
