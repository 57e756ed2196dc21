"""Where context vectors and class names stand in a prompt (Zhou et al., CoOp, §3.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from w2s_cache.errors import TrainError, shown

Position = Literal["end", "middle", "front"]
Tokenize = Callable[[Sequence[str]], Tensor]


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """What a tokenizer puts around every text.

    Attributes:
        start: Ids before the text (CLIP: one, start-of-text; some tokenizers: none).
        end: The id right behind the text.
        pad: The id that fills the rest.
        word: The id of an ordinary word, which stands in the places of context vectors.
        length: Context length in tokens.
    """

    start: tuple[int, ...]
    end: int
    pad: int
    word: int
    length: int

    @property
    def room(self) -> int:
        """How many tokens of text fit."""
        return self.length - len(self.start) - 1

    def body(self, row: Tensor) -> list[int]:
        """The ids of the text itself in a tokenized row (length,)."""
        ids: list[int] = row[len(self.start) :].tolist()
        return ids[: ids.index(self.end)] if self.end in ids else ids

    def fill(self, body: list[int], *, place: int, before: int, n_ctx: int) -> list[int]:
        """A whole prompt around the ids ``body``, whose first ``place`` ids are the class name."""
        lead, rest = [self.word] * before, [self.word] * (n_ctx - before)
        ids = [*self.start, *lead, *body[:place], *rest, *body[place:], self.end]
        return ids + [self.pad] * (self.length - len(ids))


def read_frame(tokenize: Tokenize) -> Frame:
    """Learns the frame from how the empty text and a word are tokenized."""
    empty, word = tokenize(["", "a"])
    start = int((empty != word).nonzero()[0])
    return Frame(
        start=tuple(empty[:start].tolist()),
        end=int(empty[start]),
        pad=int(empty[-1]),
        word=int(word[start]),
        length=len(empty),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """Classes whose prompts have the same shape: n prompts with names of a tokens.

    Attributes:
        classes: (n,) int64, their indices.
        tokens: (n, context length) int64, whole prompts, a word in place of each context vector.
        name: a, how many tokens the class name takes.
        size: How many leading tokens the tower reads.
    """

    classes: Tensor
    tokens: Tensor
    name: int
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """All prompts: start tokens, ``before`` vectors, name, the other vectors, stop and end.

    Attributes:
        start: How many tokens come before everything else.
        before: How many context vectors precede the name.
        n_ctx: How many context vectors there are.
        blocks: Every class once, grouped by shape.
    """

    start: int
    before: int
    n_ctx: int
    blocks: tuple[Block, ...]


def lay_out(
    classes: Sequence[str],
    *,
    tokenize: Tokenize,
    lengths: Callable[[Tensor], Tensor],
    n_ctx: int,
    position: Position,
) -> Layout:
    """Places context vectors around the names and groups the prompts by shape.

    Name and full stop are tokenized together and split behind as many tokens as the name alone
    has, as CoOp's code does. Underscores in names are blanks.

    Args:
        classes: Class names in order.
        tokenize: Texts → (n, context length) int64.
        lengths: (n, context length) prompts → how many leading tokens the tower reads.
        n_ctx: Number of context vectors, at least 1.
        position: Where the class name stands: ``"middle"`` has the smaller half before it.

    Raises:
        TrainError: A class name that does not fit in the context.
    """
    frame = read_frame(tokenize)
    before = {"end": n_ctx, "middle": n_ctx // 2, "front": 0}[position]
    spoken = [name.replace("_", " ") for name in classes]
    bodies = [frame.body(row) for row in tokenize([f"{name}." for name in spoken])]
    names = [len(frame.body(row)) for row in tokenize(spoken)]
    for name, body in zip(classes, bodies, strict=True):
        _refuse_too_long(name, len(body), frame, n_ctx)
    rows = [
        frame.fill(body, place=place, before=before, n_ctx=n_ctx)
        for body, place in zip(bodies, names, strict=True)
    ]
    tokens = torch.tensor(rows, dtype=torch.int64)
    shapes = list(zip(lengths(tokens).tolist(), names, strict=True))
    return Layout(
        start=len(frame.start),
        before=before,
        n_ctx=n_ctx,
        blocks=tuple(_block(shape, shapes, tokens) for shape in sorted(set(shapes))),
    )


def _block(shape: tuple[int, int], shapes: list[tuple[int, int]], tokens: Tensor) -> Block:
    classes = torch.tensor([k for k, own in enumerate(shapes) if own == shape])
    return Block(classes=classes, tokens=tokens[classes], size=shape[0], name=shape[1])


def _refuse_too_long(name: str, body: int, frame: Frame, n_ctx: int) -> None:
    room = frame.room - n_ctx
    if body > room:
        raise TrainError(
            f"class name {name!r} does not fit behind {shown(n_ctx)} context vectors",
            expected=f"at most {max(room, 0)} tokens, the full stop included",
            found=str(body),
            fix="Shorten the name or lower n_ctx.",
        )


def refuse_cut(classes: Sequence[str], tokens: Tensor, frame: Frame) -> None:
    """Refuses prompts that fill their context: tokenizers cut what is longer without a word.

    Args:
        classes: Class names in order.
        tokens: (K, context length) int64, one prompt each.
        frame: What the tokenizer puts around a text.

    Raises:
        TrainError: A prompt that may have been cut; the message names its class.
    """
    for name, row in zip(classes, tokens, strict=True):
        if len(frame.body(row)) >= frame.room:
            raise TrainError(
                f"class name {name!r} does not fit into its prompt",
                expected=f"a prompt of at most {frame.room - 1} tokens",
                found=f"{frame.room} or more",
                fix="Shorten the name or the template.",
            )
