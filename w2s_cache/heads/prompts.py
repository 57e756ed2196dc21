"""Learned prompts: context vectors before, around or behind class names (Zhou et al., CoOp)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, get_args

import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.errors import TrainError, shown
from w2s_cache.heads.prompt_layout import Block, Layout, Position, lay_out, read_frame
from w2s_cache.heads.prompt_packing import encode_shared
from w2s_cache.heads.prompt_tower import TextTower
from w2s_cache.heads.protocol import Parameters, StartInputs
from w2s_cache.hyperparameters import require_choice

_START_STD = 0.02  # CoOp's nn.init.normal_(ctx_vectors, std=0.02)


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptRecipe:
    """The hyper-parameters of learned prompts.

    Attributes:
        n_ctx: Number M of context vectors; ``words`` overrides it.
        position: Where the class name stands: behind, amid or in front of the vectors.
        class_specific: Whether every class learns its own vectors.
        words: Text whose token embeddings the vectors begin as, e.g. ``"a photo of a"``; they
            then number as many as its tokens. Empty: N(0, 0.02²).
    """

    n_ctx: int = 16
    position: Position = "end"
    class_specific: bool = False
    words: str = ""

    def __post_init__(self) -> None:
        """Refuses options that have no meaning."""
        require_choice("position", self.position, get_args(Position))
        _refuse_no_vectors(self, len(self.words) or self.n_ctx)

    def attach(self, tower: TextTower, classes: Sequence[str]) -> PromptHead:
        """The head of this recipe for some classes, see :func:`attach_prompts`."""
        return attach_prompts(self, tower, classes)


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptHead:
    """Cosine classifier whose class vectors are the text features of learned prompts.

    z_k = scale · cos(g(t_k), f), where t_k is the prompt of class k and g the frozen text tower
    (Zhou et al., Eq. 1 and 2). Parameters: ``context``, (M, width), or (K, M, width) for
    class-specific vectors. Built by :func:`attach_prompts`.

    Attributes:
        tower: The frozen text tower.
        layout: Prompts of all classes.
        recipe: What it was built from; ``context`` has a class dimension if class-specific.
        fixed: For every block of the layout the embeddings of its tokens (n, context length,
            width), cut to the tokens the tower reads where it takes the shortcut.
        order: (K,) int64, where each class stands among the blocks' prompts.
    """

    tower: TextTower
    layout: Layout
    recipe: PromptRecipe
    fixed: tuple[Tensor, ...]
    order: Tensor

    def prepare(self, features: Tensor) -> Tensor:
        """Raw features (n, d) → unit-norm features (n, d)."""
        return functional.normalize(features, dim=-1)

    def logits(self, parameters: Parameters, prepared: Tensor) -> Tensor:
        """(batch, d) → logits (batch, K), scaled by the tower's frozen logit scale."""
        text = functional.normalize(self.text_features(parameters), dim=-1)
        return self.tower.logit_scale * functional.linear(prepared, text)

    def text_features(self, parameters: Parameters) -> Tensor:
        """Class features of the current context (K, d), unnormalised; one pass of the tower."""
        context = parameters["context"]
        return (self._shared(context) if self.tower.shares else self._whole(context))[self.order]

    def _shared(self, context: Tensor) -> Tensor:
        """The common beginning once: start tokens and, unless class-specific, vectors before."""
        start = self.fixed[0][0, : self.layout.start]
        common = 1 if self.recipe.class_specific else 2
        prefix = start if self.recipe.class_specific else torch.cat([start, self._lead(context)])
        rests = [
            torch.cat(self._pieces(block, fixed, context)[common:], dim=1)
            for block, fixed in zip(self.layout.blocks, self.fixed, strict=True)
        ]
        return encode_shared(self.tower, prefix, rests)

    def _whole(self, context: Tensor) -> Tensor:
        """Every prompt at full length, in one pass."""
        embeddings = [
            torch.cat(self._pieces(block, fixed, context), dim=1)
            for block, fixed in zip(self.layout.blocks, self.fixed, strict=True)
        ]
        tokens = torch.cat([block.tokens for block in self.layout.blocks])
        return self.tower.encode_whole(tokens, torch.cat(embeddings))

    def _lead(self, context: Tensor) -> Tensor:
        return context[..., : self.layout.before, :]

    def _pieces(self, block: Block, fixed: Tensor, context: Tensor) -> list[Tensor]:
        """Start, vectors before the name, name, vectors behind it, tail; each (n, ·, width)."""
        own = (
            context[block.classes]
            if self.recipe.class_specific
            else context.expand(len(fixed), -1, -1)
        )
        name = self.layout.start + self.layout.before
        tail = self.layout.start + self.layout.n_ctx + block.name
        return [
            fixed[:, : self.layout.start],
            self._lead(own),
            fixed[:, name : name + block.name],
            own[:, self.layout.before :],
            fixed[:, tail:],
        ]


