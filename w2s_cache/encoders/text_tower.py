"""Re-attaches the text tower of an open_clip model, for prompts made of embeddings.

Causal towers are taken apart into layers, so that whoever learns prompts may compute only what a
prompt's feature depends on. Every tower can also run whole prompts through its own forward pass.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from open_clip.transformer import ResidualAttentionBlock, TextTransformer
from torch import Tensor, nn
from torch.nn import functional

from w2s_cache.encoders.given_embeddings import with_embeddings
from w2s_cache.encoders.openclip import OpenClipEncoder
from w2s_cache.encoders.protocol import StrongEncoder
from w2s_cache.encoders.text_weights import run_with, text_weights
from w2s_cache.errors import NoTextTowerError


def attach_text_tower(encoder: StrongEncoder) -> OpenClipTextTower:
    """The text tower of an encoder, taking embeddings; computes in the weights' own precision.

    Raises:
        NoTextTowerError: The text tower is not one of open_clip's own (a Hugging Face model inside
            open_clip, an encoder of another package), or there is none.
    """
    if not isinstance(encoder, OpenClipEncoder):
        raise NoTextTowerError(
            "prompts cannot be learned through this strong encoder",
            expected="a CLIP with library = 'open_clip', or BLIP with library = 'transformers'",
            found=type(encoder).__name__,
            fix="Choose such an encoder, or a method without learned prompts.",
        )
    parts = _parts(encoder.network)
    if parts is None:
        raise NoTextTowerError(
            f"prompts cannot be learned through the text tower of {encoder.architecture}",
            expected="open_clip's own text transformer",
            found=type(encoder.network.text).__name__,
            fix="Choose another encoder, or a method without learned prompts.",
        )
    return OpenClipTextTower(
        network=encoder.network,
        parts=parts,
        tokenizer=encoder.text.tokenize,
        obstacle=_obstacle(parts),
        logit_scale=encoder.text.logit_scale,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class TextParts:
    """The modules and tensors of a text tower, wherever the model keeps them."""

    token_embedding: nn.Embedding
    positions: Tensor
    blocks: tuple[Any, ...]
    final_norm: nn.Module
    projection: Tensor | nn.Linear | None
    mask: Tensor | None
    class_token: Tensor | None
    pool: str
    end: int


def _parts(network: Any) -> TextParts | None:
    """Parts of a CLIP, which holds them itself, or of a CustomTextCLIP with a TextTransformer."""
    tower = getattr(network, "text", network)
    if tower is not network and not isinstance(tower, TextTransformer):
        return None
    own = tower is network
    return TextParts(
        token_embedding=tower.token_embedding,
        positions=tower.positional_embedding,
        blocks=tuple(tower.transformer.resblocks),
        final_norm=tower.ln_final,
        projection=tower.text_projection,
        mask=tower.attn_mask,
        class_token=getattr(tower, "cls_emb", None),
        pool=tower.text_pool_type if own else tower.pool_type,
        end=tower.text_eos_id if own else tower.eos_id,
    )


def _obstacle(parts: TextParts) -> str:
    """Why the common prefix cannot be computed once; empty when it can."""
    if parts.mask is None:
        return "its attention is not causal"
    if not torch.equal(parts.mask.cpu(), _causal_mask(len(parts.mask))):
        return "its attention mask is not the causal one"
    if parts.class_token is not None:
        return "it reads a class token behind the padding"
    if parts.pool not in ("argmax", "eos", "last"):
        return f"it pools by {parts.pool!r}"
    odd = next((layer for layer in parts.blocks if not _is_plain(layer)), None)
    return "" if odd is None else f"it has layers of another kind ({type(odd).__name__})"


def _causal_mask(length: int) -> Tensor:
    return torch.full((length, length), float("-inf")).triu(1)


def _is_plain(layer: Any) -> bool:
    return type(layer) is ResidualAttentionBlock and not hasattr(layer, "ln_1_kv")


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenClipTextLayer:
    """One residual attention block as four functions of rows: attention itself is the caller's."""

    block: Any

    def normalize(self, rows: Tensor) -> Tensor:
        """Rows (r, width) → what attention reads (r, width)."""
        normed: Tensor = self.block.ln_1(rows)
        return normed

    def queries(self, normed: Tensor) -> Tensor:
        """(r, width) → (r, heads, c), scaled by c^-1/2."""
        attention, width = self.block.attn, normed.shape[1]
        weight, bias = attention.in_proj_weight[:width], attention.in_proj_bias[:width]
        queries = functional.linear(normed, weight, bias).mul(attention.head_dim**-0.5)
        return queries.view(len(normed), attention.num_heads, -1)

    def keys_and_values(self, normed: Tensor) -> tuple[Tensor, Tensor]:
        """(r, width) → keys and values, (r, heads, c) each."""
        attention, width = self.block.attn, normed.shape[1]
        weight, bias = attention.in_proj_weight[width:], attention.in_proj_bias[width:]
        both = functional.linear(normed, weight, bias)
        keys, values = both.view(len(normed), 2, attention.num_heads, -1).unbind(1)
        return keys, values

    def finish(self, rows: Tensor, mixed: Tensor) -> Tensor:
        """Input (r, width) and attention's result (r, heads, c) → the block's output (r, width)."""
        hidden = rows + self.block.ls_1(self.block.attn.out_proj(mixed.flatten(1)))
        finished: Tensor = hidden + self.block.ls_2(self.block.mlp(self.block.ln_2(hidden)))
        return finished


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenClipTextTower:
    """A frozen text tower of open_clip that takes embeddings.

    Attributes:
        network: The model; its parameters require no gradient.
        parts: Its text tower, taken apart.
        tokenizer: Texts → (n, context length) int64.
        obstacle: Why there is no shortcut; empty when there is one.
        logit_scale: The frozen factor on cosine similarities.
    """

    network: Any
    parts: TextParts
    tokenizer: Callable[[Sequence[str]], Tensor]
    obstacle: str
    logit_scale: float

    @property
    def shares(self) -> bool:
        """Whether the common beginning of prompts may be computed once."""
        return not self.obstacle

    @property
    def layers(self) -> tuple[OpenClipTextLayer, ...]:
        """The residual blocks in order; of use only where :attr:`shares` is true."""
        return tuple(OpenClipTextLayer(block=block) for block in self.parts.blocks)

    @property
    def shortcut(self) -> str:
        """How prompts are run, in one sentence."""
        if self.obstacle:
            return f"prompts run one by one at full length, because {self.obstacle}"
        return "the common beginning of all prompts runs once, nothing behind the read-out token"

    def weights(self) -> dict[str, Tensor]:
        """Name → weight of everything behind the token embedding."""
        return text_weights(self.network)

    def run_with(self, weights: Mapping[str, Tensor], compute: Callable[[Any], Tensor]) -> Tensor:
        """What ``compute`` makes of the tower with other weights; pure in the weights."""

        def at(network: Any) -> Tensor:
            parts = _parts(network)
            assert parts is not None  # noqa: S101 - it was taken apart before
            return compute(dataclasses.replace(self, network=network, parts=parts))

        return run_with(self.network, weights, at)

    def tokenize(self, texts: Sequence[str]) -> Tensor:
        """Texts → int64 (len(texts), context length), by the model's own tokenizer."""
        return self.tokenizer(texts)

    def embed(self, tokens: Tensor) -> Tensor:
        """Token ids (...) → embeddings (..., width), without positions."""
        table = self.parts.token_embedding.weight
        return functional.embedding(tokens.to(table.device), table)

    def lengths(self, tokens: Tensor) -> Tensor:
        """(n, context length) → (n,) int64: tokens up to and with the one that is pooled."""
        if self.parts.pool == "argmax":
            return tokens.argmax(dim=-1) + 1
        if self.parts.pool == "eos":
            return tokens.eq(self.parts.end).int().argmax(dim=-1) + 1
        return torch.full((len(tokens),), tokens.shape[1])

    def encode_whole(self, tokens: Tensor, embeddings: Tensor) -> Tensor:
        """The model's own ``encode_text`` with embeddings (n, length, width) put in.

        Returns:
            (n, feature width), unnormalised.
        """
        model = with_embeddings(self.network, embeddings)
        features: Tensor = model.encode_text(tokens.to(embeddings.device))
        return features

    def place(self, embeddings: Tensor, first: int) -> Tensor:
        """Adds positions ``first``, ``first + 1`` … to embeddings (..., s, width)."""
        return embeddings + self.parts.positions[first : first + embeddings.shape[-2]]

    def read(self, rows: Tensor) -> Tensor:
        """The last layer's rows (r, width) → final norm, projection → features (r, d)."""
        pooled: Tensor = self.parts.final_norm(rows)
        projection = self.parts.projection
        if isinstance(projection, nn.Linear):
            projected: Tensor = projection(pooled)
            return projected
        return pooled if projection is None else pooled @ projection
