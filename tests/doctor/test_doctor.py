"""What the doctor says of libraries, disk, locks, network and places."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from w2s_cache.doctor import devices, file_system, network, places, space, versions
from w2s_cache_cli.main import cli


def by_name(findings):
    """Findings by name."""
    return {finding.name: finding for finding in findings}


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch, tmp_path):
    """No variable of the person who runs the tests decides."""
    for name in (*places.VARIABLES, *network.OFFLINE, "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))


@pytest.fixture
def doctor(tmp_path):
    """A function that runs the command on a cache of its own."""
    where = ["--cache-dir", str(tmp_path / "cache"), "--results-dir", str(tmp_path / "results")]
    return lambda *words: CliRunner().invoke(cli, ["doctor", *words, *where])


def test_every_library_that_matters_is_named_with_its_version():
    """Versions are those that are installed; optional ones that are absent are no failure."""
    found = by_name(versions.version_findings())
    assert {"w2s-cache", "python", "torch", "open_clip", "timm", "h5py", "HDF5", "faiss"} <= set(
        found
    )
    assert all(finding.level == "ok" for finding in found.values())


def test_a_library_that_cannot_be_imported_fails_with_a_remedy(monkeypatch):
    """The reason is one line and the fix names the package."""

    def broken(_):
        raise OSError("libcudart.so: no\nsuch file")

    monkeypatch.setattr(versions.importlib, "import_module", broken)
    found = by_name(versions.version_findings())
    assert found["open_clip"].level == found["HDF5"].level == found["faiss"].level == "fail"
    assert found["open_clip"].value == "OSError: libcudart.so: no"
    assert "open_clip_torch" in found["open_clip"].fix


def test_two_builds_of_faiss_are_a_warning(monkeypatch):
    """The CPU and the GPU build overwrite each other."""
    monkeypatch.setattr(versions, "installed", lambda _: "1.0")
    finding = by_name(versions.version_findings())["faiss"]
    assert (finding.level, finding.value) == ("warn", "faiss-cpu 1.0 and faiss-gpu 1.0")


def test_devices_say_cores_threads_and_memory():
    """The CPU is always there."""
    found = by_name(devices.device_findings())
    assert set(found) == {"cuda", "mps", "cpu", "memory"}
    assert "torch uses" in found["cpu"].value


@pytest.mark.parametrize(("free", "level"), [(10**12, "ok"), (10**9, "warn"), (10**6, "fail")])
def test_little_space_is_said(monkeypatch, tmp_path, free, level):
    """Below 5 GB is a warning, below 0.2 GB a failure, except where images are only read."""
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: type("Usage", (), {"free": free}))
    places_ = {"cache home": tmp_path / "not" / "yet", "data root": tmp_path, "results": None}
    found = by_name(space.space_findings(places_))
    assert set(found) == {"cache home", "data root"}
    assert (found["cache home"].level, found["data root"].level) == (level, "ok")


def test_the_file_system_is_tried_and_left_as_it_was(tmp_path):
    """Publishing and locking work here, and nothing of the trial remains."""
    found = by_name(file_system.file_system_findings(tmp_path / "not" / "yet"))
    assert found["publish"].level == found["locks"].level == "ok"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("code", "level"), [(0, "fail"), (7, "ok"), (1, "warn")])
def test_a_lock_that_keeps_nobody_out_fails(monkeypatch, tmp_path, code, level):
    """What the second process says decides."""

    def second(command, **_):
        return subprocess.CompletedProcess(command, code, "", "ModuleNotFoundError: filelock")

    monkeypatch.setattr(file_system.subprocess, "run", second)
    assert by_name(file_system.file_system_findings(tmp_path))["locks"].level == level


@pytest.mark.parametrize(("code", "level"), [(errno.ENOSYS, "warn"), (errno.EIO, "fail")])
def test_a_file_system_without_locks_is_named(monkeypatch, tmp_path, code, level):
    """Where there are no locks files stand for them, a warning; any other refusal fails."""

    def unsupported(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(file_system.FileLock, "acquire", unsupported)
    assert by_name(file_system.file_system_findings(tmp_path))["locks"].level == level


def test_names_that_differ_in_case_are_tried(monkeypatch, tmp_path):
    """A file system that folds case is a warning."""
    real = Path.exists
    monkeypatch.setattr(Path, "exists", lambda p: p.name == "CASE" or real(p))
    assert by_name(file_system.file_system_findings(tmp_path))["case"].level == "warn"


def test_a_home_that_cannot_be_written_fails(monkeypatch, tmp_path):
    """The reason and other places are named."""

    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(file_system.tempfile, "TemporaryDirectory", denied)
    [finding] = file_system.file_system_findings(tmp_path)
    assert (finding.level, "W2S_CACHE_HOME" in finding.fix) == ("fail", True)


def test_nothing_leaves_the_machine_unless_asked(monkeypatch):
    """Without --online no request is made."""
    monkeypatch.setattr(requests, "head", lambda *_, **__: pytest.fail("asked the network"))
    found = by_name(network.network_findings(online=False))
    assert "not asked" in found["hub"].value


@pytest.mark.parametrize(
    ("answer", "offline", "level", "word"),
    [
        (200, "", "ok", "answers"),
        (503, "", "warn", "503"),
        (None, "", "warn", "does not answer"),
        (200, "1", "warn", "forbids"),
    ],
)
def test_the_hub_s_answer_is_reported(monkeypatch, answer, offline, level, word):
    """A hub that is silent, broken or forbidden is a warning: local weights still work."""

    def head(url, *, timeout, **_):
        assert 0 < timeout <= 10
        if answer is None:
            raise requests.ConnectionError(url)
        return type("Response", (), {"status_code": answer})

    monkeypatch.setattr(requests, "head", head)
    monkeypatch.setenv("HF_HUB_OFFLINE", offline)
    found = by_name(network.network_findings(online=True))
    assert (found["hub"].level, word in found["hub"].value) == (level, True)
    assert ("HF_HUB_OFFLINE" in found["offline mode"].value) == bool(offline)


@pytest.mark.parametrize("named", ["option", "variable", "nothing"])
def test_the_rule_that_decided_the_cache_home_is_named(doctor, monkeypatch, tmp_path, named):
    """Flag before variable before the user's folder."""
    monkeypatch.setenv("W2S_RESULTS_DIR", str(tmp_path))
    if named == "variable":
        monkeypatch.setenv("W2S_CACHE_HOME", str(tmp_path))
    told = doctor() if named == "option" else CliRunner().invoke(cli, ["doctor"])
    rule = {"option": "--cache-dir", "variable": "W2S_CACHE_HOME", "nothing": "the user's cache"}
    assert f"(from {rule[named]}" in told.stdout