def attach_prompts(recipe: PromptRecipe, tower: TextTower, classes: Sequence[str]) -> PromptHead:
    """Builds the head of a recipe for some classes on a text tower.

    Args:
        recipe: Hyper-parameters.
        tower: A frozen text tower; parameters and image features live on its device.
        classes: Class names in order; underscores are read as blanks.

    Raises:
        TrainError: No context vectors, an unknown position, or a class name that does not fit in
            the tower's context; the message names it.
    """
    layout = lay_out(
        classes,
        tokenize=tower.tokenize,
        lengths=tower.lengths,
        n_ctx=_context_length(recipe, tower),
        position=recipe.position,
    )
    placed = torch.cat([block.classes for block in layout.blocks])
    fixed = [tower.embed(block.tokens).detach() for block in layout.blocks]
    if tower.shares:
        fixed = [whole[:, : block.size] for whole, block in zip(fixed, layout.blocks, strict=True)]
    return PromptHead(
        tower=tower,
        layout=layout,
        recipe=recipe,
        fixed=tuple(fixed),
        order=placed.argsort(),
    )


@dataclass(frozen=True, slots=True)
class ContextStart:
    """The context a prompt head begins with: its recipe's words, or N(0, 0.02²)."""

    needs_text: ClassVar[bool] = True
    rowless: ClassVar[bool] = True

    def __call__(self, inputs: StartInputs) -> dict[str, Tensor]:
        """``context``, see :func:`start_context`."""
        assert isinstance(inputs.head, PromptHead)  # noqa: S101 - the method's own head
        return start_context(inputs.head, inputs.generator)


def start_context(head: PromptHead, generator: torch.Generator) -> dict[str, Tensor]:
    """The context a head begins with: words, the same for every class, or N(0, 0.02²).

    Args:
        head: Gives recipe, shape, dtype and device.
        generator: CPU generator of the random start; untouched when words are given.

    Returns:
        ``context``: (M, width), or (K, M, width) for class-specific vectors.
    """
    recipe, like = head.recipe, head.fixed[0]
    leading = (len(head.order),) if recipe.class_specific else ()
    shape = (*leading, head.layout.n_ctx, like.shape[-1])
    if recipe.words:
        ids = torch.tensor(_word_ids(recipe.words, head.tower))
        return {"context": head.tower.embed(ids).detach().expand(shape).clone()}
    drawn = torch.randn(shape, generator=generator) * _START_STD
    return {"context": drawn.to(like)}


def _word_ids(words: str, tower: TextTower) -> list[int]:
    return read_frame(tower.tokenize).body(tower.tokenize([words.replace("_", " ")])[0])


def _context_length(recipe: PromptRecipe, tower: TextTower) -> int:
    n_ctx = len(_word_ids(recipe.words, tower)) if recipe.words else recipe.n_ctx
    _refuse_no_vectors(recipe, n_ctx)
    return n_ctx


def _refuse_no_vectors(recipe: PromptRecipe, n_ctx: int) -> None:
    if n_ctx < 1:
        raise TrainError(
            "prompts without context vectors",
            expected="n_ctx of at least 1, or words to start from",
            found=f"n_ctx = {shown(recipe.n_ctx)}, words = {recipe.words!r}",
            fix="Raise n_ctx or write some words.",
        )
