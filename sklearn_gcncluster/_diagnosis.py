"""Where the error of a clustering comes from: the pipeline, one step at a time, against the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._labels import class_codes
from ._scored_proposals import ScoredProposals
from .metrics import bcubed_fscore, pairwise_fscore
from .plotting._axes import BLUE, GREEN, INK, ORANGE, prepare, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEASURES = ("pairwise", "bcubed", "mean")
_CAUSES = {
    "no proposal was right": "Make more proposals: other or more sources in proposals, more n_neighbors.",
    "wrong ranking": "Teach the networks more: labels of more classes, more n_networks or max_epochs.",
    "segmentation": "Refine fewer proposals: a narrower iop_range, or segment=False.",
    "left alone": "Teach the networks what single samples are: labels of more, and of smaller, classes.",
    "selection": "Choose another min_score (see plotting.ThresholdDisplay) or overlap.",
}


class DiagnosisMixin:
    """For estimators that score proposals."""

    def diagnose(self: Any, X, y):
        """Tell what limits the clusters of labelled samples, step by step.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples of classes that `fit` has not seen; on those it learned from, errors look too small.
        y : array-like of shape (n_samples,)
            True classes; samples with -1 are clustered and left out of the scores.

        Returns
        -------
        diagnosis : Diagnosis
            The error of ``predict(X)``, split by cause; print or plot it.
        """
        settings = {name: getattr(self, name) for name in ("overlap", "max_overlap", "min_score")}
        return diagnose(self.score_proposals(X), y, **settings)


class Diagnosis:
    """What limits a clustering, as returned by :meth:`GCNClustering.diagnose`.

    The error, 1 - F, is a sum of five parts. Each is the F that is lost at one step of the pipeline; a
    negative part is F gained.

    no proposal was right
        1 less the F of the *upper bound*: samples go to the proposals by their true IoU. No ranking can do
        much better with these proposals.
    wrong ranking
        What is lost if samples go to the proposals by predicted IoU. A sample that stays alone is put, for
        this and the next part, where most of its group in the upper bound is.
    segmentation
        What is lost by adding the refined proposals. It should be negative.
    left alone
        What is lost because such samples stay alone: no group that holds them looks better than they do
        alone.
    selection
        What is lost by the floor under the predicted IoU (``min_score``), and by ``overlap`` if that is not
        de-overlap. Groups below the floor fall apart, which costs recall and saves precision.

    Parameters
    ----------
    fscores : ndarray of shape (6, 2)
        Pairwise and BCubed F of the truth, and after each of the five steps.

    Attributes
    ----------
    table : list of dict
        One row for each part: its ``"cause"``, what it takes from the F-score by ``"pairwise"``,
        ``"bcubed"`` and the ``"mean"`` of both, and a ``"remedy"`` where it is large.
    scores : dict of str to float
        F of the clustering, by measure.
    upper_bound : dict of str to float
        F of the upper bound, by measure.

    See Also
    --------
    GCNClustering.diagnose : Makes it.

    Examples
    --------
    >>> from sklearn_gcncluster import GCNClustering
    >>> from sklearn_gcncluster.datasets import make_identities
    >>> X, y = make_identities(300, n_features=16, random_state=0)
    >>> known = y % 2 == 0
    >>> clusterer = GCNClustering(n_networks=1, hidden_channels=(16,), max_epochs=1, random_state=0)
    >>> diagnosis = clusterer.fit(X[known], y[known]).diagnose(X[~known], y[~known])
    >>> [row["cause"] for row in diagnosis.table]
    ['no proposal was right', 'wrong ranking', 'segmentation', 'left alone', 'selection']
    >>> error = sum(row["bcubed"] for row in diagnosis.table)
    >>> bool(abs(1 - error - clusterer.score(X[~known], y[~known])) < 1e-9)
    True
    """

    def __init__(self, fscores: np.ndarray):
        fscores = np.column_stack([fscores, fscores.mean(axis=1)])
        lost = -np.diff(fscores, axis=0)
        self.table = [
            {"cause": cause, **_by_measure(row), "remedy": remedy}
            for (cause, remedy), row in zip(_CAUSES.items(), lost, strict=True)
        ]
        self.upper_bound, self.scores = _by_measure(fscores[1]), _by_measure(fscores[-1])

    def __repr__(self) -> str:
        largest = max(self.table, key=lambda row: row["mean"])
        error = {measure: 1 - score for measure, score in self.scores.items()}
        rows: list[Any] = [
            None,
            *((row["cause"], row) for row in self.table),
            None,
            ("error", error),
            ("F-score", self.scores),
            ("upper bound of F", self.upper_bound),
        ]
        lines = ["F-score lost by".ljust(28) + "".join(f"{name:>10}" for name in MEASURES)]
        for row in rows:
            if row is None:
                lines.append("-" * len(lines[0]))
            else:
                lines.append(
                    row[0].ljust(28) + "".join(f"{round(row[1][name], 3) + 0.0:10.3f}" for name in MEASURES)
                )
        return "\n".join([*lines, "", f"Largest: {largest['cause']}. {largest['remedy']}"])

    def plot(self, ax: Axes | None = None, *, measure: str = "mean", **kwargs: Any) -> Diagnosis:
        """Draw the way from 1 down to the F-score, one bar for each cause.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        measure : {"mean", "pairwise", "bcubed"}, default="mean"
            Which F-score.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        self : Diagnosis
            With the attributes ``ax_`` and ``figure_``.
        """
        if measure not in MEASURES:
            raise ValueError(f"measure must be one of {', '.join(MEASURES)}, got {measure!r}")
        self.ax_ = prepare(ax, "Diagnosis.plot", figsize=(6.4, 3.4))
        self.figure_ = self.ax_.figure
        lost = np.array([row[measure] for row in self.table])
        left = 1 - np.concatenate([[0], np.cumsum(lost)])
        rows = np.arange(len(lost))
        colors = np.where(lost > 0, ORANGE, GREEN)
        self.ax_.barh(rows, -lost, left=left[:-1], **style("bar", kwargs, color=colors, height=0.7))
        self.ax_.vlines(left[1:], rows, rows + 1, color=INK, lw=0.8, zorder=0)
        self.ax_.plot(left[-1], len(lost), "o", color=BLUE, ms=9)
        texts = [*(f"{part:+.3f}" if round(part, 3) else "0" for part in -lost), f"{left[-1]:.3f}"]
        ends = np.append(np.maximum(left[1:], left[:-1]), left[-1])
        for row, (end, text) in enumerate(zip(ends, texts, strict=True)):
            self.ax_.annotate(text, (end, row), (9, 0), textcoords="offset points", va="center", color=INK)
        lowest = max(left.min() - 0.03, 0)
        name = {"mean": "mean of pairwise and BCubed F", "pairwise": "pairwise F", "bcubed": "BCubed F"}[
            measure
        ]
        self.ax_.set(
            yticks=range(len(lost) + 1),
            yticklabels=[*_CAUSES, "F-score"],
            ylim=(len(lost) + 0.6, -0.6),
            xlim=(lowest, 1 + 0.18 * (1 - lowest)),  # room for the first number
            xlabel=name,
        )
        self.ax_.tick_params(axis="y", length=0)
        return self


def diagnose(proposals: ScoredProposals, y: Any, **settings: Any) -> Diagnosis:
    """Split the error of the clusters that proposals give; documented as a method of the estimator.

    Parameters
    ----------
    proposals : ScoredProposals
    y : array-like of shape (n_samples,)
        True classes, -1 for unlabelled.
    **settings : dict
        How samples go to proposals, as for :meth:`ScoredProposals.cluster`.
    """

    def clusters(iou, among):
        return proposals.cluster(scores=np.where(among, iou, -2), overlap="deoverlap", min_score=0)

    _, y = class_codes(y)
    predicted, true = proposals.scores[:, 0], np.nan_to_num(proposals.true_scores(y)[:, 0], nan=-1)
    ideal = clusters(true, ~proposals.segmented)
    ranked = clusters(predicted, ~proposals.segmented)
    segmented = clusters(predicted, True)
    selected = proposals.cluster(**settings)
    steps = [ideal, _company(ranked, ideal), _company(segmented, ideal), segmented, selected]
    return Diagnosis(np.array([(1, 1), *((pairwise_fscore(y, s), bcubed_fscore(y, s)) for s in steps)]))


def _company(labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Labels with each lone sample (-1) in the cluster that holds most of its group, if one holds any."""
    held = (labels >= 0) & (groups >= 0)
    (group, cluster), shared = np.unique(np.stack([groups[held], labels[held]]), axis=1, return_counts=True)
    order = np.argsort(shared, kind="stable")
    home = np.full(groups.max() + 2, -1)  # the last is reached by -1, "in no group"
    home[group[order]] = cluster[order]  # the largest share is written last
    return np.where(labels < 0, home[groups], labels)


def _by_measure(values):
    return {measure: float(value) for measure, value in zip(MEASURES, values, strict=True)}
