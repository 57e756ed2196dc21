"""A tiny data set, a random CLIP and the command line, extracted and trained once per session."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import open_clip
import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import save_file

import w2s_cache.encoders
from w2s_cache_cli.main import cli

POCKET_CLIP = Path(w2s_cache.encoders.__file__).parent / "pocket_clip" / "pocket-clip.json"
SPEC = """
name = "tiny"
title = "Tiny: three colours in two domains"
methods = ["zero-shot", "weak", "lp-kd", "cpl", "soft-class-means", "ceiling-lp"]

[data]
format = "class-folders"
root = "{root}"
test_fraction = 0.6

[protocol]
seeds = [0, 1]

[strong.clip]
library = "open_clip"
model = "pocket-clip"
checkpoint = "{checkpoint}"
templates = ["plain"]

[weak.net]
model = "test_resnet"
image_size = 32

[weak.net.finetune]
epochs = 1
batch_size = 16

[train]
epochs = 2
batch_size = 8
"""


LONG_AGO = 1_700_000_000


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the session's data set, spec, cache and results are."""

    folder: Path
    text: str

    @property
    def spec(self) -> Path:
        """The plain spec file."""
        return self.folder / "tiny.toml"

    @property
    def cache(self) -> Path:
        """The extracted cache; tests only read it."""
        return self.folder / "cache"

    @property
    def results(self) -> Path:
        """The records of the plain spec; tests only read them."""
        return self.folder / "results"

    def options(self, **changes: object) -> list[object]:
        """The options that name spec, cache and results."""
        plain = {"spec": self.spec, "cache-dir": self.cache, "results-dir": self.results}
        named = {**plain, **changes}.items()
        return [part for name, path in named for part in (f"--{name}", path)]

    def edited(self, old: str, new: str, folder: Path) -> Path:
        """The spec with one change, written into ``folder``."""
        assert self.text.count(old) == 1
        path = folder / "edited.toml"
        path.write_text(self.text.replace(old, new), encoding="utf-8")
        return path


def invoke(*args: object) -> Result:
    """Runs ``w2s-cache`` in this process."""
    return CliRunner().invoke(cli, [str(arg) for arg in args])


def listing(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes; locks come and go, so they do not count."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Tiny tensors gain nothing from threads, and busy machines lose a lot."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests reaches them."""
    for name in ("CACHE_HOME", "CACHE_SPEC", "DATA_ROOT", "RESULTS_DIR", "STRONG_CHECKPOINT"):
        monkeypatch.delenv(f"W2S_{name}", raising=False)


@pytest.fixture(scope="session")
def w2s() -> Callable[..., Result]:
    """The program: ``w2s("extract", "--spec", path)``."""
    return invoke


@pytest.fixture(scope="session")
def files() -> Callable[[Path], dict[str, bytes]]:
    """The files of a folder with their bytes."""
    return listing


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory, colours: Callable[..., Path]) -> Place:
    """Two domains × three classes × 20 images and a CLIP of random numbers; nothing extracted."""
    folder = tmp_path_factory.mktemp("tiny")
    for domain in ("art", "photo"):
        colours(folder / "images", domain, per_class=20)
    for image in folder.rglob("*.png"):  # older than a moment, so that their hashes are remembered
        os.utime(image, (1_700_000_000, 1_700_000_000))
    open_clip.add_model_config(POCKET_CLIP)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = open_clip.create_model("pocket-clip")
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(state, folder / "clip.safetensors")
    text = SPEC.format(root=folder / "images", checkpoint=folder / "clip.safetensors")
    (folder / "tiny.toml").write_text(text, encoding="utf-8")
    return Place(folder=folder, text=text)


@pytest.fixture(scope="session")
def extracted(place: Place) -> Result:
    """What the first `extract` said."""
    return invoke("extract", "--spec", place.spec, "--cache-dir", place.cache)


@pytest.fixture(scope="session")
def cached(place: Place, extracted: Result) -> Place:
    """The place with its cache filled."""
    assert extracted.exit_code == 0, extracted.output
    return place


@pytest.fixture(scope="session")
def trained(cached: Place) -> Result:
    """What the first `train` said."""
    where = ("--cache-dir", cached.cache, "--results-dir", cached.results)
    return invoke("train", "--spec", cached.spec, *where)


@pytest.fixture(scope="session")
def studied(cached: Place, trained: Result) -> Place:
    """The place with its cache and its results filled."""
    assert trained.exit_code == 0, trained.output
    return cached


@pytest.fixture
def copy(cached: Place, tmp_path: Path) -> Path:
    """A cache of one's own, all files old."""
    target = tmp_path / "cache"
    shutil.copytree(cached.cache, target)
    for file in target.rglob("*"):
        os.utime(file, (LONG_AGO, LONG_AGO))
    return target


@pytest.fixture
def cache(w2s: Callable[..., Result], copy: Path) -> Callable[..., Result]:
    """A function that runs `w2s-cache cache …` on the copy."""
    return lambda *words: w2s("cache", *words, "--cache-dir", copy)
