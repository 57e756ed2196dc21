"""What commands print: results on standard output, all else on standard error."""

from __future__ import annotations

import click

from w2s_cache.printable import printable


def echo(text: object, *, err: bool = False, nl: bool = True) -> None:
    """Prints a line; control characters in names cannot reach the terminal."""
    click.echo(printable(str(text)), err=err, nl=nl)
