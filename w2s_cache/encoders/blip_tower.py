"""Re-attaches BLIP's text tower, for prompts made of embeddings and for tuning its weights.

Every token of it sees every other, before and behind, and what is read out is the first one. So
nothing of a prompt can be computed once for all, and each step runs all prompts whole.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn import functional

from w2s_cache.encoders.blip import CROSS, BlipEncoder
from w2s_cache.encoders.text_weights import run_with

_TEXT = ("text_encoder.", "text_proj.")
_LOOKED_UP = ".word_embeddings."  # a row per word of the vocabulary, nearly all of them never read


def attach_blip_tower(encoder: BlipEncoder) -> BlipTextTower:
    """The text tower of a BLIP; computes in the weights' own precision."""
    return BlipTextTower(
        network=encoder.network,
        tokenizer=encoder.text.tokenize,
        padding=int(encoder.tokenizer.pad_token_id),
        logit_scale=encoder.text.logit_scale,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class BlipTextTower:
    """A frozen text tower of BLIP that takes embeddings.

    Attributes:
        network: The retrieval model; its parameters require no gradient.
        tokenizer: Texts → (n, context length) int64.
        padding: The id that fills what is behind a text.
        logit_scale: The frozen factor on cosine similarities.
    """

    network: Any
    tokenizer: Callable[[Sequence[str]], Tensor]
    padding: int
    logit_scale: float

    @property
    def shares(self) -> bool:
        """Never: the beginning of a prompt depends on its end."""
        return False

    @property
    def shortcut(self) -> str:
        """How prompts are run, in one sentence."""
        return "prompts run one by one at full length, because its attention is not causal"

    @property
    def layers(self) -> tuple[()]:
        """None to take apart."""
        return ()

    def weights(self) -> dict[str, Tensor]:
        """Name → weight of everything behind the token embedding that makes a text feature."""
        return {
            name: value.detach()
            for name, value in self.network.named_parameters()
            if name.startswith(_TEXT) and CROSS not in name and _LOOKED_UP not in name
        }

    def run_with(self, weights: Mapping[str, Tensor], compute: Callable[[Any], Tensor]) -> Tensor:
        """What ``compute`` makes of the tower with other weights; pure in the weights."""
        return run_with(
            self.network,
            weights,
            lambda network: compute(dataclasses.replace(self, network=network)),
        )

    def tokenize(self, texts: Sequence[str]) -> Tensor:
        """Texts → int64 (len(texts), 35): [CLS], the text, [SEP], padding."""
        return self.tokenizer(texts)

    def embed(self, tokens: Tensor) -> Tensor:
        """Token ids (...) → embeddings (..., width), without positions."""
        table = self.network.text_encoder.embeddings.word_embeddings.weight
        return functional.embedding(tokens.to(table.device), table)

    def lengths(self, tokens: Tensor) -> Tensor:
        """(n, context length) → (n,) int64: all tokens but padding decide the feature."""
        return tokens.ne(self.padding).sum(dim=-1)

    def encode_whole(self, tokens: Tensor, embeddings: Tensor) -> Tensor:
        """The model's own text tower with embeddings (n, length, width) put in; padding is masked.

        Returns:
            (n, feature width), unnormalised.
        """
        states = self.network.text_encoder(
            inputs_embeds=embeddings.clone(),  # the model adds positions to it in place
            attention_mask=tokens.ne(self.padding).long().to(embeddings.device),
        )[0]
        return self.read(states[:, 0])

    def place(self, embeddings: Tensor, first: int) -> Tensor:
        """Adds positions ``first``, ``first + 1`` … to embeddings (..., s, width)."""
        positions = self.network.text_encoder.embeddings.position_embeddings.weight
        placed: Tensor = embeddings + positions[first : first + embeddings.shape[-2]]
        return placed

    def read(self, rows: Tensor) -> Tensor:
        """Class tokens (r, width) behind the last layer → projection → features (r, d)."""
        projected: Tensor = self.network.text_proj(rows)
        return projected
