"""Series of numbers: their scale, their trend, the values that do not belong."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def standardize(values: ArrayLike) -> NDArray[np.float64]:
    """Shift and scale the values to mean 0 and standard deviation 1.

    >>> standardize([1, 2, 3]).tolist()
    [-1.2247, 0.0, 1.2247]

    Values that are all alike have no scale to give them:

    >>> standardize([5, 5])
    Traceback (most recent call last):
        ...
    ValueError: the values are all alike
    """
    series = np.asarray(values, dtype=np.float64)
    deviations = series - series.mean()
    scale = deviations.std()
    if scale == 0:
        raise ValueError("the values are all alike")
    return deviations / scale


def moving_average(values: ArrayLike, window: int) -> NDArray[np.float64]:
    """Average each run of so many neighbours; the result is shorter by `window - 1`.

    >>> moving_average([1, 2, 6, 3], window=2).tolist()
    [1.5, 4.0, 4.5]
    >>> moving_average(np.arange(3), window=4)
    Traceback (most recent call last):
        ...
    ValueError: window must be from 1 to 3, not 4
    """
    series = np.asarray(values, dtype=np.float64)
    if not 1 <= window <= series.size:
        raise ValueError(f"window must be from 1 to {series.size}, not {window}")
    return np.lib.stride_tricks.sliding_window_view(series, window).mean(axis=-1)


def outliers(values: ArrayLike, reach: float = 1.5) -> NDArray[np.bool_]:
    """Mark the values outside Tukey's fences: more than `reach` quartile distances beyond the quartiles.

    >>> series = np.array([3, 4, 4, 5, 20])
    >>> outliers(series).tolist()
    [False, ..., True]
    >>> series[outliers(series)].tolist()
    [20]
    """
    series = np.asarray(values, dtype=np.float64)
    lower, upper = np.quantile(series, [0.25, 0.75])
    margin = reach * (upper - lower)
    return (series < lower - margin) | (series > upper + margin)
