"""`w2s-cache methods`: what can be trained."""

from __future__ import annotations

import click

from w2s_cache_cli.terminal import echo


@click.command()
def command() -> None:
    """List methods with their hyper-parameters' defaults."""
    from w2s_cache.method import resolve_options
    from w2s_cache.methods import find_method, method_names
    from w2s_cache.tables.settings import setting_text

    methods = {name: find_method(name) for name in method_names()}
    names = max(len(name) for name in methods)
    titles = max(len(method.title) for method in methods.values())
    for name, method in methods.items():
        options = resolve_options(name, method, {})
        shown = " ".join(setting_text(key, value) for key, value in options.items())
        both = [key for key in ("tau_strong", "tau_weak") if key in options]
        note = f"  (tau sets {' and '.join(both)})" if "tau_strong" in options else ""
        echo(f"{name:{names}}  {method.title:{titles}}  {shown}{note}".rstrip())
