"""Several processes encode for one store: on several devices, or on the cores of one machine.

This process keeps the store's lock, hands out pieces of shards in order, puts what comes back into
its shard and is the only one who writes. The processes are spawned and load the encoder themselves.
"""

from __future__ import annotations

import contextlib
import signal
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

import torch

from w2s_cache.data.images import IndexedFile
from w2s_cache.errors import EncoderError, W2SError
from w2s_cache.extract.crew_member import FIX, Finished, Load, Means, Message, Order, Ready, work
from w2s_cache.extract.encode import Encoded
from w2s_cache.extract.pieces import Piece, cut
from w2s_cache.store.fingerprint import diff_keys, sides_shown

_PATIENCE = 10.0  # seconds for a process to end when it was told to


@dataclass(frozen=True, kw_only=True, slots=True)
class Crew:
    """Which processes encode.

    Attributes:
        devices: One torch device string for each process.
        load: Builds the encoder in each of them; a module's function or a partial of one.
        identity: The identity that the encoder must have there.
    """

    devices: tuple[str, ...]
    load: Load
    identity: Mapping[str, Any]


@contextlib.contextmanager
def crew_at_work(
    crew: Crew,
    files: Sequence[IndexedFile],
    missing: Sequence[tuple[int, int]],
    *,
    shard_rows: int,
    batch_size: int,
    workers: int,
    ahead: int,
) -> Iterator[Callable[[range], Generator[Encoded, None, None]]]:
    """Starts processes that encode missing shards; on leaving, for whatever reason, they end.

    Args:
        crew: Which processes.
        files: (n,) image files, in row order.
        missing: Row ranges [start, stop) of the shards to come, in order.
        shard_rows: Rows per shard.
        batch_size: Images per forward pass.
        workers: Decoding threads of each process.
        ahead: Batches that each decodes while it encodes.

    Yields:
        A function from the rows of a shard, the next in order, to its batches as they come in.

    Raises:
        EncoderError: A process died, it is said where, or could not encode.
        ImageError: What :func:`~w2s_cache.extract.encode.encode_rows` raises.
    """
    pieces = cut(missing, shard_rows=shard_rows, batch_size=batch_size, processes=len(crew.devices))
    devices = crew.devices[: len(pieces)]
    threads = max(1, torch.get_num_threads() // max(1, len(devices)))
    members: list[_Member] = []
    try:
        for device in devices:
            means = Means(device, batch_size, workers, ahead, threads)
            members.append(_Member(crew.load, means))
        yield _Dealer(members, pieces, files, crew.identity).encoded
    finally:
        for member in members:
            member.stop()


class _Member:
    """One process, and the piece it has in hand."""

    def __init__(self, load: Load, means: Means) -> None:
        context = get_context("spawn")
        self.device = means.device
        self.ready = False
        self.piece: Piece | None = None
        self.connection, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(
            target=work, args=(theirs, load, means), daemon=True
        )
        with theirs, _interrupts_are_ours():
            self.process.start()

    def receive(self) -> Message:
        """What it sent.

        Raises:
            EncoderError: It is dead.
        """
        try:
            message: Message = self.connection.recv()
        except (EOFError, OSError) as error:
            raise self._death() from error
        return message

    def hand(self, piece: Piece, files: Sequence[IndexedFile]) -> None:
        """Gives it work; if it is dead, that shows when its answer is read."""
        self.piece = piece
        with contextlib.suppress(OSError):
            self.connection.send(Order(str(piece), files))

    def stop(self) -> None:
        """Ends it; it holds nothing that needs care."""
        self.connection.close()
        self.process.terminate()
        self.process.join(_PATIENCE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()

    def _death(self) -> EncoderError:
        self.process.join(_PATIENCE)
        code, piece = self.process.exitcode, self.piece
        doing = "loading its encoder" if piece is None else f"encoding {piece}"
        return EncoderError(
            f"process {self.process.pid} on {self.device} ended while {doing}",
            expected="all its batches",
            found=_ending(code),
            fix=FIX,
        )


class _Dealer:
    """Hands out pieces in order and sorts what comes back by shard."""

    def __init__(
        self,
        members: Sequence[_Member],
        pieces: Sequence[Piece],
        files: Sequence[IndexedFile],
        identity: Mapping[str, Any],
    ) -> None:
        self._members = {member.connection: member for member in members}
        self._waiting, self._files, self._identity = deque(pieces), files, identity
        self._early: dict[int, deque[Encoded]] = defaultdict(deque)
        self._shards = sorted({piece.shard for piece in pieces})

    def encoded(self, rows: range) -> Generator[Encoded, None, None]:
        """The batches of a shard, as they come in; those of later shards are kept for them."""
        left, arrived = len(rows), self._early[rows.start]
        self._deal(rows.start)
        while left:
            while not arrived:
                self._receive()
                self._deal(rows.start)
            batch = arrived.popleft()
            left -= max(len(values) for values in batch[1].values())
            yield batch
        del self._early[rows.start]

    def _deal(self, shard: int) -> None:
        """Gives idle processes pieces of this shard and of a few after it, which bounds memory."""
        ahead = self._shards.index(shard) + 1 + len(self._members)
        limit = self._shards[ahead] if ahead < len(self._shards) else None
        for member in self._members.values():
            if not member.ready or member.piece is not None or not self._waiting:
                continue
            if limit is not None and self._waiting[0].shard >= limit:
                return
            piece = self._waiting.popleft()
            member.hand(piece, self._files[piece.start : piece.stop])

    def _receive(self) -> None:
        for connection in wait(list(self._members)):
            assert isinstance(connection, Connection)  # noqa: S101 - nothing else was given
            self._take(self._members[connection])

    def _take(self, member: _Member) -> None:
        message = member.receive()
        if isinstance(message, W2SError):
            raise message
        if isinstance(message, Ready):
            self._refuse_another(message, member)
            member.ready = True
        elif isinstance(message, Finished):
            member.piece = None
        else:
            piece = member.piece
            assert piece is not None  # noqa: S101 - batches come of pieces alone
            position, arrays, failed = message
            offset = piece.start - piece.shard
            failures = tuple(replace(f, position=f.position + offset) for f in failed)
            self._early[piece.shard].append((position + offset, arrays, failures))

    def _refuse_another(self, ready: Ready, member: _Member) -> None:
        if differences := diff_keys(ready.identity, dict(self._identity)):
            ours, theirs = sides_shown(differences)
            raise EncoderError(
                f"process {member.process.pid} on {member.device} loaded another encoder",
                expected=f"the encoder of the process that started it, {ours}",
                found=theirs,
                fix="Leave the weights alone while they are used, then run the same command again.",
            )


@contextlib.contextmanager
def _interrupts_are_ours() -> Iterator[None]:
    """Ctrl-C in a terminal reaches all processes; those started here leave it to this one."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {-code} ({signal.Signals(-code).name})"
    return f"exit code {code}"
