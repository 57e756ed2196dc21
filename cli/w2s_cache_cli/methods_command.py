"""`w2s-cache methods`: what can be trained."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

import click

from w2s_cache_cli.terminal import echo

_WIDTH = 100
_BOTH = "Where a method has tau_strong, --set tau=VALUE sets it, and tau_weak if there is one."


@click.command()
def command() -> None:
    """List methods with their hyper-parameters' defaults.

    Each begins a line with its name; what does not fit is below its first hyper-parameter.
    Where a method has tau_strong, --set tau=VALUE sets it, and tau_weak if there is one.

    \b
    Examples:
      w2s-cache methods
      w2s-cache train --method lda --set shrinkage=0.3
    """
    from w2s_cache.method import resolve_options
    from w2s_cache.methods import find_method, method_names
    from w2s_cache.tables.settings import setting_text

    methods = {name: find_method(name) for name in method_names()}
    names = max(len(name) for name in methods)
    titles = max(len(method.title) for method in methods.values())
    for name, method in methods.items():
        options = resolve_options(name, method, {})
        first = f"{name:{names}}  {method.title:{titles}}  "
        echo(_hanging(first, (setting_text(key, value) for key, value in options.items())))
    echo(_BOTH, err=True)


def _hanging(first: str, settings: Iterable[str]) -> str:
    """The settings behind what stands first, on as many lines as they need, none of them parted."""
    unparted = " ".join(setting.replace(" ", "\N{NO-BREAK SPACE}") for setting in settings)
    lines = textwrap.wrap(
        unparted, _WIDTH - len(first), break_long_words=False, break_on_hyphens=False
    )
    text = f"\n{' ' * len(first)}".join(lines).replace("\N{NO-BREAK SPACE}", " ")
    return f"{first}{text}".rstrip()
