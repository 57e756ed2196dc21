"""Runs every benchmark and writes what it printed to docs/benchmarks.md.

Run: ``make bench``, or ``python benchmarks/all.py NAME …`` to measure some anew. Each figure is a
ratio, or a difference, measured within one run; absolute times say something about this machine
only.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import torch

HERE = Path(__file__).parent
REPORT = HERE.parent / "docs" / "benchmarks.md"


def main() -> None:
    """Runs the scripts beside this one in alphabetical order, or only those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="e.g. cpl_epoch; the other sections stay")
    named = parser.parse_args().names
    scripts = sorted(
        s for s in HERE.glob("*.py") if s.name not in {"all.py", "in_turn.py", "indexed_files.py"}
    )
    sections = written_before() if named else {}
    for script in scripts:
        if named and script.stem not in named:
            continue
        print(f"running {script.name} …", flush=True)
        done = subprocess.run([sys.executable, script], check=False, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{script.name} failed:\n{done.stderr}")
        print(done.stdout, flush=True)
        sections[script.name] = section(script, done.stdout)
    kept = [sections[script.name] for script in scripts if script.name in sections]
    REPORT.write_text("\n".join([header(), *kept]), encoding="utf-8")
    print(f"wrote {REPORT}")


def written_before() -> dict[str, str]:
    """The report's sections by the script that printed them."""
    text = REPORT.read_text(encoding="utf-8") if REPORT.is_file() else ""
    parts = ["## " + part.rstrip() + "\n" for part in text.split("\n## ")[1:]]
    return {part.split("benchmarks/")[1].split("`")[0]: part for part in parts}


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
