"""Make many labelled data sets of great variety, for `make_universal.py` to train on.

A developer runs this once; users never need it, and none of the sets is shipped. The networks see no
features, only structure (the graph of nearest neighbours), so the sets differ in what shapes a graph:
the number and sizes of classes, how much these overlap, modes, chains, hubs, dimensions, copies and noise.

Sources:

- `sklearn_gcncluster.datasets`: synthetic identities, and the glyphs, whose licences GLYPHS.md lists;
- blobs, chains and noise, drawn here;
- the digits that come with scikit-learn (UCI, CC BY 4.0);
- typefaces of Debian packages, whose licences `FONT_PACKAGES` and `make_glyphs.TYPEFACES` name;
- what `apt-cache dumpavail` says of Debian's packages: names, short descriptions, dependencies, maintainers
  (facts and short phrases, written for the package lists that Debian spreads freely);
- docstrings of NumPy, SciPy, scikit-image and scikit-learn (BSD 3-clause), read from where pip put them;
- names of Unicode characters that come with Python (Unicode License).

Pictures need Pillow, fontTools, scikit-image and the typefaces; texts need the package lists of apt::

    apt-get update
    apt-get install --no-install-recommends $(python examples/make_universal_sets.py --packages)
    python examples/make_universal_sets.py --sets FOLDER

The same versions of typefaces, package lists and libraries give the same sets.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from sklearn_gcncluster.datasets import load_glyphs, make_identities

SEED = 20_240_301

Labelled = tuple[np.ndarray, np.ndarray]
"""X (n_samples, n_features) and y (n_samples,)."""


class Recipe(NamedTuple):
    """How a set is made: its metric, and a function that makes it of a random generator."""

    metric: str
    make: Callable[[np.random.Generator], Labelled]


def training_sets(folder: Path | str) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
    """Name, metric, X (float32) and y (int64) of each set, made where `folder` does not have it yet.

    Parameters
    ----------
    folder : Path or str
        Where sets are kept, one NAME.npz each.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, (metric, make) in recipes().items():
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


def recipes() -> dict[str, Recipe]:
    """All sets, by name."""
    return {**identity_recipes(), **blob_recipes(), **glyph_recipes(), **print_recipes(), **text_recipes()}


# ---------------------------------------------------------------------------------------------------
# Sizes, noise and copies


def numbered(y: np.ndarray) -> np.ndarray:
    """Classes as int64 from 0."""
    return np.unique(y, return_inverse=True)[1].astype(np.int64)


def class_sizes(n_samples: int, n_classes: int, exponent: float) -> np.ndarray:
    """Sizes (n_classes,) of at least 1 that fall as a power of the rank; their sum is about `n_samples`."""
    shares = np.arange(1, n_classes + 1) ** -float(exponent)
    return np.maximum(1, np.rint(n_samples * shares / shares.sum())).astype(int)


def thin_out(X: np.ndarray, y: np.ndarray, sizes: np.ndarray, rng: np.random.Generator) -> Labelled:
    """One class for each of `sizes`, as far as there are classes, with at most so many samples."""
    classes = rng.permutation(np.unique(y))[: len(sizes)]
    rows = [
        rng.permutation(np.flatnonzero(y == label))[:size]
        for label, size in zip(classes, sizes, strict=False)
    ]
    rows = np.concatenate(rows)
    return X[rows], y[rows]


def at_most(X: np.ndarray, y: np.ndarray, rng: np.random.Generator, n_samples: int) -> Labelled:
    """Whole classes, in random order, until there are `n_samples`."""
    _, y, counts = np.unique(y, return_inverse=True, return_counts=True)
    order = rng.permutation(len(counts))
    kept = np.zeros(len(counts), bool)
    kept[order[np.cumsum(counts[order]) <= n_samples]] = True
    return X[kept[y]], y[kept[y]]


def add_noise(X: np.ndarray, y: np.ndarray, share: float, rng: np.random.Generator) -> Labelled:
    """Samples that belong to nothing, each a class of its own, spread as all of `X` is."""
    n_noise = round(share * len(X))
    _, lengths, axes = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    noise = rng.standard_normal((n_noise, len(lengths))) * lengths / np.sqrt(len(X))
    return np.vstack([X, X.mean(axis=0) + noise @ axes]), np.append(y, y.max() + 1 + np.arange(n_noise))


