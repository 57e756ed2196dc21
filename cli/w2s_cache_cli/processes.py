"""Options of extraction that say on what and with how many processes it runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

from w2s_cache_cli.options import ANY_DEVICE

Command = TypeVar("Command", bound=Callable[..., Any])
_MOST_WORKERS = 8


class Processes(NamedTuple):
    """What a request says of processes: its ``device``, ``crew`` and ``workers``."""

    device: str
    crew: tuple[str, ...]
    workers: int


workers_option = click.option(
    "--workers",
    type=click.IntRange(min=1),
    show_default="cores, shared by the processes, at most 8",
    help="Threads that decode images, of each process.",
)


def process_options(command: Command) -> Command:
    """Adds ``--devices``, ``--processes`` and ``--workers``."""
    options = (
        click.option(
            "--devices",
            multiple=True,
            callback=_device_list,
            help="Encode in several processes, one on each of these devices: cuda:0,cuda:1. The "
            "first also trains the weak model. The store is that of one process, but for last "
            "bits where processes share the threads of a CPU.",
        ),
        click.option(
            "--processes",
            type=click.IntRange(min=1),
            help="Encode in so many processes; with --devices they are spread over them. "
            "Default: one for each device.",
        ),
        workers_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


def processes_chosen(
    device: str, devices: tuple[str, ...], processes: int | None, workers: int | None
) -> Processes:
    """What the options mean together.

    Raises:
        click.UsageError: Options that contradict each other.
    """
    if devices and device != ANY_DEVICE:
        raise click.UsageError("--device names one device, --devices several: give one of them.")
    named = devices or (device,)
    count = processes or len(named)
    if count < len(named):
        raise click.UsageError(
            f"--processes {count} cannot serve {len(named)} devices: leave it out, or name fewer."
        )
    crew = tuple(named[number % len(named)] for number in range(count))
    return Processes(
        device=named[0],
        crew=crew if count > 1 else (),
        workers=workers or default_workers(count),
    )


def refuse_absent_devices(on: Processes) -> None:
    """Refuses devices that are not here, also where everything is cached and none is needed.

    Raises:
        EncoderError: Torch has no such device.
    """
    for name in {on.device, *on.crew} - {ANY_DEVICE, "cpu"}:  # these are always there: no torch
        from w2s_cache.encoders.device import resolve_device

        resolve_device(name)


def default_workers(processes: int = 1) -> int:
    """Decoding threads of each process: its share of the cores, at most 8."""
    return min(_MOST_WORKERS, max(1, (os.cpu_count() or 1) // processes))


def _device_list(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> tuple[str, ...]:
    """``cpu,cpu`` → both; unlike other lists, a device may be named twice."""
    return tuple(part.strip() for item in value for part in item.split(",") if part.strip())
