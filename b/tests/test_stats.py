import numpy as np
import pytest

from b import moving_average, outliers, standardize


def test_standardized_values_have_mean_0_and_deviation_1():
    values = standardize(np.random.default_rng(7).gamma(2.0, size=200))

    assert values.mean() == pytest.approx(0)
    assert values.std() == pytest.approx(1)


def test_the_unit_of_the_values_does_not_matter():
    celsius = np.array([9.1, 10.3, 11.0, 14.2])

    np.testing.assert_allclose(standardize(celsius), standardize(celsius * 1.8 + 32))


def test_a_window_of_1_changes_nothing():
    assert moving_average([1, 2, 6], window=1).tolist() == [1, 2, 6]


@pytest.mark.parametrize("window", [0, 4])
def test_a_window_that_does_not_fit_is_refused(window: int):
    with pytest.raises(ValueError, match="window must be from 1 to 3"):
        moving_average([1, 2, 6], window)


def test_both_sides_have_outliers():
    assert outliers([-50, 3, 4, 4, 5, 20]).nonzero()[0].tolist() == [0, 5]
