"""How good clusters should be by the networks' own scores, where nobody knows the truth."""

from __future__ import annotations

import numpy as np

from ._base import Result
from ._graph._samples import Samples
from ._scoring import Scored

_LEAST = 1e-3
"""Predicted shares count as at least so much."""
_UNTOLD = 0.5
"""Recall of a lone sample of which the networks say nothing."""


def expected_quality(result: Result, scored: Scored, samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """BCubed precision and recall of each sample, as the predicted IoU and IoP have it.

    Of a cluster that holds i samples of its majority class, IoP is the share i has of the cluster, and IoU
    tells with it how large the class is, so which share i has of that. The predicted IoU of a sample alone is
    one over the size of its class, which is its recall if it stays alone. What minorities in a cluster find
    there of their own class is left out, so both are low estimates.

    Parameters
    ----------
    result : Result
        Clusters of the samples of X.
    scored : Scored
        Proposals that they came from.
    samples : Samples

    Returns
    -------
    precision, recall : float64 ndarrays of shape (n_samples,)
    """
    purity = np.clip(result.scores[:, 1].astype(np.float64), _LEAST, 1)
    iou = np.clip(result.scores[:, 0].astype(np.float64), _LEAST, purity)
    complete = purity / (purity / iou - 1 + purity)
    # Samples that are lone or cannot be compared stand behind the clusters, at -1.
    precision = np.append(purity**2, 1)[result.labels]
    recall = np.append(purity * complete, 0)[result.labels]
    lone = result.labels < 0
    recall[lone] = _recall_alone(scored, samples)[lone]
    return np.nan_to_num(precision, nan=1), np.nan_to_num(recall, nan=1)


def fscore(precision: np.ndarray, recall: np.ndarray) -> float:
    """BCubed F of samples' precision and recall."""
    of, reached = float(np.mean(precision)), float(np.mean(recall))
    return 2 * of * reached / max(of + reached, _LEAST)


def _recall_alone(scored, samples):
    """Predicted IoU of each sample of X on its own."""
    proposals = scored.proposals
    single = np.flatnonzero(proposals.sizes == 1)
    alone = np.full(len(samples.counts) + 1, _UNTOLD)
    alone[proposals.indices[proposals.indptr[single]]] = scored.quality[single, 0]
    return np.clip(alone[samples.inverse], 0, 1)
