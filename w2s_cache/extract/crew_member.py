"""What a process of a crew does: load the encoder, then encode piece after piece.

It writes no file. Whatever becomes of it, the process that started it is the store's one writer.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import torch

from w2s_cache.data.images import IndexedFile
from w2s_cache.encoders.device import resolve_device
from w2s_cache.encoders.protocol import ImageEncoder
from w2s_cache.errors import EncoderError, W2SError
from w2s_cache.extract.encode import Encoded, encode_rows
from w2s_cache.freed_memory import keep_freed_memory

Load = Callable[..., ImageEncoder]
"""Called with ``device=``, builds the encoder; a module's function or a partial of one."""


class Means(NamedTuple):
    """With what a process encodes.

    These are its device, images per batch, decoding threads, batches decoded ahead, and torch's
    threads.
    """

    device: str
    batch_size: int
    workers: int
    ahead: int
    threads: int


class Order(NamedTuple):
    """What to encode next: image files, and what they are called in errors."""

    name: str
    files: Sequence[IndexedFile]


class Ready(NamedTuple):
    """The encoder is loaded; this is its identity."""

    identity: dict[str, Any]


class Finished(NamedTuple):
    """All batches of the piece were sent."""


GONE = (EOFError, BrokenPipeError, ConnectionResetError)  # what a pipe without other end raises
FIX = (
    "If memory ran out, lower --batch-size or the number of processes. Run the same command again: "
    "finished shards are kept."
)
Message = Ready | Encoded | Finished | W2SError


def work(connection: Connection, load: Load, means: Means) -> None:
    """Serves orders until the other end of the connection is gone."""
    logging.getLogger().addHandler(logging.NullHandler())  # libraries say what our errors say
    try:
        _serve(connection, load, means)
    except GONE:
        return  # whoever asked has what it needs, or died


def _serve(connection: Connection, load: Load, means: Means) -> None:
    doing = "loading the encoder"
    try:
        encoder = _loaded(load, means)
        connection.send(Ready(dict(encoder.identity())))
        while True:
            order: Order = connection.recv()
            doing = f"encoding {order.name}"
            _encode(connection, encoder, order.files, means)
    except GONE:
        raise
    except W2SError as error:
        connection.send(error)
    except Exception as error:  # noqa: BLE001 - it is told to the process that reports it
        connection.send(_told(error, f"{doing} on {means.device}"))


def _loaded(load: Load, means: Means) -> ImageEncoder:
    keep_freed_memory()
    torch.set_num_threads(means.threads)
    return load(device=resolve_device(means.device))


def _encode(
    connection: Connection, encoder: ImageEncoder, files: Sequence[IndexedFile], means: Means
) -> None:
    batches = encode_rows(
        encoder,
        files,
        batch_size=means.batch_size,
        workers=means.workers,
        ahead=means.ahead,
    )
    for batch in batches:
        connection.send(batch)
    connection.send(Finished())


def _told(error: Exception, doing: str) -> EncoderError:
    told = EncoderError(
        f"{doing} failed",
        expected="numbers for every image",
        found=f"{type(error).__name__}: {str(error).partition(chr(10))[0]}",
        fix=FIX,
    )
    told.add_note(traceback.format_exc())
    return told
