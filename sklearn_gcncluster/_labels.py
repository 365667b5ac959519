"""Labels as users write them -> codes."""

from __future__ import annotations

import numpy as np


def class_codes(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The classes in `y`, sorted, and for each sample the index of its class, -1 for unlabelled (-1)."""
    labelled = y != -1
    codes = np.full(len(y), -1, dtype=np.intp)
    classes, codes[labelled] = np.unique(y[labelled], return_inverse=True)
    return classes, codes
