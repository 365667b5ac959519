"""Where the error of a clustering comes from: the pipeline, one step at a time, against the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._expectation import fscore
from ._labels import class_codes
from ._scored_proposals import Expected, ScoredProposals
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

_EXPECTED_CAUSES = {
    "mixed clusters": "Teach the networks more, by labels of some classes; or a higher min_score.",
    "classes in pieces": "Teach the networks what complete classes are, by labels; or more n_neighbors.",
    "left alone": "Teach the networks what single samples are, by labels; or a lower min_score.",
}
_FAVOUR = 0.25
"""Power of their size by which larger proposals are favoured in a coarser clustering."""
_NEARLY_AS_GOOD, _AGREEMENT = 0.1, 0.8
"""A coarser clustering makes the choice an open one if its expected F is lower by less than this, and its
agreement with the chosen one is below that."""


class DiagnosisMixin:
    """For estimators that score proposals."""

    def diagnose(self: Any, X, y=None):
        """Tell what limits the clusters: with labels step by step, without by what the networks expect.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples of classes that `fit` has not seen; on those it learned from, errors look too small.
        y : array-like of shape (n_samples,), default=None
            True classes; samples with -1 are clustered and left out of the scores.

        Returns
        -------
        diagnosis : Diagnosis or ExpectedDiagnosis
            The error of ``predict(X)``, split by cause; print it, or plot it. Without `y` it is the error
            that the networks expect.
        """
        settings = {name: getattr(self, name) for name in ("overlap", "max_overlap", "min_score")}
        proposals = self.score_proposals(X)
        return expect(proposals, **settings) if y is None else diagnose(proposals, y, **settings)


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


class ExpectedDiagnosis:
    """What the networks expect of a clustering, as returned by ``GCNClustering.diagnose(X)`` without labels.

    All figures follow from the predicted IoU and IoP of the clusters. They are low estimates. Where classes
    are made of groups that are as distinct as classes elsewhere, networks cannot know which of the two is
    meant. Then the clusters may be far from what you call a class although much is expected of them;
    `coarser` tells.

    Parameters
    ----------
    chosen, coarser : Expected
        The clustering, and one of larger clusters.

    Attributes
    ----------
    scores : dict of str to float
        Expected BCubed ``"precision"``, ``"recall"`` and ``"fscore"``.
    table : list of dict
        One row for each ``"cause"`` of error: how much ``"precision"`` and ``"recall"`` it takes, and a
        ``"remedy"``.
    coarser : dict of str to float
        Of a clustering in which larger proposals come first: ``"n_clusters"``, the expected ``"fscore"``, and
        its ``"agreement"``, the BCubed F between both.
    is_open : bool
        Whether it is open which of both is right: they are different, and expected to be nearly as good.

    See Also
    --------
    GCNClustering.diagnose : Makes it.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn_gcncluster import GCNClustering
    >>> X, _ = make_blobs(300, n_features=16, centers=10, random_state=0)
    >>> diagnosis = GCNClustering(random_state=0).fit(X).diagnose(X)
    >>> [row["cause"] for row in diagnosis.table]
    ['mixed clusters', 'classes in pieces', 'left alone']
    >>> diagnosis.is_open
    False
    """

    def __init__(self, chosen: Expected, coarser: Expected):
        lone = chosen.labels < 0
        numbered = np.where(coarser.labels < 0, -2 - np.arange(len(lone)), coarser.labels)
        impure, missed = 1 - chosen.precision, 1 - chosen.recall
        lost = {
            "mixed clusters": (impure, 0 * missed),
            "classes in pieces": (0 * impure, missed * ~lone),
            "left alone": (0 * impure, missed * lone),
        }
        self.table: list[dict[str, Any]] = [
            {
                "cause": cause,
                "precision": float(of.mean()),
                "recall": float(reached.mean()),
                "remedy": _EXPECTED_CAUSES[cause],
            }
            for cause, (of, reached) in lost.items()
        ]
        self.scores = {
            "precision": float(chosen.precision.mean()),
            "recall": float(chosen.recall.mean()),
            "fscore": fscore(chosen.precision, chosen.recall),
        }
        self.coarser = {
            "n_clusters": int(coarser.labels.max(initial=-1)) + 1,
            "fscore": fscore(coarser.precision, coarser.recall),
            "agreement": bcubed_fscore(np.unique(numbered, return_inverse=True)[1], chosen.labels),
        }
        self.is_open = bool(
            self.coarser["agreement"] < _AGREEMENT
            and self.coarser["fscore"] > self.scores["fscore"] - _NEARLY_AS_GOOD
        )
        self._n_clusters = int(chosen.labels.max(initial=-1)) + 1

    def __repr__(self) -> str:
        lines = ["Expected loss by".ljust(28) + f"{'precision':>10}{'recall':>10}"]
        lines.append("-" * len(lines[0]))
        lines += [
            row["cause"].ljust(28) + f"{row['precision']:10.3f}{row['recall']:10.3f}" for row in self.table
        ]
        lines.append("-" * len(lines[0]))
        lines.append(
            "expected BCubed".ljust(28) + f"{self.scores['precision']:10.3f}{self.scores['recall']:10.3f}"
        )
        worst = max(self.table, key=lambda row: row["precision"] + row["recall"])
        lines += [
            f"expected F-score {self.scores['fscore']:.3f}, of {self._n_clusters} clusters",
            "",
            f"Largest: {worst['cause']}. {worst['remedy']}",
        ]
        if self.is_open:
            lines.append(
                f"How coarse clusters should be is open: {self.coarser['n_clusters']} larger ones are "
                f"expected to reach {self.coarser['fscore']:.3f}. Labels of some classes decide it."
            )
        return "\n".join(lines)


def expect(proposals: ScoredProposals, **settings: Any) -> ExpectedDiagnosis:
    """What the networks expect of the clusters that proposals give.

    Parameters
    ----------
    proposals : ScoredProposals
    **settings : dict
        How samples go to proposals, as for :meth:`ScoredProposals.cluster`.
    """
    sizes = np.maximum(proposals.membership.sum(axis=1), 1)
    favoured = proposals.scores[:, 0] * (sizes / sizes.max()) ** _FAVOUR
    coarser = proposals.expected(scores=favoured, **{**settings, "min_score": 0})
    return ExpectedDiagnosis(proposals.expected(**settings), coarser)


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
