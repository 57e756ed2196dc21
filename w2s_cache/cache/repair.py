"""The command that repairs a feature set, its spec named as far as a cache can."""

from __future__ import annotations

from pathlib import Path

from w2s_cache.command_line import SPEC_PLACE
from w2s_cache.spec_files import spec_names
from w2s_cache.store.feature_set import FeatureSet
from w2s_cache.store.remake import remaking_command


def repair_command(home: Path, found: FeatureSet, *, skip: bool = False) -> str:
    """The command that brings a feature set up to date; arguments as of `remaking_command`."""
    return remaking_command(home, found, spec=spec_of(found.dataset), skip=skip)


def spec_of(dataset: str) -> str:
    """The spec of a data set: a shipped one is called like it, else a placeholder."""
    return dataset if dataset in spec_names() else SPEC_PLACE
