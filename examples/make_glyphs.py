"""Make the glyphs data set: kanji in many typefaces, embedded by a model of other kanji.

A developer runs this once; users never need it. The package ships only the files it writes.

Each of `N_CLASSES` kanji is printed in 20 to 33 typefaces. Every print is degraded as a bad scan
would be (tilt, shear, stretch, shift, blur, low resolution, noise), reduced to a 20 x 20 picture
of 16 grey levels, and embedded from that very picture: HOG features, then LDA to 128 dimensions.
The LDA is fitted on `N_FIT` kanji that are NOT shipped, printed in the same typefaces, so the
shipped classes are new to the embedding, as new people are to a face model.

It needs Debian's font packages (`TYPEFACES` names them), fontTools, Pillow and scikit-image::

    apt-get install --no-install-recommends $(python examples/make_glyphs.py --packages)
    python examples/make_glyphs.py

Only fonts under free licences that ask nothing of pictures made with them are used; `TYPEFACES`
states each licence as `/usr/share/doc/PACKAGE/copyright` does. The same versions of fonts and
libraries give the same files; another FreeType may move single grey levels.
"""

from __future__ import annotations

import argparse
import re
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from skimage.feature import hog
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

SEED = 20_240_229
N_CLASSES = 400  # kanji shipped
N_FIT = 1_500  # other kanji, for the embedding only
MIN_FACES = 20  # fewest typefaces of a shipped kanji
EXTRA_FACES = 5  # mean of the exponential number of typefaces beyond these
N_FEATURES = 128
SIDE = 20  # pixels of a shipped picture
GREYS = 16  # grey levels of a shipped picture, two to a byte
RENDER = 80  # pixels of the print before it is degraded

# How bad scans get. Chosen so that average linkage, its threshold tuned on half the classes, finds
# about three quarters of what there is to find in the other half: room to be better or worse.
TILT = 0.04  # standard deviation of rotation (radians) and shear
STRETCH = 0.05  # standard deviation of width and height, as a share
SHIFT = 0.012  # standard deviation of the position, as a share of the side
BLUR = 0.55  # standard deviation of the blur of the worst scan, in shipped pixels
NOISE = 0.12  # standard deviation of the noise of the worst scan, as a share of white

OUT = Path(__file__).parents[1] / "sklearn_gcncluster" / "datasets" / "data"
FONTS = Path("/usr/share/fonts")


class Typeface(NamedTuple):
    """A typeface: its name, file under `/usr/share/fonts`, Debian package and licence."""

    name: str
    file: str
    package: str
    licence: str
    font_index: int = 0

    @property
    def path(self) -> Path:
        """Where Debian installs the font."""
        return FONTS / self.file


OFL = "SIL OFL 1.1"
IPA = "IPA Font License 1.0"
APACHE = "Apache 2.0"
UME = "UmeFont licence (use, copy, modify, distribute without limit)"
PUBLIC = "public domain"

