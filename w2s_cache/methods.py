"""METHODS: every weak-to-strong method by name, one line each.

A method is a head, how its parameters start, a loss (none: the start is the answer) and the
supervision it learns from. The dataclass fields of head, start and loss are its hyper-parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import Any

from w2s_cache.errors import UnknownNameError
from w2s_cache.heads.class_means import CentredClassMeans
from w2s_cache.heads.discriminant import PooledDiscriminant, WeakDiscriminant
from w2s_cache.heads.linear import LinearHead, ScaledTextStart, UniformStart
from w2s_cache.heads.mixture import Mixture
from w2s_cache.heads.nearest_neighbours import NearestNeighbours, WeakNeighbours
from w2s_cache.heads.pooling import PooledMeans
from w2s_cache.heads.prompts import ContextStart, PromptRecipe
from w2s_cache.heads.propagation import PropagatedDiscriminant
from w2s_cache.heads.protocol import Start
from w2s_cache.heads.prototypes import ClassMeans, PrototypeHead, RandomStart, TextStart
from w2s_cache.heads.text_encoder import PretrainedStart, TextEncoderRecipe
from w2s_cache.losses.adapt_conf import AdaptConf
from w2s_cache.losses.aug_conf import AugConf
from w2s_cache.losses.aux_conf import AuxConf
from w2s_cache.losses.cross_entropy import CrossEntropy
from w2s_cache.losses.distillation import Distillation
from w2s_cache.losses.product import Product
from w2s_cache.losses.protocol import Loss
from w2s_cache.method import Method
from w2s_cache.supervision.self_training import SelfTraining, WeakSelfTraining

ENTRY_POINT_GROUP = "w2s_cache.methods"


def _probe(
    title: str,
    loss: Callable[..., Loss],
    start: Callable[..., Start] = UniformStart,
    **more: Any,
) -> Method:
    return Method(title=title, head=LinearHead, start=start, loss=loss, **more)


def _prompts(title: str, loss: Callable[..., Loss], **more: Any) -> Method:
    return Method(title=title, head=PromptRecipe, start=ContextStart, loss=loss, **more)


def _prototypes(
    title: str, start: Callable[..., Start], loss: Callable[..., Loss] | None, **more: Any
) -> Method:
    return Method(title=title, head=PrototypeHead, start=start, loss=loss, **more)


def _closed_form(title: str, start: Callable[..., Start]) -> Method:
    """A linear head over unit-norm features that nothing is trained for."""
    return Method(title=title, head=LinearHead, start=start, options={"normalize": True})


_TAU = {"tau": 0.1}  # Li et al. print no temperature; specs may give one or a list to select from
# The other losses on prototypes share it: cosines need a scale, and only the loss should differ.

METHODS: dict[str, Method] = {
    "weak": Method(title="Weak model"),
    "zero-shot": _prototypes("Zero-shot", TextStart, None),
    "lp-ce": _probe("CE + LP", CrossEntropy),
    "lp-kd": _probe("KD + LP", Distillation),
    "lp-aux": _probe("AuxConf + LP", AuxConf),
    "lp-adapt": _probe("AdaptConf + LP", AdaptConf),
    "lp-product": _probe("Product + LP", Product),
    "tp-ce": _prompts("CE + TP", CrossEntropy),
    "tp-kd": _prompts("KD + TP", Distillation),
    "tp-aux": _prompts("AuxConf + TP", AuxConf),
    "tp-adapt": _prompts("AdaptConf + TP", AdaptConf),
    "cpl": _prototypes("CPL", TextStart, Distillation, options=_TAU),
    "text-encoder": Method(
        title="Text encoder",
        head=TextEncoderRecipe,
        start=PretrainedStart,
        loss=Distillation,
        options=_TAU,
        recipe={"lr": 1e-5},  # the paper prints none; its 1e-2 destroys a pretrained tower
    ),
    "cpl-calibrated": _prototypes(
        "CPL, calibrated", TextStart, Distillation, options={"tau_strong": 0.01, "tau_weak": 1.0}
    ),
    "cpl-random": _prototypes("CPL, random start", RandomStart, Distillation, options=_TAU),
    "cpl-ce": _prototypes("CE + prototypes", TextStart, CrossEntropy, options=_TAU),
    "cpl-aux": _prototypes("AuxConf + prototypes", TextStart, AuxConf, options=_TAU),
    "cpl-adapt": _prototypes("AdaptConf + prototypes", TextStart, AdaptConf, options=_TAU),
    "cpl-class-means": _prototypes("CPL, class-mean start", ClassMeans, Distillation, options=_TAU),
    "soft-class-means": _prototypes("Soft class means", ClassMeans, None),
    "centred-class-means": _closed_form("Centred class means", CentredClassMeans),
    "knn-weak": Method(title="kNN of weak labels", head=NearestNeighbours, start=WeakNeighbours),
    "pooled-class-means": _prototypes("Pooled class means", PooledMeans, None),
    "lda": _closed_form("LDA", WeakDiscriminant),
    "pooled-lda": _closed_form("Pooled LDA", PooledDiscriminant),
    "pooled-mixture": _closed_form("Pooled mixture", Mixture),
    "propagated-lda": _closed_form("Pooled LDA, propagated", PropagatedDiscriminant),
    "ceiling-lp": _probe("Ceiling (LP)", CrossEntropy, supervision="ground-truth"),
    "ceiling-tp": _prompts("Ceiling (TP)", CrossEntropy, supervision="ground-truth"),
    "ceiling-cpl": _prototypes(
        "Ceiling (CPL)", TextStart, Distillation, supervision="ground-truth", options=_TAU
    ),
}

_LOSSES: dict[str, tuple[str, Callable[..., Loss]]] = {
    "ce": ("CE", CrossEntropy),
    "kd": ("KD", Distillation),
    "aux": ("AuxConf", AuxConf),
    "adapt": ("AdaptConf", AdaptConf),
    "aug": ("AugConf", AugConf),
    "product": ("Product", Product),
}


_ROUNDS: dict[str, tuple[str, Callable[..., SelfTraining], dict[str, int]]] = {
    "fpl": ("FPL", SelfTraining, {}),
    "ifpl": ("IFPL", SelfTraining, {"rounds": 10}),
    "grip": ("GRIP", SelfTraining, {"rounds": 10, "k": 0}),
    "grip-weak": ("GRIP from weak labels", WeakSelfTraining, {"rounds": 10, "k": 0}),
}


def _grid() -> dict[str, Method]:
    """Every head under every loss from both starts, as far as it is not written down above.

    The paper starts probes and prompts at random and prototypes from text; ``-text`` and
    ``-random`` are the other way. KD on prototypes is called cpl and cpl-random.
    """
    made: dict[str, Method] = {}
    for key, (loss_name, loss) in _LOSSES.items():
        made[f"lp-{key}"] = _probe(f"{loss_name} + LP", loss)
        made[f"tp-{key}"] = _prompts(f"{loss_name} + TP", loss)
        made[f"lp-{key}-text"] = _probe(
            f"{loss_name} + LP, text start", loss, ScaledTextStart, options={"normalize": True}
        )
        made[f"tp-{key}-text"] = _prompts(
            f"{loss_name} + TP, text start", loss, options={"words": "a photo of a"}
        )
        if key != "kd":
            title = f"{loss_name} + prototypes"
            made[f"cpl-{key}"] = _prototypes(title, TextStart, loss, options=_TAU)
            made[f"cpl-{key}-random"] = _prototypes(
                f"{title}, random start", RandomStart, loss, options=_TAU
            )
    return {name: method for name, method in made.items() if name not in METHODS}


METHODS |= _grid()

_FEW_ROWS = {"batch_size": 64}  # Menghini et al.'s; a first round may have a label or two per class


def _self_training() -> dict[str, Method]:
    """Menghini et al. on every head; theirs, as far as features are cached, are the prompts."""
    made: dict[str, Method] = {}
    for key, (title, pseudo, rounds) in _ROUNDS.items():
        means: dict[str, Any] = {"pseudo": pseudo, "options": rounds, "recipe": _FEW_ROWS}
        made[f"tp-{key}"] = _prompts(f"{title} + TP", CrossEntropy, **means)
        made[f"lp-{key}"] = _probe(f"{title} + LP", CrossEntropy, **means)
        made[f"cpl-{key}"] = _prototypes(
            f"{title} + prototypes", TextStart, CrossEntropy, **{**means, "options": rounds | _TAU}
        )
    return made


METHODS |= _self_training()

CEILING_METHODS = tuple(name for name, m in METHODS.items() if m.supervision == "ground-truth")
"""Trained on ground truth: what a strong model could reach, in the order of the heads."""

_REFERENCES = ("zero-shot", "weak", "ceiling-lp", "ceiling-cpl")
_PAPER = ("lp-ce", "lp-kd", "lp-aux", "lp-adapt", "tp-ce", "tp-kd", "tp-aux", "tp-adapt", "cpl")
_CLOSED_FORM = (
    "soft-class-means",
    "centred-class-means",
    "pooled-class-means",
    "lda",
    "pooled-lda",
    "pooled-mixture",
    "propagated-lda",
)

GROUPS: dict[str, tuple[str, ...]] = {
    "paper": (*_REFERENCES, "ceiling-tp", *_PAPER),
    "calibrated": (*_REFERENCES, "cpl-calibrated"),
    "prompts": ("tp-ce", "tp-kd", "tp-aux", "tp-adapt", "ceiling-tp"),
    "grid": (
        *(
            f"{head}-{loss}{start}"
            for head in ("lp", "tp")
            for start in ("", "-text")
            for loss in _LOSSES
        ),
        *("cpl" if loss == "kd" else f"cpl-{loss}" for loss in _LOSSES),
        *("cpl-random" if loss == "kd" else f"cpl-{loss}-random" for loss in _LOSSES),
    ),
    "self-training": (
        *_REFERENCES,
        *(f"{head}-{rounds}" for head in ("tp", "lp", "cpl") for rounds in _ROUNDS),
    ),
    "beyond": (*_REFERENCES, "cpl", *_CLOSED_FORM),
}
"""Names for several methods: the nine rows of Li et al.'s tables with their references (zero-shot
is ours), CPL with temperatures set apart, learned prompts alone, every head under
every loss from every start, self-training on pseudo-labels, and what goes past the paper."""


def expand_groups(names: Sequence[str]) -> tuple[str, ...]:
    """Replaces group names, and ``all``, by their methods; each method once, in order."""
    groups = {**GROUPS, "all": tuple(method_names())}
    members = [member for name in names for member in groups.get(name, (name,))]
    return tuple(dict.fromkeys(members))


def find_method(name: str) -> Method:
    """Looks a method up, here and among installed packages.

    Raises:
        UnknownNameError: No method of this name.
    """
    if name in METHODS:
        return METHODS[name]
    installed = entry_points(group=ENTRY_POINT_GROUP)
    if name not in installed.names:
        raise UnknownNameError("method", name, {*METHODS, *installed.names})
    added: Method = installed[name].load()
    return added


def method_names() -> list[str]:
    """Built-in methods in table order, then installed ones."""
    return [*METHODS, *sorted(entry_points(group=ENTRY_POINT_GROUP).names)]
