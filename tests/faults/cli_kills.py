"""Processes of `w2s-cache extract` killed at random moments, with a real CLIP and weak model."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from faults.extraction import Extraction, files
from faults.judge import Tally
from faults.place import emptied
from w2s_cache.store.check import check_store

DONE = 3  # finished, with skipped images
SPEC = """
name = "tiny"
title = "Tiny"
[data]
format = "class-folders"
root = "{root}"
test_fraction = 0.6
[strong.clip]
library = "open_clip"
model = "pocket-clip"
[weak.net]
model = "test_resnet"
image_size = 32
[weak.net.finetune]
epochs = 1
batch_size = 8
threads = 1
[store]
shard_rows = 4
"""


@dataclass(kw_only=True)
class Program:
    """The command line on the images of an extraction.

    Attributes:
        extraction: Where images are.
        home: The cache home.
        tally: What was seen so far.
    """

    extraction: Extraction
    home: Path
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        """Runs once without interruption; those files are the truth, and the time is noted."""
        self.spec = self.extraction.folder / "tiny.toml"
        self.spec.write_text(SPEC.format(root=self.extraction.folder / "images"), encoding="utf-8")
        emptied(self.home)
        begun = time.perf_counter()
        process = self.start()
        while not any(self.home.iterdir()) and process.poll() is None:
            time.sleep(0.005)
        self.first_write = time.perf_counter() - begun
        assert process.wait() == DONE
        self.seconds = time.perf_counter() - begun
        self.files = files(self.home)

    def start(self) -> subprocess.Popen[bytes]:
        """Begins ``w2s-cache extract``."""
        command = [sys.executable, "-m", "w2s_cache_cli", "extract", "--quiet"]
        options = ["--spec", str(self.spec), "--cache-dir", str(self.home), "--workers", "1"]
        skipping = ["--on-error", "skip"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            [*command, *options, *skipping], env=environment, stdout=subprocess.DEVNULL
        )

    def kill_at_moments(self, *, kills: int, seed: int) -> None:
        """Kills processes between their first write and their end until ``kills`` died of it."""
        generator = np.random.default_rng(seed)
        while kills:
            emptied(self.home)
            process = self.start()
            while not any(self.home.iterdir()) and process.poll() is None:
                time.sleep(0.002)
            time.sleep(generator.uniform(0, self.seconds - self.first_write))
            process.kill()
            self.tally.trials += 1
            if process.wait() == DONE:
                continue
            kills -= 1
            self.tally.kills += 1
            self.tally.whole += files(self.home) == self.files
            assert self.start().wait() == DONE
            assert files(self.home) == self.files
            for manifest in self.home.rglob("manifest.json"):
                assert check_store(manifest.parent) == []
            self.tally.leftovers += len(list(self.home.rglob("*.tmp-*")))
