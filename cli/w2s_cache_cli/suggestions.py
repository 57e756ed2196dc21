"""Groups of commands that answer a mistyped one with the nearest that exists."""

from __future__ import annotations

import difflib

import click


class SuggestingGroup(click.Group):
    """Adds "Did you mean …?" to the usage error of an unknown command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Click's own, with the nearest command in the refusal."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1, cutoff=0.5)
            meant = near or ([ctx.command_path] if self.invoke_without_command else [])
            if not meant or "Did you mean" in error.message:
                raise
            raise click.UsageError(f"{error.message} Did you mean {meant[0]!r}?", ctx) from error
