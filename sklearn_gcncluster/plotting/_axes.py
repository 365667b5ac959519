"""Axes and colours that all plots share; matplotlib is imported when one is drawn, not before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, PURPLE, GREY, INK = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#999999", "#333333"
"""Colours that all eyes tell apart (Okabe and Ito)."""
SHADES = ("#C9E1F0", BLUE, "#00263D")
"""From few to many; few stand out from white paper."""
NAMES = {"iou": "IoU", "iop": "IoP"}
"""What the qualities of a proposal are called."""


def prepare(ax: Axes | None, caller: str, figsize: tuple[float, float] = (5.2, 4.4)) -> Axes:
    """The axes to draw in, without a frame above and to the right; of a new figure if `ax` is None."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{caller} needs matplotlib, which is not installed: pip install sklearn-gcncluster[plot]"
        ) from error
    if ax is None:
        _, ax = plt.subplots(figsize=figsize, layout="constrained")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def style(artist: str, given: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    """Properties of a kind of artist: those given, under whichever alias, and else the defaults."""
    from matplotlib import cbook, collections, lines, patches

    kinds = {"line": lines.Line2D, "bar": patches.Rectangle, "polygons": collections.PolyCollection}
    return defaults | cbook.normalize_kwargs(given, kinds[artist])


def proposals_of(estimator: Any, X: Any) -> Any:
    """Scored proposals of X, by an estimator that makes some."""
    if not hasattr(estimator, "score_proposals"):
        raise TypeError(
            "estimator must be a GCNClustering, so that there are proposals to judge, got "
            f"{type(estimator).__name__}"
        )
    return estimator.score_proposals(X)


def judged(estimator: Any, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True and predicted qualities of proposals of labelled samples, and numbers of members; two or more."""
    proposals = proposals_of(estimator, X)
    true, sizes = proposals.true_scores(y), np.diff(proposals.membership.indptr)
    known = (sizes > 1) & np.isfinite(true[:, 0])
    if not known.any():
        raise ValueError(
            f"None of the {len(sizes)} proposals has two members or more of which one is labelled, so there "
            "is nothing to show. Give labels of more samples."
        )
    return true[known], proposals.scores[known], sizes[known]


def known_quality(quality: str) -> str:
    """The name of a quality, if it is one."""
    if quality not in NAMES:
        raise ValueError(f'quality must be "iou" or "iop", got {quality!r}')
    return quality
