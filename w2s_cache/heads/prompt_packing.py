"""Prompts with a common beginning through a causal tower: only what their features depend on.

In a causal tower a token never depends on what follows it. So nothing behind the read-out token
has to be computed, and the tokens all prompts begin with are computed once: each prompt's own
tokens attend to the keys and values of that prefix and to earlier ones of their own. Features and
gradients are those of the whole pass up to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from w2s_cache.heads.prompt_tower import TextLayer, TextTower


@dataclass(frozen=True, kw_only=True, slots=True)
class Packing:
    """Prompts as rows of one matrix: the common prefix, then each prompt's own tokens.

    Attributes:
        prefix: p, how many rows the prefix takes.
        shapes: (n, s) of each block: n prompts of s own tokens.
    """

    prefix: int
    shapes: tuple[tuple[int, int], ...]

    def split(self, rows: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Rows (p + sum of n·s, ...) → the prefix's (p, ...), each block's (n, s, ...)."""
        prefix, *parts = torch.split(rows, [self.prefix, *(n * s for n, s in self.shapes)])
        sized = zip(parts, self.shapes, strict=True)
        return prefix, [part.view(*shape, *rows.shape[1:]) for part, shape in sized]

    def read_out(self, rows: Tensor) -> Tensor:
        """The last row of every prompt: (sum of n, ...)."""
        return torch.cat([block[:, -1] for block in self.split(rows)[1]])


def encode_shared(tower: TextTower, prefix: Tensor, blocks: Sequence[Tensor]) -> Tensor:
    """Features of prompts that begin alike, read out at each prompt's last token.

    Args:
        tower: A tower that ``shares``.
        prefix: (p, width) embeddings all prompts begin with; p may be 0.
        blocks: Each (n, s, width): n prompts that go on for s >= 1 tokens behind the prefix.

    Returns:
        (sum of n, feature width), unnormalised, prompts in the order of the blocks.
    """
    packing = Packing(
        prefix=len(prefix), shapes=tuple((len(block), block.shape[1]) for block in blocks)
    )
    own = [tower.place(block, len(prefix)).flatten(0, 1) for block in blocks]
    rows = torch.cat([tower.place(prefix, 0), *own])
    *layers, last = tower.layers
    for layer in layers:
        rows = _run(layer, rows, packing)
    return tower.read(_run_last(last, rows, packing))


def _run(layer: TextLayer, rows: Tensor, packing: Packing) -> Tensor:
    """All packed rows (r, width) through one layer."""
    normed = layer.normalize(rows)
    own_keys, own_values = layer.keys_and_values(normed)
    prefix, queries = packing.split(layer.queries(normed))
    first_keys, keys = packing.split(own_keys)
    first_values, values = packing.split(own_values)
    none = first_keys[:0]
    first = attend(prefix[None], first_keys[None], first_values[None], none, none)
    own = zip(queries, keys, values, strict=True)
    mixed = [first, *(attend(*block, first_keys, first_values) for block in own)]
    return layer.finish(rows, torch.cat([block.flatten(0, 1) for block in mixed]))


def _run_last(layer: TextLayer, rows: Tensor, packing: Packing) -> Tensor:
    """All packed rows (r, width) → the read-out rows behind the last layer (sum of n, width)."""
    normed = layer.normalize(rows)
    own_keys, own_values = layer.keys_and_values(normed)
    first_keys, keys = packing.split(own_keys)
    first_values, values = packing.split(own_values)
    asking = layer.queries(packing.read_out(normed))[:, None]
    queries = torch.split(asking, [n for n, _ in packing.shapes])
    own = zip(queries, keys, values, strict=True)
    mixed = [attend(*block, first_keys, first_values)[:, 0] for block in own]
    return layer.finish(packing.read_out(rows), torch.cat(mixed))


def attend(
    queries: Tensor, keys: Tensor, values: Tensor, common_keys: Tensor, common_values: Tensor
) -> Tensor:
    """Causal attention of n prompts of one shape behind a common prefix.

    Args:
        queries: (n, t, heads, c), scaled, of the last t of s tokens.
        keys: (n, s, heads, c).
        values: (n, s, heads, c).
        common_keys: (p, heads, c) of the prefix, which every query sees.
        common_values: (p, heads, c).

    Returns:
        (n, t, heads, c).
    """
    n, asked, heads, size = queries.shape
    asking = queries.permute(2, 0, 1, 3)
    own = asking @ keys.permute(2, 0, 3, 1)
    if asked > 1:
        later = torch.full(own.shape[-2:], float("-inf"), dtype=own.dtype, device=own.device)
        own = own + later.triu(1 + own.shape[-1] - asked)
    flat = asking.flatten(1, 2)  # every query meets the same common keys: one product per head
    common = (flat @ common_keys.permute(1, 2, 0)).view(heads, n, asked, len(common_keys))
    weights = torch.cat([common, own], dim=-1).softmax(dim=-1)
    on_common, on_own = torch.split(weights, [common.shape[-1], own.shape[-1]], dim=-1)
    seen = on_common.flatten(1, 2) @ common_values.transpose(0, 1)
    mixed: Tensor = seen.view(heads, n, asked, size) + on_own @ values.permute(2, 0, 1, 3)
    return mixed.permute(1, 2, 0, 3)
