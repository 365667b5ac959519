"""What a growing clustering remembers: rows, ids, what was said of them, and what became of ids."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from ._constraints import Constraints, check_constraints
from ._growth import lasting_ids, what_became
from ._obeying import housed, joined, obeys, without_rivals


class State(NamedTuple):
    """A growing clustering, but for its estimator."""

    blocks: list[np.ndarray]
    """Rows in the order in which they came, each block of shape (n_block, n_features)."""
    labels: np.ndarray
    """int64 of shape (n_samples,): ids, -1 for none."""
    known: np.ndarray
    """bool of shape (n_samples,): rows that were not forgotten."""
    must_link: np.ndarray
    """int64 of shape (n_pairs, 2)."""
    cannot_link: np.ndarray
    """int64 of shape (n_pairs, 2)."""
    groups: np.ndarray
    """int64 of shape (n_samples,): of `cannot_link_groups`."""
    formed: dict[int, int]
    """Size of each cluster when the networks last looked at it."""
    next_id: int
    """The first id that was never used."""
    history: list[dict[str, Any]]
    n_updates: int


def told_of(given: dict[str, Any], n_old: int, n_new: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs and groups that were given with new samples, checked.

    Parameters
    ----------
    given : dict
        `must_link`, `cannot_link` and `cannot_link_groups`, as users write them.
    n_old, n_new : int
        Samples so far, and new ones.
    """
    check_constraints(given["must_link"], given["cannot_link"], None, n_old + n_new)
    check_constraints(None, None, given["cannot_link_groups"], n_new)
    pairs = [
        np.asarray([] if given[name] is None else given[name], dtype=np.int64).reshape(-1, 2)
        for name in ("must_link", "cannot_link")
    ]
    groups = given["cannot_link_groups"]
    groups = np.full(n_new, -1) if groups is None else np.maximum(np.asarray(groups, dtype=np.int64), -1)
    return pairs[0], pairs[1], groups


def constraints_of(state: State) -> Constraints | None:
    """All constraints that are in force."""
    return check_constraints(state.must_link, state.cannot_link, state.groups, len(state.labels))


def without_singles(labels: np.ndarray) -> np.ndarray:
    """Labels in which clusters of one sample are noise."""
    sizes = np.append(np.bincount(labels[labels >= 0]), 0)
    return np.where((labels >= 0) & (sizes[labels] > 1), labels, -1)


def recorded(state: State, labels: np.ndarray, renewed: Any) -> State:
    """The state with new labels, which obey, and what became of ids.

    Parameters
    ----------
    state : State
    labels : int64 ndarray of shape (n_samples,)
    renewed : array-like of int
        Ids that the networks looked at.
    """
    labels = _settled(state, labels)
    numbers, sizes = np.unique(labels[labels >= 0], return_counts=True)
    looked_at = set(np.asarray(renewed, dtype=np.int64).tolist())
    formed = {
        number: size if number in looked_at else state.formed.get(number, size)
        for number, size in zip(numbers.tolist(), sizes.tolist(), strict=True)
    }
    events = [{"update": state.n_updates, **event} for event in what_became(state.labels, labels)]
    return state._replace(
        labels=labels,
        formed=formed,
        next_id=max(state.next_id, int(labels.max(initial=-1)) + 1),
        history=[*state.history, *events],
        n_updates=state.n_updates + 1,
    )


def _settled(state, labels):
    """Labels that obey, whatever came before: of what must not be together all but one leave."""
    constraints, rows = constraints_of(state), np.flatnonzero(state.known)
    if constraints is None or not len(rows):
        return labels
    among, own = constraints.among(rows), labels[rows]
    if obeys(own, among):
        return labels
    nothing = sp.csr_array((len(rows), len(rows)), dtype=np.float32)
    found = housed(without_rivals(joined(own, among, nothing), among, nothing), among)
    settled = labels.copy()
    next_id = max(state.next_id, int(labels.max(initial=-1)) + 1)
    settled[rows] = lasting_ids(without_singles(found), own, next_id)
    return settled
