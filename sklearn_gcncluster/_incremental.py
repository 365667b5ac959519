"""IncrementalGCNClustering: clusters that grow, and keep their ids.

new rows -> nearest old ones -> those that certainly belong are attached -> the rest is clustered with what is
near, or with all if these are few -> ids that last
"""

from __future__ import annotations

import os
from copy import copy
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from ._clustering import GCNClustering
from ._compat import fit_context
from ._folder import gathered, read_folder, write_folder
from ._graph._linear_map import apply_map
from ._graph._samples import comparable_rows
from ._growth import Near, attach, lasting_ids, mean_distance, most_asked, search
from ._labels import integers
from ._ledger import State, constraints_of, recorded, told_of, without_singles
from ._model import Frame
from ._obeying import broken_groups, may_join, torn_groups

_CERTAIN, _PREDICTED = 1.1, 1.2
"""How much farther than its members are from each other a sample may be from a cluster that it joins without
a second look, and that `predict` tells."""
_GROWN = 1.5
"""By which factor a cluster grows before it is clustered again, with what is near it."""
_ALL, _ALL_OF_EACH = 4_000, 40
"""The networks look at all samples if these are no more than so many, or so many for each new one."""
_REACH, _REACH_OF_EACH = 500, 1
"""Else about so many samples, and so many for each new one, are looked at."""
_N_CONTEXT = 5
"""Neighbours of each uncertain sample that it is seen among, even where their clusters are not looked at."""


_UNIT = Frame(np.zeros(1), 1.0)
"""Of Euclidean rows that are compared as they are."""
_FRAMED = 10_000
"""Samples that tell origin and unit of Euclidean rows."""


