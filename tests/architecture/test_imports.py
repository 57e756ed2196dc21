"""Nothing happens at import time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import importlib, os, sys
import numpy, torch
state, before, threads = torch.random.get_rng_state(), dict(os.environ), torch.get_num_threads()
chance = numpy.random.get_state()[1].copy()
import open_clip, timm  # what foreign packages do at import is theirs
foreign = dict(os.environ)
for name in sys.argv[1:]:
    importlib.import_module(name)
    assert torch.equal(state, torch.random.get_rng_state()), f"{name} draws random numbers"
    assert (chance == numpy.random.get_state()[1]).all(), f"{name} draws random numbers"
    assert dict(os.environ) == foreign, f"{name} changes the environment"
    assert torch.get_num_threads() == threads, f"{name} changes torch's threads"
"""


def modules() -> list[str]:
    """Dotted names of all modules of both packages."""
    found = []
    for root in (ROOT, ROOT / "cli"):
        for path in sorted(root.glob("w2s_cache*/**/*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found.append(".".join(parts).removesuffix(".__init__"))
    return found


def test_importing_any_module_changes_nothing():
    """Every module imports without a warning and leaves random state and environment alone."""
    names = modules()
    assert len(names) > 100
    command = [sys.executable, "-W", "error", "-c", PROGRAM, *names]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
