"""Tests of the record of what was learned."""

import numpy as np

from sklearn_gcncluster._model import Frame, Learned, LinearMap

LEARNED = Learned("learned", "structure", (16, 8), "max")
MAP = LinearMap(np.zeros(7, np.float32), np.eye(7, dtype=np.float32))


def test_number_of_features():
    """What looks at rows knows how long they are; what looks at structure takes any."""
    assert LEARNED.n_features is None
    assert LEARNED._replace(map=MAP).n_features == 7
    assert LEARNED._replace(frame=Frame(np.zeros(5), 1.0)).n_features == 5
