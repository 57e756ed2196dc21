"""What decides a run's numbers beside data and seed: hyper-parameters, recipe and protocol."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from w2s_cache.errors import TrainError
from w2s_cache.method import Method, correction, resolve_options
from w2s_cache.methods import find_method
from w2s_cache.spec import Spec, TrainSpec
from w2s_cache.train.candidates import candidates
from w2s_cache.train.config import TrainConfig
from w2s_cache.validation import validate

RECIPE = "recipe."
"""Prefix of trainer settings among hyper-parameters: ``recipe.lr``."""

_SIDES = ("tau_strong", "tau_weak")

Declared = dict[str, dict[str, Any]]


def train_config(spec: Spec) -> TrainConfig:
    """The trainer's settings of a spec."""
    recipe = spec.train.model_dump(exclude={"methods"})
    return TrainConfig(**recipe, select=spec.protocol.select)


def declare(spec: Spec, name: str, overrides: Mapping[str, Any]) -> Declared:
    """What decides a method's numbers beside data and seed: ``config`` and ``protocol``.

    Hyper-parameters are given as declared, lists of candidates included, defaults filled in; two
    equal temperatures are ``tau``, however they were given. The
    trainer's settings are the spec's, under those of the method, under ``[train.methods.NAME]`` and
    the overrides, where they are called ``recipe.lr`` and so on.

    Raises:
        UnknownNameError: No such method.
        TrainError: A hyper-parameter or a trainer setting the method does not have, such as any
            trainer setting of a method that is not trained.
    """
    method = find_method(name)
    asked = {**method.options, **_flat(spec.train.methods.get(name, {})), **overrides}
    own, recipe = _apart(name, asked, overrides)
    if recipe and method.loss is None:
        raise _untrained(name, list(recipe))
    resolved = resolve_options(name, method, next(candidates(own)), overrides)
    own = _one_spelling(own, {side for side in _SIDES if side in resolved})
    if "tau" in own:
        resolved = {k: v for k, v in resolved.items() if k not in {"tau_strong", "tau_weak"}}
    return {
        "config": {
            "options": {**resolved, **own},
            "recipe": {**_recipe(spec), **method.recipe, **recipe} if method.loss else {},
        },
        "protocol": spec.protocol.model_dump(mode="json", exclude={"seeds"}),
    }


def usable(name: str, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Overrides meant for several methods: all of them, without trainer settings if untrained."""
    trained = find_method(name).loss is not None
    return {k: v for k, v in overrides.items() if trained or not k.startswith(RECIPE)}


def declared_candidates(declared: Declared) -> list[dict[str, Any]]:
    """Every combination of listed values; trainer settings keep their prefix."""
    config = declared["config"]
    recipe = {f"{RECIPE}{name}": value for name, value in config["recipe"].items()}
    return list(candidates({**config["options"], **recipe}))


def listed_settings(declared: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Names of the settings with a list of candidates; trainer settings keep their prefix."""
    config = declared["config"]
    settings = {**config["options"], **{f"{RECIPE}{k}": v for k, v in config["recipe"].items()}}
    return [name for name, value in settings.items() if isinstance(value, list)]


def resolve(
    name: str,
    method: Method,
    candidate: Mapping[str, Any],
    *,
    select: str,
    typed: Collection[str] | None = None,
) -> tuple[dict[str, Any], TrainConfig]:
    """Hyper-parameters of head, start and loss, and the recipe, of one candidate.

    ``typed`` names the settings that came by ``--set``, for errors; None where that is not known.

    Raises:
        TrainError: A hyper-parameter that the method does not have.
        SpecError: A trainer setting without meaning.
    """
    own, recipe = _apart(name, candidate, typed)
    checked = validate(TrainSpec, recipe, origin=f"the recipe of {name}")
    config = TrainConfig(**checked.model_dump(exclude={"methods"}))
    return resolve_options(name, method, own, typed), replace(config, select=select)


def _one_spelling(own: Mapping[str, Any], sides: set[str]) -> dict[str, Any]:
    """Temperatures as they are recorded, so that equal numbers are one run.

    ``tau`` has no effect where every side of the loss is given and is then left out; two sides
    with one and the same value are ``tau``.
    """
    if not sides or not sides <= set(own):
        return dict(own)
    rest = {name: value for name, value in own.items() if name != "tau"}
    values = [own[side] for side in sides]
    if len(sides) < len(_SIDES) or isinstance(values[0], list) or values[0] != values[1]:
        return rest
    return {"tau": values[0], **{k: v for k, v in rest.items() if k not in sides}}


def _recipe(spec: Spec) -> dict[str, Any]:
    recipe = asdict(train_config(spec))
    recipe.pop("select")  # it stands in the protocol
    return recipe


def _flat(section: Mapping[str, Any]) -> dict[str, Any]:
    """``{"recipe": {"lr": 1}}`` as a spec writes it → ``{"recipe.lr": 1}``."""
    nested = section.get("recipe", {})
    own = {name: value for name, value in section.items() if name != "recipe"}
    return own | {f"{RECIPE}{name}": value for name, value in nested.items()}


def _untrained(name: str, settings: list[str]) -> TrainError:
    asked = ", ".join(f"{RECIPE}{setting}" for setting in settings)
    return TrainError(
        f"{asked} given for {name}",
        expected="a method that is trained, such as lp-kd, tp-kd or cpl",
        found=f"{name}, which takes no training step",
        fix=f"Leave {asked} out, or name a trained method; `w2s-cache methods` lists what each "
        "method has.",
    )


def _apart(
    name: str, asked: Mapping[str, Any], typed: Collection[str] | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Hyper-parameters, and trainer settings without their prefix."""
    recipe = {k.removeprefix(RECIPE): v for k, v in asked.items() if k.startswith(RECIPE)}
    known = [field.name for field in fields(TrainConfig) if field.name != "select"]
    for setting in recipe:
        if setting not in known:
            raise TrainError(
                f"method {name} has no trainer setting {RECIPE}{setting}",
                expected=f"{RECIPE} with one of {', '.join(known)}",
                found=f"{RECIPE}{setting}",
                fix=correction(f"train.methods.{name}.recipe", f"{RECIPE}{setting}", typed),
            )
    return {k: v for k, v in asked.items() if not k.startswith(RECIPE)}, recipe
