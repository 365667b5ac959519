"""Synthetic embeddings that are hard to cluster for the reasons that face embeddings are."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import Bunch, check_random_state

from .._compat import Interval, validate_params

_SAMPLES_PER_CLASS = 25  # on average, unless the number of classes is given
_RELATIVES = 10  # classes that look alike
_BLOCK_ROWS = 1_024  # keeps a block in the cache of a core; has no influence on the result


@validate_params(
    {
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "n_classes": [Interval(Integral, 1, None, closed="left"), None],
        "n_features": [Interval(Integral, 2, None, closed="left")],
        "size_exponent": [Interval(Real, 0, None, closed="left")],
        "class_similarity": [Interval(Real, 0, 1, closed="both")],
        "n_modes": [Interval(Integral, 1, None, closed="left")],
        "mode_spread": [Interval(Real, 0, None, closed="left")],
        "class_spread": [Interval(Real, 0, None, closed="left")],
        "spectrum_decay": [Interval(Real, 0, None, closed="left")],
        "low_quality": [Interval(Real, 0, 1, closed="left")],
        "label_noise": [Interval(Real, 0, 1, closed="both")],
        "random_state": ["random_state"],
        "return_bunch": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def make_identities(
    n_samples: int = 10_000,
    n_classes: int | None = None,
    n_features: int = 256,
    *,
    size_exponent: float = 0.7,
    class_similarity: float = 0.3,
    n_modes: int = 3,
    mode_spread: float = 0.6,
    class_spread: float = 0.7,
    spectrum_decay: float = 0.4,
    low_quality: float = 0.1,
    label_noise: float = 0.0,
    random_state: int | np.random.RandomState | None = None,
    return_bunch: bool = False,
) -> Any:
    r"""Make embeddings that look like those of faces: long-tailed, multi-modal, of mixed quality.

    With :math:`c_k` the centre of class k, :math:`m_{kj}` the offset of its mode j (a pose, an
    age), :math:`h` a hub common to all classes and :math:`g_i` noise, all of expected squared
    length 1, a sample i of quality :math:`q_i` is the direction of

    .. math::

        q_i \, \frac{c_k + s_{mode} \, m_{kj}}{\sqrt{1 + s_{mode}^2}}
        + (1 - q_i) \, h + (2 - q_i) \, s_{class} \, g_i.

    So an unreadable sample loses its identity, drifts towards the hub, where other unreadable
    samples are, and carries twice the noise. Centres come in groups of ten relatives that look
    alike, and their leading features vary most.

    Parameters
    ----------
    n_samples : int, default=10_000
        Number of samples, at least 1.
    n_classes : int, default=None
        Number of classes, from 1 to `n_samples`. None stands for one per 25 samples.
    n_features : int, default=256
        Number of features, at least 2.
    size_exponent : float, default=0.7
        The class of rank r has a share of samples proportional to ``r ** -size_exponent``, and at
        least one sample. 0 makes classes of equal size.
    class_similarity : float, default=0.3
        Expected cosine similarity of the centres of relatives, in [0, 1]. 0 spreads all classes
        evenly, 1 makes relatives identical.
    n_modes : int, default=3
        Modes of a class, at least 1. The first is the most frequent.
    mode_spread : float, default=0.6
        Length of the offset of a mode, where the centre has length 1. Modes of a class have an
        expected cosine similarity of ``1 / (1 + mode_spread**2)``.
    class_spread : float, default=0.7
        Length of the noise of a sample of quality 1, where its mode has length 1. It matters most
        for how hard the set is: 0.4 is easy and 1.0 is hard.
    spectrum_decay : float, default=0.4
        The standard deviation of feature j is proportional to ``(j + 1) ** -spectrum_decay``. 0
        is isotropic, and noise of hundreds of features hardly ever makes two classes meet. Real
        embeddings use far fewer directions than they have features.
    low_quality : float, default=0.1
        Expected share of samples of a quality below 0.5, in [0, 1). 0 gives all quality 1.
    label_noise : float, default=0.0
        Share of samples with the label of another class, in [0, 1].
    random_state : int, RandomState instance or None, default=None
        Seed of the samples. An int gives the same samples whatever the number of threads.
    return_bunch : bool, default=False
        Whether to return a Bunch with more than samples and labels.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Samples in random order, float32, of length 1. Not returned if `return_bunch`.
    y : ndarray of shape (n_samples,)
        Classes as int64 from 0, wrong for a share of `label_noise`. Not returned if
        `return_bunch`.
    bunch : :class:`~sklearn.utils.Bunch`
        Only if `return_bunch`, with

        data : ndarray of shape (n_samples, n_features)
            X above.
        target : ndarray of shape (n_samples,)
            y above.
        target_clean : ndarray of shape (n_samples,)
            The true classes, int64.
        quality : ndarray of shape (n_samples,)
            Quality of each sample, float32 in [0, 1].
        mode : ndarray of shape (n_samples,)
            Mode of each sample within its class, int64 from 0 to ``n_modes - 1``.

    Raises
    ------
    ValueError
        If there are more classes than samples, or if there is label noise but only one class.

    See Also
    --------
    load_glyphs : A small real data set.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_gcncluster.datasets import make_identities
    >>> X, y = make_identities(1_000, 50, random_state=0)
    >>> X.shape, X.dtype.name
    ((1000, 256), 'float32')
    >>> sizes = np.bincount(y)
    >>> len(sizes), int(np.median(sizes)), int(sizes.max())
    (50, 13, 119)
    """
    n_classes = max(1, n_samples // _SAMPLES_PER_CLASS) if n_classes is None else n_classes
    if n_classes > n_samples:
        raise ValueError(
            f"n_classes={n_classes} is more than n_samples={n_samples}, but each class needs a "
            "sample. Ask for more samples or fewer classes."
        )
    if label_noise > 0 and n_classes == 1:
        raise ValueError(
            f"label_noise={label_noise} needs a class to take wrong labels from, but there is "
            "only one (n_classes=1). Ask for two classes or for label_noise=0."
        )
    # A Generator draws float32 without a detour and several times faster than a RandomState.
    rng = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1, size=4))

    sizes = _class_sizes(n_samples, n_classes, size_exponent)
    target_clean = rng.permutation(np.repeat(rng.permutation(n_classes), sizes))
    # Squaring a uniform variable makes early modes frequent and late ones rare.
    mode = (n_modes * rng.random(n_samples) ** 2).astype(np.int64)
    quality = np.ones(n_samples, np.float32)
    if low_quality > 0:
        # The exponent at which u ** exponent < 0.5 has the probability asked for.
        quality[:] = rng.random(n_samples) ** (np.log(0.5) / np.log(low_quality))

    scales = np.arange(1, n_features + 1, dtype=np.float32) ** np.float32(-spectrum_decay)
    scales /= np.linalg.norm(scales)

    def draw(*shape: int) -> np.ndarray:
        return rng.standard_normal((*shape, n_features), dtype=np.float32) * scales

    hub = draw()
    hub /= np.linalg.norm(hub)
    relatives = draw(-(-n_classes // _RELATIVES))[np.arange(n_classes) // _RELATIVES]
    centres = draw(n_classes)
    centres *= np.sqrt(np.float32(1 - class_similarity))
    centres += np.sqrt(np.float32(class_similarity)) * relatives
    modes = draw(n_classes, n_modes)
    modes *= np.float32(mode_spread)
    modes += centres[:, None]
    modes /= np.sqrt(np.float32(1 + mode_spread**2))  # spread modes are no clearer than others

    X = np.empty((n_samples, n_features), np.float32)
    for start in range(0, n_samples, _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        block, q = X[rows], quality[rows, None]
        rng.standard_normal(out=block, dtype=np.float32)
        block *= scales
        block *= np.float32(class_spread) * (2 - q)
        block += q * modes[target_clean[rows], mode[rows]]
        block += (1 - q) * hub
        block /= np.linalg.norm(block, axis=1, keepdims=True)

    target = target_clean.copy()
    flipped = rng.choice(n_samples, size=round(label_noise * n_samples), replace=False)
    if len(flipped):
        target[flipped] += rng.integers(1, n_classes, size=len(flipped))
        target %= n_classes
    if return_bunch:
        return Bunch(data=X, target=target, target_clean=target_clean, quality=quality, mode=mode)
    return X, target


def _class_sizes(n_samples: int, n_classes: int, exponent: float) -> np.ndarray:
    """Sizes that fall as a power of the rank, at least 1, and sum to `n_samples`."""
    shares = np.arange(1, n_classes + 1) ** -float(exponent)
    # Rounding the running sum instead of each size keeps the total.
    ends = np.rint(np.cumsum(shares) / shares.sum() * (n_samples - n_classes)).astype(np.int64)
    return 1 + np.diff(ends, prepend=0)