def add_copies(X: np.ndarray, y: np.ndarray, share: float, rng: np.random.Generator) -> Labelled:
    """Copies of some samples, half of them exact; a few samples have dozens of copies."""
    n_copies = round(share * len(X))
    rows = (len(X) * rng.random(n_copies) ** 3).astype(int)
    rows = rng.permutation(len(X))[rows]
    nudge = rng.standard_normal((n_copies, X.shape[1])) * (0.05 * X.std(axis=0))
    nudge[::2] = 0
    return np.vstack([X, X[rows] + nudge]), np.append(y, y[rows])


# ---------------------------------------------------------------------------------------------------
# Synthetic sets: identities, blobs, chains, noise


def identities(
    n_samples: int, n_classes: int, n_features: int, *, noise: float = 0, copies: float = 0, **settings: float
) -> Recipe:
    """Embeddings as of faces; `settings` are those of `make_identities`."""

    def make(rng: np.random.Generator) -> Labelled:
        seed = int(rng.integers(2**31))
        X, y = make_identities(n_samples, n_classes, n_features, random_state=seed, **settings)
        X, y = add_copies(*add_noise(X, y, noise, rng), copies, rng)
        return normalize(X), y

    return Recipe("cosine", make)


def identity_recipes() -> dict[str, Recipe]:
    """Sets of `make_identities`, from easy to hard, classes of 1 to 650."""
    return {
        "identities_tail": identities(3_000, 120, 256),
        "identities_easy": identities(2_000, 200, 128, class_spread=0.4, size_exponent=0.3),
        "identities_small": identities(2_500, 1_100, 256, class_spread=0.6, size_exponent=0.5),
        "identities_large": identities(3_500, 14, 64, size_exponent=0.4, n_modes=5, mode_spread=1),
        "identities_hard": identities(3_000, 120, 256, class_spread=0.95, class_similarity=0.5),
        "identities_giant": identities(3_500, 300, 128, size_exponent=1.1, class_spread=0.6),
        "identities_unclear": identities(2_500, 95, 256, low_quality=0.4, class_spread=0.5),
        "identities_modes": identities(
            2_500, 80, 512, n_modes=8, mode_spread=1.3, class_spread=0.5, size_exponent=0.3
        ),
        # Albums: most people are seen once, a few all the time.
        "identities_album": identities(3_000, 1_600, 256, size_exponent=0.8, class_spread=0.5),
        "identities_album_clear": identities(3_000, 1_800, 128, size_exponent=0.7, class_spread=0.35),
        "identities_album_poor": identities(
            3_000, 1_200, 512, size_exponent=1, class_spread=0.6, low_quality=0.3
        ),
        "identities_noise": identities(1_800, 70, 128, class_spread=0.6, noise=0.4, copies=0.1),
    }


def blobs(
    n_samples: int,
    n_classes: int,
    n_features: int,
    spread: float,
    *,
    exponent: float = 0,
    elongation: float = 0,
    unevenness: float = 0.2,
    noise: float = 0,
    copies: float = 0,
    metric: str = "euclidean",
) -> Recipe:
    """Gaussian clusters around uniform centres.

    Parameters
    ----------
    n_samples, n_classes, n_features : int
    spread : float
        Mean radius of clusters, where the median centre has its nearest other at a distance of 1.
    exponent : float
        How fast sizes fall with the rank.
    elongation : float
        Standard deviation of the logarithm of the lengths of a cluster's axes.
    unevenness : float
        Standard deviation of the logarithm of the radii of clusters.
    noise : float
        Share of samples drawn uniformly from the box of all others, each a class of its own.
    copies : float
        Share of copies.
    metric : {"cosine", "euclidean"}
    """

    def make(rng: np.random.Generator) -> Labelled:
        centres = rng.uniform(-1, 1, (n_classes, n_features))
        gaps = np.linalg.norm(centres[:, None] - centres[None], axis=2) + np.diag(np.full(n_classes, np.inf))
        centres /= np.median(gaps.min(axis=1))
        y = np.repeat(np.arange(n_classes), class_sizes(n_samples, n_classes, exponent))
        X = rng.standard_normal((len(y), n_features))
        for label in range(n_classes):
            lengths = np.exp(elongation * rng.standard_normal(n_features))
            lengths *= spread * np.exp(unevenness * rng.standard_normal()) / np.linalg.norm(lengths)
            axes = np.linalg.qr(rng.standard_normal((n_features, n_features)))[0]
            X[y == label] = centres[label] + X[y == label] * lengths @ axes
        n_noise = round(noise * len(y))
        X = np.vstack([X, rng.uniform(X.min(axis=0), X.max(axis=0), (n_noise, n_features))])
        return add_copies(X, np.append(y, n_classes + np.arange(n_noise)), copies, rng)

    return Recipe(metric, make)


