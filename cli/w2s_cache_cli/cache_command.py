"""`w2s-cache cache`: the care of what is cached."""

from __future__ import annotations

import click

from w2s_cache_cli.lazy_group import LazyGroup

COMMANDS = {
    "ls": ("w2s_cache_cli.ls_command", "List what is cached."),
    **{
        name: (f"w2s_cache_cli.cache.{name}_command", text)
        for name, text in {
            "verify": "Read and check every byte; optionally compute some rows again.",
            "diff": "Say in what two stores or feature sets differ.",
            "pack": "Write one self-contained HDF5 file per domain.",
            "unpack": "Put packed domains back into a cache.",
            "gc": "Remove what nothing needs any more.",
            "rm": "Remove feature sets, stores or weak models.",
        }.items()
    },
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def command() -> None:
    """Verify, compare, pack, clean up or remove what is cached.

    \b
    w2s-cache cache verify              is every byte as it was written?
    w2s-cache cache diff A B            which setting differs?
    w2s-cache cache pack --output DIR   one HDF5 file per domain, for sharing
    w2s-cache cache gc --dry-run        what could go?
    """
