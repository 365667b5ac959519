"""The file format of trained estimators, and its only owner.

A file is a safetensors file: arrays, and text in its metadata. All text is one JSON header::

    format      number of this format, raised whenever older versions could not read a file
    version     of the package that wrote it
    estimator   name of the class
    parameters  as given to the constructor
    attributes  what was learned and is not an array
    sha256      of the rest of the header and of all arrays

Arrays are named by attribute, and below it by keys: ``learned_/detection/0/parameters/head.bias``. Reading
builds estimators of this package and of scikit-learn from their parameters, and nothing else: what a file
names is looked up in lists of public names, never imported because the file says so.
"""

from __future__ import annotations

import hashlib
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import sklearn
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from ._base import is_learned
from ._constraints import Constraints
from ._format import arrays_of, choices_of, learned_of
from ._model import Learned

FORMAT = 1
_PACKAGE = __name__.partition(".")[0]
_PUBLIC = {_PACKAGE, f"{_PACKAGE}.baselines", *(f"sklearn.{part}" for part in sklearn.__all__)}
"""Modules whose public classes may stand in a file."""
_CLUSTERS_OF_X = (
    "labels_",
    "probabilities_",
    "cluster_scores_",
    "n_clusters_",
    "initial_labels_",
    "recall_",
    "exemplars_",
    "cluster_affinity_",
    "cluster_layers_",
    "cluster_layer_scores_",
    "duplicates_",
    "constraints_",
)
"""Attributes that tell about the samples of fit; predict does not need them."""


def save(estimator: BaseEstimator, path: str | Path, *, include_labels: bool = True) -> None:
    """Write a fitted estimator of this package to a file; documented as its method ``save``."""
    check_is_fitted(estimator)
    arrays: dict[str, np.ndarray] = {}
    attributes: dict[str, Any] = {}
    for name, value in vars(estimator).items():
        if not is_learned(name) or (name in _CLUSTERS_OF_X and not include_labels):
            continue
        if isinstance(value, Learned):
            arrays |= arrays_of(value, name)
            attributes[name] = _encode(choices_of(value), name)
        elif isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
            arrays[name] = value
        elif name == "loss_curve_":
            arrays |= arrays_of(value, name)
        elif isinstance(value, Constraints):
            arrays |= arrays_of(value._asdict(), name)
        elif isinstance(value, sp.csr_array):
            parts = {"data": value.data, "indices": value.indices, "indptr": value.indptr}
            arrays |= arrays_of(parts | {"shape": np.array(value.shape)}, name)
        else:
            attributes[name] = _encode(value, name)
    header: dict[str, Any] = {
        "format": FORMAT,
        "version": _version(),
        **_encode(estimator, "the estimator"),
        "attributes": attributes,
    }
    header["sha256"] = _checksum(header, arrays)
    # One entry holds all text, because safetensors writes several in any order, and equal estimators should
    # make equal files.
    Path(path).write_bytes(to_bytes(arrays, {_PACKAGE: json.dumps(header)}))


def load(path: str | Path) -> Any:
    """Load an estimator that was written by its method ``save``.

    Nothing in the file is executed: it holds arrays, and a header of plain values. Estimators among the
    parameters are built again if they are public classes of this package or of scikit-learn; no other name
    is looked up.

    Parameters
    ----------
    path : str or path-like
        File to read.

    Returns
    -------
    estimator : estimator object
        Of the class that was saved, with its parameters and what it learned. It predicts the same.

    Raises
    ------
    ValueError
        If the file was not written by ``save``, is incomplete, was changed since, or comes from a later
        version of the package whose format this one does not know.

    See Also
    --------
    GCNClustering.save : Write the file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_gcncluster import GCNClustering, load
    >>> from sklearn_gcncluster.datasets import make_identities
    >>> X, y = make_identities(300, n_features=16, random_state=0)
    >>> clusterer = GCNClustering(n_networks=1, hidden_channels=(16,), max_epochs=1, random_state=0)
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "faces.safetensors"
    ...     clusterer.fit(X, y).save(path)
    ...     loaded = load(path)
    >>> bool((loaded.predict(X) == clusterer.predict(X)).all())
    True
    """
    header, arrays = _read(path)
    try:
        estimator = _build(header["estimator"], header["parameters"])
        estimator._validate_params()
        attributes = {name: _decode(value) for name, value in header["attributes"].items()}
        for name, value in _restored(attributes, arrays).items():
            if not is_learned(name) or (name != "_seed" and hasattr(type(estimator), name)):
                raise ValueError(f"{name!r} is no attribute that fit sets")
            setattr(estimator, name, value)
        check_is_fitted(estimator)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} does not describe an estimator that sklearn_gcncluster "
            f"{_version()} knows: {error}. It was written by version "
            f"{header.get('version')}; install that version, or fit and save again."
        ) from error
    return estimator


def _restored(attributes, arrays):
    """Attributes with their arrays in place."""
    learned: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        owner, _, rest = name.partition("/")
        if owner == "learned_":
            learned[rest] = np.asarray(array, np.float32) if array.dtype == np.float16 else array
        elif rest:
            attributes.setdefault(owner, {})[rest] = array
        else:
            attributes[owner] = array
    if "constraints_" in attributes and attributes["constraints_"] is not None:
        attributes["constraints_"] = Constraints(**attributes["constraints_"])
    if "cluster_affinity_" in attributes:
        parts = attributes["cluster_affinity_"]
        compressed = (parts["data"], parts["indices"], parts["indptr"])
        attributes["cluster_affinity_"] = sp.csr_array(compressed, shape=tuple(parts["shape"].tolist()))
    return attributes | {"learned_": learned_of(learned, attributes["learned_"])}