def chains(n_samples: int, n_classes: int, n_features: int, width: float) -> Recipe:
    """Clusters along smooth curves, as a face that turns, a place filmed from a car."""

    def make(rng: np.random.Generator) -> Labelled:
        y = np.repeat(np.arange(n_classes), class_sizes(n_samples, n_classes, 0.3))
        # Uneven steps make some parts of a curve dense and others thin.
        where = rng.beta(0.8, 0.8, len(y))[:, None] * np.pi
        waves = rng.standard_normal((3, n_classes, n_features)) / np.array([1, 2, 3])[:, None, None]
        centres = n_classes ** (1 / n_features) * rng.uniform(-1.5, 1.5, (n_classes, n_features))
        X = centres[y] + sum(np.cos((k + 1) * where) * wave[y] for k, wave in enumerate(waves))
        return X + width * rng.standard_normal(X.shape) / np.sqrt(n_features), y

    return Recipe("euclidean", make)


def pure_noise(n_samples: int, n_features: int, metric: str, uniform: bool = False) -> Recipe:
    """Samples without any class: the right answer is to leave them all alone."""

    def make(rng: np.random.Generator) -> Labelled:
        shape = (n_samples, n_features)
        X = rng.uniform(-1, 1, shape) if uniform else rng.standard_normal(shape)
        if metric == "cosine":
            X *= np.arange(1, n_features + 1) ** -0.4
        return X, np.arange(n_samples)

    return Recipe(metric, make)


def blob_recipes() -> dict[str, Recipe]:
    """Blobs of 2 to 512 dimensions and 10 to 1,000 clusters, chains, and noise alone."""
    return {
        "blobs_2d_hard": blobs(2_500, 25, 2, 0.55, exponent=0.7, elongation=0.5, noise=0.1, copies=0.1),
        "blobs_8d_tiny": blobs(2_500, 1_000, 8, 0.5, exponent=0.3),
        "blobs_8d_noise": blobs(1_500, 75, 8, 0.5, exponent=0.6, noise=0.6),
        "blobs_16d_huge": blobs(3_500, 10, 16, 0.9, exponent=0.5, elongation=0.5),
        "blobs_32d_hard": blobs(2_500, 90, 32, 1.3, exponent=0.5, elongation=0.5, unevenness=0.4),
        "blobs_64d_easy": blobs(2_500, 300, 64, 0.4, exponent=1, elongation=0.3, unevenness=0.3),
        "blobs_128d_long": blobs(2_500, 160, 128, 1.2, exponent=0.9, elongation=1.2, metric="cosine"),
        "blobs_512d": blobs(2_000, 70, 512, 2.2, exponent=0.3, elongation=1, metric="cosine"),
        "chains_2d": chains(2_000, 30, 2, 0.15),
        "chains_16d": chains(2_000, 30, 16, 0.7),
        "noise_uniform": pure_noise(1_000, 4, "euclidean", uniform=True),
        "noise_gaussian": pure_noise(1_000, 64, "cosine"),
    }


# ---------------------------------------------------------------------------------------------------
# Pictures that come with packages


@cache
def glyph_pictures() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """HOG features, pictures as rows, and classes of the shipped glyphs."""
    from make_glyphs import describe

    glyphs = load_glyphs()
    pictures = glyphs.images // 17  # 16 grey levels
    return describe(pictures), pictures.reshape(len(pictures), -1).astype(np.float32), glyphs.target


def principal(X: np.ndarray, n_components: int) -> np.ndarray:
    """The leading principal components, rows of length 1."""
    return normalize(PCA(n_components, random_state=0).fit_transform(X))


