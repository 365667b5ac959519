"""Predicted against true quality of proposals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array, check_consistent_length

from ._axes import GREY, INK, NAMES, ORANGE, SHADES, judged, known_quality, prepare, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 20
_FEW = 5
"""Bins with fewer proposals have no mean worth drawing."""


class ProposalScoreDisplay:
    """Predicted against true IoU (or IoP) of proposals.

    The colour says how many proposals lie where; the line is the mean true value by predicted value. On the
    diagonal predictions are right on average. What counts most is the upper right: those proposals become
    clusters.

    Parameters
    ----------
    y_true, y_pred : ndarray of shape (n_proposals,)
        True and predicted values, in [0, 1].
    quality : {"iou", "iop"}, default="iou"
        What they are, for the names of the axes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        The figure that holds it.
    hexbin_ : matplotlib PolyCollection
        Numbers of proposals.
    line_ : matplotlib Line2D
        Mean true value by predicted value.

    See Also
    --------
    ProposalSizeDisplay : The same by the size of proposals.
    GCNClustering.diagnose : What wrong predictions cost.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_gcncluster.plotting import ProposalScoreDisplay
    >>> true = np.linspace(0, 1, 500)
    >>> display = ProposalScoreDisplay.from_predictions(true, true**2)
    >>> display.ax_.get_xlabel()
    'predicted IoU'
    """

    def __init__(self, y_true: np.ndarray, y_pred: np.ndarray, *, quality: str = "iou"):
        self.y_true = y_true
        self.y_pred = y_pred
        self.quality = quality

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        quality: str = "iou",
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> ProposalScoreDisplay:
        """Judge the proposals of labelled samples and draw.

        Parameters
        ----------
        estimator : GCNClustering
            Fitted.
        X : array-like of shape (n_samples, n_features)
            Samples of classes that `fit` has not seen.
        y : array-like of shape (n_samples,)
            True classes; samples with -1 count neither as members nor as part of a class.
        quality : {"iou", "iop"}, default="iou"
            Intersection of proposal and class over their union, or over the proposal.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.hexbin`.

        Returns
        -------
        display : ProposalScoreDisplay
            Of all proposals of two samples or more, the refined ones included.
        """
        column = ("iou", "iop").index(known_quality(quality))
        true, predicted, _ = judged(estimator, X, y)
        return cls.from_predictions(true[:, column], predicted[:, column], quality=quality, ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        quality: str = "iou",
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> ProposalScoreDisplay:
        """Draw given values.

        Parameters
        ----------
        y_true : array-like of shape (n_proposals,)
            True values, in [0, 1].
        y_pred : array-like of shape (n_proposals,)
            Predicted values, in [0, 1].
        quality : {"iou", "iop"}, default="iou"
            What they are, for the names of the axes.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.hexbin`.

        Returns
        -------
        display : ProposalScoreDisplay
            Drawn.
        """
        true: np.ndarray = check_array(y_true, ensure_2d=False, dtype=np.float64, input_name="y_true")
        predicted: np.ndarray = check_array(y_pred, ensure_2d=False, dtype=np.float64, input_name="y_pred")
        check_consistent_length(true, predicted)
        return cls(true, predicted, quality=known_quality(quality)).plot(ax=ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> ProposalScoreDisplay:
        """Draw numbers of proposals, the diagonal, and the mean true value.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.hexbin`.

        Returns
        -------
        self : ProposalScoreDisplay
            With what was drawn in its attributes.
        """
        self.ax_ = prepare(ax, "ProposalScoreDisplay")
        from matplotlib.colors import LinearSegmentedColormap

        self.figure_ = self.ax_.figure
        self.ax_.plot([0, 1], [0, 1], color=GREY, lw=1, ls="--", zorder=1.5)
        properties = style(
            "polygons",
            kwargs,
            gridsize=40,
            bins="log",
            mincnt=1,
            extent=(0, 1, 0, 1),
            linewidth=0.2,
            cmap=LinearSegmentedColormap.from_list("proposals", SHADES),
        )
        self.hexbin_ = self.ax_.hexbin(self.y_pred, self.y_true, **properties)
        name = NAMES[self.quality]
        means = _mean_by(self.y_pred, self.y_true)
        self.line_ = self.ax_.plot(*means, color=ORANGE, lw=2, label=f"mean true {name}")[0]
        self.ax_.set(
            xlabel=f"predicted {name}", ylabel=f"true {name}", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02)
        )
        self.ax_.set_aspect("equal")
        self.ax_.legend(frameon=False, loc="upper left", labelcolor=INK)
        bar = self.figure_.colorbar(self.hexbin_, ax=self.ax_, shrink=0.8, label="proposals")
        bar.outline.set_visible(False)
        return self


def _mean_by(values, of):
    """Mean of `values` and of `of` in bins of `values` that hold more than a few."""
    bins = np.clip(values * _BINS, 0, _BINS - 1).astype(int)
    count = np.bincount(bins, minlength=_BINS)
    enough = count >= _FEW
    return [np.bincount(bins, weights, _BINS)[enough] / count[enough] for weights in (values, of)]
