"""Tests of what tells links inside classes from links between classes."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sklearn_gcncluster._arrays import pair_distances, pair_products
from sklearn_gcncluster._graph._dissimilarity import dissimilarities_of
from sklearn_gcncluster._graph._link_features import (
    NeighborhoodFeatures,
    ProbabilityFeatures,
    log_odds,
    shared_mass,
    smoothed_similarity,
)
from sklearn_gcncluster._graph._links import link
from sklearn_gcncluster._graph._neighbors import nearest_neighbors

SEEDS = [0, 1, 2]
DEPTHS = (5, 10, 20, 40, 80)


def random_case(seed, n_samples=150, n_neighbors=12, gaps=False):
    """Links of noisy classes, over several blocks of the search for overlaps, and values to go with them.

    With gaps, lists are of different lengths and filled up with the sample itself.
    """
    random = np.random.default_rng(seed)
    rows = random.standard_normal((12, 8))[random.integers(0, 12, n_samples)]
    rows = (rows + 0.7 * random.standard_normal(rows.shape)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    neighbors, distances = nearest_neighbors(rows, n_neighbors)
    dissimilarities = dissimilarities_of(distances, "cosine")
    if gaps:
        gap = np.arange(n_neighbors) >= random.integers(0, n_neighbors, n_samples)[:, None]
        neighbors = np.where(gap, np.arange(n_samples)[:, None], neighbors).astype(np.int32)
        dissimilarities = np.where(gap, 9, dissimilarities)  # what stands in a gap must not matter
    links = link(neighbors, dissimilarities)
    cosine, probability = random.random((2, len(links.rows))).astype(np.float32)
    return rows, links, cosine, probability, random.random(n_samples).astype(np.float32)


def both(left, right):
    """Smaller and larger one."""
    return [min(left, right), max(left, right)]


def listed(neighbors, i):
    """Number of neighbours in a list, without the sample itself, which fills gaps."""
    return sum(j != i for j in neighbors[i].tolist())


def slow_overlap(neighbors, weights, i, j, longer=None):
    """Overlap features of a pair from sets and dictionaries, and the sum of products."""
    ours, theirs = (
        {k: w for k, w in zip(neighbors[end].tolist(), weights[end].tolist(), strict=True) if k != end}
        for end in (i, j)
    )
    shared = set(ours) & set(theirs)
    longer = max(listed(neighbors, i), listed(neighbors, j), 1) if longer is None else longer
    counts = [
        len(shared & set(neighbors[i, :k].tolist()) & set(neighbors[j, :k].tolist())) / min(k, longer)
        for k in DEPTHS
    ]
    minima = sum(min(ours[k], theirs[k]) for k in shared)
    products = sum(ours[k] * theirs[k] for k in shared)
    total = sum(ours.values()) + 1e-9, sum(theirs.values()) + 1e-9
    length = np.sqrt(sum(w**2 for w in ours.values()) * sum(w**2 for w in theirs.values())) + 1e-9
    mass = sum(ours[k] for k in shared) / total[0], sum(theirs[k] for k in shared) / total[1]
    return [*counts, minima / (sum(total) - minima), *both(*mass), products / length], products


def slow_neighborhood_features(links, cosine, quality, number):
    """Features of one link by the letter of the documentation."""
    lists = [
        [d for d, k in zip(ds, ks, strict=True) if k != i]
        for i, (ds, ks) in enumerate(
            zip(links.dissimilarities.tolist(), links.neighbors.tolist(), strict=True)
        )
    ]
    everything = np.concatenate(lists)
    level, spread, least = everything.mean(), everything.std(), 1e-3 * everything.mean()
    standard = (level - links.dissimilarities) / spread
    weights = np.exp(standard - standard[:, :1])
    i, j = links.rows[number], links.cols[number]
    unlike = links.dissimilarity[number]
    similarity, apart = (level - unlike) / spread, np.log(max(unlike, least))
    row = [similarity, (cosine[number] - cosine.mean()) / cosine.std(), *both(quality[i], quality[j])]
    for k in (1, 3, 5, 10, 20, 40, 80):
        # The k-th in the list, or its last; of an empty list the farthest of all.
        kth = [([*lists[end], everything.max()][: max(len(lists[end]), 1)][:k])[-1] for end in (i, j)]
        row += both(*(similarity - (level - d) / spread for d in kth))
        row += both(*(apart - np.log(max(d, least)) for d in kth))
    row += both(*np.log1p(links.ranks[:, number]))
    row.append(j in links.neighbors[i] and i in links.neighbors[j])
    return row + slow_overlap(links.neighbors, weights, i, j)[0]


def slow_probability_features(links, probability, rows):
    """Features of all links, from the dense matrix of probabilities."""
    n_samples, n_neighbors = links.neighbors.shape
    dense = np.zeros((n_samples, n_samples))
    dense[links.rows, links.cols] = dense[links.cols, links.rows] = probability
    neighbors = np.argsort(-dense, axis=1, kind="stable")[:, :n_neighbors]
    weights = np.take_along_axis(dense, neighbors, axis=1)
    neighbors[weights == 0] = np.nonzero(weights == 0)[0]
    degree = weights.sum(axis=1)
    out = []
    for i, j, p in zip(links.rows, links.cols, probability, strict=True):
        longer = max(listed(links.neighbors, i), listed(links.neighbors, j))
        overlap, shared = slow_overlap(neighbors, weights, i, j, longer)
        row = [np.log(p / (1 - p)), *both(np.log1p(degree[i]), np.log1p(degree[j]))]
        row += [*overlap, np.log1p(shared)]
        row += both(*(shared / max(degree[end] - p, 0.05) for end in (i, j)))
        for k in (1, 3, 10, 30, 80):
            place = min(k, n_neighbors) - 1
            row += both(p - weights[i, place], p - weights[j, place])
        out.append(row)
    smoothed = rows + dense @ rows
    smoothed /= np.linalg.norm(smoothed, axis=1, keepdims=True)
    products = (smoothed[links.rows] * smoothed[links.cols]).sum(axis=1)
    return np.column_stack([out, (products - products.mean()) / products.std()])


@pytest.mark.parametrize(
    ("n_neighbors", "gaps"), [(1, False), (12, False), (90, False), (256, False), (12, True)]
)
@pytest.mark.parametrize("seed", SEEDS)
def test_neighborhood_features_equal_sets(seed, n_neighbors, gaps):
    """Similarity, ranks and overlaps of some links, by sets, for lists shorter and longer than all depths."""
    _, links, cosine, _, quality = random_case(seed, max(n_neighbors + 10, 150), n_neighbors, gaps)
    features = NeighborhoodFeatures(links, cosine, quality)(np.arange(len(links.rows)))
    assert features.dtype == np.float32
    for number in range(0, len(links.rows), max(len(links.rows) // 100, 1)):
        slow = slow_neighborhood_features(links, cosine, quality, number)
        np.testing.assert_allclose(features[number], slow, atol=2e-4)


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_probability_features_equal_a_dense_reference(seed, gaps):
    """Overlaps, ranks and smoothed embeddings under weights of probability."""
    rows, links, _, probability, _ = random_case(seed, gaps=gaps)
    everywhere = np.arange(len(links.rows))
    probability = np.clip(probability, 1e-3, 1 - 1e-3)
    features = probability_features(links, probability, rows)(everywhere)
    expected = slow_probability_features(links, probability, rows)
    np.testing.assert_allclose(features, expected, atol=2e-3)


def probability_features(links, probability, rows):
    """Features of links by their probability, and by rows that are smoothed with these."""
    matrix = links.matrix(probability)
    return ProbabilityFeatures(links, probability, matrix, smoothed_similarity(links, matrix, rows))


def reversed_case(rows, links, cosine, probability, quality):
    """The same samples numbered backwards, and for each link its number there: all ends are swapped."""
    last = len(rows) - 1
    swapped = link(last - links.neighbors[::-1], links.dissimilarities[::-1])
    back = np.lexsort((last - links.rows, last - links.cols))
    np.testing.assert_array_equal(swapped.rows, last - links.cols[back])
    return (rows[::-1], swapped, cosine[back], probability[back], quality[::-1]), back


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_ends_of_a_link_may_be_swapped(seed, gaps):
    """Samples numbered backwards give the same features, up to rounding."""
    case = random_case(seed, gaps=gaps)
    other, back = reversed_case(*case)
    found = []
    for rows, links, cosine, probability, quality in (case, other):
        everywhere = np.arange(len(links.rows))
        first = NeighborhoodFeatures(links, cosine, quality)(everywhere)
        second = probability_features(links, probability, rows)(everywhere)
        found.append(np.column_stack([first, second, shared_mass(links)]))
    np.testing.assert_allclose(found[0][back], found[1], atol=1e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_part_of_the_links(seed):
    """Features of some links are those rows of the features of all."""
    rows, links, cosine, probability, quality = random_case(seed)
    n_links = len(links.rows)
    random = np.random.default_rng(seed)
    parts = [np.flatnonzero(random.random(n_links) < 0.3), np.arange(5), np.array([n_links - 1])]
    for features in (
        NeighborhoodFeatures(links, cosine, quality),
        probability_features(links, probability, rows),
    ):
        everything = features(np.arange(n_links))
        for part in parts:
            np.testing.assert_allclose(features(part), everything[part], atol=1e-6)


@pytest.mark.parametrize(("n_neighbors", "gaps"), [(1, False), (2, False), (12, False), (12, True)])
@pytest.mark.parametrize("seed", SEEDS)
def test_shared_mass_equals_dictionaries(seed, n_neighbors, gaps):
    """Each sample spreads mass over itself and its neighbours but the last; links keep what both share."""
    _, links, *_ = random_case(seed, n_samples=90, n_neighbors=n_neighbors, gaps=gaps)
    spread = []
    for i in range(90):
        mass = {i: 1.0}
        for j, unlike in zip(links.neighbors[i, :-1], links.dissimilarities[i, :-1], strict=True):
            if j != i:
                mass[int(j)] = np.exp(-2 * float(unlike) / 0.5)
        spread.append({j: value / sum(mass.values()) for j, value in mass.items()})
    expected = [
        sum(spread[i][k] + spread[j][k] for k in set(spread[i]) & set(spread[j])) / 2
        for i, j in zip(links.rows.tolist(), links.cols.tolist(), strict=True)
    ]
    found = shared_mass(links)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert found.min() >= 0
    assert found.max() <= 1 + 1e-6
    assert found.dtype == np.float32


def test_shared_mass_tells_classes_apart():
    """Without any labels, links inside a class share more than links between classes."""
    random = np.random.default_rng(0)
    y = np.repeat(np.arange(10), 15)
    rows = (random.standard_normal((10, 16))[y] + 0.8 * random.standard_normal((150, 16))).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    neighbors, distances = nearest_neighbors(rows, 20)
    links = link(neighbors, dissimilarities_of(distances, "cosine"))
    same = y[links.rows] == y[links.cols]
    assert roc_auc_score(same, shared_mass(links)) > roc_auc_score(same, -links.dissimilarity)
    assert roc_auc_score(same, shared_mass(links)) > 0.95


@pytest.mark.parametrize("seed", SEEDS)
def test_short_lists_are_lists_of_that_length(seed):
    """Lists that were all filled up from the same length on give the features of the shorter lists."""
    _, links, cosine, _, quality = random_case(seed, n_neighbors=7)
    own = np.repeat(np.arange(150, dtype=np.int32)[:, None], 5, axis=1)
    filled = link(
        np.concatenate([links.neighbors, own], axis=1),
        np.concatenate([links.dissimilarities, np.zeros((150, 5), np.float32)], axis=1),
    )
    everywhere = np.arange(len(links.rows))
    short, long = (NeighborhoodFeatures(one, cosine, quality)(everywhere) for one in (links, filled))
    np.testing.assert_allclose(long, short, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("block", [1, 7, 1000])
def test_pair_distances(block, dtype):
    """Squared distances of pairs, whatever the block, of rows far from the origin too."""
    random = np.random.default_rng(0)
    left, right = (1e6 + random.standard_normal((2, 30, 6))).astype(dtype)
    rows, cols = random.integers(0, 30, (2, 50))
    expected = ((left[:, None].astype(np.float64) - right[None]) ** 2).sum(axis=2)[rows, cols]
    found = pair_distances(np.asfortranarray(left), right, rows, cols, block)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_pair_products(block):
    """Inner products of pairs, whatever the block."""
    random = np.random.default_rng(0)
    left, right = random.standard_normal((2, 30, 6)).astype(np.float32)
    rows, cols = random.integers(0, 30, (2, 50))
    expected = (left @ right.T)[rows, cols]
    np.testing.assert_allclose(pair_products(left, right, rows, cols, block), expected, atol=1e-5)


def test_log_odds():
    """Log-odds, finite for probabilities of zero and one."""
    odds = log_odds(np.array([0, 0.1, 0.5, 0.9, 1]))
    np.testing.assert_allclose(odds[1:4], [-np.log(9), 0, np.log(9)], atol=1e-12)
    np.testing.assert_allclose(odds[[0, 4]], [-np.log(9999), np.log(9999)])