def glyph_recipes() -> dict[str, Recipe]:
    """The shipped kanji in several embeddings, and the digits of scikit-learn."""

    def embedded(rng: np.random.Generator) -> Labelled:
        return at_most(*load_glyphs(return_X_y=True), rng, 3_000)

    def embedded_tail(rng: np.random.Generator) -> Labelled:
        sizes = np.minimum(rng.geometric(0.12, 300), 33)
        return add_copies(*thin_out(*load_glyphs(return_X_y=True), sizes, rng), 0.1, rng)

    def hog_few(rng: np.random.Generator) -> Labelled:
        features, _, y = glyph_pictures()
        return thin_out(principal(features, 32), y, rng.integers(1, 9, 400), rng)

    def pixels(rng: np.random.Generator) -> Labelled:
        _, pictures, y = glyph_pictures()
        return at_most(principal(pictures, 64), y, rng, 2_000)

    def digits(_: np.random.Generator) -> Labelled:
        return load_digits(return_X_y=True)

    return {
        "glyphs": Recipe("cosine", embedded),
        "glyphs_tail": Recipe("cosine", embedded_tail),
        "glyphs_hog_few": Recipe("cosine", hog_few),
        "glyphs_pixels": Recipe("cosine", pixels),
        "digits": Recipe("euclidean", digits),
    }


# ---------------------------------------------------------------------------------------------------
# Characters printed in the typefaces of Debian packages

# By licence, as `/usr/share/doc/PACKAGE/copyright` states it.
FONT_PACKAGES = {
    "SIL OFL 1.1": """
        fonts-allerta fonts-anonymous-pro fonts-arapey fonts-averia-gwf fonts-averia-serif-gwf
        fonts-bebas-neue
        fonts-cabin fonts-cantarell fonts-cardo fonts-century-catalogue fonts-cherrybomb fonts-comfortaa
        fonts-comic-neue fonts-compagnon fonts-courier-prime fonts-crosextra-carlito fonts-dancingscript
        fonts-dosis fonts-ebgaramond fonts-fantasque-sans fonts-firacode fonts-gfs-artemisia fonts-gfs-didot
        fonts-gfs-neohellenic fonts-gfs-olga fonts-gfs-porson fonts-inconsolata fonts-junction fonts-junicode
        fonts-jura fonts-karla fonts-kaushanscript fonts-klee fonts-kristi fonts-lato fonts-le-murmure
        fonts-league-spartan fonts-leckerli-one fonts-liberation2 fonts-linuxlibertine fonts-lobster
        fonts-lobstertwo fonts-lohit-deva fonts-manrope fonts-mononoki fonts-mplus fonts-nanum
        fonts-nanum-extra
        fonts-national-park fonts-noto-cjk fonts-noto-cjk-extra fonts-noto-core fonts-oldstandard
        fonts-quattrocento fonts-quicksand fonts-sil-andika fonts-sil-annapurna fonts-sil-charis
        fonts-sil-gentiumplus fonts-sora fonts-vollkorn fonts-woowa-bm fonts-yanone-kaffeesatz""",
    "Apache 2.0": """
        fonts-crosextra-caladea fonts-jetbrains-mono fonts-open-sans fonts-play fonts-roboto-slab
        fonts-roboto-unhinted""",
    "Bitstream Vera": "fonts-dejavu-core fonts-dejavu-extra",
    "MIT or like it": "fonts-agave fonts-baekmuk fonts-fanwood fonts-hack fonts-lindenhill fonts-monoid",
    "BSD 3-clause": "fonts-go",
    "GPL 2 or later, with font exception": """
        fonts-adf-accanthis fonts-adf-baskervald fonts-adf-berenis fonts-adf-gillius fonts-adf-libris
        fonts-adf-oldania fonts-adf-romande fonts-adf-tribun fonts-adf-universalis fonts-adf-verana
        fonts-samyak-deva""",
    "EPL 2.0, EDL 1.0 or SIL OFL 1.1": "fonts-b612",
    "ParaType Free Font License": "fonts-paratype",
    "public domain": "fonts-goudybookletter fonts-prociono fonts-tuffy",
}
LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghijlmnqrty123456789"  # prints are all of one size, so no c beside C
CYRILLIC = "БГДЖЗИЛПУФЦЧШЩЪЫЬЭЮЯбвеёъыэюя"
GREEK = "ΓΔΘΛΞΠΣΦΨΩαβγδεζηθλμξπρστφψω"
DEVANAGARI = "अआइईउऊऋएऐओऔकखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसह"


