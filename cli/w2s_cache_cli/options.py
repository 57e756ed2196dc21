"""Options that several commands share, each declared once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from w2s_cache.cache_home import CACHE_VARIABLE, cache_home
from w2s_cache.errors import UnknownNameError
from w2s_cache.spec import Spec
from w2s_cache.spec_files import load_spec
from w2s_cache_cli.next_steps import note_running

Command = TypeVar("Command", bound=Callable[..., Any])


def comma_list(
    ctx: click.Context,
    param: click.Parameter,
    value: tuple[str, ...],
) -> tuple[str, ...]:
    """``a,b`` and repeated options → each name once, in the order given."""
    parts = (part.strip() for item in value for part in item.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def _seed_list(
    ctx: click.Context,
    param: click.Parameter,
    value: str | None,
) -> tuple[int, ...] | None:
    """``0,1,2`` or ``0-4`` → each seed once, in the order given."""
    if value is None:
        return None
    seeds: list[int] = []
    for part in value.replace(" ", ",").split(","):
        first, dash, last = part.partition("-")
        try:
            seeds += range(int(first), int(last) + 1) if dash else [int(first)]
        except ValueError as error:
            raise click.BadParameter(f"{part!r} is no number or range like 0-4") from error
    if not seeds:
        raise click.BadParameter(f"{value!r} names no seed; a range goes upwards, like 0-4")
    return tuple(dict.fromkeys(seeds))


def _size(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """``4GB``, ``500 MB`` or ``1.5GiB`` → bytes."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMGT]?)(i?)B", value.strip(), re.IGNORECASE)
    if found is None:
        raise click.BadParameter(f"{value!r} is no size such as 4GB, 500MB or 1.5GiB")
    number, prefix, binary = found.groups()
    exponent = " kmgt".index(prefix.lower() or " ")
    return int(float(number) * (1024 if binary else 1000) ** exponent)


spec_option = click.option(
    "--spec",
    "spec_name",
    default="pocket",
    show_default=True,
    envvar="W2S_CACHE_SPEC",
    show_envvar=True,
    callback=note_running,
    help="Name of a shipped spec, or the path of a .toml file.",
)
domain_option = click.option(
    "--domain",
    "domains",
    multiple=True,
    callback=comma_list,
    help="Domain; repeat or separate by commas. Default: all.",
)
root_option = click.option(
    "--root",
    envvar="W2S_DATA_ROOT",
    show_envvar=True,
    help="Folder of the images. Default: the spec's.",
)
cache_dir_option = click.option(
    "--cache-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar=CACHE_VARIABLE,
    show_envvar=True,
    default=cache_home,
    show_default="the user's cache folder",
    help="Where features live.",
)
results_dir_option = click.option(
    "--results-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="W2S_RESULTS_DIR",
    show_envvar=True,
    default=Path("results"),
    show_default=True,
    help="Where run records live.",
)
ANY_DEVICE = "auto"
device_option = click.option(
    "--device",
    default=ANY_DEVICE,
    show_default=True,
    help="cpu, cuda, cuda:1 …; auto takes CUDA where it works.",
)
seeds_option = click.option(
    "--seeds", callback=_seed_list, help="Seeds such as 0,1,2 or 0-4. Default: the spec's."
)
run_seeds_option = click.option(
    "--seeds", callback=_seed_list, help="Seeds such as 0,1,2 or 0-4. Default: all that have runs."
)
memory_option = click.option(
    "--memory",
    callback=_size,
    metavar="SIZE",
    envvar="W2S_MEMORY",
    show_envvar=True,
    show_default="half of the machine's",
    help="What the features of a domain may take, e.g. 4GB. A larger domain is read from disk "
    "while it is trained on: slower, with the same numbers.",
)
quiet_option = click.option("--quiet", "-q", is_flag=True, help="Print results only.")


def method_option(default: str) -> Callable[[Command], Command]:
    """``--method``, whose help says what is taken without it."""
    return click.option(
        "--method",
        "--methods",
        "methods",
        multiple=True,
        callback=comma_list,
        help="Methods or groups of them (paper, calibrated, prompts, grid, self-training, beyond, "
        f"all); repeat or separate by commas. Default: {default}. See `w2s-cache methods`.",
    )


def chosen_domains(spec: Spec, asked: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    """The domains to work on: those asked for, else all.

    Raises:
        UnknownNameError: A domain the data set does not have.
    """
    for domain in asked:
        if domain not in known:
            raise UnknownNameError(f"domain of {spec.name}", domain, known)
    return asked or known


def read_spec(name: str) -> Spec:
    """The spec a command works with."""
    return load_spec(name)
