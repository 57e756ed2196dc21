"""Which rows a run trains, selects and evaluates on."""

from __future__ import annotations

from w2s_cache.errors import TrainError
from w2s_cache.spec import ProtocolSpec
from w2s_cache.supervision.protocol import Split, protocol_split
from w2s_cache.train.inputs import DomainInputs


def usable_rows(
    protocol: ProtocolSpec, inputs: DomainInputs, seed: int
) -> tuple[Split, dict[str, int]]:
    """The protocol's rows without those whose image was skipped, which are counted.

    Args:
        protocol: How D_test is divided.
        inputs: The domain.
        seed: The run's seed; divides D_test unless the protocol fixes a seed of its own.

    Returns:
        The usable rows, and how many there are: ``fit``, ``val`` and ``eval``, and how many of the
        test half (``skipped``) and of the training half (``skipped_train``) are not usable.

    Raises:
        TrainError: Too few rows, or too few of them usable.
    """
    split = protocol_split(
        inputs.index.is_train,
        seed=seed if protocol.split_seed == "run" else protocol.split_seed,
        hold_fraction=protocol.hold_fraction,
        fit_fraction=protocol.fit_fraction,
    )
    parts = {name: getattr(split, name) for name in Split.__dataclass_fields__}
    usable = Split(**{name: rows[inputs.valid[rows]] for name, rows in parts.items()})
    full = protocol.eval_split == "full-test"
    counts = {
        "fit": len(usable.fit),
        "val": len(usable.val),
        "eval": len(usable.full_test if full else usable.test),
        "skipped": len(split.full_test) - len(usable.full_test),
        "skipped_train": len(split.weak_train) - len(usable.weak_train),
    }
    if min(counts["fit"], counts["val"], counts["eval"]) < 1:
        raise TrainError(
            f"too few images of {inputs.index.domain} can be used",
            expected="at least one usable row in each of fit, val and eval",
            found=", ".join(f"{name} {count}" for name, count in counts.items()),
            fix="Repair the images and run `w2s-cache extract --retry-skipped`.",
        )
    return usable, counts