def font_packages() -> list[str]:
    """Debian packages with typefaces that the sets are printed in."""
    from make_glyphs import TYPEFACES

    return sorted({*" ".join(FONT_PACKAGES.values()).split(), *(face.package for face in TYPEFACES)})


@cache
def font_files() -> dict[str, list[Path]]:
    """Font files by package."""
    files = {}
    for package in font_packages():
        try:
            listed = Path(f"/var/lib/dpkg/info/{package}.list").read_text(encoding="utf-8").split("\n")
        except FileNotFoundError:
            raise FileNotFoundError(
                f"The Debian package {package} is not installed. Install all typefaces with: "
                "apt-get install --no-install-recommends $(python examples/make_universal_sets.py --packages)"
            ) from None
        fonts = [Path(line) for line in listed if line.lower().endswith((".ttf", ".otf", ".ttc"))]
        files[package] = sorted(path for path in fonts if path.is_file() and not path.is_symlink())
    return files


@cache
def codes(path: Path) -> frozenset[int]:
    """Code points that a font has glyphs of."""
    from fontTools.ttLib import TTFont

    return frozenset(TTFont(path, fontNumber=0, lazy=True).getBestCmap() or ())


def fonts_of(chars: str, per_package: int = 4) -> list[Path]:
    """Fonts with all of `chars`, some of each package, far apart in the order of their names."""
    wanted, chosen = {ord(char) for char in chars}, []
    for files in font_files().values():
        able = [path for path in files if wanted <= codes(path)]
        places = np.linspace(0, len(able) - 1, min(per_package, len(able)))
        chosen += [able[place] for place in np.rint(places).astype(int)]
    return chosen


class Prints(NamedTuple):
    """Degraded prints of characters."""

    features: np.ndarray
    """HOG, float32 of shape (n_prints, n_features)."""
    char: np.ndarray
    """Which character each shows."""
    font: np.ndarray
    """Which font it is printed in."""


def print_chars(chars: str, fonts: list[Path], n_each: int = 1) -> Prints:
    """Each character, `n_each` times in each font that has it."""
    from make_glyphs import RENDER, degrade, describe, print_glyph
    from PIL import ImageFont

    pictures, places = [], []
    for font, path in enumerate(fonts):
        drawer = ImageFont.truetype(path, RENDER, layout_engine=ImageFont.Layout.BASIC)
        for place, char in enumerate(chars):
            if ord(char) not in codes(path):
                continue
            try:
                glyph = print_glyph(drawer, char)
            except OSError:  # a few fonts have glyphs that FreeType cannot draw
                continue
            if glyph.getbbox() is None:
                continue
            rng = np.random.default_rng([SEED, crc32(path.name.encode()), ord(char)])
            pictures += [degrade(glyph, rng) for _ in range(n_each)]
            places += [(place, font)] * n_each
    return Prints(describe(np.stack(pictures)).astype(np.float32), *np.array(places).T)


def discriminant(prints: Prints, others: Prints) -> np.ndarray:
    """Embeddings of `prints` by an LDA fitted on prints of other characters, rows of length 1."""
    from make_glyphs import fit_embedding

    centre, directions = fit_embedding(others.features, others.char)
    return normalize((prints.features - centre) @ directions[:, : others.char.max()])


@cache
def latin_prints() -> Prints:
    """Latin letters and digits in every Latin font."""
    return print_chars(LATIN, [path for path in fonts_of(LATIN) if "noto/" not in str(path)])


@cache
def other_prints() -> Prints:
    """Cyrillic and Greek letters."""
    return print_chars(CYRILLIC + GREEK, fonts_of(CYRILLIC, 3) + fonts_of(GREEK, 3))


@cache
def kanji() -> tuple[str, str]:
    """Kanji that the package does not ship: some to cluster, others to fit embeddings on."""
    from make_glyphs import common_kanji

    unseen = sorted(set(common_kanji()) - set(load_glyphs().target_names))
    unseen = np.random.default_rng(SEED).permutation(unseen).tolist()
    return "".join(unseen[:20]), "".join(unseen[20:620])


