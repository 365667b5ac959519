"""Tests of the way from scored, overlapping proposals to labels."""

from itertools import pairwise

import numpy as np
import pytest

from sklearn_gcncluster._proposals._layers import distinct_proposals
from sklearn_gcncluster._selection import (
    adaptive_deoverlap,
    deoverlap,
    in_favour_of,
    membership_of,
    number_clusters,
    share_moved,
    suppress,
)

SEEDS = range(5)


def random_case(seed, decimals=5):
    """Overlapping proposals, one of which may stand in several layers, and their scores."""
    random = np.random.default_rng(seed)
    layers = random.integers(-1, [[30], [12], [6], [4]], (4, 50))
    layers[1, :25] = layers[0, :25] + 20
    proposals = distinct_proposals(layers)
    return proposals, np.round(random.random(len(proposals.sizes)), decimals).astype(np.float32)


def members_of(proposals):
    """Members of all proposals, as sets."""
    return [set(part.tolist()) for part in np.split(proposals.indices, proposals.indptr[1:-1])]


def slow_deoverlap(proposals, scores, min_score=-np.inf):
    """Algorithm 3 by the letter: walk the ranked list, take what was not taken before."""
    members, high = members_of(proposals), scores >= min_score  # NumPy 1 compares scalars in double precision
    assigned = np.full(proposals.layers.shape[1], -1)
    for number in sorted(range(len(scores)), key=lambda i: (-scores[i], i)):
        if high[number] or len(members[number]) == 1:
            assigned[[i for i in members[number] if assigned[i] < 0]] = number
    return assigned


def slow_suppress(proposals, scores, max_iou, min_score=-np.inf):
    """Greedy suppression, one proposal after the other; samples left over stay alone where they may."""
    members, kept = members_of(proposals), []
    for number in sorted(range(len(scores)), key=lambda i: (-scores[i], i)):
        ious = [len(members[number] & members[i]) / len(members[number] | members[i]) for i in kept]
        if scores[number] >= min_score and all(iou <= max_iou for iou in ious):
            kept.append(number)
    assigned = np.full(proposals.layers.shape[1], -1)
    for number in [*kept, *(i for i, group in enumerate(members) if len(group) == 1)]:
        assigned[[i for i in members[number] if assigned[i] < 0]] = number
    return assigned


