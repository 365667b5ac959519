"""Tests of proposals in the eyes of the networks."""

import copy

import numpy as np
import pytest
import torch

from sklearn_gcncluster import _scoring
from sklearn_gcncluster._graph._room import room_of
from sklearn_gcncluster._proposals._bottleneck import N_WITH_CUTS
from sklearn_gcncluster._proposals._extent import N_WITH_EXTENT, extent_features
from sklearn_gcncluster._proposals._layers import distinct_proposals
from sklearn_gcncluster._scoring import Inputs, Judge, Scored, embedding_of, join


@pytest.fixture(scope="module")
def graph(trained, unseen):
    """Graph of unseen samples."""
    return trained._graph_of(trained._new_samples(unseen[0]), trained.learned_)


@pytest.fixture(scope="module")
def judge(trained, graph):
    """The networks at work on it."""
    return Judge(graph, trained.learned_, "cpu")


def some_proposals(graph, seed=0):
    """Random groups in three layers, and every sample alone."""
    random = np.random.default_rng(seed)
    n_samples = len(graph.rows)
    layers = random.integers(-1, [[5], [20], [60]], (3, n_samples))
    return distinct_proposals(np.concatenate([layers, np.arange(n_samples)[None]]))


def test_scores_are_of_proposals_alone(judge, graph):
    """Inputs that are known beforehand, and the number of layers, change no score."""
    proposals = some_proposals(graph)
    scored = judge.score(proposals)
    assert scored.proposals is proposals
    assert scored.quality.shape == (len(proposals.sizes), 2)
    assert scored.quality.dtype == np.float32
    np.testing.assert_array_equal(scored.membership, np.repeat(scored.quality[:, 1], proposals.sizes))
    beforehand = judge.score(proposals, Inputs(graph).of_all(proposals))
    np.testing.assert_array_equal(beforehand.quality, scored.quality)
    for number in range(4):
        alone = judge.score(distinct_proposals(proposals.layers[number : number + 1]))
        first, stop = proposals.starts[number : number + 2]
        new = np.isin(np.unique(proposals.layers[number]), np.arange(first, stop))
        expected = alone.quality[new[-len(alone.quality) :]]
        np.testing.assert_allclose(scored.quality[first:stop], expected, atol=1e-5)


def test_scores_do_not_depend_on_parts(judge, graph, monkeypatch):
    """However few members are looked at together."""
    proposals = some_proposals(graph)
    whole = judge.score(proposals)
    monkeypatch.setattr(_scoring, "_PART_ROWS", 20)
    np.testing.assert_allclose(judge.score(proposals).quality, whole.quality, atol=1e-5)


def test_extents_stand_behind_what_other_networks_see(graph, monkeypatch):
    """Those of its proposal in each row; zeros where there is no embedding; nothing else changes."""
    monkeypatch.setattr(_scoring, "_PART_ROWS", 20)
    proposals = some_proposals(graph)
    known, bare = Inputs(graph, N_WITH_CUTS), Inputs(graph._replace(rows=None), N_WITH_EXTENT)
    before, found, without = (
        np.concatenate([part.structure for part in inputs.of_all(proposals)])
        for inputs in (known, Inputs(graph, N_WITH_EXTENT), bare)
    )
    np.testing.assert_array_equal(found[:, :N_WITH_CUTS], before)
    expected = extent_features(proposals, graph.rows, room_of(graph.rows))
    assert expected.any(axis=0).all()
    np.testing.assert_array_equal(found[:, N_WITH_CUTS:], np.repeat(expected, proposals.sizes, axis=0))
    assert without.shape == found.shape
    assert not without[:, N_WITH_CUTS:].any()


def test_another_judge_of_the_same_graph(trained, graph, judge):
    """Nothing that was asked before changes the answer."""
    proposals = some_proposals(graph)
    judge.score(some_proposals(graph, seed=1))
    again = Judge(graph, trained.learned_, "cpu").score(proposals)
    np.testing.assert_array_equal(again.quality, judge.score(proposals).quality)


