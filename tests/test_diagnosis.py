"""Tests of the diagnosis: each fault, made on purpose, is found where it was made."""

import copy

import numpy as np
import pytest

from sklearn_gcncluster._diagnosis import MEASURES, Diagnosis, _company
from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_fscore

plt = pytest.importorskip("matplotlib.pyplot")

CAUSES = ["no proposal was right", "wrong ranking", "segmentation", "left alone", "selection"]


@pytest.fixture(autouse=True)
def close_figures():
    """Leave no figure open."""
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def diagnosis(trained, unseen):
    """Of the estimator as it is."""
    return trained.diagnose(*unseen)


def changed(estimator, **parameters):
    """A copy with other parameters that is as fitted."""
    return copy.deepcopy(estimator).set_params(**parameters)


def lost(diagnosis):
    """Mean loss by cause."""
    return {row["cause"]: row["mean"] for row in diagnosis.table}


@pytest.mark.parametrize(
    "parameters",
    [{}, {"overlap": "nms"}, {"segment": False}, {"outliers": "singletons"}, {"min_score": 0.6}],
    ids=str,
)
def test_parts_add_up(trained, unseen, parameters):
    """The parts sum to the error of predict, samples without a class left out."""
    X, y = unseen
    y = np.where(np.arange(len(y)) % 7, y, -1)
    estimator = changed(trained, **parameters)
    labels = estimator.predict(X)
    expected = {"pairwise": pairwise_fscore(y, labels), "bcubed": bcubed_fscore(y, labels)}
    expected["mean"] = (expected["pairwise"] + expected["bcubed"]) / 2
    found = estimator.diagnose(X, y)
    assert [row["cause"] for row in found.table] == CAUSES
    for measure in MEASURES:
        assert found.scores[measure] == pytest.approx(expected[measure])
        assert 1 - sum(row[measure] for row in found.table) == pytest.approx(expected[measure])
        assert 1 - found.table[0][measure] == pytest.approx(found.upper_bound[measure])


def test_names_of_classes_do_not_matter(trained, unseen, diagnosis):
    """Classes may be strings."""
    X, y = unseen
    assert lost(trained.diagnose(X, np.char.add("class ", y.astype(str)))) == pytest.approx(lost(diagnosis))


def test_repeated_samples(trained, unseen):
    """Copies of a sample are together; the diagnosis is of all samples, like predict."""
    X, y = unseen
    X, y = np.concatenate([X, X[:200]]), np.concatenate([y, y[:200]])
    assert trained.diagnose(X, y).scores["bcubed"] == pytest.approx(trained.score(X, y))


def all_noise(rows):
    """A source that proposes nothing."""
    return np.full(len(rows), -1)


def test_no_proposals(trained, unseen):
    """With nothing but single samples proposed, all is lost there."""
    found = lost(changed(trained, proposals=(all_noise,)).diagnose(*unseen))
    assert found.pop(CAUSES[0]) > 0.9
    assert list(found.values()) == pytest.approx([0, 0, 0, 0])


def test_upper_bound_grows_with_proposals(trained, unseen, diagnosis):
    """Fewer sources, lower bound; the networks have no part in it."""
    poorer = changed(trained, proposals=("supervertices",), edge_threshold=0.01, n_levels=1)
    assert poorer.diagnose(*unseen).upper_bound["mean"] < diagnosis.upper_bound["mean"] - 0.02


def test_wrong_ranking(trained, unseen, diagnosis):
    """Networks that prefer the worst proposals lose by ranking, and by nothing before it."""
    upside_down = copy.deepcopy(trained)
    head = upside_down.learned_.detection[0].parameters
    head["head.weight"][0] *= -1
    head["head.bias"][0] *= -1
    found = upside_down.diagnose(*unseen)
    assert found.upper_bound == pytest.approx(diagnosis.upper_bound)
    assert lost(found)["wrong ranking"] > lost(diagnosis)["wrong ranking"] + 0.1


def test_segmentation(trained, unseen, monkeypatch):
    """Refined proposals make a difference where they are made, and only there."""
    assert lost(changed(trained, segment=False).diagnose(*unseen))["segmentation"] == 0
    before = lost(trained.diagnose(*unseen))
    from sklearn_gcncluster._nn._segmentation import Segmentation

    monkeypatch.setattr(
        Segmentation,
        "member_probability",
        lambda self, subgraphs, structure, n_seeds, random: np.where(np.arange(len(structure)) % 3, 0.9, 0.1),
    )
    everywhere = changed(trained, iop_range=(0, 1))
    assert everywhere.score_proposals(unseen[0]).segmented.any()
    refined = lost(everywhere.diagnose(*unseen))
    for cause in CAUSES[:2]:
        assert refined[cause] == pytest.approx(before[cause])


