"""Tests of the gaps around groups of linked samples, beside paths that are walked step by step."""

import numpy as np
import pytest

from sklearn_gcncluster._graph import _gaps
from sklearn_gcncluster._graph._dissimilarity import dissimilarities_of
from sklearn_gcncluster._graph._forest import merge_tree
from sklearn_gcncluster._graph._gaps import N_GAPS, GapFeatures, divided
from sklearn_gcncluster._graph._links import link
from sklearn_gcncluster._graph._neighbors import nearest_neighbors


def links_of(X, n_neighbors):
    """Links of the nearest neighbours of rows."""
    neighbors, distances = nearest_neighbors(X.astype(np.float32), n_neighbors, metric="euclidean")
    return link(neighbors, dissimilarities_of(distances, "euclidean"))


def slow_features(links):
    """What GapFeatures gives: paths as sets, for one link after the other."""
    core = links.dissimilarities[:, min(2, links.dissimilarities.shape[1]) - 1]
    reach = np.maximum(links.dissimilarity, np.maximum(core[links.rows], core[links.cols]))
    tree = merge_tree(links.matrix(reach))
    height = np.concatenate([core, tree.height[len(core) :]])
    log = np.log(np.maximum(height, 1e-3 * links.dissimilarities.mean()))

    def path(node):
        nodes = [node]
        while tree.parent[nodes[-1]] != nodes[-1]:
            nodes.append(tree.parent[nodes[-1]])
        return nodes

    def widest(nodes, size):
        gaps = [min(log[tree.parent[node]] - log[node], 4) for node in nodes if tree.size[node] >= size]
        return max([0, *gaps])

    out = []
    for row, col in zip(links.rows, links.cols, strict=True):
        both = set(path(row)) & set(path(col))
        joined = min(both)
        # Parts that nothing links are joined at infinity, which is no height to have a gap above.
        real = {node for node in both if np.isfinite(height[node])}
        apart = set(path(row)) ^ set(path(col))
        out.append(
            [widest(real, size) for size in (2, 8, 40)]
            + [widest(apart, size) for size in (2, 8, 40)]
            + [min(log[joined] - log[end], 4) for end in sorted((row, col), key=lambda end: log[end])]
        )
    return np.array(out)


@pytest.mark.parametrize(("n_samples", "n_neighbors"), [(3, 1), (3, 2), (40, 5), (60, 2), (200, 12)])
@pytest.mark.parametrize("copies", [False, True])
def test_features_equal_paths_walked(n_samples, n_neighbors, copies):
    """Widest gaps above and below where the ends meet; also in several parts, and where distances tie."""
    X = np.random.default_rng(n_samples).normal(size=(n_samples, 3))
    if copies:
        X = np.round(X)
    links = links_of(X, n_neighbors)
    found = GapFeatures(links)(np.arange(len(links.rows)))
    assert found.shape == (len(links.rows), N_GAPS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, :8], slow_features(links), atol=1e-4)


def test_lists_divide_where_most_variance_is_between():
    """Otsu's threshold, tried at each place of each list; what fills a shorter list does not count."""
    random = np.random.default_rng(0)
    lists = np.sort(random.normal(size=(60, 12)) + 3 * (random.random((60, 12)) < 0.4), axis=1)
    lengths = random.integers(1, 13, 60)
    lists = np.where(np.arange(12) < lengths[:, None], lists, lists[np.arange(60), lengths - 1, None])
    for values, length, divide, sharpness in zip(lists, lengths, *divided(lists, lengths), strict=True):
        values = values[:length]
        between = [
            k * (length - k) * (values[:k].mean() - values[k:].mean()) ** 2 / length**2
            for k in range(1, length)
        ]
        if length == 1:
            assert sharpness == 0
            continue
        best = int(np.argmax(between))
        assert divide == pytest.approx((values[best] + values[best + 1]) / 2, abs=1e-5)
        assert sharpness == pytest.approx(between[best] / values.var(), abs=1e-4)
    assert divided(lists[:, :1], np.ones(60, int))[1].max() == 0


def test_links_lie_before_or_behind_the_divide():
    """In groups smaller than the lists, links inside lie before it and others behind, for both ends."""
    y = np.repeat(np.arange(10), 12)
    random = np.random.default_rng(0)
    links = links_of(10 * random.normal(size=(10, 8))[y] + random.normal(size=(120, 8)), 40)
    beyond = GapFeatures(links)(np.arange(len(links.rows)))[:, 8:10]
    inside = y[links.rows] == y[links.cols]
    assert beyond[inside].max() < 0 < beyond[~inside].min()


def test_gaps_tell_islands_from_noise():
    """In two islands of 500 samples every neighbourhood is as in one; the gap around them is wide."""
    random = np.random.default_rng(0)
    noise, islands = random.normal(size=(2, 1000, 2))
    islands[500:] += 30
    narrow, wide = (links_of(X, 80) for X in (noise, islands))
    above = [GapFeatures(links)(np.arange(len(links.rows)))[:, 2].min() for links in (narrow, wide)]
    assert above[0] < 0.5
    assert above[1] == 4


def test_gap_is_the_ratio_of_distances():
    """Pairs at distance 1 that are 10 apart: dissimilarities, of squared distances, are a hundredfold."""
    X = np.array([[0.0], [1.0], [2.0], [12.0], [13.0], [14.0]])
    neighbors, distances = nearest_neighbors(X.astype(np.float32), 5, metric="euclidean")
    links = link(neighbors, distances.astype(np.float32) / 1000)
    found = GapFeatures(links)(np.arange(len(links.rows)))
    inside = (links.rows < 3) == (links.cols < 3)
    # Both groups formed at the distance 2 of their ends to the second neighbour.
    np.testing.assert_allclose(found[inside, 0].max(), np.log(100 / 4), rtol=1e-4)
    np.testing.assert_allclose(found[~inside, 3].min(), np.log(100 / 4), rtol=1e-4)


def test_lists_are_divided_in_blocks(monkeypatch):
    """However few lists are divided at once, the features are the same to the last digit."""
    links = links_of(np.random.default_rng(0).normal(size=(60, 3)), 9)
    everywhere = np.arange(len(links.rows))
    at_once = GapFeatures(links)(everywhere)
    monkeypatch.setattr(_gaps, "_BLOCK_ROWS", 7)
    np.testing.assert_array_equal(GapFeatures(links)(everywhere), at_once)
