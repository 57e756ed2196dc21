"""The commands that train methods, those without a setting of ``--set`` apart from the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from w2s_cache.spec import Spec
from w2s_cache_cli.next_steps import next_step


def training_steps(
    spec: Spec,
    settings: Mapping[str, Any],
    methods: Sequence[str],
    *,
    command: str = "train",
    named: bool = True,
    **options: object,
) -> str:
    """One command, or two: methods without a setting that is asked for need one of their own.

    Args:
        spec: The whole spec.
        settings: Those of ``--set``.
        methods: The methods to train.
        command: ``train`` or ``sweep``.
        named: Whether methods are named even where they are the spec's.
        **options: The command's other options, as ``command_line`` takes them.
    """
    from w2s_cache.train.matching import methods_without

    without = methods_without(spec, methods, settings)
    unset = [name for name in methods if any(name in names for names in without.values())]
    steps = []
    for members, but in ((unset, ("--set",)), ([m for m in methods if m not in unset], ())):
        if members:
            shown = members if named or set(members) != set(spec.methods) else ()
            steps.append(next_step(command, but=but, **options, method=tuple(shown)))
    return " and ".join(steps)