def _read(path):
    """Header and arrays of a file, if they are as they were written."""
    damaged = (
        f"{path} is damaged, or was changed after it was saved. Copy it again from where it was saved, or "
        "save it again."
    )
    if Path(path).is_dir():
        raise IsADirectoryError(f"{path} is a folder. Give the path of a file that the method save wrote.")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if _PACKAGE not in metadata:
                raise ValueError(
                    f"{path} is a safetensors file, but was not written by the method save of an estimator "
                    "of sklearn_gcncluster: it has no header of this package. Give the path of such a file."
                )
            header = _parse(metadata[_PACKAGE], damaged)
            if header["format"] < 1:
                raise ValueError(damaged)
            if header["format"] > FORMAT:
                raise ValueError(
                    f"{path} has format {header['format']}, written by sklearn_gcncluster "
                    f"{header.get('version')}; version {_version()} reads formats up to {FORMAT}. Install a "
                    "later version: pip install --upgrade sklearn-gcncluster"
                )
            arrays = {name: np.array(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"{path} is incomplete or is no safetensors file ({error}). Copy it again from where it was "
            "saved, or save it again."
        ) from error
    if header.pop("sha256", None) != _checksum(header, arrays):
        raise ValueError(damaged)
    return header, arrays


def _version():
    return import_module(_PACKAGE).__version__


def _parse(text, damaged):
    try:
        header = json.loads(text)
        if isinstance(header["format"], int):
            return header
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(damaged) from error
    raise ValueError(damaged)


def _checksum(header, arrays):
    """Of everything in a file; it shows damage, and is no signature."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.name} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _encode(value, where):
    """Value as JSON; what JSON does not have is a dict of one kind. `where` names it in errors."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return _encode(value.item(), where)
    if isinstance(value, Path):
        return {"path": str(value)}
    if isinstance(value, list):
        return [_encode(part, where) for part in value]
    if isinstance(value, tuple):
        return {"tuple": [_encode(part, where) for part in value]}
    if isinstance(value, slice):
        return {"slice": [_encode(part, where) for part in (value.start, value.stop, value.step)]}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: _encode(part, where) for key, part in value.items()}}
    if isinstance(value, np.ndarray):
        return {"array": _encode(value.tolist(), where), "dtype": value.dtype.str}
    path = f"{_public_module(type(value))}.{type(value).__name__}"
    if _public_class(path) is not type(value):
        raise ValueError(
            f"{where} is of class {type(value).__module__}.{type(value).__qualname__}, which this format "
            "does not hold: estimators must be public classes of sklearn_gcncluster or scikit-learn, not "
            "frozen, and all else numbers, strings, arrays, lists, tuples and dicts of these. Write the "
            "estimator with joblib.dump(estimator, path) instead."
        )
    parameters = value.get_params(deep=False)
    prefix = "parameter " if where == "the estimator" else f"{where}__"
    return {
        "estimator": path,
        "parameters": {
            name: _encode(_lasting(name, part), f"{prefix}{name}") for name, part in parameters.items()
        },
    }


def _decode(value):
    if isinstance(value, list):
        return [_decode(part) for part in value]
    if not isinstance(value, dict):
        return value
    if "path" in value:
        return Path(value["path"])
    if "tuple" in value:
        return tuple(_decode(part) for part in value["tuple"])
    if "slice" in value:
        return slice(*map(_decode, value["slice"]))
    if "dict" in value:
        return {key: _decode(part) for key, part in value["dict"].items()}
    if "array" in value:
        return np.array(_decode(value["array"]), dtype=value["dtype"])
    return _build(value["estimator"], value["parameters"])


def _lasting(name, value):
    """Parameter as it is stored: a cache belongs to a machine, and a random state to a process."""
    return None if name == "memory" or isinstance(value, np.random.RandomState) else value


def _build(path, parameters):
    kind = _public_class(path)
    if kind is None:
        raise ValueError(f"{path!r} is no public estimator of sklearn_gcncluster or scikit-learn")
    return kind(**{name: _lasting(name, _decode(value)) for name, value in parameters.items()})


def _public_module(kind):
    """Where a class is imported from by its users: it lives in a private module of a public one."""
    parts = kind.__module__.split(".")
    inner = ".".join(parts[:2])
    return inner if inner in _PUBLIC else parts[0]


def _public_class(path):
    """Estimator class of a public name of this package or of scikit-learn; None for any other name."""
    package, _, name = path.rpartition(".")
    if package not in _PUBLIC:
        return None
    try:
        module = import_module(package)
    except ImportError:  # sklearn.__all__ has a few functions too
        return None
    if name not in getattr(module, "__all__", ()):
        return None
    kind = getattr(module, name)
    is_estimator = isinstance(kind, type) and issubclass(kind, BaseEstimator)
    return kind if is_estimator and not issubclass(kind, FrozenEstimator) else None
