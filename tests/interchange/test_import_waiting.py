"""Law: an import that has to wait for another process says so."""

from __future__ import annotations

import os
import threading

import pytest

from w2s_cache.store.lock import writer_lock


@pytest.mark.parametrize("part", ["image", "text"])
def test_an_import_says_for_whom_it_waits(house, tmp_path, part, monkeypatch):
    """Where another process writes the same store, it is named before anything stands still."""
    folder = house.export(tmp_path / "out").directory
    again = {"text": folder / "text.parquet", "model": None, "normalized": None}
    house.bring(folder, **again)
    store = house.home / getattr(house.feature_set(strong="theirs"), part).path
    said, leave, held = [], threading.Event(), threading.Event()

    def write():
        with writer_lock(store, timeout=0, on_wait=None):
            held.set()
            leave.wait(5)

    def say(text):
        said.append(text)
        leave.set()

    writer = threading.Thread(target=write)
    writer.start()
    held.wait(5)
    monkeypatch.setattr(house.progress, "say", say)
    house.bring(folder, **again)
    writer.join()
    assert [text for text in said if f"art: theirs: waiting for process {os.getpid()}" in text]
