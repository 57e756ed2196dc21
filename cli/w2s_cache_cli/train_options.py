"""The options that train and sweep share, as one value."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from w2s_cache.spec import EvalSplit, Select, Spec
from w2s_cache_cli.options import (
    cache_dir_option,
    device_option,
    domain_option,
    memory_option,
    quiet_option,
    read_spec,
    results_dir_option,
    seeds_option,
    spec_option,
)
from w2s_cache_cli.settings import settings_options, with_protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Training:
    """What is asked for, whatever the methods and models.

    Attributes:
        spec: The spec with the protocol asked for.
        domains: Domains by name; none means all.
        seeds: Run seeds; None means the spec's.
        options: Hyper-parameters that override the spec's.
        cache_dir: Where features live.
        results_dir: Where run records live.
        device: A torch device string, or ``"auto"``.
        memory: Bytes that the features of a domain may take; None means the default.
        curves: Whether accuracies at every epoch are recorded.
        dry_run: Whether nothing is to be written.
        quiet: Whether only results are to be printed.
    """

    spec: Spec
    domains: tuple[str, ...]
    seeds: tuple[int, ...] | None
    options: dict[str, Any]
    cache_dir: Path
    results_dir: Path
    device: str
    memory: int | None
    curves: bool
    dry_run: bool
    quiet: bool


_OPTIONS = (
    spec_option,
    domain_option,
    seeds_option,
    settings_options,
    cache_dir_option,
    results_dir_option,
    device_option,
    memory_option,
    click.option("--curves", is_flag=True, help="Record accuracies at every epoch, for figures."),
    click.option("--dry-run", is_flag=True, help="Say what would be trained, write nothing."),
    quiet_option,
)


def training_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options and hands them over as one argument ``training``."""

    @functools.wraps(command)
    def gathered(
        *,
        spec_name: str,
        eval_split: EvalSplit | None,
        select: Select | None,
        **given: Any,
    ) -> Any:
        own = {name: given.pop(name) for name in Training.__dataclass_fields__ if name in given}
        spec = with_protocol(read_spec(spec_name), eval_split, select)
        return command(training=Training(spec=spec, **own), **given)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered
