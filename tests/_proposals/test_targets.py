"""Tests of what the networks learn from."""

from collections import Counter

import numpy as np
import pytest

from sklearn_gcncluster._proposals._layers import distinct_proposals
from sklearn_gcncluster._proposals._targets import proposal_targets


@pytest.mark.parametrize("unlabelled", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("seed", range(4))
def test_targets_equal_sets(seed, unlabelled):
    """IoU and IoP with the majority class, as sets of labelled samples; unknown where there are none."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 9, 60)
    y[random.random(60) < unlabelled] = -1
    proposals = distinct_proposals(random.integers(-1, [[6], [15], [40]], (3, 60)))
    targets = proposal_targets(proposals, y)
    assert targets.iou.shape == targets.iop.shape == targets.majority.shape == proposals.sizes.shape
    for number, (iou, iop, majority) in enumerate(zip(*targets, strict=True)):
        members = set(proposals.indices[proposals.indptr[number] : proposals.indptr[number + 1]].tolist())
        members -= set(np.flatnonzero(y < 0).tolist())
        if not members:
            assert majority == -1
            assert np.isnan([iou, iop]).all()
            continue
        votes = Counter(y[sorted(members)].tolist())
        assert majority == min(votes, key=lambda code: (-votes[code], code))
        its_class = set(np.flatnonzero(y == majority).tolist())
        assert iop == pytest.approx(len(members & its_class) / len(members))
        assert iou == pytest.approx(len(members & its_class) / len(members | its_class))


def test_targets_by_hand():
    """A whole class, a part of one, a mixture, and a class with an unlabelled sample in it."""
    y = np.array([0, 0, 0, 1, 1, 1, 1, -1, -1])
    layers = np.array([[0, 0, 0, 1, 1, 2, 2, 2, 3], [0, 0, 1, 1, 1, 1, 1, -1, -1]])
    targets = proposal_targets(distinct_proposals(layers), y)
    np.testing.assert_allclose(targets.iou, [1, 0.5, 0.5, np.nan, 2 / 3, 0.8])
    np.testing.assert_allclose(targets.iop, [1, 1, 1, np.nan, 1, 0.8])
    assert targets.majority.tolist() == [0, 1, 1, -1, 0, 1]
    assert (targets.iou.dtype, targets.iop.dtype) == (np.float32, np.float32)


def test_targets_without_any_labels():
    """Nothing is known of any proposal."""
    targets = proposal_targets(distinct_proposals(np.array([[0, 0, 1]])), np.full(3, -1))
    assert np.isnan(targets.iou).all()
    assert targets.majority.tolist() == [-1, -1]
