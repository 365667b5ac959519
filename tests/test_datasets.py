"""Tests of the data sets: that they are what their documentation promises."""

import sys
from importlib import resources

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_gcncluster.datasets import _identities, load_glyphs, make_identities


@pytest.fixture(scope="module")
def glyphs():
    """The shipped data set."""
    return load_glyphs()


def same_class_similarity(X, y):
    """Mean cosine similarity within classes and between them, of rows of length 1."""
    similarity, same = X @ X.T, y[:, None] == y
    within = same & ~np.eye(len(X), dtype=bool)
    return similarity[within].mean(), similarity[~same].mean()


def test_identities_shape_dtype_and_length():
    """Samples are float32 of length 1 and classes are integers from 0."""
    X, y = make_identities(500, 40, 32, random_state=0)
    assert X.shape == (500, 32)
    assert X.dtype == np.float32
    assert X.flags.c_contiguous
    assert_allclose(np.linalg.norm(X, axis=1), 1, rtol=1e-5)
    assert y.shape == (500,)
    assert y.dtype == np.int64
    assert_array_equal(np.unique(y), np.arange(40))


def test_identities_default_number_of_classes():
    """There is one class per 25 samples, and at least one, unless the number is given."""
    assert len(np.unique(make_identities(1_000, random_state=0)[1])) == 40
    assert len(np.unique(make_identities(3, random_state=0)[1])) == 1


def test_identities_are_deterministic():
    """A seed decides the samples, and another seed makes others."""
    X, y = make_identities(300, random_state=7)
    again = make_identities(300, random_state=np.random.RandomState(7))
    other = make_identities(300, random_state=8)
    assert_array_equal(X, again[0])
    assert_array_equal(y, again[1])
    assert not np.allclose(X, other[0])


@pytest.mark.parametrize("rows", [1, 7, 1_000])
def test_identities_do_not_depend_on_blocks(monkeypatch, rows):
    """Blocks bound memory and have no influence on the samples, to the last bit."""
    expected = make_identities(500, 20, 33, random_state=0)
    monkeypatch.setattr(_identities, "_BLOCK_ROWS", rows)
    result = make_identities(500, 20, 33, random_state=0)
    assert_array_equal(result[0], expected[0])
    assert_array_equal(result[1], expected[1])


def test_identities_sizes_are_long_tailed():
    """Few classes are large and most are small, unless the exponent is 0."""
    sizes = np.bincount(make_identities(10_000, 400, 2, random_state=0)[1])
    assert sizes.min() >= 1
    assert sizes.max() > 5 * sizes.mean()
    assert np.median(sizes) < 0.8 * sizes.mean()
    equal = np.bincount(make_identities(10_000, 400, 2, size_exponent=0, random_state=0)[1])
    assert np.ptp(equal) <= 1


def test_identities_one_sample_per_class():
    """As many classes as samples are possible, and a single sample is too."""
    assert_array_equal(np.sort(make_identities(30, 30, random_state=0)[1]), np.arange(30))
    assert make_identities(1, random_state=0)[0].shape == (1, 256)


@pytest.mark.parametrize("label_noise", [0.0, 0.1, 1.0])
def test_identities_label_noise(label_noise):
    """Exactly the asked-for share of labels is wrong, and samples do not depend on it."""
    bunch = make_identities(1_000, label_noise=label_noise, random_state=0, return_bunch=True)
    assert (bunch.target != bunch.target_clean).mean() == label_noise
    assert bunch.target.min() >= 0
    assert bunch.target.max() < 40
    assert_array_equal(bunch.data, make_identities(1_000, random_state=0)[0])


def test_identities_bunch_agrees_with_arrays():
    """The Bunch holds the same samples as the plain return value, and what each is like."""
    bunch = make_identities(400, n_modes=4, random_state=0, return_bunch=True)
    X, y = make_identities(400, n_modes=4, random_state=0)
    assert_array_equal(bunch.data, X)
    assert_array_equal(bunch.target, y)
    assert bunch.quality.dtype == np.float32
    assert_array_equal(np.unique(bunch.mode), np.arange(4))


