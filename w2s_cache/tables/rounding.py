"""Round half up, as people and papers do."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


def half_up(value: float, places: int, *, percent: bool = False) -> str:
    """Writes a number with a fixed number of decimals; ties move away from zero.

    Binary fractions have no ties: the average that is 60.845 on paper is stored a little below
    or above. Twelve decimals are kept first, which is far below one image in any data set.

    Args:
        value: The number.
        places: Decimals to write.
        percent: Whether to multiply by 100 (exactly, in decimal).

    Returns:
        The digits; zero has no sign.
    """
    exact = Decimal(f"{value:.12f}").scaleb(2 if percent else 0)
    rounded = exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return str(abs(rounded) if rounded == 0 else rounded)
