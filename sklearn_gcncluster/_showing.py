"""What clusters show beyond labels: exemplars, memberships, coarser and finer answers, duplicates.

All of it follows from what `fit` has at its end, and is kept as arrays.
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import check_is_fitted

from ._base import Result
from ._compat import Interval, validate_parameter_constraints
from ._constraints import Constraints
from ._graph._samples import Samples
from ._jobs import by_ranges, spread
from ._mending import keep_constraints
from ._obeying import may_join
from ._scored_proposals import clusters_of
from ._scoring import Judge, Scored
from ._selection import SelectionSettings

if TYPE_CHECKING:
    import pandas as pd

_POWERS = (-0.5, -0.25, 0.25, 0.5)
"""Powers of their size by which proposals are favoured: small ones for finer answers, large for coarser."""
_N_FINER = sum(power < 0 for power in _POWERS)


class ClusterTree:
    """Clusters of several granularities, and which of the next coarser layer holds each.

    Parameters
    ----------
    layers : int ndarray of shape (n_layers, n_samples)
        Clusters, from fine to coarse; -1 for outliers.
    scores : float ndarray of shape (n_nodes, 2)
        Predicted IoU and IoP of all clusters, layer by layer.

    Attributes
    ----------
    layer, cluster, size : int64 ndarrays of shape (n_nodes,)
        Layer and number of each cluster, and how many samples it has.
    predicted_iou, predicted_iop : float32 ndarrays of shape (n_nodes,)
        As ``cluster_scores_``.
    parent : int64 ndarray of shape (n_nodes,)
        Cluster of the next layer that holds most of its samples; -1 for none.
    share : float64 ndarray of shape (n_nodes,)
        Share of its samples that the parent holds. Layers are answers of their own, so it may be below 1.

    See Also
    --------
    GCNClustering : Has it as ``cluster_tree_``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_gcncluster import ClusterTree
    >>> layers = np.array([[0, 0, 1, 1, 2, -1], [0, 0, 0, 0, 1, 1]])
    >>> tree = ClusterTree(layers, np.full((5, 2), 0.5))
    >>> tree.parent
    array([ 0,  0,  1, -1, -1])
    """

    def __init__(self, layers: np.ndarray, scores: np.ndarray):
        counts = [np.bincount(layer[layer >= 0]) for layer in layers]
        self.layer = np.repeat(np.arange(len(layers)), [len(count) for count in counts])
        self.cluster = np.concatenate([np.arange(len(count)) for count in counts])
        self.size = np.concatenate(counts).astype(np.int64)
        self.predicted_iou, self.predicted_iop = np.asarray(scores, dtype=np.float32).T
        self.parent, held = np.full(len(self.size), -1), np.zeros(len(self.size))
        start = 0
        for count, fine, coarse in zip(counts, layers, layers[1:], strict=False):
            both = np.flatnonzero((fine >= 0) & (coarse >= 0))
            pairs, shared = np.unique(np.stack([fine[both], coarse[both]]), axis=1, return_counts=True)
            order = np.argsort(shared, kind="stable")  # the largest is written last
            self.parent[start + pairs[0, order]] = pairs[1, order]
            held[start + pairs[0, order]] = shared[order]
            start += len(count)
        self.share = held / np.maximum(self.size, 1)

    def __repr__(self) -> str:
        sizes = ", ".join(map(str, np.bincount(self.layer).tolist()))
        return f"ClusterTree(n_clusters=[{sizes}])"

    def to_pandas(self) -> pd.DataFrame:
        """Table with a line for each cluster of each layer.

        Returns
        -------
        table : DataFrame
            The attributes as columns.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        import pandas as pd

        return pd.DataFrame(vars(self))


class ShowingMixin:
    """For estimators that keep what :func:`shown` gives."""

    @property
    def cluster_tree_(self: Any) -> ClusterTree:
        """Clusters of all layers in ``cluster_layers_``, with predicted scores and parents."""
        check_is_fitted(self, "cluster_layers_")
        return ClusterTree(self.cluster_layers_, self.cluster_layer_scores_)

    def memberships(self: Any, top: int = 10) -> sp.csr_array:
        """How much each sample of `fit` is tied to each cluster.

        Parameters
        ----------
        top : int, default=10
            Clusters of each sample, at most: those with the highest values.

        Returns
        -------
        memberships : csr_array of shape (n_samples, n_clusters)
            Mean affinity to the members of a cluster, as far as neighbour lists could hold them, in [0, 1];
            with a learned affinity, the mean probability of being of one class. Rows do not sum up to 1: a
            sample may belong nowhere.
        """
        validate_parameter_constraints(
            {"top": [Interval(Integral, 1, None, closed="left")]},
            {"top": top},
            f"{type(self).__name__}.memberships",
        )
        check_is_fitted(self, "cluster_affinity_")
        ties = self.cluster_affinity_
        row = np.repeat(np.arange(ties.shape[0]), np.diff(ties.indptr))
        order = np.lexsort((ties.indices, -ties.data, row))
        kept = np.sort(order[np.arange(len(order)) - ties.indptr[row] < top])
        return sp.csr_array((ties.data[kept], (row[kept], ties.indices[kept])), shape=ties.shape)

    def assign_outliers(self: Any, min_probability: float = 0.5) -> np.ndarray:
        """Send outliers to the clusters that they are tied to, in labels beside ``labels_``.

        Parameters
        ----------
        min_probability : float in [0, 1], default=0.5
            Least value of :meth:`memberships` by which an outlier goes to a cluster.

        Returns
        -------
        labels : int64 ndarray of shape (n_samples,)
            As ``labels_``, with fewer -1. Constraints of `fit` hold.
        """
        validate_parameter_constraints(
            {"min_probability": [Interval(Real, 0, 1, closed="both")]},
            {"min_probability": min_probability},
            f"{type(self).__name__}.assign_outliers",
        )
        best = self.memberships(top=1)
        labels = self.labels_.copy()
        found = np.flatnonzero((labels < 0) & (np.diff(best.indptr) > 0))
        value, cluster = best.data[best.indptr[found]], best.indices[best.indptr[found]]
        enough = value >= min_probability
        order = np.argsort(-value[enough], kind="stable")
        found, cluster = found[enough][order], cluster[enough][order]
        constraints = self.constraints_
        if constraints is not None:
            may = may_join(labels, found, cluster, constraints)
            found, cluster = found[may], cluster[may]
        labels[found] = cluster
        return labels


