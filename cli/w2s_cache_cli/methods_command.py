"""`w2s-cache methods`: what can be trained."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """List methods with their hyper-parameters' defaults."""
    from w2s_cache.method import resolve_options
    from w2s_cache.methods import find_method, method_names

    for name in method_names():
        method = find_method(name)
        options = resolve_options(name, method, {})
        shown = " ".join(f"{key}={value}" for key, value in options.items())
        click.echo(f"{name:18} {method.title:18} {shown}".rstrip())
