"""One method as a value: a head, how it starts, a loss, and the hyper-parameters of all three."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from w2s_cache.errors import TrainError, shown
from w2s_cache.heads.prompt_tower import TextTower
from w2s_cache.heads.protocol import Head, Start
from w2s_cache.hyperparameters import as_float
from w2s_cache.losses.protocol import Loss
from w2s_cache.supervision.self_training import SelfTraining


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """One row of a table.

    Attributes:
        title: What the row is called.
        head: Head class; None for the weak model itself, which needs no classifier.
        start: Start class, how the parameters begin.
        loss: Loss class; None when the start is the answer.
        supervision: Whose predictions it learns from; ground truth only for the ceiling.
        pseudo: Self-training class, where it learns from pseudo-labels instead.
        options: Defaults of hyper-parameters that differ from the classes' own.
        recipe: Trainer settings that differ from the spec's.
    """

    title: str
    head: Callable[..., Any] | None = None
    start: Callable[..., Start] | None = None
    loss: Callable[..., Loss] | None = None
    supervision: Literal["weak", "ground-truth"] = "weak"
    pseudo: Callable[..., SelfTraining] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)

    @property
    def needs_tower(self) -> bool:
        """Whether it trains through the text tower, which has to be attached."""
        return hasattr(self.head, "attach")

    @property
    def needs_text(self) -> bool:
        """Whether an image-only encoder cannot run it."""
        from_text = getattr(self.pseudo, "first", None) == "zero-shot"
        return self.needs_tower or from_text or getattr(self.start, "needs_text", False) is True


def resolve_options(
    name: str, method: Method, given: Mapping[str, Any], typed: Collection[str] | None = None
) -> dict[str, Any]:
    """Full hyper-parameters of a method: class defaults < the method's < the given ones.

    ``tau`` sets both temperatures of a distillation; ``tau_strong`` and ``tau_weak`` set one.

    Args:
        name: The method's name.
        method: The method.
        given: Hyper-parameters by name.
        typed: Those of them that came by ``--set``, for errors; None where that is not known.

    Raises:
        TrainError: A hyper-parameter the method does not have.
    """
    defaults = {
        **_defaults(method.head),
        **_defaults(method.start),
        **_defaults(method.loss),
        **_defaults(method.pseudo),
    }
    resolved, declared = dict(defaults), frozenset(defaults)
    known = {*resolved, *({"tau"} if "tau_strong" in resolved else ())}
    for option, value in given.items():
        fix = correction(f"train.methods.{name}", option, typed)
        if option not in known:
            raise TrainError(
                f"method {name} has no hyper-parameter {option!r}",
                expected=f"one of {', '.join(sorted(known)) or '(none)'}",
                found=repr(option),
                fix=fix,
            )
        _refuse_type(option, value, of=name, like=resolved.get(option, 1.0), fix=fix)
    for layer in (method.options, given):
        if "tau" in layer:
            resolved["tau_strong"] = resolved["tau_weak"] = layer["tau"]
        resolved.update({key: value for key, value in layer.items() if key != "tau"})
    for option, like in defaults.items():
        if isinstance(like, float):
            resolved[option] = as_float(resolved[option])
    if "tau_weak" not in declared:  # a loss on the argmax has the strong temperature only
        resolved.pop("tau_weak", None)
    return resolved


def correction(section: str, option: str, typed: Collection[str] | None) -> str:
    """Where a setting is corrected: where it came from.

    Args:
        section: The section of a spec that can have it.
        option: Its name.
        typed: What came by ``--set``; None where that is not known.
    """
    if typed is None:
        return f"Correct [{section}] in the spec or the --set option."
    return f"Correct --set {option}." if option in typed else f"Correct [{section}] in the spec."


_KINDS = {
    bool: "true or false",
    int: "a whole number such as {!r}",
    float: "a number such as {!r}",
    str: "a word such as {!r}",
}


def _refuse_type(option: str, value: Any, *, of: str, like: Any, fix: str) -> None:
    """A value has the type of the default; in a list of candidates, every one of them."""
    values = value if isinstance(value, list) else [value]
    kinds = {bool: (bool,), int: (int,), float: (int, float), str: (str,)}[type(like)]
    for item in values:
        if not isinstance(item, kinds) or (isinstance(item, bool) and bool not in kinds):
            raise TrainError(
                f"hyper-parameter {option} of {of}",
                expected=_KINDS[type(like)].format(like),
                found=shown(item),
                fix=fix,
            )


def build_head(method: Method, options: Mapping[str, Any]) -> Any:
    """The method's head with its hyper-parameters, a recipe where it needs the text tower.

    Raises:
        TrainError: The method has no head, or a hyper-parameter has no meaning.
    """
    if method.head is None:
        raise TrainError(
            f"{method.title} has no head",
            expected="a method with a classifier",
            found="the weak model itself",
            fix="Read its predictions from the weak logits.",
        )
    return method.head(**_own(method.head, options))


def attach_head(
    method: Method,
    options: Mapping[str, Any],
    tower: Callable[[], TextTower] | None,
    classes: Sequence[str],
) -> Head:
    """The method's head, on the text tower where it trains through one.

    Args:
        method: The method.
        options: All its hyper-parameters.
        tower: Attaches the tower; asked only where it is needed.
        classes: Class names in order.

    Raises:
        TrainError: No tower where one is needed, or a class name that does not fit in it.
        EncoderError: The encoder's text tower cannot be attached.
    """
    built = build_head(method, options)
    if not method.needs_tower:
        head: Head = built
        return head
    if tower is None:
        raise TrainError(
            f"{method.title} trains through the text tower",
            expected="a strong encoder whose text tower can be attached",
            found="none given",
            fix="Pass `tower`, or choose a method without prompts.",
        )
    attached: Head = built.attach(tower(), classes)
    return attached


def build_start(method: Method, options: Mapping[str, Any]) -> Start | None:
    """How the method's parameters begin; None for the weak model itself."""
    return None if method.start is None else method.start(**_own(method.start, options))


def build_loss(method: Method, options: Mapping[str, Any]) -> Loss | None:
    """The method's loss with its hyper-parameters; None where nothing is trained."""
    return None if method.loss is None else method.loss(**_own(method.loss, options))


def build_self_training(method: Method, options: Mapping[str, Any]) -> SelfTraining | None:
    """The method's rounds of pseudo-labels; None where it has none."""
    return None if method.pseudo is None else method.pseudo(**_own(method.pseudo, options))


def _defaults(part: Any) -> dict[str, Any]:
    return {} if part is None else {item.name: item.default for item in fields(part)}


def _own(part: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    return {item.name: options[item.name] for item in fields(part)}
