"""Long lists, cut: the first lines, then how many more there are."""

from __future__ import annotations

from collections.abc import Sequence

import click

max_findings_option = click.option(
    "--max-findings",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Findings printed of one store; the rest is counted.",
)


def capped(lines: Sequence[str], limit: int) -> list[str]:
    """The first ``limit`` lines, and a line that counts the rest where there is one."""
    rest = len(lines) - limit
    shown = [*lines[:limit]]
    return [*shown, f"… and {rest:,} more (--max-findings)"] if rest > 0 else shown
