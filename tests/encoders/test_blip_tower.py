"""Laws of BLIP's re-attached text tower: what the model itself would say of every prompt."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from w2s_cache.encoders.blip import BlipEncoder
from w2s_cache.encoders.blip_tower import BlipTextTower, attach_blip_tower
from w2s_cache.encoders.catalogue import load_encoder
from w2s_cache.encoders.reattach import Reattached
from w2s_cache.errors import EncoderError, TrainError
from w2s_cache.heads.prompts import PromptRecipe, attach_prompts, start_context
from w2s_cache.heads.text_encoder import TextEncoderRecipe
from w2s_cache.spec import StrongSpec

NAMES = ("cat", "hot_air_balloon", "dog", "the_cat")
RECIPES = {
    "at the end": PromptRecipe(n_ctx=4),
    "in the middle": PromptRecipe(n_ctx=5, position="middle"),
    "in front": PromptRecipe(n_ctx=3, position="front"),
    "class specific": PromptRecipe(n_ctx=4, class_specific=True),
}


@pytest.fixture(scope="module")
def encoder(blip_folder: Path) -> BlipEncoder:
    """A tiny BLIP of random numbers."""
    means = {"checkpoint": str(blip_folder), "precision": "fp32", "device": "cpu"}
    found = load_encoder("transformers", "org/blip", **means)
    assert isinstance(found, BlipEncoder)
    return found


@pytest.fixture(scope="module")
def tower(encoder: BlipEncoder) -> BlipTextTower:
    """Its text tower."""
    return attach_blip_tower(encoder)


def by_hand(encoder: BlipEncoder, name: str, context: Tensor, recipe: PromptRecipe) -> Tensor:
    """[CLS] vectors, name, vectors . [SEP] of one class, alone and without padding."""
    network, words = encoder.network, encoder.tokenizer.get_vocab()
    table = network.text_encoder.embeddings.word_embeddings.weight
    before = {"end": recipe.n_ctx, "middle": recipe.n_ctx // 2, "front": 0}[recipe.position]

    def look_up(*tokens: str) -> Tensor:
        return table[[words[token] for token in tokens]]

    rows = torch.cat(
        [
            look_up("[CLS]"),
            context[:before],
            look_up(*name.split("_")),
            context[before:],
            look_up("[UNK]", "[SEP]"),  # the tiny vocabulary has no full stop
        ]
    )
    states = network.text_encoder(inputs_embeds=rows[None])[0]
    features: Tensor = network.text_proj(states[0, 0])
    return features


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_prompts_have_the_logits_and_the_gradient_of_the_obvious_step(
    encoder: BlipEncoder, recipe: PromptRecipe
) -> None:
    """Every class run alone, its vectors put in by hand: logits and their gradient, in float64."""
    encoder = replace(encoder, network=copy.deepcopy(encoder.network).double())
    head = attach_prompts(recipe, attach_blip_tower(encoder), NAMES)
    start = start_context(head, torch.Generator().manual_seed(3))["context"]
    drawn = torch.randn(5, 16, generator=torch.Generator().manual_seed(0))
    prepared = head.prepare(drawn.double())
    direction = torch.randn(5, len(NAMES), generator=torch.Generator().manual_seed(1))
    one, other = (start.clone().requires_grad_() for _ in range(2))
    logits = head.logits({"context": one}, prepared)
    own = other if recipe.class_specific else other.expand(len(NAMES), -1, -1)
    features = torch.stack([by_hand(encoder, name, own[k], recipe) for k, name in enumerate(NAMES)])
    expected = encoder.text.logit_scale * prepared @ functional.normalize(features, dim=-1).T
    torch.testing.assert_close(logits, expected, rtol=1e-10, atol=1e-10)
    (logits * direction).sum().backward()
    (expected * direction).sum().backward()
    assert one.grad is not None
    assert one.grad.abs().min() > 0
    torch.testing.assert_close(one.grad, other.grad, rtol=1e-8, atol=1e-10)


def test_vectors_that_are_words_give_the_text_they_spell(
    encoder: BlipEncoder, tower: BlipTextTower
) -> None:
    """Started from "a photo of a", prompts have encode_text's features of the sentence."""
    head = attach_prompts(PromptRecipe(words="a photo of a"), tower, NAMES)
    context = start_context(head, torch.Generator())
    written = [f"a photo of a {name.replace('_', ' ')}." for name in NAMES]
    expected = encoder.text.encode_text(encoder.text.tokenize(written))
    torch.testing.assert_close(head.text_features(context), expected, rtol=1e-4, atol=1e-5)


