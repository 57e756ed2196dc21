"""What pooled LDA costs against ten epochs of CPL at one temperature, from tensors in memory.

Run: ``python benchmarks/pooled_lda.py [--repeats 3]``

On the sizes of pocket (1,024 fit rows, 128 features, 40 classes) and of DomainNet Real (33,305 ×
512 × 345). CPL through ``w2s_cache.train.loop.fit``, batch 512, its targets made beforehand and its
selection on 256 val rows; pooled LDA is its start, calibration included. Measured in turn with the
same threads, best of all repeats, ten times as many of the small size. The target is at most 0.1.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch

from w2s_cache.heads.discriminant import PooledDiscriminant
from w2s_cache.heads.linear import LinearHead
from w2s_cache.heads.protocol import StartInputs
from w2s_cache.heads.prototypes import PrototypeHead
from w2s_cache.losses.distillation import Distillation
from w2s_cache.train.config import TrainConfig
from w2s_cache.train.loop import fit
from w2s_cache.train.stack import FitData, Learner

TARGET = 0.1
SIZES = {"pocket": (1_024, 128, 40), "DomainNet Real": (33_305, 512, 345)}
VAL = 256
HEAD, LOSS = PrototypeHead(), Distillation(tau_strong=0.1, tau_weak=0.1)


def main() -> None:
    """Measure both sizes and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    for name, (rows, width, classes) in SIZES.items():
        inputs, data = draw(rows, width, classes)
        cpl, lda = best_in_turn(
            lambda inputs=inputs, data=data: train(inputs, data),
            lambda inputs=inputs: PooledDiscriminant()(inputs),
            repeats=options.repeats * (10 if rows < 10_000 else 1),
        )
        ratio = lda / cpl
        print(
            f"{name}: CPL {1e3 * cpl:.1f} ms  pooled LDA {1e3 * lda:.1f} ms  ratio {ratio:.3f}"
            f"  target {TARGET}: {'met' if ratio <= TARGET else 'MISSED'}"
            f"  ({torch.get_num_threads()} threads)"
        )


def draw(rows: int, width: int, classes: int) -> tuple[StartInputs, FitData]:
    """Draw features, weak logits and text; the values do not matter for the time."""
    generator = torch.Generator().manual_seed(0)
    features = HEAD.prepare(torch.randn(rows, width, generator=generator))
    weak = torch.randn(rows, classes, generator=generator)
    inputs = StartInputs(
        head=LinearHead(normalize=True),
        features=features,
        weak_logits=weak,
        text=HEAD.prepare(torch.randn(classes, width, generator=generator)),
        logit_scale=100.0,
        generator=generator,
    )
    return inputs, FitData(prepared=features, targets=LOSS.targets(weak))


def train(inputs: StartInputs, data: FitData) -> None:
    """Train CPL from the text through the library's loop."""
    rows = torch.arange(len(inputs.features))
    learner = Learner(
        start={"prototypes": inputs.text},
        rows=rows,
        val_rows=rows[:VAL],
        val_labels=inputs.weak_logits[:VAL].argmax(dim=-1),
        generator=torch.Generator().manual_seed(0),
    )
    fit(HEAD, LOSS, data, [learner], TrainConfig(epochs=10, batch_size=512))


def best_in_turn(*actions: Callable[[], object], repeats: int) -> list[float]:
    """Return the best wall time of each action in seconds, the actions taking turns."""
    best = [float("inf")] * len(actions)
    for _ in range(repeats):
        for i, action in enumerate(actions):
            begin = time.perf_counter()
            action()
            best[i] = min(best[i], time.perf_counter() - begin)
    return best


if __name__ == "__main__":
    main()
