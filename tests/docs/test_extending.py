"""The examples of docs/extending.md are run as they are printed."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from w2s_cache.methods import find_method, method_names
from w2s_cache.results import check_run
from w2s_cache.spec import parse_spec
from w2s_cache.spec_files import load_spec
from w2s_cache_cli.main import cli

PAGE = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
SPEC = """
name = "colours"
title = "Colours"
methods = ["zero-shot", "weak", "soft-class-means", "lp-brier"]
[data]
format = "class-folders"
root = "{root}"
domains = ["art"]
test_fraction = 0.6
[protocol]
seeds = [0]
{strong}
[weak.net]
model = "test_resnet"
image_size = 32
[weak.net.finetune]
epochs = 1
batch_size = 16
[train]
epochs = 2
"""


def block(language: str, containing: str) -> str:
    """The one block of the page in this language that contains a text."""
    [found] = [text for name, text in BLOCKS if name == language and containing in text]
    return found


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Both example packages, installed by pip into a folder of their own on the import path."""
    folder = tmp_path_factory.mktemp("packages")
    histogram, gentle = folder / "histogram", folder / "gentle"
    sources = {
        histogram / "pyproject.toml": block("toml", 'name = "w2s-histogram"'),
        histogram / "w2s_histogram" / "__init__.py": block("python", "# w2s_histogram/__init__.py"),
        gentle / "pyproject.toml": block("toml", 'name = "w2s-histogram"')
        .replace("w2s-histogram", "gentle")
        .replace("w2s_histogram", "gentle")
        .replace(
            '[project.entry-points."w2s_cache.encoders"]\nhistogram = "gentle:load"',
            block("toml", "lp-brier ="),
        ),
        gentle / "gentle" / "losses.py": block("python", "# gentle/losses.py"),
        gentle / "gentle" / "__init__.py": "",
    }
    for path, text in sources.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    target = folder / "site"
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", target]
    command = [sys.executable, "-m", "pip", "install", *options, histogram, gentle]
    quiet = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    subprocess.run(command, check=True, timeout=120, env=quiet)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(target)
        importlib.invalidate_caches()
        yield target


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    """Tiny tensors gain nothing from threads, and busy machines lose a lot."""
    torch.set_num_threads(1)


@pytest.fixture
def study(installed: Path, tmp_path: Path, colours) -> tuple[list[str], Path]:
    """Options that name a spec of the example's encoder, a cache and results; the results."""
    assert {"w2s_histogram", "gentle"} <= {path.name for path in installed.iterdir()}
    root = colours(tmp_path / "images", "art", per_class=20)
    spec, results = tmp_path / "colours.toml", tmp_path / "results"
    spec.write_text(SPEC.format(root=root, strong=block("toml", "[strong.colours]")))
    where = ["--spec", str(spec), "--results-dir", str(results)]
    return where, results


def test_the_example_packages_extract_and_train(study, tmp_path):
    """Encoder and loss of other packages go from images to a table through the command line."""
    where, results = study
    cache = ["--cache-dir", str(tmp_path / "cache")]
    told = CliRunner().invoke(cli, ["extract", *where[:2], *cache])
    assert told.exit_code == 0, told.output
    assert "features 60 computed" in told.stdout
    told = CliRunner().invoke(cli, ["train", *where, *cache, "--quiet"])
    assert told.exit_code == 0, told.output
    lines = {line.split()[1]: line for line in told.stdout.splitlines()}
    assert "n/a: the strong encoder has no text tower" in lines["zero-shot"]
    assert "n=1" in lines["lp-brier"]
    records = list(results.rglob("record.json"))
    assert len(records) == 4
    assert all(check_run(record.parent) == [] for record in records)
    assert CliRunner().invoke(cli, ["tables", *where]).exit_code == 0


def test_options_of_the_example_method_are_its_loss_s_fields(study, tmp_path):
    """`--set power=[1,2]` selects one of the two, as the page says."""
    where, results = study
    cache = ["--cache-dir", str(tmp_path / "cache")]
    assert CliRunner().invoke(cli, ["extract", *where[:2], *cache]).exit_code == 0
    command = ["train", *where, *cache, "--method", "lp-brier", "--set", "power=[1,2]"]
    told = CliRunner().invoke(cli, command)
    assert told.exit_code == 0, told.output
    [record] = results.rglob("record.json")
    assert json.loads(record.read_text())["selected"]["power"] in {1, 2}


@pytest.mark.usefixtures("installed")
def test_installed_methods_are_listed():
    """A method of another package stands behind the built-in ones and is found by name."""
    assert method_names()[-1] == "lp-brier"
    assert find_method("lp-brier").title == "Brier + LP"


@pytest.mark.usefixtures("installed")
def test_the_example_encoder_keeps_the_contract():
    """Widths, types and independence of rows are as the page promises."""
    encoder = importlib.import_module("w2s_histogram").load(
        "histogram-8", checkpoint=None, precision="fp32", device="cpu"
    )
    noise = np.random.default_rng(0).integers(0, 256, (2, 37, 50, 3), dtype=np.uint8)
    pixels = torch.stack([encoder.preprocess(Image.fromarray(image)) for image in noise])
    features = encoder.encode_images(pixels)["features"]
    assert features.dtype == torch.float32
    assert features.shape == (2, encoder.widths["features"])
    assert torch.equal(features[1:], encoder.encode_images(pixels[1:])["features"])
    assert torch.allclose(features.sum(dim=1), torch.tensor(3.0))
    json.dumps(encoder.identity())


def test_the_spec_on_the_page_is_valid(tmp_path):
    """The example data set is a spec as it stands, by text and by path."""
    text = block("toml", 'name = "birds"')
    assert parse_spec(text, origin="page").data.domains == ("photo", "plate")
    path = tmp_path / "birds.toml"
    path.write_text(text, encoding="utf-8")
    assert load_spec(str(path)).strong["vit-b-32"].templates[1] == "a drawing of a {}, a bird"


def test_every_command_on_the_page_exists():
    """Commands in the page's shell blocks and sentences are those of the program."""
    words = re.findall(r"(?m)(?:^|`|&& )w2s-cache (\w+)", PAGE)
    assert {"data", "extract", "train", "tables", "specs", "methods"} <= set(words)
    for name in set(words):
        assert CliRunner().invoke(cli, [name, "--help"]).exit_code == 0, name