def print_recipes() -> dict[str, Recipe]:
    """Characters of several scripts: classes of 1 to 330 prints, each in its own typeface or in a few."""

    def letters(rng: np.random.Generator) -> Labelled:
        prints = latin_prints()
        return thin_out(principal(prints.features, 64), prints.char, np.full(30, 110), rng)

    def letters_lda(rng: np.random.Generator) -> Labelled:
        prints = latin_prints()
        sizes = class_sizes(3_500, 51, 0.8)
        return thin_out(discriminant(prints, other_prints()), prints.char, sizes, rng)

    def cyrillic_greek(rng: np.random.Generator) -> Labelled:
        prints = other_prints()
        return thin_out(discriminant(prints, latin_prints()), prints.char, rng.integers(10, 110, 50), rng)

    def devanagari(rng: np.random.Generator) -> Labelled:
        prints = print_chars(DEVANAGARI, fonts_of(DEVANAGARI), 5)
        return principal(prints.features, 48), prints.char

    def hangul(rng: np.random.Generator) -> Labelled:
        syllables = "".join(map(chr, rng.choice(np.arange(0xAC00, 0xD7A4), 6_000, replace=False)))
        fonts = fonts_of("가각간한글", 8)
        common = [
            char for char in syllables if sum(ord(char) in codes(path) for path in fonts) > len(fonts) - 3
        ]
        chars, others = "".join(common[:150]), "".join(common[150:350])
        prints = print_chars(chars, fonts)
        X = discriminant(prints, print_chars(others, fonts))
        return thin_out(X, prints.char, rng.integers(5, len(fonts) + 1, 100), rng)

    def scripts(rng: np.random.Generator) -> Labelled:
        fonts = [
            path for path in font_files()["fonts-noto-core"] if path.stem.endswith(("-Regular", "-Bold"))
        ]
        letters = {
            code for path in fonts for code in codes(path) if 0x530 <= code < 0x3000 and chr(code).isalpha()
        }
        chars = "".join(map(chr, rng.permutation(sorted(letters))[:1_000]))
        prints = print_chars(chars, fonts, 2)
        sizes = np.minimum(rng.geometric(0.25, 800), 8)
        return thin_out(principal(prints.features, 96), prints.char, sizes, rng)

    def kanji_many(_: np.random.Generator) -> Labelled:
        from make_glyphs import TYPEFACES

        faces = [face.path for face in TYPEFACES]
        chars, others = kanji()
        prints = print_chars(chars, faces, 5)
        return discriminant(prints, print_chars(others, faces)), prints.char

    return {
        "print_letters": Recipe("cosine", letters),
        "print_letters_lda": Recipe("cosine", letters_lda),
        "print_cyrillic_greek": Recipe("cosine", cyrillic_greek),
        "print_devanagari": Recipe("cosine", devanagari),
        "print_hangul": Recipe("cosine", hangul),
        "print_scripts": Recipe("cosine", scripts),
        "print_kanji_many": Recipe("cosine", kanji_many),
    }


# ---------------------------------------------------------------------------------------------------
# Texts: descriptions of Debian packages, docstrings, names of characters, all with slips of the pen


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


def embed_texts(texts: list[str], y: np.ndarray, n_components: int, **settings: Any) -> Labelled:
    """TF-IDF reduced by a truncated SVD; texts without any known word are left out."""
    settings = {"min_df": 2, "sublinear_tf": True} | settings
    words = TfidfVectorizer(**settings).fit_transform(texts)
    X = TruncatedSVD(n_components, random_state=0).fit_transform(words)
    known = np.linalg.norm(X, axis=1) > 1e-3
    return normalize(X[known]), np.asarray(y)[known]


def sized(y: np.ndarray, low: int, high: int) -> np.ndarray:
    """Which samples are of classes of `low` to `high` samples."""
    _, inverse, counts = np.unique(y, return_inverse=True, return_counts=True)
    return ((counts >= low) & (counts <= high))[inverse]


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

    def make(rng: np.random.Generator) -> Labelled:
        texts = [" ".join(record.get(field, "") for field in fields) for record in package_records()]
        y = np.unique([record.get(label, "") for record in package_records()], return_inverse=True)[1]
        rows = np.flatnonzero(sized(y, low, high))
        kept, y = thin_out(rows, y[rows], np.full(y.max() + 1, largest), rng)
        kept, y = at_most(kept, y, rng, n_samples)
        return embed_texts([texts[row] for row in kept], y, n_components)

    return Recipe("cosine", make)


