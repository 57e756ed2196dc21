"""Options that choose a part of the cache by name, shared by the commands of `cache`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from w2s_cache_cli.next_steps import note_running
from w2s_cache_cli.options import domain_option, read_spec

if TYPE_CHECKING:
    from w2s_cache.cache.selection import Selection

_OPTIONS = (
    click.option("--dataset", help="Data set, by its name in the cache. Default: all."),
    click.option(
        "--spec",
        "spec_name",
        callback=note_running,
        help="The data set of this spec, or of a .toml file.",
    ),
    domain_option,
    click.option("--strong", help="Strong model. Default: all."),
    click.option("--weak", help="Weak model, or the name of imported logits. Default: all."),
)


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options; the command gets ``selection``, and asks for the spec if it needs it."""

    @functools.wraps(command)
    def gathered(
        *args: Any,
        dataset: str | None,
        spec_name: str | None,
        domains: tuple[str, ...],
        strong: str | None,
        weak: str | None,
        **rest: Any,
    ) -> Any:
        from w2s_cache.cache.selection import Selection

        of_spec = read_spec(spec_name).name if spec_name else None
        if dataset and of_spec and dataset != of_spec:
            raise click.UsageError(f"--dataset {dataset} is not the data set of --spec, {of_spec}")
        chosen: Selection = Selection(
            dataset=dataset or of_spec, domains=domains, strong=strong, weak=weak
        )
        return command(*args, selection=chosen, **rest)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered


def asked_spec() -> str | None:
    """The --spec of the command that runs, as it was given; None where it was not."""
    given: str | None = click.get_current_context().params["spec_name"]
    return given
