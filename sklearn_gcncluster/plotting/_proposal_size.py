"""Predicted and true quality of proposals, by their size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array, check_consistent_length

from ._axes import BLUE, GREY, INK, NAMES, ORANGE, judged, known_quality, prepare, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TOLERANCE = 0.1
"""Half the width of the band around the true values."""
_STEPS = (1, 2, 5)
"""Sizes at which bins begin, and their multiples by powers of ten."""


class ProposalSizeDisplay:
    """Predicted and true IoU (or IoP) of proposals, by their size.

    Where both lines agree, the networks judge large groups as well as small ones. Where the predicted one
    lies above, parts and mixtures of this size look better than they are; where it lies below, good clusters
    of this size lose to others. The band is .1 wide on either side of the true values.

    Means are taken of the proposals that are *predicted* to be good. Of those that *are* good, a fair judge
    predicts too little on average: it can not know which of many that look alike turn out to be good.

    Parameters
    ----------
    sizes : int ndarray of shape (n_bins,)
        Least size in each bin: 2, 5, 10, 20 and so on. A bin ends below the next of these numbers.
    n_proposals : int ndarray of shape (n_bins,)
        Proposals in each bin; bins with few of them are left out.
    y_true, y_pred : float64 ndarray of shape (n_bins,)
        Mean true and predicted value in each bin, in [0, 1].
    quality : {"iou", "iop"}, default="iou"
        What they are, for the name of the axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        The figure that holds it.
    true_line_, predicted_line_ : matplotlib Line2D
        The mean values.

    See Also
    --------
    ProposalScoreDisplay : Predicted against true values of proposals of all sizes.
    GCNClustering.diagnose : What wrong predictions cost.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_gcncluster.plotting import ProposalSizeDisplay
    >>> sizes = np.repeat([3, 700], 10)
    >>> display = ProposalSizeDisplay.from_predictions(np.full(20, 0.8), np.full(20, 0.7), sizes)
    >>> display.sizes, (display.y_pred - display.y_true).round(2)
    (array([  2, 500]), array([-0.1, -0.1]))
    """

    def __init__(
        self,
        sizes: np.ndarray,
        n_proposals: np.ndarray,
        y_true: np.ndarray,
        y_pred: np.ndarray,
        *,
        quality: str = "iou",
    ):
        self.sizes = sizes
        self.n_proposals = n_proposals
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
        min_score: float | None = None,
        min_proposals: int = 10,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> ProposalSizeDisplay:
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
        min_score : float in [0, 1], default=None
            Proposals of a lower predicted IoU are left out; nearly all small ones are poor, and a mean over
            them says nothing of the others. None is the floor of the estimator, below which nothing becomes
            a cluster.
        min_proposals : int, default=10
            Bins with fewer proposals are left out.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for both lines.

        Returns
        -------
        display : ProposalSizeDisplay
            Of proposals of two samples or more, the refined ones included.
        """
        column = ("iou", "iop").index(known_quality(quality))
        true, predicted, sizes = judged(estimator, X, y)
        shown = predicted[:, 0] >= (estimator.min_score if min_score is None else min_score)
        return cls.from_predictions(
            *(true[shown, column], predicted[shown, column], sizes[shown]),
            quality=quality,
            min_proposals=min_proposals,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sizes: ArrayLike,
        *,
        quality: str = "iou",
        min_proposals: int = 10,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> ProposalSizeDisplay:
        """Draw given values.

        Parameters
        ----------
        y_true : array-like of shape (n_proposals,)
            True values, in [0, 1].
        y_pred : array-like of shape (n_proposals,)
            Predicted values, in [0, 1].
        sizes : array-like of int of shape (n_proposals,)
            Samples in each proposal, at least 1.
        quality : {"iou", "iop"}, default="iou"
            What the values are, for the name of the axis.
        min_proposals : int, default=10
            Bins with fewer proposals are left out.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for both lines.

        Returns
        -------
        display : ProposalSizeDisplay
            Drawn.
        """
        plain: dict[str, Any] = {"ensure_2d": False, "ensure_min_samples": 0}
        true: np.ndarray = check_array(y_true, dtype=np.float64, input_name="y_true", **plain)
        predicted: np.ndarray = check_array(y_pred, dtype=np.float64, input_name="y_pred", **plain)
        members: np.ndarray = check_array(sizes, dtype=np.int64, input_name="sizes", **plain)
        check_consistent_length(true, predicted, members)
        if members.min(initial=1) < 1:
            raise ValueError(f"sizes must be at least 1, got {members.min()}.")
        known_quality(quality)
        return cls(*_means(true, predicted, members, min_proposals), quality=quality).plot(ax=ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> ProposalSizeDisplay:
        """Draw both lines, and the band.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for both lines.

        Returns
        -------
        self : ProposalSizeDisplay
            With what was drawn in its attributes.
        """
        self.ax_ = prepare(ax, "ProposalSizeDisplay")
        self.figure_ = self.ax_.figure
        name = NAMES[self.quality]
        band = self.y_true[:, None] + [-_TOLERANCE, _TOLERANCE]
        self.ax_.fill_between(self.sizes, *band.T, color=GREY, alpha=0.25, linewidth=0)
        self.true_line_, self.predicted_line_ = (
            self.ax_.plot(
                self.sizes,
                values,
                label=label,
                **style("line", kwargs, color=color, marker=mark, linewidth=2),
            )[0]
            for values, label, color, mark in (
                (self.y_true, f"true {name}", BLUE, "o"),
                (self.y_pred, f"predicted {name}", ORANGE, "s"),
            )
        )
        self.ax_.set(xscale="log", xlabel="samples in a proposal, at least", ylabel=name, ylim=(-0.02, 1.02))
        self.ax_.legend(frameon=False, labelcolor=INK)
        return self


def _means(true, predicted, sizes, at_least):
    """Least size, number, mean true and mean predicted value of each bin that holds enough."""
    decades = 10 ** np.arange(len(str(sizes.max(initial=1))))
    lowest = np.multiply.outer(decades, _STEPS).ravel()
    bins = np.searchsorted(lowest, sizes, side="right") - 1
    count = np.bincount(bins, minlength=len(lowest))
    enough = np.flatnonzero(count >= max(at_least, 1))
    sums = (np.bincount(bins, values, len(lowest))[enough] for values in (true, predicted))
    return lowest[enough], count[enough], *(total / count[enough] for total in sums)
