"""Characters, printed in the typefaces of Debian packages and degraded as bad scans are; the glyphs; digits.

The licences of typefaces are named in `FONT_PACKAGES` and in `make_glyphs.TYPEFACES`. The glyphs come with
this package (GLYPHS.md lists their sources), the digits with scikit-learn (UCI, CC BY 4.0). Pictures need
Pillow, fontTools and scikit-image.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
from base import SEED, Labelled, Recipe, class_sizes, principal, thin_out
from sklearn.datasets import load_digits
from sklearn.preprocessing import normalize

from sklearn_gcncluster.datasets import load_glyphs

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
                "apt-get install --no-install-recommends $(python examples/universal/sets.py --packages)"
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
    return "".join(unseen[:300]), "".join(unseen[300:900])


@cache
def kanji_prints() -> tuple[Prints, Prints]:
    """Kanji to cluster and kanji to fit embeddings on, once in each typeface."""
    from make_glyphs import TYPEFACES

    faces = [face.path for face in TYPEFACES]
    chars, others = kanji()
    return print_chars(chars, faces), print_chars(others, faces)


@cache
def glyph_pictures() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """HOG features, pictures as rows, and classes of the shipped glyphs."""
    from make_glyphs import describe

    glyphs = load_glyphs()
    pictures = glyphs.images // 17  # 16 grey levels
    return describe(pictures), pictures.reshape(len(pictures), -1).astype(np.float32), glyphs.target


def recipes() -> dict[str, Recipe]:
    """Characters of several scripts: classes of 1 to 330 prints, each in its own typeface or in a few."""

    def letters(random: np.random.Generator) -> Labelled:
        prints = latin_prints()
        return thin_out(principal(prints.features, 64), prints.char, np.full(51, 180), random)

    def letters_learned(_: np.random.Generator) -> Labelled:
        prints = latin_prints()
        return discriminant(prints, other_prints()), prints.char

    def cyrillic_greek(_: np.random.Generator) -> Labelled:
        prints = other_prints()
        return discriminant(prints, latin_prints()), prints.char

    def devanagari(_: np.random.Generator) -> Labelled:
        prints = print_chars(DEVANAGARI, fonts_of(DEVANAGARI), 8)
        return principal(prints.features, 48), prints.char

    def hangul(random: np.random.Generator) -> Labelled:
        syllables = "".join(map(chr, random.choice(np.arange(0xAC00, 0xD7A4), 6_000, replace=False)))
        fonts = fonts_of("가각간한글", 8)
        common = [
            char for char in syllables if sum(ord(char) in codes(path) for path in fonts) > len(fonts) - 3
        ]
        prints = print_chars("".join(common[:300]), fonts)
        return discriminant(prints, print_chars("".join(common[300:500]), fonts)), prints.char

    def scripts(random: np.random.Generator) -> Labelled:
        fonts = [
            path for path in font_files()["fonts-noto-core"] if path.stem.endswith(("-Regular", "-Bold"))
        ]
        letters = {
            code for path in fonts for code in codes(path) if 0x530 <= code < 0x3000 and chr(code).isalpha()
        }
        chars = "".join(map(chr, random.permutation(sorted(letters))[:1_500]))
        prints = print_chars(chars, fonts, 3)
        return principal(prints.features, 96), prints.char

    def kanji_plain(_: np.random.Generator) -> Labelled:
        prints, _ = kanji_prints()
        return principal(prints.features, 128), prints.char

    def kanji_learned(_: np.random.Generator) -> Labelled:
        prints, others = kanji_prints()
        return discriminant(prints, others), prints.char

    def kanji_many(_: np.random.Generator) -> Labelled:
        from make_glyphs import TYPEFACES

        prints = print_chars(kanji()[0][:45], [face.path for face in TYPEFACES], 6)
        return discriminant(prints, kanji_prints()[1]), prints.char

    def glyphs(_: np.random.Generator) -> Labelled:
        return load_glyphs(return_X_y=True)

    def glyphs_few(random: np.random.Generator) -> Labelled:
        features, _, y = glyph_pictures()
        return thin_out(principal(features, 32), y, random.integers(1, 9, 400), random)

    def glyphs_pixels(_: np.random.Generator) -> Labelled:
        _, pictures, y = glyph_pictures()
        return principal(pictures, 64), y

    def letters_tail(random: np.random.Generator) -> Labelled:
        prints = latin_prints()
        sizes = class_sizes(3_500, 51, 0.8)
        return thin_out(principal(prints.features, 128), prints.char, sizes, random)

    return {
        "print_letters": Recipe("cosine", letters),
        "print_letters_learned": Recipe("cosine", letters_learned),
        "print_letters_tail": Recipe("cosine", letters_tail),
        "print_cyrillic_greek": Recipe("cosine", cyrillic_greek),
        "print_devanagari": Recipe("cosine", devanagari),
        "print_hangul": Recipe("cosine", hangul),
        "print_scripts": Recipe("cosine", scripts),
        "print_kanji": Recipe("cosine", kanji_plain),
        "print_kanji_learned": Recipe("cosine", kanji_learned),
        "print_kanji_many": Recipe("cosine", kanji_many),
        "print_glyphs": Recipe("cosine", glyphs),
        "print_glyphs_few": Recipe("cosine", glyphs_few),
        "print_glyphs_pixels": Recipe("cosine", glyphs_pixels),
        "print_digits": Recipe("euclidean", lambda _: load_digits(return_X_y=True)),
    }
