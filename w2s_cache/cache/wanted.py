"""What a spec asks for now, beside what a feature set was made for."""

from __future__ import annotations

from w2s_cache.cache.inventory import take_inventory
from w2s_cache.cache.operand import SetOperand, StoreOperand
from w2s_cache.errors import StoreError
from w2s_cache.request import feature_request
from w2s_cache.sections import AS_DECLARED, Overrides, strong_section_of, weak_section_of
from w2s_cache.spec import Spec
from w2s_cache.store.fingerprint import Difference, diff_keys


def request_differences(
    found: SetOperand, spec: Spec, overrides: Overrides = AS_DECLARED
) -> list[Difference]:
    """Fields in which a feature set's request differs from the spec's for the same models.

    ``stored`` is the feature set's value, ``wanted`` the spec's.

    Raises:
        UnknownNameError: The spec has no strong encoder of that name.
        SpecError: A checkpoint file is missing.
    """
    _, strong = strong_section_of(spec, found.found.strong, overrides)
    _, weak = weak_section_of(spec, found.found.weak, overrides)
    asked = {
        "dataset": spec.name,
        "request": feature_request(spec, strong=strong, weak=weak),
    }
    stored = {"dataset": found.found.dataset, "request": found.found.request}
    return diff_keys(stored, asked)


def sets_of(store: StoreOperand) -> list[SetOperand]:
    """The feature sets that need a store, which is below a cache home.

    Raises:
        StoreError: There is none, so that nothing says what the store was made for.
    """
    for home in store.directory.resolve().parents:
        if not (home / "v1").is_dir():
            continue
        path = store.directory.resolve().relative_to(home).as_posix()
        needing = [entry for entry in take_inventory(home).sets if path in entry.needs]
        found = [
            SetOperand(file=home / entry.path, home=home, found=entry.found)
            for entry in needing
            if entry.found is not None
        ]
        if found:
            return found
    raise StoreError(
        f"{store.directory} cannot be compared with a spec",
        expected="a store that a feature set needs, which remembers what was asked for",
        found="none that needs it",
        fix="Compare it with another store.",
    )
