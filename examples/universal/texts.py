"""Short texts: descriptions of Debian packages, docstrings, names of characters, all with slips of the pen.

What `apt-cache dumpavail` says of packages are facts and short phrases, written for the package lists that
Debian spreads freely; run `apt-get update` first. Docstrings are those of NumPy, SciPy, scikit-image and
scikit-learn (BSD 3-clause), read from where pip put them. Names of characters come with Python (Unicode
License).
"""

from __future__ import annotations

import ast
import re
import subprocess
import unicodedata
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from base import Labelled, Recipe, at_most, embed_texts, numbered, sized, thin_out
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import normalize


@cache
def package_records() -> list[dict[str, str]]:
    """Fields of the packages that apt knows, one record for each name."""
    listed = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True).stdout
    records = {}
    for paragraph in listed.split("\n\n"):
        fields = dict(re.findall(r"^([A-Z][\w-]+): (.*(?:\n .*)*)", paragraph, re.MULTILINE))
        if "Description" in fields:
            fields["Source"] = fields.get("Source", fields["Package"]).split()[0]
            records[fields["Package"]] = fields
    if len(records) < 10_000:
        raise RuntimeError("apt knows too few packages. Get the lists of Debian's with: apt-get update")
    return [records[name] for name in sorted(records)]


def packages(
    label: str, fields: tuple[str, ...], n_components: int, low: int, high: int, largest: int, n_samples: int
) -> Recipe:
    """Debian packages.

    Parameters
    ----------
    label : str
        The field that is the class.
    fields : tuple of str
        The fields that are the text.
    n_components : int
    low, high : int
        Classes of fewer or more packages are left out.
    largest : int
        Most packages to keep of a class.
    n_samples : int
    """

    def make(random: np.random.Generator) -> Labelled:
        texts = [" ".join(record.get(field, "") for field in fields) for record in package_records()]
        y = np.unique([record.get(label, "") for record in package_records()], return_inverse=True)[1]
        rows = np.flatnonzero(sized(y, low, high))
        kept, y = thin_out(rows, y[rows], np.full(y.max() + 1, largest), random)
        kept, y = at_most(kept, y, random, n_samples)
        return embed_texts([texts[row] for row in kept], y, n_components)

    return Recipe("cosine", make)


def teams_lda(random: np.random.Generator) -> Labelled:
    """Debian packages by who maintains them, embedded by an LDA fitted on those of others."""
    records = package_records()
    y = np.unique([record["Maintainer"] for record in records], return_inverse=True)[1]
    rows = np.flatnonzero(sized(y, 60, 4_000))
    rows, y = thin_out(rows, y[rows], np.full(80, 400), random)
    texts = [f"{records[row]['Description']} {records[row].get('Depends', '')}" for row in rows]
    X, y = embed_texts(texts, numbered(y), 300)
    unseen = random.permutation(y.max() + 1) % 2 == 0
    lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.1).fit(X[~unseen[y]], y[~unseen[y]])
    return normalize(lda.transform(X[unseen[y]])), y[unseen[y]]


def misspell(text: str, rate: float, random: np.random.Generator) -> str:
    """`text` with letters dropped, doubled, swapped or replaced, and now and then a word missing."""
    words = [word for word in text.split() if random.random() > rate / 2] or text.split()
    letters = list(" ".join(words))
    for place in np.flatnonzero(random.random(len(letters)) < rate):
        kind = random.integers(4)
        if kind == 0:
            letters[place] = ""
        elif kind == 1:
            letters[place] *= 2
        elif kind == 2 and place:
            letters[place - 1], letters[place] = letters[place], letters[place - 1]
        else:
            letters[place] = chr(97 + random.integers(26))
    return "".join(letters)


def misspelled(field: str, n_classes: int, p: float, rate: float, n_components: int) -> Recipe:
    """Entities and their misspellings: classes of geometric sizes with parameter `p`."""

    def make(random: np.random.Generator) -> Labelled:
        entities = sorted({re.sub(r"\s*<.*", "", record[field]) for record in package_records()})
        entities = random.permutation([entity for entity in entities if 6 <= len(entity) <= 60])[:n_classes]
        y = np.repeat(np.arange(len(entities)), np.minimum(random.geometric(p, len(entities)), 60))
        texts = [misspell(entities[label].lower(), rate * random.exponential(), random) for label in y]
        return embed_texts(
            texts, y, n_components, analyzer="char_wb", ngram_range=(2, 4), max_features=50_000
        )

    return Recipe("cosine", make)


def docstrings(random: np.random.Generator) -> Labelled:
    """Docstrings of scientific packages, by the file that they are in."""
    texts, y = [], []
    for package in ("numpy", "scipy", "skimage", "sklearn"):
        folder = Path(find_spec(package).submodule_search_locations[0])
        for label in sorted(folder.rglob("*.py")):
            if "test" in str(label.relative_to(folder)) or "_vendor" in str(label):
                continue
            try:
                nodes = list(ast.walk(ast.parse(label.read_text(encoding="utf-8"))))
            except SyntaxError:
                continue
            found = [ast.get_docstring(node) for node in nodes if isinstance(node, ast.FunctionDef)]
            # The names of parameters tell too much of where a function is from.
            found = [text.split("Parameters\n")[0] for text in found if text and len(text) > 60]
            texts += found
            y += [str(label)] * len(found)
    y = numbered(np.array(y))
    rows = np.flatnonzero(sized(y, 3, 400))
    rows, y = at_most(rows, y[rows], random, 8_000)
    return embed_texts([texts[row] for row in rows], y, 128, stop_words="english")


def character_names(random: np.random.Generator) -> Labelled:
    """Names of Unicode characters ("LATIN SMALL LETTER O WITH HORN"), by what stands before "WITH"."""
    names = [unicodedata.name(chr(code), "") for code in range(0x20000)]
    names = [name.partition(" WITH ") for name in names if " WITH " in name]
    texts = [misspell(f"{name[0]} {name[0]} {name[2]}", 0.03, random) for name in names]
    y = np.unique([name[0] for name in names], return_inverse=True)[1]
    return embed_texts(texts, y, 256, analyzer="char_wb", ngram_range=(2, 4))


def recipes() -> dict[str, Recipe]:
    """Texts: classes of 1 to 400, hardly confused (misspellings) or badly (sections, docstrings)."""
    return {
        "text_sources": packages("Source", ("Description",), 256, 3, 60, 60, 8_000),
        "text_sections": packages("Section", ("Description", "Tag", "Depends"), 96, 20, 9_000, 250, 9_000),
        "text_maintainers": packages("Maintainer", ("Description", "Depends"), 192, 15, 400, 300, 8_000),
        "text_teams": Recipe("cosine", teams_lda),
        "text_misspelled_names": misspelled("Maintainer", 1_800, 0.25, 0.12, 128),
        "text_misspelled_packages": misspelled("Package", 350, 0.04, 0.2, 192),
        "text_docstrings": Recipe("cosine", docstrings),
        "text_character_names": Recipe("cosine", character_names),
    }