def test_identities_low_quality_share():
    """The share of samples of a quality below 0.5 is as asked for, and 0 makes all perfect."""
    quality = make_identities(20_000, low_quality=0.2, random_state=0, return_bunch=True).quality
    assert quality.min() >= 0
    assert quality.max() <= 1
    assert (quality < 0.5).mean() == pytest.approx(0.2, abs=0.02)
    assert (make_identities(99, low_quality=0, return_bunch=True).quality == 1).all()


def test_identities_low_quality_leaves_class_for_hub():
    """Samples of low quality are far from their class and close to one another, across classes."""
    bunch = make_identities(5_000, 50, low_quality=0.3, random_state=0, return_bunch=True)
    X, y = bunch.data, bunch.target
    good, bad = bunch.quality > 0.8, bunch.quality < 0.2
    centres = np.stack([X[good & (y == label)].mean(axis=0) for label in range(50)])
    to_class = np.einsum("ij,ij->i", X, centres[y])
    assert to_class[good].mean() > 2 * to_class[bad].mean()
    assert same_class_similarity(X[bad], y[bad])[1] > same_class_similarity(X[good], y[good])[1]


def test_identities_modes_and_relatives():
    """Samples of one mode are closest, then those of the class, of relatives and of others."""
    bunch = make_identities(
        4_000, 100, class_similarity=0.5, low_quality=0, random_state=0, return_bunch=True
    )
    similarity = bunch.data @ bunch.data.T
    same = bunch.target[:, None] == bunch.target
    same_mode = same & (bunch.mode[:, None] == bunch.mode) & ~np.eye(4_000, dtype=bool)
    related = bunch.target[:, None] // 10 == bunch.target // 10
    means = [
        similarity[pairs].mean()
        for pairs in (same_mode, same & (bunch.mode[:, None] != bunch.mode), related & ~same)
    ]
    assert means[0] > means[1] > means[2] > similarity[~related].mean()


@pytest.mark.parametrize(
    ("easier", "harder"),
    [
        ({"class_spread": 0.4}, {"class_spread": 1.2}),
        ({"mode_spread": 0.0}, {"mode_spread": 1.5}),
        ({"spectrum_decay": 0.0}, {"spectrum_decay": 1.0}),
        ({"class_similarity": 0.0}, {"class_similarity": 0.9}),
        ({"low_quality": 0.0}, {"low_quality": 0.5}),
    ],
)
def test_identities_can_be_made_harder(easier, harder):
    """Each parameter of hardness lowers the share of nearest neighbours of the same class."""

    def neighbour_accuracy(**parameters):
        X, y = make_identities(1_500, random_state=0, **parameters)
        similarity = X @ X.T
        np.fill_diagonal(similarity, -1)
        return (y[similarity.argmax(axis=1)] == y).mean()

    assert neighbour_accuracy(**easier) > neighbour_accuracy(**harder)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_samples": 0}, "n_samples"),
        ({"n_features": 1}, "n_features"),
        ({"class_similarity": 1.1}, "class_similarity"),
        ({"low_quality": 1.0}, "low_quality"),
        ({"label_noise": -0.1}, "label_noise"),
        ({"n_samples": 5, "n_classes": 6}, "n_classes=6 is more than n_samples=5"),
        ({"n_classes": 1, "label_noise": 0.5}, "n_classes=1.*label_noise=0"),
    ],
)
def test_identities_refuse_impossible_parameters(parameters, message):
    """Impossible values are refused, with the name and the value in the message."""
    with pytest.raises(ValueError, match=message):
        make_identities(**parameters)


def test_glyphs_shapes_and_dtypes(glyphs):
    """Embeddings, pictures and labels belong together."""
    n_samples = len(glyphs.target)
    assert glyphs.data.shape == (n_samples, 128)
    assert glyphs.data.dtype == np.float32
    assert_allclose(np.linalg.norm(glyphs.data, axis=1), 1, rtol=1e-5)
    assert glyphs.images.shape == (n_samples, 20, 20)
    assert glyphs.images.dtype == np.uint8
    assert_array_equal(np.unique(glyphs.images), 17 * np.arange(16))
    assert glyphs.typefaces.shape == (n_samples,)
    assert len(glyphs.feature_names) == 128
    assert f"{n_samples} printed characters of 400 classes" in glyphs.DESCR


