"""How users write labels: one set of rules for ``fit``, ``score``, ``diagnose``, ``refine`` and the metrics.

A label is an integer, a Boolean, a whole float or a name (a string), and one array or list may hold all of
them. As in scikit-learn, the number -1 says that a sample is unlabelled (classes) or noise (clusters, where
any negative number does). Labels that Python takes for equal are one: 1, 1.0 and True, but not "1".
"""

from __future__ import annotations

from contextlib import suppress
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.exceptions import DataConversionWarning

from ._warning import warn

_LOOK_LIKE_NUMBERS = {"-1", "-1.0"}
_MISSING = {"NoneType", "NAType", "NaTType"}
"""Types of missing values, by name, since pandas, which has two of them, need not be installed."""


def class_codes(y: Any, name: str = "y") -> tuple[np.ndarray, np.ndarray]:
    """Number the classes of labelled samples.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Class of each sample, -1 for unlabelled.
    name : str
        What error messages call `y`.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        Numbers in ascending order, then names in alphabetical order.
    codes : intp ndarray of shape (n_samples,)
        Index of each sample's class, -1 for unlabelled.
    """
    labels = check_labels(y, name)
    return _number(labels, labels != -1)


def cluster_codes(labels: Any, name: str = "labels") -> np.ndarray:
    """Number the clusters of samples.

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
        Cluster of each sample; any negative number is noise, since HDBSCAN says -2 and -3 too.
    name : str
        What error messages call `labels`.

    Returns
    -------
    intp ndarray of shape (n_samples,)
        Numbers of the clusters, in the order that :func:`class_codes` gives classes; -1 for noise.
    """
    checked = check_labels(labels, name)
    return _number(checked, _numbers(checked) >= 0)[1]


def check_labels(labels: Any, name: str) -> np.ndarray:
    """Look at labels as they were written, or say what is wrong with them.

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
        Lists and tuples are looked at before NumPy turns their numbers into strings or floats.
    name : str
        What error messages call them.

    Returns
    -------
    ndarray of shape (n_samples,)
        Of Booleans, integers or whole floats where all labels are; else of object dtype.
    """
    if isinstance(labels, np.ma.MaskedArray):
        labels = labels.tolist()  # None where masked: what lies under a mask is no label
    array = np.asarray(labels) if hasattr(labels, "__array__") else np.array(labels, dtype=object)
    if array.ndim == 2 and array.shape[1] == 1:
        warn(
            f"A column-vector {name} was passed when a 1d array was expected. Please change the shape of "
            f"{name} to (n_samples, ), for example using ravel().",
            DataConversionWarning,
        )
        array = array.ravel()
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got an array of shape {array.shape}.")
    if not len(array):
        raise ValueError(f"{name} has 0 sample(s) while a minimum of 1 is required.")
    if array.dtype.kind not in "biuf":
        array = _integers_if_all_are(array.astype(object))
    if array.dtype == object:
        _check_kinds(array, name)
    if array.dtype.kind in ("f", "O"):
        _check_values(array, name)
    return array


def integers(values: Any, name: str) -> np.ndarray:
    """One-dimensional values as a new int64 array; floats will do where they are whole.

    Parameters
    ----------
    values : array-like of shape (n_values,)
    name : str
        What errors call them.

    Returns
    -------
    integers : int64 ndarray of shape (n_values,)

    Raises
    ------
    ValueError
        If a value is no integer, or none of 64 bits with a sign; the message shows it.
    """
    values = np.asarray(values)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values.ravel()
    if values.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got an array of shape {values.shape}.")
    wrong = values[:0]
    if values.dtype.kind == "f":
        wrong = values[~np.isfinite(values) | (values != np.floor(values))]
    elif values.dtype.kind not in "iu":
        wrong = values
    if len(wrong):
        raise ValueError(f"{name} must hold integers, got {wrong[0]!r}.")
    large = values[(values >= 2**63) | (values < -(2**63))]
    if len(large):
        raise ValueError(
            f"{name} must hold integers from -2**63 to 2**63 - 1, got {large[0]}. Number such values, as "
            "np.unique(values, return_inverse=True)[1] does."
        )
    return values.astype(np.int64)


def _integers_if_all_are(array: np.ndarray) -> np.ndarray:
    """Objects as an array of integers, which is quicker, unless some are no integers or too large."""
    if all(issubclass(kind, (Integral, np.bool_)) for kind in set(map(type, array))):
        with suppress(OverflowError):
            return array.astype(np.int64)
    return array


def _check_kinds(array: np.ndarray, name: str) -> None:
    """Refuse what is neither a number nor a name, and names that were numbers."""
    kinds = {kind for kind in set(map(type, array)) if kind.__name__ not in _MISSING}
    wrong = {kind for kind in kinds if not issubclass(kind, (str, Real, np.bool_))}
    if wrong:
        value = next(value for value in array if type(value) in wrong)
        raise ValueError(
            f"{name} must hold integers or strings, got {value!r} ({type(value).__name__}). Give each class "
            "or cluster a number or a name."
        )
    for label in _LOOK_LIKE_NUMBERS.intersection(array):
        raise ValueError(
            f"{name} has the string {str(label)!r}, which is a name, but looks like the number that says "
            '"no label" (NumPy makes such strings: np.array(["a", -1])). Use the number -1, which a list or '
            'an array of dtype=object holds beside names, such as np.array(["a", -1], dtype=object); or '
            "choose another name."
        )


def _check_values(array: np.ndarray, name: str) -> None:
    """Refuse missing values and fractions."""
    if array.dtype == object:
        missing = np.array([type(value).__name__ in _MISSING or value != value for value in array])
    else:
        missing = np.isnan(array)
    if missing.any():
        first = np.flatnonzero(missing)[0]
        raise ValueError(
            f"{name} has missing values, {np.count_nonzero(missing)} among {len(array)}: the first, at "
            f"position {first}, is {array[first]}. Mark samples without a label by the number -1."
        )
    numbers = _numbers(array)
    fraction = (numbers != np.trunc(numbers)) | np.isinf(numbers)
    if fraction.any():
        raise ValueError(
            # The first words are those of scikit-learn for such a target.
            f"Unknown label type: continuous. {name} must hold integers or strings, got "
            f"{numbers[fraction][0]:g}. Give each class or cluster a whole number or a name."
        )


def _numbers(array: np.ndarray) -> np.ndarray:
    """The labels as numbers to compare with; names as 0, which is whole and not negative."""
    if array.dtype != object:
        return array
    return np.array([0 if isinstance(value, str) else value for value in array], dtype=np.float64)


def _number(labels: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct labels, sorted, and for each sample the index of its label, -1 if it is not inside."""
    codes = np.full(len(labels), -1, dtype=np.intp)
    kept = labels[inside]
    if labels.dtype != object:
        classes, codes[inside] = np.unique(kept, return_inverse=True)
        return classes, codes
    # By hash: sorting objects takes several times as long, and strings of fixed width each take the room of
    # the longest.
    found = set(kept)
    names = {label for label in found if isinstance(label, str)}
    ordered = sorted(found - names) + sorted(names)
    index = {label: code for code, label in enumerate(ordered)}
    codes[inside] = [index[label] for label in kept]
    classes = np.empty(len(ordered), dtype=object)
    classes[:] = ordered
    return classes, codes
