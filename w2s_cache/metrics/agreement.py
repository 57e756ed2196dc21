"""Agreement of a student with its weak supervisor."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from w2s_cache.metrics.paired import check_paired


def agreement(predicted: npt.NDArray[np.integer], weak_predicted: npt.NDArray[np.integer]) -> float:
    """Share of rows where student and weak model name the same class, right or wrong.

    Burns et al. 2023, "Weak-to-strong generalization", §5.1, call it student-supervisor
    agreement: a student that agrees everywhere has copied the weak model's errors too.

    Args:
        predicted: Class numbers of the student, (N,) integer.
        weak_predicted: Class numbers of the weak model for the same rows, (N,) integer.

    Returns:
        A fraction in [0, 1].

    Raises:
        TrainError: The vectors do not speak of the same rows, or there are none.
    """
    check_paired(predicted, weak_predicted)
    return float(np.mean(predicted == weak_predicted))