class IncrementalGCNClustering(ClusterMixin, BaseEstimator):
    """Clusters that grow with new samples, keep their ids, and obey what was said of them.

    It owns samples and ids. :meth:`fit` clusters as `estimator` does, and :meth:`partial_fit` adds samples:
    those that are as near to a cluster as its members are to each other join it, and if others are left, the
    networks look again: at all samples if these are few, or few for each new one, else at the new ones and
    clusters near them, or that grew by half. So the cost grows with the new samples. A change of ids has a
    price, and is made where it is worth it. :meth:`recluster` is a clean pass over all.

    Ids are stable: a cluster keeps its id while more than half of its members stay in it. Merges and splits
    retire and create ids, none is used twice, and `history_` says what became of what.

    Read more in the :ref:`User Guide <incremental>`.

    Parameters
    ----------
    estimator : GCNClustering, default=None
        How to cluster; it is cloned. None takes ``GCNClustering()``. With an estimator that takes networks of
        another in `pretrained`, these cluster the new samples too.

    Attributes
    ----------
    labels_ : int64 ndarray of shape (n_samples,)
        Id of the cluster of each sample so far, in the order in which they came; -1 for outliers and for
        samples that were forgotten.
    n_clusters_ : int
        Number of clusters.
    history_ : list of dict
        What became of ids: for each id that is new or no more the ``"update"`` (counted from 0, that of
        `fit`), the ``"event"`` ("created" or "retired"), the ``"cluster"``, and those that its members came
        ``"from"`` or went ``"into"``, the largest share first.
    estimator_ : GCNClustering
        The fitted estimator.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features of X, if they are all strings.

    See Also
    --------
    match_labels : Stable numbers for clusterings by other means.

    Notes
    -----
    Nothing is learned in `partial_fit`: with labels, `fit` learns as usual, and what it learned is used from
    then on. Graphs (``metric="precomputed"``) cannot grow, and are an error.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn_gcncluster import GCNClustering, IncrementalGCNClustering
    >>> X, y = make_blobs(600, n_features=32, centers=20, random_state=0)
    >>> album = IncrementalGCNClustering(GCNClustering(random_state=0)).fit(X[:400])
    >>> before = album.labels_
    >>> album.partial_fit(X[400:]).labels_.shape
    (600,)
    >>> bool((album.labels_[:400] == before).all())
    True
    >>> bool(album.predict(X[:1])[0] == album.labels_[0])
    True
    """

    _parameter_constraints: ClassVar[dict] = {"estimator": [None, GCNClustering]}

    def __init__(self, estimator=None):
        self.estimator = estimator

    @property
    def labels_(self) -> np.ndarray:
        """Id of the cluster of each sample."""
        check_is_fitted(self, "estimator_")
        return self._state.labels.copy()

    @property
    def n_clusters_(self) -> int:
        """Number of clusters."""
        check_is_fitted(self, "estimator_")
        return len(self._state.formed)

    @property
    def history_(self) -> list[dict[str, Any]]:
        """What became of ids."""
        check_is_fitted(self, "estimator_")
        return [dict(event) for event in self._state.history]

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, *, must_link=None, cannot_link=None, cannot_link_groups=None):
        """Cluster samples, and forget those of earlier calls.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings.
        y : array-like of shape (n_samples,), default=None
            Class of each sample to learn from, -1 for unlabelled ones.
        must_link, cannot_link : array-like of int of shape (n_pairs, 2), default=None
            Pairs of rows of X that must share a cluster, and pairs that must not. They stay in force.
        cannot_link_groups : array-like of int of shape (n_samples,), default=None
            No two samples of one group share a cluster, as the faces of one photo; -1 for samples in none.

        Returns
        -------
        self : IncrementalGCNClustering
            The fitted estimator.

        Raises
        ------
        ValueError
            As for :meth:`GCNClustering.fit`, or if X is a graph.
        """
        estimator = GCNClustering() if self.estimator is None else clone(self.estimator)
        if estimator.metric.startswith("precomputed"):
            raise ValueError(
                f'metric="{estimator.metric}" makes X a graph, and a graph of old samples has no links to '
                "new ones. Give embeddings, and another metric."
            )
        rows = check_array(X, dtype="numeric", estimator=self, input_name="X")
        given = {"must_link": must_link, "cannot_link": cannot_link, "cannot_link_groups": cannot_link_groups}
        estimator.fit(rows, y, **given)
        must, cannot, groups = told_of(given, 0, len(rows))
        empty = np.full(len(rows), -1)
        state = State([np.array(rows)], empty, np.ones(len(rows), bool), must, cannot, groups, {}, 0, [], 0)
        labels = lasting_ids(without_singles(estimator.labels_), empty, 0)
        validate_data(self, X, skip_check_array=True)  # only now, so that an error leaves all as it was
        self.estimator_ = estimator
        self._state = recorded(state, labels, np.unique(labels[labels >= 0]))
        return self

    def partial_fit(self, X, y=None, *, must_link=None, cannot_link=None, cannot_link_groups=None):
        """Add samples to those that are there.

        Parameters
        ----------
        X : array-like of shape (n_new, n_features)
            New samples; none is fine, to add constraints.
        y : None
            Ignored; there for the interface of scikit-learn. Before :meth:`fit`, as for that.
        must_link, cannot_link : array-like of int of shape (n_pairs, 2), default=None
            More pairs, of rows of all samples so far; new ones count on from the old.
        cannot_link_groups : array-like of int of shape (n_new,), default=None
            Groups of the new samples; they may be those of old ones.

        Returns
        -------
        self : IncrementalGCNClustering
            With the new samples. If it fails, it is as it was.

        Raises
        ------
        ValueError
            If constraints, old ones included, contradict each other.
        """
        if not hasattr(self, "estimator_"):
            return self.fit(
                X,
                y,
                must_link=must_link,
                cannot_link=cannot_link,
                cannot_link_groups=cannot_link_groups,
            )
        X = validate_data(self, X, reset=False, dtype="numeric", ensure_min_samples=0)
        given = {"must_link": must_link, "cannot_link": cannot_link, "cannot_link_groups": cannot_link_groups}
        n_old, state = len(self._state.labels), self._state
        told = told_of(given, n_old, len(X))
        state = state._replace(
            blocks=[*state.blocks, np.array(X)] if len(X) else state.blocks,
            labels=np.append(state.labels, np.full(len(X), -1)),
            known=np.append(state.known, np.ones(len(X), bool)),
            must_link=np.concatenate([state.must_link, told[0]]),
            cannot_link=np.concatenate([state.cannot_link, told[1]]),
            groups=np.append(state.groups, told[2]),
        )
        self._state = self._grown(state, n_old)
        return self

    def predict(self, X):
        """Tell the cluster of samples without remembering them; one is enough.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings.

        Returns
        -------
        labels : int64 ndarray of shape (n_samples,)
            Ids as in ``labels_``; -1 for samples that are near none.
        """
        check_is_fitted(self, "estimator_")
        X = validate_data(self, X, reset=False, dtype="numeric")
        state = self._state
        near = self._near(state, self._compared(X, self._frame(state)), state.known)
        cluster, certain = attach(near, state.labels, self._usual(state), _PREDICTED)
        return np.where(certain, cluster, -1)

    def forget(self, rows):
        """Forget samples: their rows become zeros, and belong nowhere.

        Other samples keep their row numbers. What must-links said of them through a forgotten sample still
        holds.

        Parameters
        ----------
        rows : array-like of int of shape (n_forgotten,)
            Row numbers.

        Returns
        -------
        self : IncrementalGCNClustering
            Without the samples.

        Raises
        ------
        ValueError
            If there is no such row.
        """
        check_is_fitted(self, "estimator_")
        state, rows = self._state, integers(np.atleast_1d(rows), "rows")
        wrong = rows[(rows < 0) | (rows >= len(state.labels))]
        if len(wrong):
            raise ValueError(f"There is no row {wrong[0]}; rows count from 0 to {len(state.labels) - 1}.")
        known, blocks, start = state.known.copy(), list(state.blocks), 0
        known[rows] = False
        for number, block in enumerate(blocks):
            inside = rows[(rows >= start) & (rows < start + len(block))] - start
            start += len(block)
            if len(inside):
                blocks[number] = np.array(block)
                blocks[number][inside] = 0
        labels = without_singles(np.where(known, state.labels, -1))
        self._state = recorded(state._replace(known=known, blocks=blocks), labels, [])
        return self

    def recluster(self):
        """Cluster all samples again, with what was learned; clusters keep their ids where most members stay.

        Returns
        -------
        self : IncrementalGCNClustering
            With labels that do not depend on the order in which samples came.
        """
        check_is_fitted(self, "estimator_")
        state, rows = self._state, np.flatnonzero(self._state.known)
        ids = state.labels.copy()
        if len(rows):
            found = without_singles(self._clusters(state, rows, constraints_of(state)))
            ids[rows] = lasting_ids(found, state.labels[rows], state.next_id)
        self._state = recorded(state, ids, np.unique(ids[ids >= 0]))
        return self

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Keep everything in a folder, from which :meth:`load` reads it by memory map.

        Files that are there already are not written again, so the cost grows with what is new. New files are
        written first, and then one small file that names them replaces its predecessor: whenever it is
        interrupted, the folder holds the old state or the new one.

        Parameters
        ----------
        folder : str or path-like
            It is made if it is not there.

        Raises
        ------
        ValueError
            If a parameter is an object that :meth:`GCNClustering.save` does not hold.
        """
        check_is_fitted(self, "estimator_")
        names, estimator = getattr(self, "feature_names_in_", None), self.estimator_
        if isinstance(estimator.pretrained, FrozenEstimator):  # its networks are those that are kept anyway
            estimator = copy(estimator).set_params(pretrained=None)
        write_folder(folder, estimator, self._state, None if names is None else names.tolist())

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> IncrementalGCNClustering:
        """Read what :meth:`save` wrote.

        Parameters
        ----------
        folder : str or path-like
            The folder.

        Returns
        -------
        clusterer : IncrementalGCNClustering
            With the samples as memory maps, which stay on the disk. It goes on with what was learned. Fitted
            anew, it begins as its `estimator` does, which uses the networks of `pretrained`; where these are
            not those of the package, those that were learned.

        Raises
        ------
        ValueError
            If the folder is damaged or holds something else.
        """
        estimator, state, names = read_folder(folder)
        template = clone(estimator)
        if template.pretrained is None:
            template.set_params(pretrained=FrozenEstimator(estimator))
        loaded = cls(template)
        loaded.estimator_, loaded._state = estimator, state
        loaded.n_features_in_ = estimator.n_features_in_
        if names is not None:
            loaded.feature_names_in_ = np.array(names, dtype=object)
        return loaded

    # How clusters grow

    def _grown(self, state: State, n_old: int) -> State:
        """The state with the samples from `n_old` on in clusters, and with constraints that are new."""
        constraints = constraints_of(state)
        ids, new = state.labels.copy(), np.arange(n_old, len(state.labels))
        queries = self._compared(gathered(state.blocks, new), self._frame(state))
        near = self._near(state, queries, state.known, new)
        old = Near(np.where(near.rows < n_old, near.rows, -1), near.distances)
        cluster, certain = attach(old, ids, self._usual(state), _CERTAIN)
        joins = np.flatnonzero(certain)
        if constraints is not None:
            joins = joins[may_join(ids, new[joins], cluster[joins], constraints)]
        ids[new[joins]] = cluster[joins]
        uncertain = ids[new] < 0
        again = self._clusters_to_mend(state, ids, constraints)
        core = np.union1d(new[uncertain], np.flatnonzero(np.isin(ids, again)))
        if constraints is not None:
            bound = constraints.bound
            asked = np.unique(constraints.component[bound[(ids[bound] < 0) & state.known[bound]]])
            core = np.union1d(core, bound[np.isin(constraints.component[bound], asked) & state.known[bound]])
        core = core[state.known[core]]
        if len(core):
            core = self._looked_at(state, core, near, ids, len(new))
            beside = np.setdiff1d(near.rows[uncertain][:, :_N_CONTEXT], [-1, *core])
            again = np.union1d(again, ids[core])
            ids[np.intersect1d(core, new)] = -1  # what only distances say is proposed, and no more
            likely, settled = ids.copy(), ids.copy()
            likely[new] = cluster
            # To join is a change as to leave is, or early mistakes would only ever grow.
            alone = np.flatnonzero(ids[:n_old] < 0)
            settled[alone] = state.next_id + alone
            ids = self._clustered_among(state, ids, [settled, likely], core, beside, constraints)
        return recorded(state, ids, again)

    def _looked_at(self, state, core, near, ids, n_new):
        """What must be clustered again, and with it all samples if they are few, or those that are near."""
        if np.count_nonzero(state.known) <= max(_ALL, _ALL_OF_EACH * n_new):
            return np.flatnonzero(state.known)
        n_more = _REACH + _REACH_OF_EACH * n_new - len(core)
        return np.union1d(core, most_asked(near, ids, n_more))

    def _clusters_to_mend(self, state, ids, constraints):
        """Clusters that grew by half, and those that do not obey."""
        sizes = np.bincount(ids[ids >= 0], minlength=state.next_id)
        again = [number for number, size in state.formed.items() if sizes[number] >= _GROWN * size]
        if constraints is None:
            return np.array(again, dtype=np.int64)
        rows = np.flatnonzero(state.known)
        among = constraints.among(rows)
        return np.concatenate([again, torn_groups(ids[rows], among), broken_groups(ids[rows], among)]).astype(
            np.int64
        )

    def _clustered_among(self, state, ids, earlier, core, context, constraints):
        """Ids after some rows are clustered among others, which keep their own.

        Of rows in no cluster that come out with others of an old cluster, those join it.
        """
        chosen = np.concatenate([core, context])
        found = self._clusters(state, chosen, constraints, [labels[chosen] for labels in earlier])
        found, around = found[: len(core)], found[len(core) :]
        homes = ids[context]
        held = np.flatnonzero((around >= 0) & (homes >= 0))
        pairs, count = np.unique(np.stack([around[held], homes[held]]), axis=1, return_counts=True)
        order = np.argsort(count, kind="stable")
        home = np.full(found.max(initial=around.max(initial=-1)) + 2, -1)
        home[pairs[0, order]] = pairs[1, order]  # the largest is written last
        n_home = np.zeros(len(home), int)
        n_home[pairs[0, order]] = count[order]
        placed = np.bincount(found[(found >= 0) & (ids[core] >= 0)], minlength=len(home))
        target = np.where(n_home > placed, home, -1)[found]
        joins = np.flatnonzero((ids[core] < 0) & (target >= 0))
        after = ids.copy()
        if constraints is not None:
            outside = after.copy()
            outside[core] = -1
            joins = joins[may_join(outside, core[joins], target[joins], constraints)]
        rest = np.ones(len(core), bool)
        rest[joins] = False
        after[core[joins]] = target[joins]
        after[core[rest]] = lasting_ids(without_singles(found[rest]), ids[core[rest]], state.next_id)
        return after

    def _clusters(self, state, rows, constraints, earlier=()):
        """Clusters of some rows by the networks, under the constraints among them, near to earlier ones."""
        among = None if constraints is None else constraints.among(rows)
        return self.estimator_._predict_after(gathered(state.blocks, rows), earlier, among)

    def _metric(self, X):
        estimator = self.estimator_
        if estimator.metric != "auto":
            return estimator.metric
        return estimator._metric_of(X.shape[1])

    def _frame(self, state):
        """Origin and unit of Euclidean rows: those learned with, or those of samples that are there."""
        known = np.flatnonzero(state.known)[:_FRAMED]
        if self.estimator_.learned_.frame or self._metric(state.blocks[0]) == "cosine" or not len(known):
            return self.estimator_.learned_.frame or _UNIT
        return comparable_rows(gathered(state.blocks, known), "euclidean")[1]

    def _compared(self, X, frame):
        """Rows as they are compared; those of length zero are no one's neighbours."""
        learned, metric = self.estimator_.learned_, self._metric(X)
        rows = np.zeros(X.shape, dtype=np.float32)
        some = np.flatnonzero(X.any(axis=1)) if metric == "cosine" else np.arange(len(X))
        if len(some):
            rows[some] = comparable_rows(X, metric, some, frame)[0]
        if learned.map is not None:
            rows = apply_map(rows, learned.map)
            if metric == "cosine":
                rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        return rows

    def _near(self, state, queries, known, itself=None):
        frame = self._frame(state)
        blocks = [self._compared(np.asarray(block), frame) for block in state.blocks]
        metric = self._metric(state.blocks[0])
        return search(blocks, queries, known, metric=metric, n_jobs=self.estimator_.n_jobs, itself=itself)

    def _usual(self, state):
        """Function that gives how far old rows are from the nearest others of their cluster."""

        def distance(rows):
            queries = self._compared(gathered(state.blocks, rows), self._frame(state))
            near = self._near(state, queries, state.known & (state.labels >= 0), rows)
            return mean_distance(near, state.labels, state.labels[rows])

        return distance
