"""The weights of a text tower by name, and the tower run with other ones in their place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call

_NOT_TEXT = ("visual.", "logit_scale", "logit_bias")
_LOOKED_UP = "token_embedding."  # a row per word of the vocabulary, nearly all of them never read


def text_weights(network: nn.Module) -> dict[str, Tensor]:
    """Name → weight of everything behind the token embedding that makes a text feature."""
    return {
        name: value.detach()
        for name, value in network.named_parameters()
        if not name.startswith(_NOT_TEXT) and _LOOKED_UP not in name
    }


def run_with(
    network: nn.Module, weights: Mapping[str, Tensor], compute: Callable[[Any], Tensor]
) -> Tensor:
    """Calls ``compute`` with the network while some weights are replaced; a pure function of them.

    Args:
        network: The model; left as it is.
        weights: Names of :func:`text_weights` → what stands in their place.
        compute: What to do with the network.
    """
    result: Tensor = functional_call(
        _Calling(network), {f"network.{name}": value for name, value in weights.items()}, (compute,)
    )
    return result


class _Calling(nn.Module):
    """Lets any function of the network be a forward pass."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, compute: Callable[[Any], Tensor]) -> Tensor:
        """What the function makes of the network."""
        return compute(self.network)
