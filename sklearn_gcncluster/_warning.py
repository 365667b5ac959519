"""Warnings that name the line of whoever called into this package."""

from __future__ import annotations

import sys
import warnings

_INSIDE = {__name__.partition(".")[0], "contextlib", "joblib", "sklearn"}
"""Packages whose lines say nothing to somebody who reads a warning of this one."""


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn as of the innermost line that is neither of this package nor of those that call it for others."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _INSIDE:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
