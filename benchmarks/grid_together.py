"""What it saves to train the seeds of a method as one stack instead of one by one.

Run: ``python benchmarks/grid_together.py [--repeats 2] [--threads N]``

Linear probes under four losses (CE, KD, AuxConf, AdaptConf) with five seeds each, 20 runs of the
paper's recipe (Adam, 10 epochs, batch 512), through ``w2s_cache.train.loop.fit``: once every run
alone, once the five seeds of each loss together. Each seed has its own rows, start and order.
Two sizes: that of a pocket domain (1,600 rows of D_test, 1,024 to learn from, 128 features, 40
classes) and that of DomainNet Clipart (14,604 rows, 9,346 to learn from, 512 features, 345
classes). The two ways take turns; the best of each counts. The target is 3 times faster at
pocket's size. At DomainNet's the matrix products themselves fill the machine and stacking can save
little: the line says how much.
"""

from __future__ import annotations

import argparse

import torch
from in_turn import best_in_turn

from w2s_cache.heads.linear import LinearHead, UniformStart
from w2s_cache.heads.protocol import StartInputs
from w2s_cache.losses.adapt_conf import AdaptConf
from w2s_cache.losses.aux_conf import AuxConf
from w2s_cache.losses.cross_entropy import CrossEntropy
from w2s_cache.losses.distillation import Distillation
from w2s_cache.losses.protocol import Loss
from w2s_cache.train.config import TrainConfig
from w2s_cache.train.loop import fit
from w2s_cache.train.stack import FitData, Learner

SEEDS, TARGET = range(5), 3.0
HEAD, CONFIG = LinearHead(), TrainConfig()
LOSSES: dict[str, Loss] = {
    "CE": CrossEntropy(),
    "KD": Distillation(),
    "AuxConf": AuxConf(),
    "AdaptConf": AdaptConf(),
}
SIZES = {"pocket": (1_600, 1_024, 128, 40), "DomainNet Clipart": (14_604, 9_346, 512, 345)}


def main() -> None:
    """Measure both sizes and print a line for each loss and one for all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for size, numbers in SIZES.items():
        alone_total = together_total = 0.0
        for name, loss in LOSSES.items():
            alone, together = measure(loss, *numbers, repeats=options.repeats)
            alone_total, together_total = alone_total + alone, together_total + together
            print(line(f"{size}, {name}, 5 runs", alone, together))
        whole = line(f"{size}, all 20 runs", alone_total, together_total)
        met = "met" if alone_total / together_total >= TARGET else "MISSED"
        print(f"{whole}  target {TARGET:.0f}: {met}" if size == "pocket" else whole)
    print(f"({torch.get_num_threads()} threads)")


def line(what: str, alone: float, together: float) -> str:
    """One comparison."""
    return (
        f"{what}: one by one {alone:.3f} s, together {together:.3f} s, "
        f"{alone / together:.2f} times faster"
    )


def measure(
    loss: Loss, rows: int, fit_rows: int, width: int, classes: int, *, repeats: int
) -> list[float]:
    """Best seconds of five runs one by one, and together."""
    generator = torch.Generator().manual_seed(0)
    prepared = HEAD.prepare(torch.randn(rows, width, generator=generator))
    weak = 3 * torch.randn(rows, classes, generator=generator)
    data = FitData(prepared=prepared, targets=loss.targets(weak))

    def learners() -> list[Learner]:
        return [learner(seed, weak, fit_rows, width) for seed in SEEDS]

    def alone() -> None:
        for one in learners():
            fit(HEAD, loss, data, [one], CONFIG)

    def together() -> None:
        fit(HEAD, loss, data, learners(), CONFIG)

    together()  # warm
    return best_in_turn(alone, together, repeats=repeats)


def learner(seed: int, weak: torch.Tensor, fit_rows: int, width: int) -> Learner:
    """A run with its own rows, start and order; a quarter as many val rows as fit rows."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(weak), generator=generator)
    rows, val_rows = order[:fit_rows], order[fit_rows : fit_rows + fit_rows // 4]
    inputs = StartInputs(
        head=HEAD,
        features=torch.empty(fit_rows, width),
        weak_logits=weak[rows],
        text=None,
        logit_scale=None,
        generator=generator,
    )
    return Learner(
        start=UniformStart()(inputs),
        rows=rows,
        val_rows=val_rows,
        val_labels=weak[val_rows].argmax(dim=-1),
        generator=generator,
    )


if __name__ == "__main__":
    main()
