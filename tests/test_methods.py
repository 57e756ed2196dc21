"""The table of methods and how its hyper-parameters are resolved."""

import pytest
import torch

from w2s_cache.errors import TrainError, UnknownNameError
from w2s_cache.heads.linear import LinearHead
from w2s_cache.heads.prompts import PromptRecipe
from w2s_cache.heads.prototypes import PrototypeHead
from w2s_cache.heads.text_encoder import TextEncoderRecipe
from w2s_cache.losses.adapt_conf import AdaptConf
from w2s_cache.losses.aux_conf import AuxConf
from w2s_cache.losses.cross_entropy import CrossEntropy
from w2s_cache.losses.distillation import Distillation
from w2s_cache.losses.product import Product
from w2s_cache.method import attach_head, build_head, build_loss, resolve_options
from w2s_cache.methods import METHODS, expand_groups, find_method, method_names

TRAINED = [name for name, m in METHODS.items() if m.loss is not None and not m.needs_tower]
GRID = ("ce", "kd", "aux", "adapt", "aug", "product")
PROMPTS = {
    *("ceiling-tp", "text-encoder"),
    *(f"tp-{loss}{start}" for loss in GRID for start in ("", "-text")),
}
ROUNDS = ("fpl", "ifpl", "grip", "grip-weak")
PROMPTS |= {f"tp-{rounds}" for rounds in ROUNDS}
FROM_ZERO_SHOT = {f"{head}-{rounds}" for head in ("lp", "cpl") for rounds in ROUNDS[:3]}
TEXT_PROBES = {f"lp-{loss}-text" for loss in GRID}


def resolved(name, **given):
    """Options of a built-in method."""
    return resolve_options(name, METHODS[name], given)


@pytest.mark.parametrize("name", TRAINED)
def test_every_trained_method_builds_and_has_a_gradient(name):
    """Head and loss fit each other: logits of a batch give a finite loss and a gradient."""
    method = METHODS[name]
    options = resolve_options(name, method, {})
    head, loss = build_head(method, options), build_loss(method, options)
    generator = torch.Generator().manual_seed(0)
    features, weak = torch.randn(9, 6, generator=generator), torch.randn(9, 4, generator=generator)
    named = {"prototypes"} if method.head is PrototypeHead else {"weight", "bias"}
    parameters = {
        key: torch.randn((4,) if key == "bias" else (4, 6), generator=generator).requires_grad_()
        for key in named
    }
    logits = head.logits(parameters, head.prepare(features))
    value = loss(logits, loss.targets(weak), progress=0.5)
    value.backward()
    assert torch.isfinite(value)
    assert all(parameter.grad.abs().sum() > 0 for parameter in parameters.values())


@pytest.mark.parametrize(
    ("name", "title", "head", "loss"),
    [
        ("lp-ce", "CE + LP", LinearHead, CrossEntropy),
        ("lp-kd", "KD + LP", LinearHead, Distillation),
        ("lp-aux", "AuxConf + LP", LinearHead, AuxConf),
        ("lp-adapt", "AdaptConf + LP", LinearHead, AdaptConf),
        ("lp-product", "Product + LP", LinearHead, Product),
        ("tp-ce", "CE + TP", PromptRecipe, CrossEntropy),
        ("tp-kd", "KD + TP", PromptRecipe, Distillation),
        ("tp-aux", "AuxConf + TP", PromptRecipe, AuxConf),
        ("tp-adapt", "AdaptConf + TP", PromptRecipe, AdaptConf),
        ("text-encoder", "Text encoder", TextEncoderRecipe, Distillation),
        ("cpl", "CPL", PrototypeHead, Distillation),
        ("cpl-ce", "CE + prototypes", PrototypeHead, CrossEntropy),
        ("cpl-class-means", "CPL, class-mean start", PrototypeHead, Distillation),
        ("cpl-aux", "AuxConf + prototypes", PrototypeHead, AuxConf),
        ("cpl-adapt", "AdaptConf + prototypes", PrototypeHead, AdaptConf),
    ],
)
def test_names_stand_for_what_the_papers_call_them(name, title, head, loss):
    """Title, head and loss of every trained row of the grid."""
    method = find_method(name)
    assert (method.title, method.head, method.loss) == (title, head, loss)


@pytest.mark.parametrize("name", ["cpl", "cpl-ce", "cpl-aux", "cpl-adapt", "ceiling-cpl"])
def test_prototype_methods_share_their_strong_temperature(name):
    """Cosines are divided by 0.1 under every loss, so that only the loss differs."""
    assert resolved(name)["tau_strong"] == 0.1


