"""What the networks learn from: how good each proposal is, given the labels of its members."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ._layers import Proposals


class Targets(NamedTuple):
    """True quality of each proposal; NaN and -1 where no member is labelled."""

    iou: np.ndarray
    """Intersection over union with the majority class, float32 of shape (n_proposals,)."""
    iop: np.ndarray
    """Intersection over proposal: the share of the majority class, float32 of shape (n_proposals,)."""
    majority: np.ndarray
    """Code of the majority class, intp of shape (n_proposals,)."""


def proposal_targets(proposals: Proposals, y: np.ndarray) -> Targets:
    """IoU and IoP of each proposal with the class that most of its members have (paper, section 3.2).

    Unlabelled samples (-1) count neither as members nor as part of a class: nothing is known of them.

    Parameters
    ----------
    proposals : Proposals
    y : int ndarray of shape (n_samples,)
        Class codes 0..n_classes-1, -1 for unlabelled.
    """
    labelled = np.flatnonzero(y >= 0)
    one_hot = sp.csr_array(
        (np.ones(len(labelled), np.int32), (labelled, y[labelled])), (len(y), y.max(initial=0) + 1)
    )
    counts = (proposals.membership().astype(np.int32) @ one_hot).tocsr()
    sizes, class_sizes = counts.sum(axis=1), np.bincount(y[labelled], minlength=one_hot.shape[1])
    majority = np.asarray(counts.argmax(axis=1)).ravel()
    shared = np.asarray(counts.max(axis=1).todense()).ravel()
    known = sizes > 0
    with np.errstate(invalid="ignore"):
        iop = np.where(known, shared / sizes, np.nan)
        iou = np.where(known, shared / (sizes + class_sizes[majority] - shared), np.nan)
    return Targets(iou.astype(np.float32), iop.astype(np.float32), np.where(known, majority, -1))
