"""Laws of learned prompts: the same numbers as CoOp's construction, for every arrangement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import open_clip
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from open_clip.model import CLIP
from torch import Tensor
from torch.nn import functional

from w2s_cache.encoders.openclip import OpenClipEncoder
from w2s_cache.encoders.text_tower import OpenClipTextTower, attach_text_tower
from w2s_cache.errors import TrainError
from w2s_cache.heads.prompts import PromptHead, PromptRecipe, attach_prompts, start_context
from w2s_cache.train.config import TrainConfig
from w2s_cache.train.loop import fit
from w2s_cache.train.stack import FitData, Learner

CONTEXT, WIDTH, FEATURES = 24, 32, 16
TOKENIZER = open_clip.SimpleTokenizer(context_length=CONTEXT)
NAMES = ("cat", "aircraft_carrier", "The_Great_Wall_of_China", "t-shirt", "U.S.", "dog", "yo-yo")
VISION = {"image_size": 8, "patch_size": 4, "width": 16, "layers": 1, "head_width": 8}
TEXT = {"context_length": CONTEXT, "width": WIDTH, "heads": 4, "layers": 2}


@cache
def tiny_tower(dtype: torch.dtype = torch.float64) -> OpenClipTextTower:
    """A causal text tower of two layers with random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = CLIP(FEATURES, VISION, TEXT)
    encoder = OpenClipEncoder(
        architecture="ViT-B-32",
        network=network.to(dtype).eval().requires_grad_(False),
        image_weights="",
        text_weights="",
        transform=lambda image: image,
        tokenizer=TOKENIZER,
        precision="fp32",
        device="cpu",
    )
    return replace(attach_text_tower(encoder), tokenizer=TOKENIZER)


def whole(tower: OpenClipTextTower) -> OpenClipTextTower:
    """The same tower without its shortcut."""
    return replace(tower, obstacle="the test asks for whole prompts")


def generator() -> torch.Generator:
    """A seeded source of randomness."""
    return torch.Generator().manual_seed(3)


def built(
    recipe: PromptRecipe, tower: OpenClipTextTower, names: Sequence[str] = NAMES
) -> tuple[PromptHead, Tensor]:
    """A head and its starting context."""
    head = attach_prompts(recipe, tower, names)
    return head, start_context(head, generator())["context"]


def literal_features(recipe: PromptRecipe, context: Tensor, network: CLIP) -> Tensor:
    """CoOp's own construction: placeholder sentences, one class at a time, full length."""
    rows, spoken = [], [name.replace("_", " ") for name in NAMES]
    tokens = TOKENIZER([" ".join(["X"] * recipe.n_ctx) + f" {name}." for name in spoken])
    for k, name in enumerate(spoken):
        embedded = network.token_embedding(tokens[k])
        vectors = list(context[k] if recipe.class_specific else context)
        a, behind = len(TOKENIZER.encode(name)), 1 + recipe.n_ctx
        own, rest = list(embedded[behind : behind + a]), list(embedded[behind + a :])
        cut = {"end": recipe.n_ctx, "middle": recipe.n_ctx // 2, "front": 0}[recipe.position]
        rows.append(torch.stack([embedded[0], *vectors[:cut], *own, *vectors[cut:], *rest]))
    hidden = torch.stack(rows) + network.positional_embedding
    hidden = network.ln_final(network.transformer(hidden, attn_mask=network.attn_mask))
    return hidden[torch.arange(len(NAMES)), tokens.argmax(-1)] @ network.text_projection


@dataclass(frozen=True)
class Step:
    """Logits of a batch and the context's gradient under cross-entropy."""

    logits: Tensor
    gradient: Tensor


def stepped(logits: Tensor, context: Tensor) -> Step:
    """Backward from the cross-entropy of labels 0, 1, 2 …."""
    (gradient,) = torch.autograd.grad(
        functional.cross_entropy(logits, torch.arange(len(logits))), context
    )
    return Step(logits=logits.detach(), gradient=gradient)


def error(ours: Tensor, right: Tensor) -> float:
    """Relative error in the Euclidean norm."""
    return ((ours - right).norm() / right.norm()).item()


recipes = st.builds(
    PromptRecipe,
    n_ctx=st.integers(1, 6),
    position=st.sampled_from(["end", "middle", "front"]),
    class_specific=st.booleans(),
)


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 1e-4), (torch.float64, 1e-10)])
@pytest.mark.parametrize("shares", [True, False])
@settings(deadline=None, max_examples=10)
@given(recipe=recipes)
def test_logits_and_gradient_are_those_of_the_literal_construction(
    shares: bool, dtype: torch.dtype, bound: float, recipe: PromptRecipe
) -> None:
    """Shortcut and whole prompts equal CoOp's construction, for every place and kind of context."""
    tower = tiny_tower(dtype)
    head, context = built(recipe, tower if shares else whole(tower))
    context.requires_grad_()
    features = head.prepare(torch.randn(5, FEATURES, generator=generator()).to(dtype))
    ours = stepped(head.logits({"context": context}, features), context)
    text = functional.normalize(literal_features(recipe, context, tower.network), dim=-1)
    right = stepped(tower.network.logit_scale.exp() * features @ text.T, context)
    assert error(ours.logits, right.logits) <= bound
    assert error(ours.gradient, right.gradient) <= bound


