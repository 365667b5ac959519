"""Proposals: groups of samples that may be clusters, at many scales, from one affinity graph.

Proposals are held as *layers*: an int array of shape (n_layers, n_samples) in which each row is a
partition, each number above -1 names one proposal and -1 says "in none". Within a layer proposals are
disjoint, which is what lets all that follows work on whole layers with plain array operations.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

_HASH_SEED = 1904


class Proposals(NamedTuple):
    """Distinct proposals, numbered layer by layer."""

    layers: np.ndarray
    """int32 of shape (n_layers, n_samples): number of the proposal that holds a sample, -1 for none."""
    starts: np.ndarray
    """intp of shape (n_layers + 1,): first number that is new in each layer; lower ones were seen before."""
    indptr: np.ndarray
    """intp of shape (n_proposals + 1,): where each proposal's members start in `indices`."""
    indices: np.ndarray
    """int32 of shape (total size,): members of each proposal, ascending."""

    @property
    def sizes(self) -> np.ndarray:
        """Number of members of each proposal."""
        return np.diff(self.indptr)

    def check_any(self, min_size: int, max_size: int | None) -> None:
        """Raise an error that names the sizes that were asked for, if there is no proposal."""
        if not len(self.sizes):
            raise ValueError(
                f"No proposal has from {min_size} to {max_size or self.layers.shape[1]} members, so there is "
                "nothing to learn from. Choose a smaller min_proposal_size or a larger max_proposal_size."
            )

    def membership(self) -> sp.csr_array:
        """Boolean matrix of shape (n_proposals, n_samples)."""
        shape = (len(self.indptr) - 1, self.layers.shape[1])
        return sp.csr_array((np.ones(len(self.indices), bool), self.indices, self.indptr), shape)


def distinct_proposals(layers: np.ndarray, min_size: int = 1, max_size: int | None = None) -> Proposals:
    """Number the proposals of all layers; one that stands in several layers has the same number in all.

    Parameters
    ----------
    layers : int ndarray of shape (n_layers, n_samples)
        Partitions; numbers need not be consecutive, -1 is no proposal.
    min_size, max_size : int
        Proposals of other sizes are left out.

    Returns
    -------
    Proposals
    """
    n_samples = layers.shape[1]
    # Same members, same sum modulo 2^64: two proposals are compared by one number each.
    sample_hash = np.random.default_rng(_HASH_SEED).integers(0, 2**63, (n_samples,), dtype=np.uint64)
    numbered = np.full(layers.shape, -1, dtype=np.int32)
    starts, sizes, members = [0], [], []
    known_content, known_number = np.empty(0, np.uint64), np.empty(0, np.int64)
    for layer, out in zip(layers, numbered, strict=True):
        held = np.argsort(layer, kind="stable")[np.count_nonzero(layer < 0) :]
        first = np.flatnonzero(np.diff(layer[held], prepend=-1))
        size = np.diff(first, append=len(held))
        wanted = (size >= min_size) & (size <= (max_size or n_samples))
        held, size = held[np.repeat(wanted, size)], size[wanted]
        content = (
            np.add.reduceat(sample_hash[held], np.cumsum(size) - size) if len(held) else known_content[:0]
        )
        place = np.minimum(np.searchsorted(known_content, content), max(len(known_content) - 1, 0))
        new = known_content[place] != content if len(known_content) else np.ones(len(content), bool)
        number = np.empty(len(content), np.int64)
        number[new] = starts[-1] + np.arange(new.sum())
        number[~new] = known_number[place[~new]]
        out[held] = np.repeat(number, size)
        starts.append(starts[-1] + int(new.sum()))
        sizes.append(size[new])
        members.append(held[np.repeat(new, size)].astype(np.int32))
        known_content = np.concatenate([known_content, content[new]])
        order = np.argsort(known_content)
        known_content = known_content[order]
        known_number = np.concatenate([known_number, number[new]])[order]
    return Proposals(
        numbered,
        np.array(starts),
        np.concatenate([[0], np.cumsum(np.concatenate(sizes))]).astype(np.intp),
        np.concatenate(members),
    )


def last_ancestor(pointer: np.ndarray) -> np.ndarray:
    """Where each node ends up when pointers are followed until they stay (pointer doubling)."""
    while True:
        further = pointer[pointer]
        if np.array_equal(further, pointer):
            return pointer
        pointer = further