# One typeface per family, but for three families in weights so far apart (thin, regular, black)
# that their prints correlate less than those of two families of one style (under .75). Fonts with
# the outlines of another (Takao, MigMix, VL Gothic, Monapo, Komatuna, MMCedar, WenQuanYi Micro Hei)
# are left out, and so are cursive hands (sosho, gyosho, Aoyagi Soseki), which write other shapes.
TYPEFACES = (
    Typeface("Noto Sans CJK JP", "opentype/noto/NotoSansCJK-Regular.ttc", "fonts-noto-cjk", OFL),
    Typeface("Noto Sans CJK JP Black", "opentype/noto/NotoSansCJK-Black.ttc", "fonts-noto-cjk-extra", OFL),
    Typeface("Noto Sans CJK JP Thin", "opentype/noto/NotoSansCJK-Thin.ttc", "fonts-noto-cjk-extra", OFL),
    Typeface("Noto Serif CJK JP", "opentype/noto/NotoSerifCJK-Regular.ttc", "fonts-noto-cjk", OFL),
    Typeface(
        "Noto Serif CJK JP Black",
        "opentype/noto/NotoSerifCJK-Black.ttc",
        "fonts-noto-cjk-extra",
        OFL,
    ),
    Typeface("IPAex Gothic", "opentype/ipaexfont-gothic/ipaexg.ttf", "fonts-ipaexfont-gothic", IPA),
    Typeface("IPAex Mincho", "opentype/ipaexfont-mincho/ipaexm.ttf", "fonts-ipaexfont-mincho", IPA),
    Typeface("M PLUS 1", "opentype/mplus/Mplus1-Regular.otf", "fonts-mplus", OFL),
    Typeface("M PLUS 1 Black", "opentype/mplus/Mplus1-Black.otf", "fonts-mplus", OFL),
    Typeface("M PLUS 1 Thin", "opentype/mplus/Mplus1-Thin.otf", "fonts-mplus", OFL),
    Typeface("Ume Gothic", "truetype/horai-umefont/ume-tgo4.ttf", "fonts-horai-umefont", UME),
    Typeface("Ume Mincho", "truetype/horai-umefont/ume-tmo3.ttf", "fonts-horai-umefont", UME),
    Typeface("Hanazono Mincho", "truetype/hanazono/HanaMinA.ttf", "fonts-hanazono", OFL),
    Typeface(
        "Kouzan brush kaisho",
        "truetype/kouzan-mouhitsu/kouzan-mouhitsu.ttf",
        "fonts-kouzan-mouhitsu",
        PUBLIC,
    ),
    Typeface(
        "Aoyagi Kouzan T",
        "truetype/aoyagi-kouzan-t/AoyagiKouzanT.ttf",
        "fonts-aoyagi-kouzan-t",
        PUBLIC,
    ),
    Typeface(
        "Motoya L Maruberi",
        "truetype/motoya-l-maruberi/MTLmr3m.ttf",
        "fonts-motoya-l-maruberi",
        APACHE,
    ),
    Typeface(
        "Sawarabi Mincho",
        "truetype/sawarabi-mincho/sawarabi-mincho-medium.ttf",
        "fonts-sawarabi-mincho",
        OFL,
    ),
    Typeface("Konatu", "truetype/konatu/Konatu.ttf", "fonts-konatu", "MIT"),
    Typeface("Kiloji", "truetype/kiloji/kiloji.ttf", "fonts-kiloji", "BSD 3-clause"),
    Typeface("YOzFont N", "truetype/yozvox-yozfont/YOzRN_.ttf", "fonts-yozvox-yozfont", OFL),
    Typeface("SetoFont", "truetype/seto/setofont.ttf", "fonts-seto", OFL),
    Typeface("Klee One", "truetype/klee/KleeOne-Regular.ttf", "fonts-klee", OFL),
    Typeface("Yusei Magic", "truetype/yusei-magic/YuseiMagic-Regular.ttf", "fonts-yusei-magic", OFL),
    Typeface("Reggae One", "truetype/reggae/ReggaeOne-Regular.ttf", "fonts-reggae", OFL),
    Typeface("DotGothic16", "truetype/dotgothic16/DotGothic16-Regular.ttf", "fonts-dotgothic16", OFL),
    Typeface("Train One", "truetype/train/TrainOne-Regular.ttf", "fonts-train", OFL),
    Typeface("Stick", "truetype/stick/Stick-Regular.ttf", "fonts-stick", OFL),
    Typeface("Rampart One", "truetype/rampart/RampartOne-Regular.ttf", "fonts-rampart", OFL),
    Typeface("RocknRoll One", "truetype/rocknroll/RocknRollOne-Regular.ttf", "fonts-rocknroll", OFL),
    Typeface(
        "Dejima Mincho",
        "truetype/dejima-mincho/dejima-mincho-r227.ttf",
        "fonts-dejima-mincho",
        "MIT",
    ),
    Typeface(
        "BIZ UD Gothic",
        "truetype/bizud-gothic/BIZUDGothic-Regular.ttf",
        "fonts-morisawa-bizud-gothic",
        OFL,
    ),
    Typeface(
        "BIZ UD Mincho",
        "truetype/bizud-mincho/BIZUDMincho-Regular.ttf",
        "fonts-morisawa-bizud-mincho",
        OFL,
    ),
    Typeface(
        "Droid Sans Fallback",
        "truetype/droid/DroidSansFallbackFull.ttf",
        "fonts-droid-fallback",
        APACHE,
    ),
)


