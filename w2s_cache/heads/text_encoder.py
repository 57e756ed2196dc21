"""The text tower's own weights as what is trained (Li et al., Table 7, "Text Encoder")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.errors import TrainError
from w2s_cache.heads.linear_map import linear_map
from w2s_cache.heads.prompt_layout import read_frame, refuse_cut
from w2s_cache.heads.prompt_packing import encode_shared
from w2s_cache.heads.prompt_tower import TextTower, TunableTower
from w2s_cache.heads.protocol import Parameters, StartInputs
from w2s_cache.placeholder import has_place, put_in


@dataclass(frozen=True, slots=True)
class TextEncoderRecipe:
    """The hyper-parameters of a tuned text tower.

    Args:
        template: What every class name is put into, at ``{}`` or ``{c}`` as in a spec's templates;
            the paper's single template.
    """

    template: str = "a photo of a {}"

    def __post_init__(self) -> None:
        """Refuses a template without a place for the name."""
        if not has_place(self.template):
            raise TrainError(
                "the template of the tuned text encoder",
                expected="a placeholder {} or {c} where the class name goes",
                found=repr(self.template),
                fix="Write e.g. 'a photo of a {}'.",
            )

    def attach(self, tower: TextTower, classes: Sequence[str]) -> TextEncoderHead:
        """The head for some classes.

        Raises:
            TrainError: The tower's weights cannot be replaced, or a class name does not fit.
        """
        if not isinstance(tower, TunableTower):
            raise TrainError(
                "the text encoder cannot be tuned",
                expected="a tower whose weights can be replaced",
                found=type(tower).__name__,
                fix="Choose an encoder of open_clip or BLIP, or another method.",
            )
        tokens = tower.tokenize([put_in(self.template, name) for name in classes])
        refuse_cut(classes, tokens, read_frame(tower.tokenize))
        return TextEncoderHead(tower=tower, tokens=tokens)


@dataclass(frozen=True, kw_only=True, slots=True)
class TextEncoderHead:
    """Cosine classifier whose class vectors are the text features of a tower that learns.

    z_k = cos(g_θ(t_k), f), without a logit scale, as CPL's logits are, so that the two rows of the
    paper's Table 7 differ in what is trained alone. Parameters: all weights of the tower but its
    token embedding.

    Attributes:
        tower: The text tower.
        tokens: (K, context length) int64, one prompt per class.
    """

    tower: TunableTower
    tokens: Tensor

    def prepare(self, features: Tensor) -> Tensor:
        """Raw features (n, d) → unit-norm features (n, d)."""
        return functional.normalize(features, dim=-1)

    def logits(self, parameters: Parameters, prepared: Tensor) -> Tensor:
        """(batch, d) → cosine similarities (batch, K) in [-1, 1]."""
        return linear_map(prepared, functional.normalize(self.text_features(parameters), dim=-1))

    def text_features(self, parameters: Parameters) -> Tensor:
        """Class features of the current weights (K, d), unnormalised."""
        return self.tower.run_with(parameters, self._encode)

    @torch.no_grad()
    def kept(self, parameters: Parameters) -> dict[str, Tensor]:
        """What a run keeps: the class vectors (K, d), unit rows, not the whole tower."""
        return {"prototypes": functional.normalize(self.text_features(parameters), dim=-1)}

    def _encode(self, tower: TextTower) -> Tensor:
        if not tower.shares:
            return tower.encode_whole(self.tokens, tower.embed(self.tokens))
        lengths = tower.lengths(self.tokens)
        common = min(_common_start(self.tokens), int(lengths.min()) - 1)
        prefix = tower.embed(self.tokens[0, :common])
        sizes = sorted(set(lengths.tolist()))
        places = [(lengths == size).nonzero().flatten() for size in sizes]
        rests = [
            tower.embed(self.tokens[at, common:size])
            for size, at in zip(sizes, places, strict=True)
        ]
        return encode_shared(tower, prefix, rests)[torch.cat(places).argsort()]


@dataclass(frozen=True, slots=True)
class PretrainedStart:
    """The tower begins with the weights it came with."""

    needs_text: ClassVar[bool] = True
    rowless: ClassVar[bool] = True

    def __call__(self, inputs: StartInputs) -> dict[str, Tensor]:
        """The tower's weights by name."""
        assert isinstance(inputs.head, TextEncoderHead)  # noqa: S101 - the method's own head
        return {name: value.clone() for name, value in inputs.head.tower.weights().items()}


def _common_start(tokens: Tensor) -> int:
    """How many leading tokens all prompts share."""
    differs = (tokens != tokens[0]).any(dim=0)
    return int(differs.int().argmax()) if bool(differs.any()) else tokens.shape[1]
