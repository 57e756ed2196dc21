"""One training step of learned prompts: the shortcut against the obvious step.

Run: ``python benchmarks/prompt_step.py [--n-ctx 16] [--position end] [--class-specific]
[--threads 1]``. One thread keeps the ratio steady on a machine that has other work.

DomainNet's 345 class names, 16 context vectors, the text tower of ViT-B-32 with random weights, a
batch of 32 random image features. A step is forward, cross-entropy and backward to the context.
The obvious step runs every prompt at full length through the model's own ``encode_text``; it takes
about a minute and several GB. Each variant has a process of its own, warmed up with two classes.
Memory is the highest resident set of the step less the resident set before it (Linux only).
Targets for the default arguments: 15 times faster, at most 1/8 of the memory, and the same
gradient to 1e-4.
"""

from __future__ import annotations

import argparse
import ctypes
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import open_clip
import torch
from torch.nn import functional

from w2s_cache.data.classes_domainnet import CLASSES
from w2s_cache.encoders.openclip import OpenClipEncoder
from w2s_cache.encoders.text_tower import OpenClipTextTower, attach_text_tower
from w2s_cache.heads.prompts import PromptHead, PromptRecipe, attach_prompts, start_context

FASTER, SMALLER, AGREEMENT = 15, 8, 1e-4
VARIANTS = ("shortcut", "obvious")


def main() -> None:
    """Run both variants in processes of their own, or one of them in this one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-ctx", type=int, default=16)
    parser.add_argument("--position", default="end", choices=["end", "middle", "front"])
    parser.add_argument("--class-specific", action="store_true")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--variant", choices=VARIANTS, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.variant is None:
        compare()
        return
    torch.set_num_threads(options.threads)
    recipe = PromptRecipe(
        n_ctx=options.n_ctx, position=options.position, class_specific=options.class_specific
    )
    torch.save(measure(recipe, options.variant), options.out)


def compare() -> None:
    """Print seconds and peak memory of both variants, their ratios and how far they agree."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for variant in VARIANTS:
            out = Path(folder) / variant
            command = [sys.executable, __file__, *sys.argv[1:], "--variant", variant, "--out", out]
            subprocess.run(command, check=True)
            results[variant] = torch.load(out, weights_only=True)
            print(f"{variant:9s} {shown(results[variant])}")
    fast, slow = (results[variant] for variant in VARIANTS)
    for clock in ("wall", "cpu"):
        speed = min(slow[clock]) / max(fast[clock])
        print(f"slowest shortcut against obvious, {clock}: {speed:.1f} times (target {FASTER})")
    print(f"memory: 1/{slow['peak'] / fast['peak']:.1f} (target 1/{SMALLER})")
    for name in ("logits", "gradient"):
        error = (fast[name] - slow[name]).norm() / slow[name].norm()
        print(f"relative difference of the {name}: {error:.1e} (target {AGREEMENT:.0e})")


def shown(result: dict[str, object]) -> str:
    """Seconds of every step by the wall clock and of the processor, and peak memory."""
    clocks = {clock: " ".join(f"{s:.2f}" for s in result[clock]) for clock in ("wall", "cpu")}
    peak = result["peak"] / 2**20
    return f"wall {clocks['wall']} s   cpu {clocks['cpu']} s   peak {peak:.0f} MiB"


def measure(recipe: PromptRecipe, variant: str) -> dict[str, object]:
    """Warm up, then take one obvious or three short steps; peak is over the first step."""
    tower = random_tower()
    if variant == "obvious":
        tower = replace(tower, obstacle="the benchmark asks for the obvious step")
    head = attach_prompts(recipe, tower, CLASSES)
    step(attach_prompts(recipe, tower, CLASSES[:2]))
    before = settle_memory()
    first, (logits, gradient) = timed(head)
    peak = memory("VmHWM") - before
    more = [timed(head)[0] for _ in range(2 if variant == "shortcut" else 0)]
    wall, cpu = zip(first, *more, strict=True)
    return {"wall": wall, "cpu": cpu, "peak": peak, "logits": logits, "gradient": gradient}


def random_tower() -> OpenClipTextTower:
    """ViT-B-32 with seeded random weights."""
    torch.manual_seed(0)
    network = open_clip.create_model("ViT-B-32").eval().requires_grad_(False)
    encoder = OpenClipEncoder(
        architecture="ViT-B-32",
        network=network,
        image_weights="random",
        text_weights="random",
        transform=lambda image: image,
        tokenizer=open_clip.get_tokenizer("ViT-B-32"),
        precision="fp32",
        device="cpu",
    )
    return attach_text_tower(encoder)


def timed(head: PromptHead):
    """Wall and processor seconds of a step, and its logits and gradient."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = step(head)
    return (time.perf_counter() - wall, time.process_time() - cpu), result


def step(head: PromptHead) -> tuple[torch.Tensor, torch.Tensor]:
    """Forward, cross-entropy and backward; return logits (32, K) and the context's gradient."""
    generator = torch.Generator().manual_seed(1)
    context = start_context(head, generator)["context"].requires_grad_()
    prepared = head.prepare(torch.randn(32, 512, generator=generator))
    labels = torch.randint(len(head.order), (32,), generator=generator)
    logits = head.logits({"context": context}, prepared)
    functional.cross_entropy(logits, labels).backward()
    return logits.detach(), context.grad


def settle_memory() -> int:
    """Give freed memory back, forget the highest resident set; return the current one in bytes."""
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


def memory(field: str) -> int:
    """A line of /proc/self/status in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) * 1024


if __name__ == "__main__":
    main()