def test_glyphs_documented_numbers(glyphs):
    """The numbers in the docstring are those of the data."""
    sizes = np.bincount(glyphs.target)
    assert (len(glyphs.target), sizes.min(), sizes.max()) == (9613, 20, 33)
    assert str(len(glyphs.target)) in load_glyphs.__doc__


def test_glyphs_classes(glyphs):
    """Each class is one kanji, printed in 20 typefaces or more, in none of them twice."""
    assert glyphs.target.dtype == np.int64
    assert_array_equal(np.unique(glyphs.target), np.arange(len(glyphs.target_names)))
    assert len(set(glyphs.target_names)) == len(glyphs.target_names) == 400
    assert all("\u4e00" <= name <= "\u9fff" for name in glyphs.target_names)
    prints = set(zip(glyphs.target.tolist(), glyphs.typefaces.tolist(), strict=True))
    assert len(prints) == len(glyphs.target)
    assert np.bincount(glyphs.target).min() >= 20


def test_glyphs_samples_are_distinct_and_show_ink(glyphs):
    """No picture is blank and no two pictures or embeddings are the same."""
    assert (glyphs.images.max(axis=(1, 2)) > 200).all()
    pictures = glyphs.images.reshape(len(glyphs.images), -1)
    assert len(np.unique(pictures, axis=0)) == len(pictures)
    assert len(np.unique(glyphs.data, axis=0)) == len(pictures)


def test_glyphs_classes_can_be_told_apart(glyphs):
    """Samples of one class are much more alike than samples of two, though not always."""
    X, y = glyphs.data[:3_000], glyphs.target[:3_000]
    within, between = same_class_similarity(X, y)
    assert within > 0.4
    assert abs(between) < 0.05
    similarity = X @ X.T
    np.fill_diagonal(similarity, -1)
    assert 0.85 < (y[similarity.argmax(axis=1)] == y).mean() < 0.99


def test_glyphs_are_small():
    """The data shipped with the package stay below 3 MB."""
    files = list(resources.files("sklearn_gcncluster.datasets").joinpath("data").iterdir())
    assert {file.name for file in files} == {"GLYPHS.md", "glyphs.npz"}
    assert sum(len(file.read_bytes()) for file in files) <= 3_000_000


def test_glyphs_name_every_typeface_with_its_licence(glyphs):
    """The table of sources has a row for each typeface in the data."""
    source = resources.files("sklearn_gcncluster.datasets").joinpath("data", "GLYPHS.md")
    rows = [line.split(" | ") for line in source.read_text(encoding="utf-8").splitlines()]
    named = {row[0].removeprefix("| ") for row in rows if len(row) == 4}
    assert set(glyphs.typefaces) <= named


def test_glyphs_as_arrays_and_frames(glyphs):
    """The same data come as a pair or with names."""
    X, y = load_glyphs(return_X_y=True)
    assert_array_equal(X, glyphs.data)
    assert_array_equal(y, glyphs.target)
    framed = load_glyphs(as_frame=True)
    assert framed.frame.shape == (len(y), 129)
    assert list(framed.data.columns) == glyphs.feature_names
    assert framed.data.to_numpy().dtype == np.float32
    assert_array_equal(framed.data.to_numpy(), X)
    assert_array_equal(framed.target.to_numpy(), y)
    assert glyphs.frame is None


def test_glyphs_refuse_other_than_bool():
    """Arguments other than bool are refused."""
    with pytest.raises(ValueError, match="as_frame"):
        load_glyphs(as_frame="yes")


def test_glyphs_without_pandas(monkeypatch):
    """Without pandas, the message says what to install or to change."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        load_glyphs(as_frame=True)
