"""METHODS: every weak-to-strong method by name, one line each.

A method is a head, how its parameters start, a loss (none: the start is the answer) and the
supervision it learns from. The dataclass fields of head, start and loss are its hyper-parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from importlib.metadata import entry_points
from typing import Any, Literal

from w2s_cache.errors import TrainError, UnknownNameError
from w2s_cache.heads.class_means import CentredClassMeans
from w2s_cache.heads.discriminant import PooledDiscriminant, WeakDiscriminant
from w2s_cache.heads.linear import LinearHead, UniformStart
from w2s_cache.heads.mixture import Mixture
from w2s_cache.heads.pooling import PooledMeans
from w2s_cache.heads.propagation import PropagatedDiscriminant
from w2s_cache.heads.protocol import Head, Start
from w2s_cache.heads.prototypes import ClassMeans, PrototypeHead, RandomStart, TextStart
from w2s_cache.losses.adapt_conf import AdaptConf
from w2s_cache.losses.aux_conf import AuxConf
from w2s_cache.losses.cross_entropy import CrossEntropy
from w2s_cache.losses.distillation import Distillation
from w2s_cache.losses.product import Product
from w2s_cache.losses.protocol import Loss

ENTRY_POINT_GROUP = "w2s_cache.methods"


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """One row of a table.

    Attributes:
        title: What the row is called.
        head: Head class; None for the weak model itself, which needs no classifier.
        start: Start class, how the parameters begin.
        loss: Loss class; None when the start is the answer.
        supervision: Whose predictions it learns from; ground truth only for the ceiling.
        options: Defaults of hyper-parameters that differ from the classes' own.
    """

    title: str
    head: Callable[..., Head] | None = None
    start: Callable[..., Start] | None = None
    loss: Callable[..., Loss] | None = None
    supervision: Literal["weak", "ground-truth"] = "weak"
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def needs_text(self) -> bool:
        """Whether an image-only encoder cannot run it."""
        return getattr(self.start, "needs_text", False) is True


def _probe(title: str, loss: Callable[..., Loss], **more: Any) -> Method:
    return Method(title=title, head=LinearHead, start=UniformStart, loss=loss, **more)


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
    "cpl": _prototypes("CPL", TextStart, Distillation, options=_TAU),
    "cpl-random": _prototypes("CPL, random start", RandomStart, Distillation, options=_TAU),
    "cpl-ce": _prototypes("CE + prototypes", TextStart, CrossEntropy, options=_TAU),
    "cpl-aux": _prototypes("AuxConf + prototypes", TextStart, AuxConf, options=_TAU),
    "cpl-adapt": _prototypes("AdaptConf + prototypes", TextStart, AdaptConf, options=_TAU),
    "cpl-class-means": _prototypes("CPL, class-mean start", ClassMeans, Distillation, options=_TAU),
    "soft-class-means": _prototypes("Soft class means", ClassMeans, None),
    "centred-class-means": _closed_form("Centred class means", CentredClassMeans),
    "pooled-class-means": _prototypes("Pooled class means", PooledMeans, None),
    "lda": _closed_form("LDA", WeakDiscriminant),
    "pooled-lda": _closed_form("Pooled LDA", PooledDiscriminant),
    "pooled-mixture": _closed_form("Pooled mixture", Mixture),
    "propagated-lda": _closed_form("Pooled LDA, propagated", PropagatedDiscriminant),
    "ceiling-lp": _probe("Ceiling (LP)", CrossEntropy, supervision="ground-truth"),
    "ceiling-cpl": _prototypes(
        "Ceiling (CPL)", TextStart, Distillation, supervision="ground-truth", options=_TAU
    ),
}


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


def resolve_options(name: str, method: Method, given: Mapping[str, Any]) -> dict[str, Any]:
    """Full hyper-parameters of a method: class defaults < the method's < the given ones.

    ``tau`` sets both temperatures of a distillation; ``tau_strong`` and ``tau_weak`` set one.

    Raises:
        TrainError: A hyper-parameter the method does not have.
    """
    resolved = {
        **_defaults(method.head),
        **_defaults(method.start),
        **_defaults(method.loss),
    }
    declared = frozenset(resolved)
    known = {*resolved, *({"tau"} if "tau_strong" in resolved else ())}
    for option in given:
        if option not in known:
            raise TrainError(
                f"method {name} has no hyper-parameter {option!r}",
                expected=f"one of {', '.join(sorted(known)) or '(none)'}",
                found=repr(option),
                fix=f"Correct [train.methods.{name}] in the spec or the --set option.",
            )
        _refuse_type(name, option, given[option], like=resolved.get(option, 1.0))
    for layer in (method.options, given):
        if "tau" in layer:
            resolved["tau_strong"] = resolved["tau_weak"] = layer["tau"]
        resolved.update({key: value for key, value in layer.items() if key != "tau"})
    if "tau_weak" not in declared:  # a loss on the argmax has the strong temperature only
        resolved.pop("tau_weak", None)
    return resolved


def _refuse_type(method: str, option: str, value: Any, *, like: Any) -> None:
    """A value has the type of the default; in a list of candidates, every one of them."""
    values = value if isinstance(value, list) else [value]
    kinds = {bool: (bool,), int: (int,), float: (int, float), str: (str,)}[type(like)]
    for item in values:
        if not isinstance(item, kinds) or (isinstance(item, bool) and bool not in kinds):
            raise TrainError(
                f"hyper-parameter {option} of {method}",
                expected=f"a {type(like).__name__} such as {like!r}",
                found=repr(item),
                fix=f"Correct [train.methods.{method}] in the spec or the --set option.",
            )


def build_head(method: Method, options: Mapping[str, Any]) -> Head:
    """The method's head with its hyper-parameters.

    Raises:
        TrainError: The method has no head.
    """
    if method.head is None:
        raise TrainError(
            f"{method.title} has no head",
            expected="a method with a classifier",
            found="the weak model itself",
            fix="Read its predictions from the weak logits.",
        )
    return method.head(**_own(method.head, options))


def build_start(method: Method, options: Mapping[str, Any]) -> Start | None:
    """How the method's parameters begin; None for the weak model itself."""
    return None if method.start is None else method.start(**_own(method.start, options))


def build_loss(method: Method, options: Mapping[str, Any]) -> Loss | None:
    """The method's loss with its hyper-parameters; None where nothing is trained."""
    return None if method.loss is None else method.loss(**_own(method.loss, options))


def _defaults(part: Any) -> dict[str, Any]:
    return {} if part is None else {item.name: item.default for item in fields(part)}


def _own(part: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    return {item.name: options[item.name] for item in fields(part)}