def test_given_embeddings_are_left_alone(encoder: BlipEncoder, tower: BlipTextTower) -> None:
    """The model adds positions in place; what it was given keeps its numbers, twice the same."""
    tokens = tower.tokenize(["a photo of a cat", "dog"])
    given = tower.embed(tokens)
    before = given.clone()
    first, again = (tower.encode_whole(tokens, given) for _ in range(2))
    assert torch.equal(given, before)
    assert torch.equal(first, again)
    torch.testing.assert_close(first, encoder.text.encode_text(tokens), rtol=1e-4, atol=1e-5)


def test_what_the_tower_is_taken_apart_into_is_the_tower(
    encoder: BlipEncoder, tower: BlipTextTower
) -> None:
    """Positions and projection are the model's; there are no layers to run apart."""
    tokens = tower.tokenize(["a photo of a cat"])[:, :7]
    embeddings = encoder.network.text_encoder.embeddings
    placed = embeddings.LayerNorm(tower.place(tower.embed(tokens), 0))
    torch.testing.assert_close(placed, embeddings(tokens))
    assert (tower.layers, tower.shares) == ((), False)
    assert "one by one at full length, because its attention is not causal" in tower.shortcut
    assert tower.lengths(tokens).tolist() == [7]


def test_the_tuned_tower_starts_as_the_model_and_every_weight_learns(
    encoder: BlipEncoder, tower: BlipTextTower
) -> None:
    """The first features are encode_text's; every weight has a gradient and the model none."""
    head = TextEncoderRecipe().attach(tower, NAMES)
    weights = {name: value.clone().requires_grad_() for name, value in tower.weights().items()}
    features = head.text_features(weights)
    written = [f"a photo of a {name.replace('_', ' ')}" for name in NAMES]
    expected = encoder.text.encode_text(encoder.text.tokenize(written))
    torch.testing.assert_close(features, expected, rtol=1e-4, atol=1e-5)
    gradients = torch.autograd.grad(features.square().sum(), list(weights.values()))
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert any(gradient.abs().sum() > 0 for gradient in gradients)
    assert not any(value.requires_grad for value in encoder.network.parameters())


def test_vision_matching_head_and_vocabulary_are_not_trained(tower: BlipTextTower) -> None:
    """Weights of the text tower and its projection alone, without those no text feature reads."""
    names = set(tower.weights())
    assert {name.partition(".")[0] for name in names} == {"text_encoder", "text_proj"}
    assert not any("crossattention" in name or "word_embeddings" in name for name in names)
    assert "text_encoder.embeddings.position_embeddings.weight" in names


@pytest.mark.parametrize("template", ["a photo of a {}", "{}"])
def test_class_names_that_would_be_cut_are_refused(tower: BlipTextTower, template: str) -> None:
    """BLIP's 35 tokens are few: what does not fit is named, by prompts and by the tuned tower."""
    long = "_".join(["cat"] * 40)
    with pytest.raises(TrainError, match="does not fit"):
        TextEncoderRecipe(template=template).attach(tower, ["dog", long])
    with pytest.raises(TrainError, match="does not fit behind 16 context vectors"):
        attach_prompts(PromptRecipe(), tower, ["dog", "_".join(["cat"] * 18)])


def test_it_is_reattached_by_its_identity_and_aloud(
    encoder: BlipEncoder, blip_folder: Path
) -> None:
    """The spec's section leads to it; that there is no shortcut is said; another one is refused."""
    said: list[str] = []
    section = StrongSpec(library="transformers", model="org/blip", checkpoint=str(blip_folder))
    attach = Reattached(section, "cpu", said.append)
    assert isinstance(attach(encoder.text.identity()), BlipTextTower)
    assert said[-1].startswith("prompts: prompts run one by one at full length")
    with pytest.raises(EncoderError, match="is not the one that was cached"):
        attach({**encoder.text.identity(), "weights": "others"})
