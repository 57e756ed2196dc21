"""Runs every benchmark and writes what it printed to docs/benchmarks.md.

Run: ``make bench``. Each figure is a ratio, or a difference, measured within one run; absolute
times say something about this machine only.
"""

from __future__ import annotations

import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import torch

HERE = Path(__file__).parent
REPORT = HERE.parent / "docs" / "benchmarks.md"


def main() -> None:
    """Runs the scripts beside this one in alphabetical order."""
    sections = []
    for script in sorted(HERE.glob("*.py")):
        if script.name in {Path(__file__).name, "in_turn.py"}:
            continue
        print(f"running {script.name} …", flush=True)
        done = subprocess.run([sys.executable, script], check=False, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{script.name} failed:\n{done.stderr}")
        print(done.stdout, flush=True)
        sections.append(section(script, done.stdout))
    REPORT.write_text("\n".join([header(), *sections]), encoding="utf-8")
    print(f"wrote {REPORT}")


def header() -> str:
    """Where and when this was measured."""
    return (
        "# Benchmarks\n\n"
        "Written by `make bench`. Every target is a ratio or a difference within one run.\n\n"
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {platform.machine()} with "
        f"{torch.get_num_threads()} threads, Python {platform.python_version()}, "
        f"torch {torch.__version__}.\n"
    )


def section(script: Path, output: str) -> str:
    """One script: its first sentence, and what it printed."""
    title = script.read_text(encoding="utf-8").split('"""')[1].splitlines()[0]
    command = f"`python benchmarks/{script.name}`"
    return f"## {title.rstrip('.')}\n\n{command}\n\n```\n{output.rstrip()}\n```\n"


if __name__ == "__main__":
    main()