def teams_lda(rng: np.random.Generator) -> Labelled:
    """Debian packages by who maintains them, embedded by an LDA fitted on those of others."""
    records = package_records()
    y = np.unique([record["Maintainer"] for record in records], return_inverse=True)[1]
    rows = np.flatnonzero(sized(y, 100, 4_000))
    rows, y = thin_out(rows, y[rows], np.full(48, 120), rng)
    texts = [f"{records[row]['Description']} {records[row].get('Depends', '')}" for row in rows]
    X, y = embed_texts(texts, numbered(y), 300)
    unseen = rng.permutation(y.max() + 1) % 2 == 0
    lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.1).fit(X[~unseen[y]], y[~unseen[y]])
    return normalize(lda.transform(X[unseen[y]])), y[unseen[y]]


def misspell(text: str, rate: float, rng: np.random.Generator) -> str:
    """`text` with letters dropped, doubled, swapped or replaced, and now and then a word missing."""
    words = [word for word in text.split() if rng.random() > rate / 2] or text.split()
    letters = list(" ".join(words))
    for place in np.flatnonzero(rng.random(len(letters)) < rate):
        kind = rng.integers(4)
        if kind == 0:
            letters[place] = ""
        elif kind == 1:
            letters[place] *= 2
        elif kind == 2 and place:
            letters[place - 1], letters[place] = letters[place], letters[place - 1]
        else:
            letters[place] = chr(97 + rng.integers(26))
    return "".join(letters)


def misspelled(field: str, n_classes: int, p: float, rate: float, n_components: int) -> Recipe:
    """Entities and their misspellings: classes of geometric sizes with parameter `p`."""

    def make(rng: np.random.Generator) -> Labelled:
        entities = sorted({re.sub(r"\s*<.*", "", record[field]) for record in package_records()})
        entities = rng.permutation([entity for entity in entities if 6 <= len(entity) <= 60])[:n_classes]
        y = np.repeat(np.arange(len(entities)), np.minimum(rng.geometric(p, len(entities)), 60))
        texts = [misspell(entities[label].lower(), rate * rng.exponential(), rng) for label in y]
        return embed_texts(
            texts, y, n_components, analyzer="char_wb", ngram_range=(2, 4), max_features=50_000
        )

    return Recipe("cosine", make)


def docstrings(rng: np.random.Generator) -> Labelled:
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
    rows = np.flatnonzero(sized(y, 3, 200))
    rows, y = at_most(rows, y[rows], rng, 2_500)
    return embed_texts([texts[row] for row in rows], y, 128, stop_words="english")


def character_names(rng: np.random.Generator) -> Labelled:
    """Names of Unicode characters ("LATIN SMALL LETTER O WITH HORN"), by what stands before "WITH"."""
    names = [unicodedata.name(chr(code), "") for code in range(0x20000)]
    names = [name.partition(" WITH ") for name in names if " WITH " in name]
    texts = [misspell(f"{name[0]} {name[0]} {name[2]}", 0.03, rng) for name in names]
    y = np.unique([name[0] for name in names], return_inverse=True)[1]
    return embed_texts(texts, y, 256, analyzer="char_wb", ngram_range=(2, 4))


def text_recipes() -> dict[str, Recipe]:
    """Texts: classes of 1 to 200, hardly confused (misspellings) or badly (sections, docstrings)."""
    return {
        "text_sources": packages("Source", ("Description",), 256, 3, 60, 60, 2_500),
        "text_sections": packages("Section", ("Description", "Tag", "Depends"), 96, 20, 9_000, 110, 3_000),
        "text_teams": Recipe("cosine", teams_lda),
        "text_misspelled_names": misspelled("Maintainer", 900, 0.35, 0.12, 128),
        "text_misspelled_packages": misspelled("Package", 150, 0.06, 0.2, 192),
        "text_docstrings": Recipe("cosine", docstrings),
        "text_character_names": Recipe("cosine", character_names),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the sets that the universal networks learn from.")
    parser.add_argument("--packages", action="store_true", help="only print the Debian packages it needs")
    parser.add_argument("--sets", type=Path, default=Path("universal_sets"), help="where data sets are kept")
    arguments = parser.parse_args()
    if arguments.packages:
        print(*font_packages())
    else:
        for name, metric, X, y in training_sets(arguments.sets):
            print(f"{name}: {len(X)} samples of {y.max() + 1} classes, {X.shape[1]} features, {metric}")