@pytest.mark.parametrize("class_specific", [False, True])
@pytest.mark.parametrize("shares", [True, False])
def test_words_begin_as_the_plain_prompt(shares: bool, class_specific: bool) -> None:
    """Before training, vectors started from words give the features of the written prompt."""
    tower = tiny_tower() if shares else whole(tiny_tower())
    recipe = PromptRecipe(words="a photo of a", class_specific=class_specific)
    head, context = built(recipe, tower)
    written = [f"a photo of a {name.replace('_', ' ')}." for name in NAMES]
    expected = tower.network.encode_text(TOKENIZER(written))
    assert context.shape == ((len(NAMES), 4, WIDTH) if class_specific else (4, WIDTH))
    assert error(head.text_features({"context": context}), expected) <= 1e-12


def test_words_of_several_tokens_are_taken_whole() -> None:
    """There are as many vectors as tokens, so that no part of a word is lost."""
    _, context = built(PromptRecipe(words="a zoomorphic_photo"), tiny_tower())
    assert len(context) == len(TOKENIZER.encode("a zoomorphic photo")) > 3


@pytest.mark.parametrize("class_specific", [False, True])
def test_random_start_is_normal_with_deviation_0_02(class_specific: bool) -> None:
    """CoOp draws context vectors from N(0, 0.02²); the generator alone decides them."""
    recipe = PromptRecipe(class_specific=class_specific)
    head, context = built(recipe, tiny_tower())
    again = start_context(head, generator())["context"]
    assert context.shape == ((len(NAMES), 16, WIDTH) if class_specific else (16, WIDTH))
    assert context.dtype == torch.float64
    assert torch.equal(context, again)
    assert context.std().item() == pytest.approx(0.02, rel=0.15)
    assert abs(context.mean().item()) < 0.003


def test_class_specific_vectors_belong_to_one_class_each() -> None:
    """A class's feature depends on its own vectors and on no other class's."""
    head, context = built(PromptRecipe(n_ctx=2, class_specific=True), tiny_tower())
    moved = context.clone()
    moved[2] += torch.randn(moved[2].shape, generator=generator())
    change = head.text_features({"context": moved}) - head.text_features({"context": context})
    assert (change.abs().amax(dim=-1) > 1e-6).tolist() == [k == 2 for k in range(len(NAMES))]


def test_features_follow_the_order_of_the_classes() -> None:
    """Naming the classes in another order permutes the rows and changes nothing else."""
    recipe = PromptRecipe(n_ctx=3, position="front")
    forward, context = built(recipe, tiny_tower())
    backward, _ = built(recipe, tiny_tower(), NAMES[::-1])
    features = forward.text_features({"context": context})
    assert error(backward.text_features({"context": context}).flip(0), features) <= 1e-12


@dataclass(frozen=True, kw_only=True)
class CountingTower(OpenClipTextTower):
    """Counts the prompts of every pass."""

    passes: list[int]

    def read(self, rows: Tensor) -> Tensor:
        """Notes how many features are read."""
        self.passes.append(len(rows))
        return OpenClipTextTower.read(self, rows)


