"""Sizes of clusters beside those of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..metrics._contingency import contingency
from ._axes import BLUE, GREEN, INK, ORANGE, PURPLE, prepare, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CURVES = ("classes", "clusters")
_COLORS = (BLUE, ORANGE, GREEN, PURPLE)


class ClusterSizeDisplay:
    """Sizes of clusters and of classes, the largest first.

    Both curves fall from the largest to the smallest; both axes are logarithmic, since sizes are usually
    long-tailed. Where the curve of the clusters lies below that of the classes, classes were broken up;
    where it lies above, they were thrown together; where it goes on to the right, there are too many
    clusters.

    Parameters
    ----------
    class_sizes : ndarray of shape (n_classes,)
        Samples in each class.
    cluster_sizes : ndarray of shape (n_clusters,)
        Samples in each cluster. Each outlier is a cluster of its own.
    name : str, default=None
        What the clusters are called in the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        The figure that holds it.
    class_line_, cluster_line_ : matplotlib Line2D
        The curves.

    See Also
    --------
    GCNClustering.diagnose : Where the error comes from.

    Examples
    --------
    >>> from sklearn_gcncluster.plotting import ClusterSizeDisplay
    >>> display = ClusterSizeDisplay.from_predictions([0, 0, 0, 1, 1], [0, 0, -1, 1, 1])
    >>> display.class_sizes, display.cluster_sizes
    (array([3, 2]), array([2, 2, 1]))
    """

    def __init__(self, class_sizes: np.ndarray, cluster_sizes: np.ndarray, *, name: str | None = None):
        self.class_sizes = class_sizes
        self.cluster_sizes = cluster_sizes
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> ClusterSizeDisplay:
        """Cluster samples and draw the sizes.

        Parameters
        ----------
        estimator : estimator object
            A fitted estimator with the method ``predict``.
        X : array-like of shape (n_samples, n_features)
            Samples to cluster.
        y : array-like of shape (n_samples,)
            True classes; samples with -1 are clustered and left out of the sizes.
        name : str, default=None
            What the clusters are called; None is the name of the class of the estimator.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for the curve of the clusters.

        Returns
        -------
        display : ClusterSizeDisplay
            Drawn.
        """
        name = name or type(estimator).__name__
        return cls.from_predictions(y, estimator.predict(X), name=name, ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> ClusterSizeDisplay:
        """Draw the sizes of given clusters.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True classes; samples with -1 are left out.
        y_pred : array-like of shape (n_samples,)
            Clusters, of any clusterer; each sample with a negative number is a cluster of its own.
        name : str, default=None
            What the clusters are called; None is "clusters".
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure. Draw several clusterings into the same to compare them.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for the curve of the clusters.

        Returns
        -------
        display : ClusterSizeDisplay
            Drawn.
        """
        table = contingency(y_true, y_pred)
        sizes = (-np.sort(-sizes) for sizes in (table.class_sizes, table.cluster_sizes))
        return cls(*sizes, name=name).plot(ax=ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> ClusterSizeDisplay:
        """Draw both curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure. In axes that have the curve of the classes already, it
            is not drawn again.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for the curve of the clusters.

        Returns
        -------
        self : ClusterSizeDisplay
            With what was drawn in its attributes.
        """
        self.ax_ = prepare(ax, "ClusterSizeDisplay")
        self.figure_ = self.ax_.figure
        drawn = {gid: [line for line in self.ax_.lines if line.get_gid() == gid] for gid in _CURVES}
        if drawn["classes"]:
            self.class_line_ = drawn["classes"][0]
        else:
            self.class_line_ = self._curve("classes", self.class_sizes, "classes", color=INK, linewidth=3)
        color = _COLORS[len(drawn["clusters"]) % len(_COLORS)]
        properties = style("line", kwargs, color=color, linewidth=1.8)
        self.cluster_line_ = self._curve(
            "clusters", self.cluster_sizes, self.name or "clusters", **properties
        )
        self.ax_.set(xscale="log", yscale="log", xlabel="rank", ylabel="samples")
        self.ax_.set_ylim(bottom=0.8)
        self.ax_.legend(frameon=False)
        return self

    def _curve(self, gid, sizes, name, **properties):
        single = np.count_nonzero(sizes == 1)
        label = f"{name}: {len(sizes):,}" + (f", {single:,} of one sample" if single else "")
        return self.ax_.plot(
            np.arange(1, len(sizes) + 1), sizes, **{"label": label, "gid": gid} | properties
        )[0]