def common_kanji() -> list[str]:
    """Kanji of JIS level 1 (the 2,965 in common use) that every typeface maps to a glyph."""
    rows, cells = range(16, 48), range(1, 95)
    codes = [bytes([row + 160, cell + 160]) for row in rows for cell in cells]
    kanji = {ord(char) for code in codes if (char := code.decode("euc_jp", "ignore"))}
    for face in TYPEFACES:
        kanji &= set(TTFont(face.path, fontNumber=face.font_index, lazy=True).getBestCmap())
    return [chr(code) for code in sorted(kanji)]


def print_glyph(font: ImageFont.FreeTypeFont, char: str) -> Image.Image:
    """`char` white on black, its ink scaled to fill most of a `RENDER`-pixel square."""
    canvas = Image.new("L", (2 * RENDER, 2 * RENDER))
    ImageDraw.Draw(canvas).text((RENDER // 2, RENDER // 2), char, fill=255, font=font)
    box = canvas.getbbox()
    if box is None:
        return Image.new("L", (RENDER, RENDER))
    ink = canvas.crop(box)
    # The longer side decides, so that flat kanji stay flat.
    scale = 0.86 * RENDER / max(ink.size)
    ink = ink.resize([max(1, round(scale * side)) for side in ink.size], Image.Resampling.BILINEAR)
    square = Image.new("L", (RENDER, RENDER))
    square.paste(ink, tuple((RENDER - side) // 2 for side in ink.size))
    return square


def degrade(glyph: Image.Image, rng: np.random.Generator) -> np.ndarray:
    """A (SIDE, SIDE) uint8 picture of grey levels below `GREYS`: `glyph` as a bad scan shows it."""
    # Most scans are good and a few are bad, as faces in the wild are.
    badness = rng.beta(1.2, 2.5)
    angle, shear = rng.normal(0, TILT * (0.5 + badness), size=2)
    stretch = 1 + rng.normal(0, STRETCH, size=2)
    linear = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = linear @ np.array([[1, shear], [0, 1]]) / stretch
    centre = np.full(2, RENDER / 2)
    offset = centre - linear @ (centre + rng.normal(0, SHIFT * RENDER, size=2))
    matrix = np.column_stack([linear, offset]).ravel().tolist()
    glyph = glyph.transform(glyph.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    glyph = glyph.filter(ImageFilter.GaussianBlur(RENDER / SIDE * BLUR * badness))
    small = np.asarray(glyph.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float64)
    # Thin strokes fade when blurred; a scanner stretches contrast before it adds its noise.
    small *= 255 / max(small.max(), 1)
    small += rng.normal(0, 255 * NOISE * badness, size=small.shape)
    return np.rint(np.clip(small, 0, 255) * ((GREYS - 1) / 255)).astype(np.uint8)


def draw(task: tuple[int, list[str]]) -> tuple[np.ndarray, np.ndarray]:
    """Degraded pictures (n_chars, SIDE, SIDE) and which of them show ink, for one typeface."""
    index, chars = task
    face = TYPEFACES[index]
    font = ImageFont.truetype(face.path, RENDER, index=face.font_index, layout_engine=ImageFont.Layout.BASIC)
    missing = print_glyph(font, "\U0010fffd").tobytes()  # .notdef
    pictures = np.empty((len(chars), SIDE, SIDE), np.uint8)
    present = np.empty(len(chars), bool)
    for row, char in enumerate(chars):
        glyph = print_glyph(font, char)
        present[row] = glyph.getbbox() is not None and glyph.tobytes() != missing
        pictures[row] = degrade(glyph, np.random.default_rng([SEED, index, ord(char)]))
    return pictures, present


def describe(pictures: np.ndarray) -> np.ndarray:
    """HOG features (n, d) float32 of pictures (n, SIDE, SIDE)."""
    cells = {"orientations": 9, "pixels_per_cell": (4, 4), "cells_per_block": (2, 2)}
    return np.stack([hog(picture, **cells) for picture in pictures.astype(np.float32)])


def fit_embedding(features: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre (d,) and directions (d, N_FEATURES) of an LDA fitted on `features` (n, d)."""
    lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.05).fit(features, target)
    return features.mean(axis=0), lda.scalings_[:, :N_FEATURES]


def choose_samples(present: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Which prints to ship, of those (n_chars, n_typefaces) that show ink: most classes small."""
    sizes = MIN_FACES + rng.exponential(EXTRA_FACES, size=len(present)).astype(int)
    # The typefaces of a class are those with its `size` smallest random numbers.
    ranks = np.where(present, rng.random(present.shape), np.inf).argsort(axis=1).argsort(axis=1)
    return present & (ranks < sizes[:, None])


def write_sources(path: Path) -> None:
    """Write what the data set is made of, and under which licences, as Markdown."""
    rows = []
    for face in TYPEFACES:
        notice = Path("/usr/share/doc", face.package, "copyright").read_text(encoding="utf-8")
        # The first notice is that of the font, later ones are that of Debian's packaging.
        holder = re.search(r"^Copyright:\s*(.+)", notice, re.MULTILINE)[1]
        holder = re.sub(r"\s*<[^>]*>|[,. ]+$|^Copyright\s*|^\([cC]\)\s*", "", holder)
        rows.append(f"| {face.name} | {face.package} | {holder} | {face.licence} |")
    head = f"""# Sources of glyphs.npz

{N_CLASSES} kanji printed in 20 to {len(TYPEFACES)} typefaces, made by `examples/make_glyphs.py`,
which says how. The file holds pictures of {SIDE} x {SIDE} pixels and embeddings of these pictures.
It holds no fonts and no outlines.

Pillow rendered the typefaces below from the files that Debian packages. Their licences are free
and ask nothing of pictures made with the fonts; they are named here to give credit.

| Typeface | Debian package | Copyright | Licence of the font |
| --- | --- | --- | --- |
"""
    path.write_text(head + "\n".join(rows) + "\n", encoding="utf-8")


def make() -> None:
    """Write `glyphs.npz` and `GLYPHS.md`."""
    rng = np.random.default_rng(SEED)
    chars = rng.permutation(common_kanji())[: N_CLASSES + N_FIT].tolist()
    chars[:N_CLASSES] = sorted(chars[:N_CLASSES])
    with ProcessPoolExecutor(max_workers=2) as pool:
        drawn = list(pool.map(draw, [(index, chars) for index in range(len(TYPEFACES))]))
        pictures = np.stack([picture for picture, _ in drawn], axis=1)
        present = np.stack([shown for _, shown in drawn], axis=1)
        features = np.stack(list(pool.map(describe, pictures)))
    target, typeface = np.nonzero(choose_samples(present[:N_CLASSES], rng))
    fit_target, fit_typeface = np.nonzero(present[N_CLASSES:])
    with threadpool_limits(1):  # sums in another order would move last digits
        centre, directions = fit_embedding(features[N_CLASSES:][fit_target, fit_typeface], fit_target)
        embeddings = normalize((features[target, typeface] - centre) @ directions)
    nibbles = pictures[target, typeface].reshape(len(target), -1)
    OUT.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        OUT / "glyphs.npz",
        # One scale for all: the loader makes rows of unit length, so it need not know it.
        embeddings=np.rint(embeddings * (127 / np.abs(embeddings).max())).astype(np.int8),
        pictures=nibbles[:, ::2] << 4 | nibbles[:, 1::2],
        target=target.astype(np.uint16),
        target_names=np.array(chars[:N_CLASSES]),
        typeface=typeface.astype(np.uint8),
        typeface_names=np.array([face.name for face in TYPEFACES]),
    )
    write_sources(OUT / "GLYPHS.md")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the shipped glyphs data set.")
    parser.add_argument("--packages", action="store_true", help="only print the Debian packages it needs")
    if parser.parse_args().packages:
        print(*sorted({face.package for face in TYPEFACES}))
    else:
        make()
