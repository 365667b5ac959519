"""What training gives: plain arrays, and the choices that they belong to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

N_SEED_INPUTS = 3
"""Inputs of GCN-S about its seed: its mark, the affinity to it (0 if not linked), the nearness to it."""


class Frame(NamedTuple):
    """Where Euclidean rows have their origin, and how long their unit is."""

    origin: np.ndarray
    """float64 of shape (n_features,)."""
    unit: float


class LinearMap(NamedTuple):
    """A linear map of embeddings: ``(rows - mean) @ directions``."""

    mean: np.ndarray
    """float32 of shape (n_features,)."""
    directions: np.ndarray
    """float32 of shape (n_features, n_features)."""


class LinkNetwork(NamedTuple):
    """A small network that tells how probable links are."""

    mean: np.ndarray
    """float32 of shape (n_inputs,): of each input in training."""
    std: np.ndarray
    """float32 of shape (n_inputs,)."""
    context_mean: np.ndarray | None
    """float32 of shape (n_context,), or None for a model that does not look at the context."""
    context_std: np.ndarray | None
    weights: tuple[np.ndarray, ...]
    """float32 of shape (n_in, n_out), layer by layer."""
    biases: tuple[np.ndarray, ...]
    """float32 of shape (n_out,), layer by layer."""

    @property
    def n_features(self) -> int:
        """How many features of links it sees; those that look at the context see each twice."""
        return len(self.mean) // (1 if self.context_mean is None else 2)


class LinkModels(NamedTuple):
    """Models of links, in two rounds: the second sees the neighbourhoods as the first left them."""

    first: tuple[LinkNetwork, ...]
    second: tuple[LinkNetwork, ...]
    low: np.ndarray
    """float32 of shape (n_features,): where the range of each feature that is known from training begins."""
    high: np.ndarray
    """float32 of shape (n_features,): where it ends."""


class Network(NamedTuple):
    """A GCN-D or GCN-S."""

    mean: np.ndarray
    """float32 of shape (n_structure,): of each structural input in training."""
    std: np.ndarray
    """float32 of shape (n_structure,)."""
    parameters: dict[str, np.ndarray]
    """float32 arrays by name."""


class Learned(NamedTuple):
    """All that training gives, with the parameters of the estimator that it belongs to."""

    affinity: str
    node_features: str
    hidden_channels: tuple[int, ...]
    pooling: str
    n_neighbors: int | None = None
    """Length of the lists of neighbours that were learned from, where they were of one length. Lists of new
    samples are not longer: in another length, everything means something else."""
    n_classes: int | None = None
    """Number of classes of several samples that were learned from; None where nobody knows."""
    frame: Frame | None = None
    """Where map or networks look at the embedding itself: of its rows, so that others can be compared."""
    map: LinearMap | None = None
    """The linear map under which neighbours are searched, if there is one."""
    links: LinkModels | None = None
    """Models of links, if the affinity is learned."""
    detection: tuple[Network, ...] = ()
    """GCN-Ds, whose scores are averaged."""
    segmentation: Network | None = None
    """GCN-S; None if it was not asked for, or if no training proposal was impure."""

    @property
    def n_features(self) -> int | None:
        """Number of features that X must have; None if any number will do."""
        if self.map is not None:
            return len(self.map.mean)
        return len(self.frame.origin) if self.frame is not None else None

    @property
    def n_structure(self) -> int:
        """Structural features of proposals that the networks know, the most of any."""
        return max(len(network.mean) for network in self.detection)

    def beside(self, other: Learned) -> Learned:
        """With the models of another, whose judgement counts as much; itself where they see other things.

        What is known from training stays what this one knows.
        """
        if not self.is_built_as(other) or self.links is None or other.links is None:
            return self
        first, second = self.links.first + other.links.first, self.links.second + other.links.second
        links = self.links._replace(first=first, second=second)
        return self._replace(links=links, detection=self.detection + other.detection)

    def is_built_as(self, other: Learned) -> bool:
        """Whether the networks of both see the same and are of one shape."""
        return self._inputs() == other._inputs()

    def begins_with(self, other: Learned) -> bool:
        """Whether the first GCN-D of both is the same."""
        return np.array_equal(self.detection[0].mean, other.detection[0].mean)

    def _inputs(self):
        """What decides how the networks are built."""
        return self.affinity, self.node_features, tuple(self.hidden_channels), self.pooling
