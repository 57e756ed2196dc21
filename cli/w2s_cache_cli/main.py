"""The `w2s-cache` program: a lazy group, so that help never imports torch."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import click

from w2s_cache import __version__
from w2s_cache.errors import W2SError
from w2s_cache_cli.lazy_group import LazyGroup
from w2s_cache_cli.misplaced_option import placed
from w2s_cache_cli.next_steps import completed

COMMANDS = {
    "extract": "Compute features and weak logits once, into the cache.",
    "train": "Train methods on cached features.",
    "sweep": "Train the whole grid of a spec.",
    "tables": "Print tables from run records.",
    "compare": "Say whether a method's lead over baselines is more than luck.",
    "plot": "Draw figures from run records.",
    "specs": "List specs, or show one resolved.",
    "methods": "List methods and their hyper-parameters.",
    "data": "Check or fetch a data set.",
    "neighbours": "Find duplicates, doubtful weak labels and images near a prototype.",
    "ls": "List what is cached.",
    "export": "Write cached features for other programs.",
    "import": "Take features that somebody else computed.",
    "inspect": "Describe a store or run and check its laws, or those of all.",
    "cache": "Verify, compare, pack, clean up or remove what is cached.",
    "doctor": "Check this installation, machine and cache.",
}
EXIT_FAILED, EXIT_INTERRUPTED = 1, 130


class _Program(LazyGroup):
    """Turns errors into one sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        # libraries log what our own sentences say, and to a terminal nobody asked them to use
        logging.getLogger().addHandler(logging.NullHandler())
        os.environ.setdefault("HF_HUB_VERBOSITY", "error")  # else a line for every retry
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            raise placed(error, self) from None
        except W2SError as error:
            click.echo(completed(f"Error: {error}"), err=True)
            sys.exit(EXIT_FAILED)
        except KeyboardInterrupt:
            click.echo(
                "Interrupted. What was finished is kept; the same command goes on from there.",
                err=True,
            )
            sys.exit(EXIT_INTERRUPTED)


def _hyphens(name: str) -> str:
    """Accepts `--cache_dir` for `--cache-dir`."""
    return name.replace("_", "-")


@click.group(
    cls=_Program,
    lazy={name: (f"w2s_cache_cli.{name}_command", text) for name, text in COMMANDS.items()},
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": _hyphens,
        "max_content_width": 100,
    },
)
@click.version_option(__version__, package_name="w2s-cache")
def cli() -> None:
    """Weak-to-strong learning for CLIP from a feature cache.

    \b
    w2s-cache extract --domain real    compute features once
    w2s-cache train --method cpl       train from the cache, in seconds
    w2s-cache tables                   print the table
    """
