"""Tests of operations on arrays."""

import numpy as np
import pytest

from sklearn_gcncluster._arrays import largest


@pytest.mark.parametrize("n_values", [1, 7, 8, 50, 81, 1000, 4003])
@pytest.mark.parametrize("kind", ["floats", "ties", "small integers", "hidden"])
def test_largest_values(n_values, kind):
    """The places are different ones, and hold what a sort of each row puts last."""
    random = np.random.default_rng(n_values)
    values = {
        "floats": random.standard_normal((40, n_values)),
        "ties": random.integers(3, size=(40, n_values)).astype(np.float32),
        "small integers": random.integers(-(2**15), 2**15, size=(40, n_values)).astype(np.int16),
        "hidden": np.where(random.random((40, n_values)) < 0.5, -np.inf, random.random((40, n_values))),
    }[kind]
    for n_largest in {0, 1, min(10, n_values), n_values // 8 or 1, n_values}:
        places = largest(values, n_largest)
        assert places.shape == (40, n_largest)
        assert all(len(set(row)) == n_largest for row in places)
        found = np.sort(np.take_along_axis(values, places, axis=1), axis=1)
        np.testing.assert_array_equal(found, np.sort(values, axis=1)[:, n_values - n_largest :])
