"""Hub models go from images to records through the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from w2s_cache_cli.main import cli

SPEC = """
name = "hub"
title = "Hub models"
methods = ["zero-shot", "weak", "cpl", "tp-kd", "text-encoder"]

[data]
format = "class-folders"
root = "{root}"

[protocol]
seeds = [0]

[strong.blip]
library = "transformers"
model = "org/blip"
checkpoint = "{blip}"

[weak.cvt]
library = "transformers"
model = "org/cvt"
checkpoint = "{cvt}"

[train]
epochs = 2

[weak.cvt.finetune]
epochs = 1
batch_size = 16
"""


@pytest.mark.usefixtures("one_thread")
def test_blip_and_cvt_are_extracted_once_and_trained_on(
    tmp_path: Path, colours: Any, blip_folder: Path, cvt_folder: Path
) -> None:
    """Features, text and logits are cached, reused, and carry zero-shot, CPL and prompts."""
    root = colours(tmp_path / "images", "art", per_class=12)
    spec = tmp_path / "hub.toml"
    spec.write_text(SPEC.format(root=root, blip=blip_folder, cvt=cvt_folder))
    where = ["--spec", str(spec), "--cache-dir", str(tmp_path / "cache")]
    first = CliRunner().invoke(cli, ["extract", *where, "--quiet"])
    assert first.exit_code == 0, first.output
    assert "features 36 computed" in first.stdout
    again = CliRunner().invoke(cli, ["extract", *where, "--quiet", "--recheck"])
    assert again.exit_code == 0, again.output
    assert "computed" not in again.stdout
    results = tmp_path / "results"
    trained = CliRunner().invoke(cli, ["train", *where, "--results-dir", str(results), "--quiet"])
    assert trained.exit_code == 0, trained.output
    assert "n/a" not in trained.stdout
    records = [json.loads(path.read_text()) for path in results.rglob("record.json")]
    assert len(records) == 5


@pytest.mark.parametrize(("asked", "level"), [(None, "ERROR"), ("info", "INFO")])
def test_the_hub_s_retries_are_not_printed_unless_asked_for(asked, level):
    """One sentence says that the network is absent; HF_HUB_VERBOSITY shows the lines before it."""
    program = """
import logging
from click.testing import CliRunner
from w2s_cache_cli.main import cli
assert CliRunner().invoke(cli, ["specs"]).exit_code == 0
import huggingface_hub.utils.logging as hub
print(logging.getLevelName(hub.get_verbosity()))
"""
    others = {name: value for name, value in os.environ.items() if name != "HF_HUB_VERBOSITY"}
    surroundings = others if asked is None else others | {"HF_HUB_VERBOSITY": asked}
    told = subprocess.run(
        [sys.executable, "-c", program],
        env=surroundings,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert told.stdout.strip() == level
