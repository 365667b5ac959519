"""The shipped real data set: kanji in many typefaces. `examples/make_glyphs.py` made it."""

from importlib import resources
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from .._compat import validate_params

_DESCRIPTION = """\
Glyphs: kanji in many typefaces, an open-set data set
------------------------------------------------------

{n_samples} printed characters of {n_classes} classes (kanji in common use), each class in 20 to
{n_typefaces} of {n_typefaces} typefaces: gothic, mincho, brush, handwriting, display and outline.
Every print is degraded as a bad scan would be (tilt, shear, stretch, shift, blur, noise) and
reduced to a picture of 20 x 20 pixels and 16 grey levels. Its embedding are the histograms of
oriented gradients of that picture, projected to 128 dimensions by a linear discriminant analysis
fitted on 1,500 other kanji in the same typefaces. So no class here has been seen by the embedding,
as no new person has been seen by a face model.

Samples are ordered by class, then by typeface. Fit on some classes and test on others.

The typefaces, their copyright and their free licences are listed in GLYPHS.md beside the data.
"""


@validate_params({"return_X_y": ["boolean"], "as_frame": ["boolean"]}, prefer_skip_nested_validation=True)
def load_glyphs(*, return_X_y: bool = False, as_frame: bool = False) -> Any:
    """Load the glyphs data set: embeddings and pictures of 400 kanji in 20 to 33 typefaces each.

    It is real, small (no download) and hard enough to tell methods apart: average linkage, its
    threshold tuned on half of the classes, has a pairwise F-score of about 0.75 on the others.

    =================   ==============
    Classes                        400
    Samples per class         20 to 33
    Samples total                 9613
    Dimensionality                 128
    Features             float, [-1, 1]
    =================   ==============

    Parameters
    ----------
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=False
        Whether to give data as a pandas DataFrame and target as a Series. Needs pandas.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With

        data : {ndarray, DataFrame} of shape (9613, 128)
            Embeddings, float32, of length 1.
        target : {ndarray, Series} of shape (9613,)
            Classes, int64 from 0 to 399.
        frame : DataFrame of shape (9613, 129)
            data and target side by side. None unless `as_frame`.
        feature_names : list of str
            Names of the 128 columns of data.
        target_names : ndarray of shape (400,)
            The kanji of each class, str.
        typefaces : ndarray of shape (9613,)
            Name of the typeface of each sample, str.
        images : ndarray of shape (9613, 20, 20)
            Pictures that the embeddings were made of, uint8, from 0 (paper) to 255 (ink) in 16
            steps.
        DESCR : str
            How the data set was made.
    (data, target) : tuple
        Only if `return_X_y`: the first two of the above.

    See Also
    --------
    make_identities : Synthetic embeddings of any number of samples.

    Examples
    --------
    >>> from sklearn_gcncluster.datasets import load_glyphs
    >>> glyphs = load_glyphs()
    >>> glyphs.data.shape, glyphs.images.shape
    ((9613, 128), (9613, 20, 20))

    Methods that learn are fitted on some classes and tested on others:

    >>> train = glyphs.target < 200
    >>> X_train, y_train = glyphs.data[train], glyphs.target[train]
    >>> X_test, y_test = glyphs.data[~train], glyphs.target[~train]
    """
    with (
        resources.files(__package__).joinpath("data", "glyphs.npz").open("rb") as file,
        np.load(file) as stored,
    ):
        arrays = dict(stored)
    data: Any = arrays["embeddings"].astype(np.float32)  # shipped as int8 of a common scale
    data /= np.linalg.norm(data, axis=1, keepdims=True)
    target: Any = arrays["target"].astype(np.int64)
    # Two pixels to a byte, the first in the upper half; 17 takes the 16 levels to 0 ... 255.
    pictures = np.stack([arrays["pictures"] >> 4, arrays["pictures"] & 15], axis=-1) * np.uint8(17)
    side = round(np.sqrt(2 * arrays["pictures"].shape[1]))

    feature_names = [f"feature_{index}" for index in range(data.shape[1])]
    frame = None
    if as_frame:
        pandas = _import_pandas()
        frame = pandas.DataFrame(data, columns=feature_names).assign(target=target)
        data, target = frame[feature_names], frame["target"]
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        frame=frame,
        feature_names=feature_names,
        target_names=arrays["target_names"],
        typefaces=arrays["typeface_names"][arrays["typeface"]],
        images=pictures.reshape(-1, side, side),
        DESCR=_DESCRIPTION.format(
            n_samples=len(target),
            n_classes=len(arrays["target_names"]),
            n_typefaces=len(arrays["typeface_names"]),
        ),
    )


def _import_pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            "load_glyphs(as_frame=True) needs pandas, which is not installed. Install it with "
            "`pip install pandas` or use as_frame=False."
        ) from error
    return pandas