def test_several_jobs_judge_on_the_processor(trained, graph, judge):
    """Whatever the device is: here one on which nothing can be computed."""
    proposals = some_proposals(graph)
    several = Judge(graph, trained.learned_, "meta", n_jobs=2)
    np.testing.assert_array_equal(several.score(proposals).quality, judge.score(proposals).quality)
    alone = Judge(graph, trained.learned_, "meta")
    with pytest.raises(RuntimeError, match="meta"):
        alone.score(proposals)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_judge_on_a_gpu(trained, graph, judge):
    """It says of the same proposals what the processor says, but for rounding, and segments them alike."""
    proposals = some_proposals(graph)
    there = Judge(graph, trained.learned_, "cuda")
    scored, expected = there.score(proposals), judge.score(proposals)
    np.testing.assert_allclose(scored.quality, expected.quality, atol=1e-4)
    found, known = (one.segment(expected, iop_range=(0, 1), n_seeds=3, seed=0)[0] for one in (there, judge))
    assert (found.layers >= 0).any()
    assert ((found.layers >= 0) == (known.layers >= 0)).mean() > 0.99


@pytest.mark.parametrize("iop_range", [(0.0, 1.0), (0.3, 0.7), (0.0, 0.0)])
def test_segments_what_is_in_range(judge, graph, iop_range):
    """What is left of a proposal is a part of it; those outside the range are left out."""
    proposals = some_proposals(graph)
    scored = judge.score(proposals)
    segmented, membership = judge.segment(scored, iop_range=iop_range, n_seeds=3, seed=0)
    impure = (scored.quality[:, 1] >= iop_range[0]) & (scored.quality[:, 1] <= iop_range[1])
    allowed = [set(part) for part in np.split(proposals.indices, proposals.indptr[1:-1])]
    allowed = [members for members, wanted in zip(allowed, impure, strict=True) if wanted]
    for part in np.split(segmented.indices, segmented.indptr[1:-1]) if len(segmented.sizes) else []:
        assert any(set(part) <= members for members in allowed)
    assert (len(segmented.sizes) > 0) == (len(allowed) > 0)
    assert segmented.layers.shape == proposals.layers.shape
    assert membership.shape == segmented.indices.shape
    assert (membership > 0.5).all()
    again, _ = judge.segment(scored, iop_range=iop_range, n_seeds=3, seed=0)
    np.testing.assert_array_equal(again.layers, segmented.layers)


def test_judge_that_can_not_segment(trained, graph):
    """Without a GCN-S proposals are scored all the same."""
    without = trained.learned_._replace(segmentation=None)
    one = Judge(graph, without, "cpu")
    assert not one.can_segment
    proposals = some_proposals(graph)
    expected = Judge(graph, trained.learned_, "cpu")
    assert expected.can_segment
    np.testing.assert_array_equal(one.score(proposals).quality, expected.score(proposals).quality)


def test_clusters_without_gcn_s(trained, unseen):
    """An estimator without a GCN-S clusters as with segment=False."""
    without = copy.deepcopy(trained)
    without.learned_ = without.learned_._replace(segmentation=None)
    plain = copy.deepcopy(trained).set_params(segment=False)
    np.testing.assert_array_equal(without.predict(unseen[0]), plain.predict(unseen[0]))


@pytest.mark.parametrize("seed", range(4))
def test_join_is_one_after_the_other(seed):
    """Proposals of both, those of the second behind those of the first, with what is known of them."""
    random = np.random.default_rng(seed)
    parts = []
    for n_layers in (2, 3):
        proposals = distinct_proposals(random.integers(-1, 6, (n_layers, 30)))
        n_proposals = len(proposals.sizes)
        quality, membership = random.random((n_proposals, 2)), random.random(len(proposals.indices))
        parts.append(Scored(proposals, quality, membership))
    joined = join(*parts)
    np.testing.assert_array_equal(joined.quality, np.concatenate([part.quality for part in parts]))
    np.testing.assert_array_equal(joined.membership, np.concatenate([part.membership for part in parts]))
    expected = np.concatenate([part.proposals.membership().toarray() for part in parts])
    np.testing.assert_array_equal(joined.proposals.membership().toarray(), expected)
    assert joined.proposals.starts.tolist() == sorted(joined.proposals.starts.tolist())
    for layer, first, stop in zip(
        joined.proposals.layers, joined.proposals.starts[:-1], joined.proposals.starts[1:], strict=True
    ):
        for number in range(first, stop):
            np.testing.assert_array_equal(layer == number, expected[number])


def test_embedding_in_single_precision(graph):
    """Networks see float32 rows, or none at all."""
    rows = graph.rows.astype(np.float64)
    assert embedding_of(graph._replace(rows=rows), "both").dtype == np.float32
    assert embedding_of(graph, "embedding") is graph.rows
    assert embedding_of(graph, "structure") is None
    assert embedding_of(graph._replace(rows=None), "structure") is None
