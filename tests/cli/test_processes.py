"""Laws of extraction by several processes, from the command line."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import click
import pytest

from w2s_cache_cli.processes import processes_chosen


@pytest.mark.parametrize(
    ("asked", "crew"),
    [
        (("auto", (), None), ()),
        (("cuda:1", (), None), ()),
        (("auto", ("cuda:1",), None), ()),
        (("auto", ("cuda:0", "cuda:1"), None), ("cuda:0", "cuda:1")),
        (("auto", ("cpu", "cpu"), None), ("cpu", "cpu")),
        (("auto", (), 1), ()),
        (("cuda", (), 2), ("cuda", "cuda")),
        (("auto", ("cuda:0", "cuda:1"), 4), ("cuda:0", "cuda:1", "cuda:0", "cuda:1")),
    ],
)
def test_devices_and_processes_make_a_crew(asked: Any, crew: tuple[str, ...]) -> None:
    """One process for each device, or as many as asked for, spread over them; one is no crew."""
    chosen = processes_chosen(*asked, workers=3)
    assert (chosen.crew, chosen.workers) == (crew, 3)
    assert chosen.device == (crew[0] if crew else (*asked[1], asked[0])[0])


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("cpu", ("cpu", "cpu"), None), "give one of them"),
        (("auto", ("cuda:0", "cuda:1"), 1), "cannot serve 2 devices"),
    ],
)
def test_contradictions_are_refused(asked: Any, told: str) -> None:
    """Options that do not go together are a usage error, not a silent choice."""
    with pytest.raises(click.UsageError, match=told):
        processes_chosen(*asked, workers=None)


def test_two_processes_make_the_store_of_one(
    w2s: Any, cached: Any, files: Any, tmp_path: Path
) -> None:
    """`--devices cpu,cpu` leaves the very shards of an extraction by one process."""
    means = ("--devices", "cpu,cpu", "--batch-size", 16)
    alone, crew = tmp_path / "alone", tmp_path / "crew"
    for home, options in ((alone, ("--batch-size", 16)), (crew, means)):
        asked = ("--spec", cached.spec, "--domain", "art", "--cache-dir", home)
        done = w2s("extract", *asked, *options)
        assert done.exit_code == 0, done.output
        assert "features 60 computed, logits 60 computed" in done.output
    shards = [
        {path: content for path, content in files(home).items() if path.endswith(".h5")}
        for home in (alone, crew)
    ]
    assert len(shards[0]) == 3
    assert shards[0] == shards[1]


def test_two_processes_skip_what_one_skips(
    w2s: Any, place: Any, files: Any, tmp_path: Path
) -> None:
    """`--processes 2 --on-error skip` leaves the shards and failures.parquet of one process."""
    shutil.copytree(place.folder / "images" / "art", tmp_path / "images" / "art")
    for image in sorted((tmp_path / "images").rglob("*.png"))[16:34:3]:
        image.write_bytes(b"no image")
    spec = tmp_path / "tiny.toml"
    spec.write_text(place.text.replace(str(place.folder / "images"), str(tmp_path / "images")))
    made = {}
    for processes in (1, 2):
        home = tmp_path / str(processes)
        asked = ("--spec", spec, "--domain", "art", "--cache-dir", home, "--device", "cpu")
        means = ("--processes", processes, "--on-error", "skip", "--batch-size", 16)
        done = w2s("extract", *asked, *means)
        assert done.exit_code == 3, done.output
        assert "art: 60 images, 6 skipped" in done.output
        kept = (".h5", "failures.parquet")
        made[processes] = {path: c for path, c in files(home).items() if path.endswith(kept)}
    assert sum(path.endswith("failures.parquet") for path in made[1]) == 2
    assert made[2] == made[1]


@pytest.mark.parametrize("asked", [("--device", "gpu"), ("--devices", "cpu,gpu"), ("--dry-run",)])
def test_a_device_that_is_not_here_is_refused_with_everything_cached(
    cached: Any, w2s: Any, asked: tuple[str, ...]
) -> None:
    """`extract` refuses it as `train` does, before it looks at the cache; so does --dry-run."""
    named = asked if "gpu" in "".join(asked) else (*asked, "--device", "gpu")
    told = w2s("extract", "--spec", cached.spec, "--cache-dir", cached.cache, *named)
    assert (told.exit_code, told.stdout) == (1, "")
    assert "device 'gpu': expected a device that torch can use here" in told.stderr