def shown(
    result: Result,
    samples: Samples,
    scored: Scored | None,
    judge: Judge | None,
    settings: SelectionSettings,
    outliers: str,
    constraints: Constraints | None,
) -> dict[str, Any]:
    """Attributes of a fit that show its clusters.

    Parameters
    ----------
    result : Result
        Clusters of the rows of X.
    samples : Samples
    scored : Scored or None
        Proposals; None, as is `judge`, if no two samples differ.
    judge : Judge or None
    settings : SelectionSettings
    outliers : {"noise", "singletons"}
    constraints : Constraints or None
        That hold for `result`.
    """
    ties = _cluster_affinity(result, samples, judge)
    answers = [result]
    if scored is not None and judge is not None:
        others = by_ranges(
            _answers,
            spread(len(_POWERS), len(scored.proposals.indices)),
            judge.n_jobs,
            scored=scored,
            judge=judge,
            samples=samples,
            settings=settings._replace(min_score=0),
            outliers=outliers,
            constraints=constraints,
        )
        others = [answer for part in others for answer in part]
        answers = [*others[:_N_FINER], result, *others[_N_FINER:]]
    return {
        "exemplars_": _exemplars(result.labels, ties),
        "cluster_affinity_": ties,
        "cluster_layers_": np.stack([answer.labels for answer in answers]),
        "cluster_layer_scores_": np.concatenate([answer.scores for answer in answers]),
        "duplicates_": _first_equal(samples),
        "constraints_": constraints,
    }


def _answers(start, stop, scored, judge, samples, settings, outliers, constraints):
    """Clusters where proposals are favoured by some of the powers of their size."""
    sizes = scored.proposals.sizes / max(scored.proposals.sizes.max(initial=1), 1)
    answers = []
    for power in _POWERS[start:stop]:
        favoured = scored.quality[:, 0] * np.maximum(sizes, 1e-9) ** power
        answer = clusters_of(scored, judge, samples, settings, outliers, favoured)
        answers.append(keep_constraints(answer, constraints, samples, judge, outliers))
    return answers


def _cluster_affinity(result, samples, judge):
    """Mean affinity of each row to the members of clusters, as far as lists could hold them."""
    n_clusters, n_rows = len(result.scores), len(samples.inverse)
    if judge is None:
        inside = np.flatnonzero(result.labels >= 0)
        one = np.ones(len(inside), np.float32), (inside, result.labels[inside])
        return sp.csr_array(one, shape=(n_rows, n_clusters))
    affinity, n_neighbors = judge.graph.affinity, judge.graph.dissimilarities.shape[1]
    label = result.labels[samples.kept]
    inside = np.flatnonzero(label >= 0)
    member = sp.csr_array(
        (np.ones(len(inside), np.float32), (inside, label[inside])), shape=(len(label), n_clusters)
    )
    ties = (affinity @ member).tocoo()
    row, cluster = ties.coords
    others = np.bincount(label[inside], minlength=n_clusters)[cluster] - (label[row] == cluster)
    mean = np.minimum(ties.data / np.clip(others, 1, n_neighbors), 1)
    of_kept = sp.csr_array((mean.astype(np.float32), (row, cluster)), shape=(len(label), n_clusters))
    empty = sp.csr_array((1, n_clusters), dtype=np.float32)
    return sp.csr_array(sp.vstack([of_kept, empty], format="csr")[samples.inverse])


def _exemplars(labels, ties):
    """Row of each cluster with the highest affinity to the others; the first of those that tie."""
    inside = np.flatnonzero(labels >= 0)
    entries = ties.tocoo()
    row, cluster = entries.coords
    own = labels[row] == cluster
    strength = np.zeros(len(labels))
    strength[row[own]] = entries.data[own]
    order = np.lexsort((inside, -strength[inside], labels[inside]))
    return inside[order[np.flatnonzero(np.diff(labels[inside[order]], prepend=-1))]]


def _first_equal(samples):
    """For each row the first row of X that is equal to it."""
    first = np.arange(len(samples.inverse))
    known = np.flatnonzero(samples.inverse >= 0)
    earliest = np.full(len(samples.counts), len(first))
    np.minimum.at(earliest, samples.inverse[known], known)
    first[known] = earliest[samples.inverse[known]]
    return first
