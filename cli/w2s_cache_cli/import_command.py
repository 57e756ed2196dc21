"""`w2s-cache import`: somebody else's features → cache."""

import click


@click.command()
def command() -> None:
    """Nothing yet."""
