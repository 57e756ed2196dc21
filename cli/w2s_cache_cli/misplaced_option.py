"""What is said of an option that belongs to another command: `train --root`."""

from __future__ import annotations

import click

_STORING = "extract"
"""Who has extracted looks for its options at the commands that come after."""


def placed(error: click.NoSuchOption, program: click.Group) -> click.NoSuchOption:
    """The same refusal; of an option of `extract`, it says so."""
    storing = program.get_command(click.Context(program), _STORING)
    flags = {flag for option in storing.params for flag in option.opts} if storing else set()
    if error.option_name not in flags:
        return error
    message = (
        f"No such option {error.option_name!r}. It belongs to `w2s-cache {_STORING}`, which reads "
        "images and stores what the commands after it work with: leave it out here."
    )
    return click.NoSuchOption(error.option_name, message, ctx=error.ctx)