def test_one_pass_of_the_tower_serves_a_batch_of_any_size() -> None:
    """Text features are computed once per call, K prompts, whatever the number of rows."""
    parts = {name: getattr(tiny_tower(), name) for name in OpenClipTextTower.__slots__}
    head, context = built(PromptRecipe(n_ctx=2), CountingTower(**parts, passes=[]))
    features = head.prepare(torch.randn(50, FEATURES, dtype=torch.float64))
    assert head.logits({"context": context}, features).shape == (50, len(NAMES))
    assert head.tower.passes == [len(NAMES)]


def test_the_layout_reads_nothing_behind_the_end_token() -> None:
    """A prompt is cut behind its end token: start, vectors, name, full stop, end."""
    head, _ = built(PromptRecipe(n_ctx=2), tiny_tower())
    sizes = {int(k): block.size for block in head.layout.blocks for k in block.classes}
    assert sizes[0] == 1 + 2 + 1 + 1 + 1
    assert sizes[1] == 1 + 2 + 2 + 1 + 1
    assert [fixed.shape[1] for fixed in head.fixed] == [block.size for block in head.layout.blocks]


@pytest.mark.parametrize("position", ["end", "middle", "front"])
def test_a_class_name_too_long_for_the_context_is_named(position: str) -> None:
    """One token more than fits is refused by name; exactly as many as fit are accepted."""
    n_ctx = CONTEXT - 2 - 6
    recipe = PromptRecipe(n_ctx=n_ctx, position=position)
    attach_prompts(recipe, tiny_tower(), ["cat", "cat_cat_cat_cat_cat"])
    with pytest.raises(TrainError, match=r"'cat_cat_cat_cat_cat_cat'.*at most 6 tokens.*found 7"):
        attach_prompts(recipe, tiny_tower(), ["cat", "cat_cat_cat_cat_cat_cat"])
    with pytest.raises(TrainError, match="does not fit"):
        attach_prompts(PromptRecipe(n_ctx=1), tiny_tower(), ["dog", " ".join(["cat"] * 80)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_ctx": 0}, "without context vectors"),
        ({"words": "  "}, "without context vectors"),
        ({"position": "back"}, r"hyper-parameter position.*'back'"),
    ],
)
def test_recipes_that_make_no_prompt_are_refused(options: dict, message: str) -> None:
    """No vectors, words without a token and unknown places are errors that say so."""
    with pytest.raises(TrainError, match=message):
        attach_prompts(PromptRecipe(**options), tiny_tower(), NAMES)


class _CrossEntropy:
    """Plain cross-entropy with hard labels."""

    def targets(self, weak_logits: Tensor) -> dict[str, Tensor]:
        """Most likely class."""
        return {"labels": weak_logits.argmax(dim=-1)}

    def __call__(self, logits: Tensor, targets: dict[str, Tensor], *, progress: float) -> Tensor:
        """Mean over the batch, nats."""
        del progress
        return functional.cross_entropy(logits, targets["labels"])


def test_the_training_loop_learns_a_context() -> None:
    """Few steps of the common loop lower the loss and leave tower and start as they were."""
    head, context = built(PromptRecipe(n_ctx=4), tiny_tower(torch.float32))
    start = context.clone()
    prepared = head.prepare(torch.randn(21, FEATURES, generator=generator()))
    labels = torch.arange(21) % len(NAMES)
    data = FitData(prepared=prepared, targets={"labels": labels})
    rows = torch.arange(21)
    learner = Learner(
        start={"context": context},
        rows=rows,
        val_rows=rows,
        val_labels=labels,
        generator=generator(),
    )
    config = TrainConfig(epochs=8, batch_size=21, lr=0.03, optimizer="adam")
    [fitted] = fit(head, _CrossEntropy(), data, [learner], config)
    assert fitted.trace[-1].loss < 0.9 * fitted.trace[0].loss
    assert torch.equal(context, start)
    assert all(weight.grad is None for weight in head.tower.network.parameters())
