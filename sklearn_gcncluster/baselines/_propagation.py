"""Propagation of CDP: components of links, cut at a rising threshold as long as they are too large."""

from __future__ import annotations

import numpy as np

from ._links import ValuedLinks, components


def propagate(
    links: ValuedLinks, counts: np.ndarray, threshold: float, step: float, max_size: int
) -> np.ndarray:
    """Components of at most `max_size` samples; larger ones are cut by ``t <- t + (1 - t) * step`` and again.

    Thresholds that cut nothing are passed over: a link of value v survives ``log((1 - v) / (1 - t)) /
    log(1 - step)`` raises, so only numbers of raises at which a link is lost are visited.

    Parameters
    ----------
    links : ValuedLinks
        Values of at most 1. Those below the threshold are cut; those of 1 never are. A spanning forest will
        do.
    counts : int ndarray of shape (n_samples,)
        How much each sample adds to the size of a component.
    threshold : float
        Below 1.
    step : float
        In (0, 1).
    max_size : int

    Returns
    -------
    int64 ndarray of shape (n_samples,)
        Component of each sample, numbered from 0. One that is still too large has links of value 1 only.
    """
    n_samples = len(counts)
    links = links.take(links.value >= threshold)
    with np.errstate(divide="ignore"):
        gap = np.log(np.maximum(1.0 - links.value, 0) / (1 - threshold))
    links = links._replace(value=np.floor(gap / np.log1p(-step)))  # from here on: the raises it survives
    groups = np.empty(n_samples, dtype=np.int64)
    left, n_groups = np.arange(n_samples), 0
    place = np.arange(n_samples)  # of each sample among those that are left
    while True:
        component = components(place[links.low], place[links.high], len(left))
        # Whatever is done keeps this number; the rest is numbered again.
        groups[left] = n_groups + component
        n_groups += component.max(initial=-1) + 1
        too_large = np.bincount(component, weights=counts[left]) > max_size
        links = links.take(too_large[component[place[links.low]]])
        if not np.isfinite(links.value).any():
            return np.unique(groups, return_inverse=True)[1]
        left = left[too_large[component]]
        place[left] = np.arange(len(left))
        links = links.take(links.value > links.value.min())