def test_specs_weights_and_variables_are_listed(monkeypatch, tmp_path):
    """What is there is named: specs, hub models by their names, variables with values."""
    (tmp_path / "hub" / "models--timm--vit").mkdir(parents=True)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    where = places.Places(
        cache=tmp_path / "cache", cache_named=True, results=tmp_path, data_root=tmp_path / "gone"
    )
    found = by_name(places.place_findings(where))
    assert "pocket" in found["specs"].value
    assert found["hub weights"].value.startswith("timm/vit in ")
    assert f"HF_HUB_CACHE={tmp_path / 'hub'}" in found["variables"].value
    assert found["cache"].value == "nothing cached yet"
    assert found["data root"].level == "fail"


def test_a_failure_is_the_exit_code(doctor, tmp_path):
    """0 where all is well or only odd, 1 where something will not work; text and JSON agree."""
    well = doctor("--format", "json")
    assert well.exit_code == 0, well.output
    findings = json.loads(well.stdout)
    assert {f["section"] for f in findings} >= {"versions", "devices", "space", "file system"}
    assert {f["level"] for f in findings} <= {"ok", "warn"}
    ill = doctor("--root", str(tmp_path / "gone"))
    assert ill.exit_code == 1
    assert "FAIL data root" in ill.stdout
    assert "→ Correct --root or W2S_DATA_ROOT." in ill.stdout
    assert "1 failed" in ill.stdout.splitlines()[-1]