def test_floor_too_high(trained, unseen, diagnosis):
    """A floor that nothing reaches costs at the last step, and nothing before it."""
    found = lost(changed(trained, min_score=1.0).diagnose(*unseen))
    assert found.pop("selection") > lost(diagnosis)["selection"] + 0.1
    assert found.items() <= lost(diagnosis).items()


@pytest.mark.parametrize("seed", range(3))
def test_company(seed):
    """Lone samples go to the cluster with the most samples of their group, others stay where they are."""
    random = np.random.default_rng(seed)
    labels, groups = random.integers(-1, 12, 300), random.integers(-1, 6, 300)
    found = _company(labels, groups)
    np.testing.assert_array_equal(found[labels >= 0], labels[labels >= 0])
    assert (found[(labels < 0) & (groups < 0)] == -1).all()
    for sample in np.flatnonzero((labels < 0) & (groups >= 0)):
        shared = [np.sum((labels == cluster) & (groups == groups[sample])) for cluster in range(12)]
        assert shared[found[sample]] == max(shared)


def test_company_without_a_home():
    """A group without a clustered sample stays alone."""
    assert _company(np.array([0, 0, -1, -1, -1]), np.array([3, 3, 3, 1, -1])).tolist() == [0, 0, 0, -1, -1]
    assert _company(np.full(3, -1), np.array([0, 0, -1])).tolist() == [-1, -1, -1]


def test_text(diagnosis):
    """One line for each cause, and the numbers of the table."""
    lines = repr(diagnosis).splitlines()
    assert lines[0].split()[-3:] == list(MEASURES)
    for row, line in zip(diagnosis.table, lines[2:], strict=False):
        assert line.startswith(row["cause"])
        assert line.split()[-3:] == [f"{round(row[measure], 3) + 0.0:.3f}" for measure in MEASURES]
    assert any(line.startswith("F-score  ") for line in lines)


def test_remedy():
    """The text ends with what to do about the largest part."""
    fscores = np.array([[1, 1], [0.9, 0.9], [0.8, 0.8], [0.8, 0.8], [0.8, 0.8], [0.2, 0.2]])
    assert repr(Diagnosis(fscores)).endswith(
        "Largest: selection. Choose another min_score (see plotting.ThresholdDisplay) or overlap."
    )


@pytest.mark.parametrize("measure", MEASURES)
def test_plot(diagnosis, measure):
    """Bars lead from 1 to the score, each as long as its part."""
    _, ax = plt.subplots()
    assert diagnosis.plot(ax=ax, measure=measure, alpha=0.5) is diagnosis
    assert (diagnosis.ax_, diagnosis.figure_) == (ax, ax.figure)
    bars = [(bar.get_x(), bar.get_width()) for bar in ax.patches]
    assert bars[0][0] == 1
    np.testing.assert_allclose([width for _, width in bars], [-row[measure] for row in diagnosis.table])
    assert sum(bars[-1]) == pytest.approx(diagnosis.scores[measure])
    assert [text.get_text() for text in ax.get_yticklabels()] == [*CAUSES, "F-score"]


def test_plot_of_gains():
    """A part below zero is drawn as a gain, in another colour."""
    diagnosis = Diagnosis(np.array([[1, 1], [0.8, 0.8], [0.6, 0.6], [0.7, 0.7], [0.7, 0.7], [0.7, 0.7]]))
    assert diagnosis.table[2]["mean"] == pytest.approx(-0.1)
    diagnosis.plot()
    colors = [bar.get_facecolor() for bar in diagnosis.ax_.patches]
    assert colors[0] == colors[1] != colors[2]
    assert "+0.100" in [text.get_text() for text in diagnosis.ax_.texts]


def test_wrong_input(trained, unseen, diagnosis):
    """Errors say what is wrong."""
    X, y = unseen
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        trained.diagnose(X, y[:-1])
    with pytest.raises(ValueError, match="X has 5 samples, but no two that differ"):
        trained.diagnose(np.repeat(X[:1], 5, axis=0), y[:5])
    with pytest.raises(ValueError, match="no labelled sample"):
        trained.diagnose(X, np.full(len(y), -1))
    with pytest.raises(ValueError, match="measure must be one of pairwise, bcubed, mean, got 'nmi'"):
        diagnosis.plot(measure="nmi")