@pytest.mark.parametrize("name", ["lp-ce", "lp-kd", "lp-aux", "lp-adapt", "lp-product"])
def test_linear_methods_leave_their_logits_unscaled(name):
    """A probe finds its own scale."""
    assert resolved(name)["tau_strong"] == 1.0


def test_the_grid_has_every_head_under_every_loss_from_both_starts():
    """3 heads × 6 losses × 2 starts = 36 methods, all different and all there."""
    names = expand_groups(["grid"])
    assert len(names) == 36
    parts = {
        (METHODS[n].head, METHODS[n].loss, METHODS[n].start, *METHODS[n].options) for n in names
    }
    assert len(parts) == 36


def test_no_two_methods_have_the_same_title():
    """Tables tell rows apart by title."""
    titles = [method.title for method in METHODS.values()]
    assert len(set(titles)) == len(titles)


def test_only_ceilings_see_ground_truth():
    """Every other method is supervised by the weak model."""
    seen = {name for name, method in METHODS.items() if method.supervision != "weak"}
    assert seen == {"ceiling-lp", "ceiling-tp", "ceiling-cpl"}


def test_methods_that_start_from_text_say_so():
    """They are the ones an image-only encoder cannot run."""
    needing = {name for name, method in METHODS.items() if method.needs_text}
    pooled = {"pooled-class-means", "pooled-lda", "pooled-mixture", "propagated-lda"}
    assert needing == PROMPTS | TEXT_PROBES | FROM_ZERO_SHOT | pooled | {
        "zero-shot",
        "cpl",
        "cpl-calibrated",
        "cpl-ce",
        "cpl-aux",
        "cpl-adapt",
        "cpl-aug",
        "cpl-product",
        "cpl-grip-weak",
        "ceiling-cpl",
    }


def test_methods_that_train_through_the_text_tower_say_so():
    """They, and no others, need it attached; without one they are refused in four parts."""
    assert {name for name, method in METHODS.items() if method.needs_tower} == PROMPTS
    with pytest.raises(TrainError, match=r"CE \+ TP trains through the text tower") as caught:
        attach_head(METHODS["tp-ce"], resolved("tp-ce"), None, ["cat"])
    assert all((caught.value.what, caught.value.expected, caught.value.found, caught.value.fix))


def test_built_in_names_come_first_in_table_order():
    """The list starts with the built-in methods as they are written down."""
    assert method_names()[: len(METHODS)] == list(METHODS)


def test_an_unknown_method_names_the_nearest_ones():
    """A typing error is answered with the method that was meant."""
    with pytest.raises(UnknownNameError, match="lp-adapt"):
        find_method("lp-adpat")


def test_tau_sets_both_sides_and_one_side_can_be_set_apart():
    """The given one-sided temperature wins over ``tau``, whatever the order."""
    assert resolved("cpl", tau=0.5)["tau_weak"] == 0.5
    options = resolved("cpl", tau_weak=1.0, tau=0.01)
    assert (options["tau_strong"], options["tau_weak"]) == (0.01, 1.0)


def test_tau_of_a_loss_on_the_argmax_is_its_strong_temperature():
    """It has no weak temperature, so none is invented."""
    options = resolved("cpl-ce", tau=0.5)
    assert options["tau_strong"] == 0.5
    assert "tau_weak" not in options


def test_given_options_win_over_defaults_and_reach_the_loss():
    """A given value is the one of the built loss, the others stay defaults."""
    options = resolved("lp-aux", alpha_max=0.75, balance="none")
    assert build_loss(METHODS["lp-aux"], options) == AuxConf(alpha_max=0.75, balance="none")
    assert build_head(METHODS["lp-aux"], options) == LinearHead()


@pytest.mark.parametrize(("name", "option"), [("lp-kd", "alpha_max"), ("soft-class-means", "tau")])
def test_a_hyper_parameter_that_a_method_does_not_have_is_refused(name, option):
    """The error names the method and lists what it has."""
    with pytest.raises(TrainError, match=f"method {name} has no hyper-parameter '{option}'"):
        resolved(name, **{option: 0.5})


def test_the_weak_model_has_no_head():
    """Asking for one is an error of four parts."""
    with pytest.raises(TrainError, match="Weak model has no head") as caught:
        build_head(METHODS["weak"], {})
    assert all((caught.value.what, caught.value.expected, caught.value.found, caught.value.fix))


@pytest.mark.parametrize("name", ["zero-shot", "soft-class-means", "pooled-lda", "lda"])
def test_where_the_start_is_the_answer_there_is_no_loss(name):
    """Nothing is trained."""
    assert build_loss(METHODS[name], resolved(name)) is None
