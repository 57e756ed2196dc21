"""Law: a run record is there whole or not at all, whatever happens while it is published."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from faults.failing_disk import limit_run_files
from faults.judge import Judge
from faults.kills import kill_at_calls, kill_at_system_calls
from faults.outages import run_outages
from faults.runs import Runs
from faults.system_calls import untraceable


@pytest.fixture
def runs(whole: Judge, folder: Path, request) -> Runs:
    """Two runs from a whole home; the parameter says whether damaged ones are replaced."""
    repeated = getattr(request, "param", False)
    results = folder / request.node.name.partition("[")[0] / str(repeated) / "results"
    return Runs(extraction=whole.extraction, home=whole.home, results=results, repeated=repeated)


@pytest.mark.parametrize("runs", [False, True], indirect=True, ids=["new", "replaced"])
def test_a_kill_while_a_run_is_published_leaves_all_or_nothing(runs: Runs) -> None:
    """No run or a whole run; training again completes it with the same predictions."""
    if untraceable():
        kill_at_calls(runs, range(0, 100, 5))
    else:
        kill_at_system_calls(runs, first=3, every=9)
    assert runs.tally.kills > 4


def test_a_loss_of_power_while_a_run_is_published_leaves_all_or_nothing(runs: Runs) -> None:
    """Every file of a run is flushed before its directory gets its name."""
    assert run_outages(runs, every=9) > 20


def test_a_full_disk_while_a_run_is_published_leaves_nothing(runs: Runs) -> None:
    """Whichever file the kernel refuses, the run is refused by a sentence and nothing stays."""
    assert limit_run_files(runs, range(100, 5000, 900)) > 2


def test_training_says_what_the_disk_said(runs: Runs, monkeypatch) -> None:
    """The sentence of a full disk is the system's own."""
    from faults.failing_disk import trained_under

    monkeypatch.setattr("resource.setrlimit", lambda *_: None)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    runs.fresh()
    assert "No space left on device" in trained_under(runs, 0)