@pytest.mark.parametrize("decimals", [1, 5])
@pytest.mark.parametrize("min_score", [-np.inf, 0.3, 0.7, 2.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_deoverlap_equals_the_sequential_loop(seed, min_score, decimals):
    """Each sample goes to the best proposal that holds it; ties go to the earlier one."""
    proposals, scores = random_case(seed, decimals)
    assert (proposals.sizes == 1).any()
    found = deoverlap(proposals, scores, min_score)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, slow_deoverlap(proposals, scores, min_score))


def test_deoverlap_without_a_minimum_takes_all():
    """By default every sample in a proposal goes to one."""
    proposals, scores = random_case(0)
    np.testing.assert_array_equal(deoverlap(proposals, scores) >= 0, (proposals.layers >= 0).any(axis=0))


def test_min_score_spares_single_samples():
    """A group below the minimum takes nothing; a single sample is a proposal at any score."""
    proposals = distinct_proposals(np.array([[0, 0, 0, 1, 1], [0, 1, 2, 3, 4]]))
    scores = np.array([0.4, 0.9, 0.1, 0.5, 0.1, 0.1, 0.95], dtype=np.float32)
    assert deoverlap(proposals, scores).tolist() == [0, 3, 0, 1, 6]
    assert deoverlap(proposals, scores, 0.45).tolist() == [2, 3, 4, 1, 6]
    assert deoverlap(proposals, scores, 0.9).tolist() == [2, 3, 4, 1, 6]  # the minimum itself is enough
    assert deoverlap(proposals, scores, 0.99).tolist() == [2, 3, 4, 5, 6]
    assert deoverlap(distinct_proposals(np.array([[0, 0, -1]])), np.array([0.5]), 0.6).tolist() == [-1] * 3


@pytest.mark.parametrize("decimals", [1, 5])
@pytest.mark.parametrize("max_iou", [0.0, 0.1, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_suppress_equals_the_sequential_loop(seed, max_iou, decimals):
    """Rounds of suppression end as the loop that looks at one proposal after the other."""
    proposals, scores = random_case(seed, decimals)
    for min_score in (-np.inf, 0.6):
        found = suppress(proposals, scores, max_iou, min_score)
        np.testing.assert_array_equal(found, slow_suppress(proposals, scores, max_iou, min_score))
        assert found.dtype == np.int32


def test_suppress_chain():
    """A proposal suppressed by the best does not suppress the third."""
    layers = np.array([[0, 0, 0, 0, -1, -1], [-1, 0, 0, 0, 0, -1], [-1, -1, -1, 0, 0, 0]])
    proposals, scores = distinct_proposals(layers), np.array([0.9, 0.8, 0.7])
    assert suppress(proposals, scores, 0.3).tolist() == [0, 0, 0, 0, 2, 2]
    assert suppress(proposals, scores, 0.15).tolist() == [0, 0, 0, 0, -1, -1]
    assert suppress(proposals, scores, 0.6).tolist() == [0, 0, 0, 0, 1, 2]


def test_suppress_allows_the_maximum_itself():
    """Proposals that overlap by exactly the allowed IoU are both kept."""
    proposals = distinct_proposals(np.array([[0, 0, 0, -1], [-1, -1, 0, 0]]))
    scores = np.array([0.9, 0.8])
    assert suppress(proposals, scores, 0.25).tolist() == [0, 0, 0, 1]
    assert suppress(proposals, scores, 0.24).tolist() == [0, 0, 0, -1]


@pytest.mark.parametrize("seed", SEEDS)
def test_membership_is_looked_up(seed):
    """Each sample gets its probability in the proposal it went to, 0 in none."""
    proposals, scores = random_case(seed)
    membership = np.random.default_rng(seed).random(len(proposals.indices)).astype(np.float32)
    assigned = deoverlap(distinct_proposals(proposals.layers), scores, 0.6)
    found = membership_of(proposals, membership, assigned)
    expected = np.zeros(50, np.float32)
    for number in range(len(scores)):
        for entry in range(*proposals.indptr[number : number + 2]):
            if assigned[proposals.indices[entry]] == number:
                expected[proposals.indices[entry]] = membership[entry]
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32


@pytest.mark.parametrize("outliers", ["noise", "singletons"])
@pytest.mark.parametrize("seed", SEEDS)
def test_cluster_numbers(seed, outliers):
    """Groups by falling size and first sample, whatever their names; those that speak for none get -1."""
    random = np.random.default_rng(seed)
    assigned = random.integers(-1, 12, 40)
    counts = random.integers(0, 3, 40)
    labels = number_clusters(assigned, counts, outliers)
    groups = {}
    for sample, group in enumerate(assigned.tolist()):
        groups.setdefault(group if group >= 0 else -2 - sample, []).append(sample)
    ranked = sorted(groups.values(), key=lambda group: (-counts[group].sum(), group[0]))
    for number, group in enumerate(ranked):
        outlier = counts[group].sum() < (2 if outliers == "noise" else 1)
        assert (labels[group] == (-1 if outlier else number)).all()
    renamed = np.where(assigned < 0, -1, 500 - 3 * assigned)
    np.testing.assert_array_equal(number_clusters(renamed, counts, outliers), labels)


def test_cluster_numbers_by_hand():
    """Copies count: a sample that stands for two is a cluster, one that stands for itself an outlier."""
    assigned = np.array([7, -1, 3, 3, 9, -1, 3, 9])
    counts = np.array([1, 2, 1, 1, 1, 1, 1, 1])
    assert number_clusters(assigned, counts, "noise").tolist() == [-1, 1, 0, 0, 2, -1, 0, 2]
    assert number_clusters(assigned, counts, "singletons").tolist() == [3, 1, 0, 0, 2, 4, 0, 2]
    assert number_clusters(np.array([-1]), np.array([1]), "noise").tolist() == [-1]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_adaptive_deoverlap_is_the_loop_that_scores_what_is_left(seed, power):
    """Adaptive de-overlap takes, one by one, the proposal whose score times share left is highest."""
    random = np.random.default_rng(seed)
    layers = np.stack([random.integers(-1, 6, 40), random.integers(0, 12, 40), np.arange(40)])
    proposals = distinct_proposals(layers)
    scores = random.random(len(proposals.sizes))
    members = [set(proposals.indices[a:b]) for a, b in pairwise(proposals.indptr)]
    allowed = [len(group) == 1 or score >= 0.3 for group, score in zip(members, scores, strict=True)]
    free, expected = set(range(40)), np.full(40, -1)
    while any(ok and group & free for ok, group in zip(allowed, members, strict=True)):
        worth = [
            score * (len(group & free) / len(group)) ** power if ok and group & free else -1.0
            for ok, group, score in zip(allowed, members, scores, strict=True)
        ]
        best = int(np.argmax(worth))
        expected[list(members[best] & free)] = best
        free -= members[best]
    found = adaptive_deoverlap(proposals, scores, min_score=0.3, power=power)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_share_moved_counts_samples(seed):
    """Those from other clusters and those left behind, if it is one that was; else all that were in any."""
    proposals, _ = random_case(seed)
    before = np.repeat(np.append(np.arange(4), -1), 10)
    before[seed::7] = -1
    clusters = [set(np.flatnonzero(before == number)) for number in range(4)]
    moved = []
    for members in members_of(proposals):
        count = sum(before[member] >= 0 for member in members)
        for cluster in clusters:
            if 2 * len(members & cluster) > len(cluster):
                count = min(count, len((members & set().union(*clusters)) ^ cluster))
        moved.append(count / len(members))
    np.testing.assert_allclose(share_moved(proposals, before), moved)


def test_share_moved_by_hand():
    """Joining outliers moves none, a merge the smaller part, a split into halves all."""
    before = np.array([0, 0, 0, 0, 1, 1, -1, -1])
    layers = np.array([[0, 0, 0, 0, 0, 0, -1, -1], [0, 0, 1, 1, 2, 2, 2, 2], [0, 0, 0, 1, -1, -1, 2, 2]])
    proposals = distinct_proposals(layers)
    np.testing.assert_allclose(share_moved(proposals, before), [2 / 6, 1, 1, 0, 1 / 3, 1, 0])
    np.testing.assert_array_equal(share_moved(proposals, np.full(8, -1)), 0)


def test_proposals_that_change_clusters_are_worth_less():
    """The more members would move the less, down to nine tenths; what changes nothing keeps its score."""
    before = np.array([0, 0, 0, 0, 1, 1, -1, -1])
    layers = np.array([[0, 0, 0, 0, 1, 1, -1, -1], [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 1, -1]])
    proposals = distinct_proposals(layers)
    moved = share_moved(proposals, before)
    worth = in_favour_of(before, proposals, np.full(len(moved), 0.5, np.float32))
    assert moved.tolist()[:3] == [0, 0, 0.25]
    np.testing.assert_allclose(worth, 0.5 * (1 - np.minimum(0.3 * moved, 0.1)))
    assert worth[2] < worth[0] == 0.5
