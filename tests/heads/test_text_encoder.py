"""The tuned text encoder: the tower's own features, with a gradient for its weights."""

from __future__ import annotations

import copy
from dataclasses import replace

import open_clip
import pytest
import torch

from w2s_cache.data.templates import fill
from w2s_cache.encoders.openclip import OpenClipEncoder
from w2s_cache.encoders.text_tower import attach_text_tower
from w2s_cache.errors import TrainError
from w2s_cache.heads.text_encoder import TextEncoderRecipe

NAMES = ("cat", "aircraft_carrier", "hot_air_balloon", "dog")


@pytest.fixture(scope="module")
def tower(text_tower):
    """The tiny tower in float64."""
    network = copy.deepcopy(text_tower.network).double()
    return attach_text_tower(
        OpenClipEncoder(
            architecture="ViT-B-32",
            network=network,
            image_weights="",
            text_weights="",
            transform=lambda image: image,
            tokenizer=text_tower.tokenizer,
            precision="fp32",
            device="cpu",
        )
    )


def features_and_gradient(head):
    """Class features of the pretrained weights, and the gradient of a sum of squares of logits."""
    weights = {name: value.clone().requires_grad_() for name, value in head.tower.weights().items()}
    features = head.text_features(weights)
    direction = torch.randn(8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (features @ direction).square().sum().backward()
    return features.detach(), {name: value.grad for name, value in weights.items()}


def test_pretrained_weights_give_the_models_own_text_features(tower):
    """Before training the class vectors are `encode_text` of the template, to float64 rounding."""
    head = TextEncoderRecipe().attach(tower, NAMES)
    texts = [f"a photo of a {name.replace('_', ' ')}" for name in NAMES]
    expected = tower.network.encode_text(open_clip.SimpleTokenizer()(texts))
    torch.testing.assert_close(head.text_features(tower.weights()), expected)


def test_the_shortcut_has_the_gradient_of_whole_prompts(tower):
    """Sharing the template's beginning changes no gradient of any weight: 1e-10 relative."""
    short = TextEncoderRecipe().attach(tower, NAMES)
    whole = TextEncoderRecipe().attach(replace(tower, obstacle="the test asks"), NAMES)
    (one, gradients), (other, expected) = map(features_and_gradient, (short, whole))
    torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)
    assert gradients.keys() == expected.keys()
    for name, value in gradients.items():
        torch.testing.assert_close(value, expected[name], rtol=1e-8, atol=1e-10)


def test_image_tower_scale_and_vocabulary_are_not_trained(tower):
    """Only weights behind the token embedding that make text features are parameters."""
    names = set(tower.weights())
    assert not {name for name in names if "visual" in name or "logit" in name}
    assert "token_embedding.weight" not in names
    assert {"positional_embedding", "text_projection", "ln_final.weight"} <= names


def test_logits_are_cosines(tower):
    """Between −1 and 1, without the tower's scale."""
    head = TextEncoderRecipe().attach(tower, NAMES)
    features = torch.randn(5, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    logits = head.logits(tower.weights(), head.prepare(features))
    assert logits.shape == (5, 4)
    assert logits.abs().max() <= 1 + 1e-12


@pytest.mark.parametrize("template", ["", "a photo", "a photo of {x}", "{ }", "{0}"])
def test_a_template_has_a_place_for_the_name(template):
    """None is refused in four parts."""
    with pytest.raises(TrainError, match="where the class name goes") as caught:
        TextEncoderRecipe(template=template)
    assert all((caught.value.what, caught.value.expected, caught.value.found, caught.value.fix))


@pytest.mark.parametrize(
    "template", ["a photo of a {}", "a {c}, a photo", "{x} {}", "{{}}", "{0} {c} {", "{} and {}"]
)
def test_templates_are_filled_as_at_extraction(tower, template):
    """Whatever braces there are beside the place, the prompts are those of zero-shot."""
    head = TextEncoderRecipe(template=template).attach(tower, NAMES)
    expected = tower.tokenize([fill(template, name) for name in NAMES])
    assert torch.equal(head.tokens, expected)


def test_braces_in_a_class_name_are_text(tower):
    """A class called {} is put in as it is."""
    head = TextEncoderRecipe().attach(tower, ["{}", "{c}"])
    assert torch.equal(head.tokens, tower.tokenize(["a photo of a {}", "a photo of a {c}"]))


def test_a_class_name_that_would_be_cut_is_refused(tower):
    """71 words behind "a photo of a" fill CLIP's 77 tokens; one less is whole and is taken."""
    recipe = TextEncoderRecipe()
    for words in (71, 90):
        with pytest.raises(
            TrainError, match=r"'cat cat .*does not fit.*at most 74 tokens"
        ) as caught:
            recipe.attach(tower, ["dog", " ".join(["cat"] * words)])
        assert all((caught.value.what, caught.value.expected, caught.value.found, caught.value.fix))
    head = recipe.attach(tower, ["dog", " ".join(["cat"] * 70)])
    assert int(tower.lengths(head.tokens)[1]) == 76
