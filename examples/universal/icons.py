"""Icons: one thing as many themes of icons draw it, single pictures in bad copies, and whole themes.

The pictures are those of the icon themes that `THEMES` names, Debian packages none of which is shipped; one
class is what one name stands for. Some themes are drawings, which rsvg-convert (`librsvg2-bin`) paints.
Needs Pillow and scikit-image as well. The same versions of all these give the same sets.
"""

from __future__ import annotations

import io
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
from base import SEED, Labelled, Recipe, at_most, numbered, principal, sized
from PIL import Image, ImageFilter
from skimage.feature import hog
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import normalize

# By licence of the pictures, as `/usr/share/doc/PACKAGE/copyright` states it.
THEMES = {
    "public domain": "tango-icon-theme",
    "GPL 2 or later": """
        gnome-icon-theme gnome-icon-theme-gartoon gnome-icon-theme-nuovo gnome-icon-theme-suede
        gnome-icon-theme-yasis""",
    "GPL 2 or later, a few icons CC BY-SA 2.0": "elementary-xfce-icon-theme",
    "GPL 3": "obsidian-icon-theme",
    "GPL 3 or later": "faenza-icon-theme",
    "GPL 3 or CC BY-SA 4.0": "faba-icon-theme",
    "GPL 3 or later, or CC BY-SA 4.0": "moka-icon-theme",
    "LGPL 2 or later": "sugar-icon-theme",
    "LGPL 3 or later": "lxde-icon-theme oxygen-icon-theme",
    "LGPL 3 or later, or CC BY-SA": "mate-icon-theme",
    "LGPL 3 or CC BY-SA 3.0": "adwaita-icon-theme",
}

# Themes of which most or all are drawings; those are read, and of the other themes only pictures.
DRAWN = {"faba", "gnome-gartoon", "gnome-nuovo", "gnome-suede", "gnome-yasis", "sugar"}

PACKAGES = tuple(sorted({"librsvg2-bin", *" ".join(THEMES.values()).split()}))

SIDE = 48
"""Pixels of a side of a picture as it is kept, of which the icon fills all but a margin."""

MARGIN = 4

SEEN = 32
"""Pixels of a side of a picture as features see it."""


class Icon(NamedTuple):
    """A picture file: what it stands for, the theme that it is from, and where it is."""

    name: str
    theme: str
    path: Path


# ---------------------------------------------------------------------------------------------------
# Files


def listed(package: str) -> list[Path]:
    """Pictures and drawings of a package, links among them."""
    try:
        lines = Path(f"/var/lib/dpkg/info/{package}.list").read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        raise FileNotFoundError(
            f"The Debian package {package} is not installed. Install what icons need with: "
            f"apt-get install --no-install-recommends {' '.join(PACKAGES)}"
        ) from None
    paths = [Path(line) for line in lines if re.fullmatch(r"/usr/share/icons/.*\.(png|svg)", line)]
    return sorted(path for path in paths if path.is_file())


@cache
def theme_files() -> dict[str, list[Path]]:
    """Files by theme: of each package the theme with most, as its others are the same in other colours."""
    files = {}
    for package in sorted(" ".join(THEMES.values()).split()):
        paths = listed(package)
        folder = Counter(path.parts[4] for path in paths).most_common(1)[0][0]
        theme = package.replace("-icon-theme", "")
        files[theme] = [path for path in paths if path.parts[4] == folder]
    return files


def bare(path: Path) -> str:
    """The name of an icon, without what only tells its style."""
    return re.sub(r"-symbolic(\.symbolic)?$", "", path.stem)


@cache
def aliases() -> dict[str, str]:
    """Names that three themes or more link to another name, where fewer draw the two apart."""
    votes, drawn = defaultdict(set), defaultdict(set)
    for theme, paths in theme_files().items():
        for path in paths:
            if not path.is_symlink():
                drawn[bare(path)].add(theme)
            elif bare(path) != bare(path.resolve()):
                votes[bare(path), bare(path.resolve())].add(theme)
    same = {}
    for name, other in sorted(votes, key=lambda pair: (-len(votes[pair]), pair)):
        agreed = len(votes[name, other]) >= 3 and len(votes[name, other]) > len(drawn[name] & drawn[other])
        if agreed and same.get(other) != name:  # some themes link the other way round
            same.setdefault(name, other)
    return same


def nearest(paths: list[Path], size: int) -> Path:
    """The file for about so many pixels a side, as the names of folders say; without any it is for 64."""

    def distance(path: Path) -> float:
        stated = re.search(r"/(\d+)(?:x\d+)?/", str(path))
        return abs(np.log(int(stated[1] if stated else 64) / size))

    return min(paths, key=distance)


@cache
def icons() -> tuple[Icon, ...]:
    """A small and a large picture of each name in each theme and style, no two of them the same."""
    files = defaultdict(list)
    for theme, paths in theme_files().items():
        suffix = ".svg" if theme in DRAWN else ".png"
        for path in paths:
            # Arrows for writing from the right are those of other names, mirrored.
            if path.suffix == suffix and not path.is_symlink() and "-rtl" not in path.stem:
                name = bare(path)
                style = theme if name == path.stem else f"{theme} symbolic"
                files[aliases().get(name, name), style].append(path)
    wanted = []
    for (name, theme), paths in sorted(files.items()):
        wanted += [Icon(name, theme, path) for path in sorted({nearest(paths, 16), nearest(paths, 64)})]
    # Threads suffice, as most of the time is that of rsvg-convert.
    with ThreadPoolExecutor(2) as pool:
        drawn = list(pool.map(picture, [icon.path for icon in wanted]))
    # Themes take pictures from each other; some files hold no icon.
    seen, kept = set(), []
    for icon, image in zip(wanted, drawn, strict=True):
        if image is not None and image.tobytes() not in seen:
            seen.add(image.tobytes())
            kept.append(icon)
    return tuple(kept)


# ---------------------------------------------------------------------------------------------------
# Pictures


def painted(path: Path) -> Image.Image | None:
    """A picture with its transparency; None where it is a faulty drawing."""
    source = path
    if path.suffix == ".svg":
        command = ["rsvg-convert", "--width=64", "--height=64", "--keep-aspect-ratio", str(path)]
        done = subprocess.run(command, capture_output=True)
        if done.returncode:
            return None
        source = io.BytesIO(done.stdout)
    with Image.open(source) as image:
        return image.convert("RGBA")


@cache
def picture(path: Path) -> Image.Image | None:
    """An icon of SIDE pixels a side, as large as fits, on paper that it can be seen on.

    None if there is no picture, it is blank, or a strip of several.
    """
    image = painted(path)
    box = image and image.getchannel("A").getbbox()
    if not box or max(image.size) > 1.5 * min(image.size):
        return None
    image = image.crop(box)
    opacity = np.asarray(image.getchannel("A"), float)
    brightness = (np.asarray(image.convert("L")) * opacity).sum() / opacity.sum()
    paper = Image.new("RGBA", image.size, "white" if brightness < 225 else (40, 40, 40))
    image = Image.alpha_composite(paper, image).convert("RGB")
    scale = (SIDE - 2 * MARGIN) / max(image.size)
    size = [max(1, round(scale * length)) for length in image.size]
    whole = Image.new("RGB", (SIDE, SIDE), paper.convert("RGB").getpixel((0, 0)))
    whole.paste(image.resize(size, Image.Resampling.LANCZOS), [(SIDE - length) // 2 for length in size])
    return whole


def degrade(path: Path, number: int, badness: float) -> np.ndarray:
    """An icon (SEEN, SEEN, 3) from 0 to 1, moved, scaled, blurred and miscoloured, in noise.

    Parameters
    ----------
    path : Path
        Where the picture is.
    number : int
        Which of its copies this is; the copy depends on the path and this only.
    badness : float
        1 is as after a change of screens, 3 as in a bad photograph.
    """
    random = np.random.default_rng([SEED, crc32(str(path).encode()), number])
    badness *= random.beta(1.5, 2.5)
    image = picture(path)
    angle = 0.1 * badness * random.standard_normal()
    scale = np.exp(0.15 * badness * random.standard_normal())
    linear = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / scale
    offset = SIDE / 2 - linear @ (SIDE / 2 + 3 * badness * random.standard_normal(2))
    matrix = np.column_stack([linear, offset]).ravel().tolist()
    paper = image.getpixel((0, 0))
    image = image.transform(
        image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR, fillcolor=paper
    )
    image = image.filter(ImageFilter.GaussianBlur(2 * badness * random.random()))
    seen = np.asarray(image.resize((SEEN, SEEN), Image.Resampling.BOX), float) / 255
    # The light first, then its colour.
    seen = seen ** np.exp(0.4 * badness * random.standard_normal())
    seen = seen * np.exp(0.15 * badness * random.standard_normal(3))
    return np.clip(seen + 0.1 * badness * random.random() * random.standard_normal(seen.shape), 0, 1)


# ---------------------------------------------------------------------------------------------------
# Features


def shape(seen: np.ndarray) -> np.ndarray:
    """HOG features of a picture's brightness."""
    return hog(seen.mean(axis=2), orientations=9, pixels_per_cell=(8, 8), cells_per_block=(2, 2))


def thumbnail(seen: np.ndarray) -> np.ndarray:
    """Mean colours of 4 × 4 fields."""
    return seen.reshape(4, SEEN // 4, 4, SEEN // 4, 3).mean(axis=(1, 3)).ravel()


def colours(seen: np.ndarray) -> np.ndarray:
    """Square roots of the shares of 4 × 4 × 4 colours, so that rare ones count as well."""
    levels = np.minimum((4 * seen).astype(int), 3).reshape(-1, 3)
    counts = np.bincount(levels @ [16, 4, 1], minlength=64)
    return np.sqrt(counts / len(levels))


def style(seen: np.ndarray) -> np.ndarray:
    """What tells a theme: shares of colours, of saturations and of slopes."""
    saturation = np.histogram(np.ptp(seen, axis=2), 12, (0, 1))[0]
    slopes = np.histogram(np.hypot(*np.gradient(seen.mean(axis=2))), 12, (0, 0.5))[0]
    return np.concatenate([colours(seen), np.sqrt(saturation / SEEN**2), np.sqrt(slopes / SEEN**2)])


def described(
    chosen: np.ndarray, copies: np.ndarray, badness: float, *features: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Features side by side, of so many `copies` of each of the `chosen` among all icons."""
    rows = []
    for place, n_copies in zip(chosen, copies, strict=True):
        for number in range(n_copies):
            seen = degrade(icons()[place].path, number, badness)
            rows.append(np.concatenate([describe(seen) for describe in features]))
    return np.stack(rows)


def few_copies(n_pictures: int, random: np.random.Generator) -> np.ndarray:
    """How many copies there are of each picture: one, less often two or three."""
    return np.minimum(random.geometric(0.6, n_pictures), 3)


# ---------------------------------------------------------------------------------------------------
# Sets


def names() -> np.ndarray:
    """What each icon stands for, as a number."""
    return numbered(np.array([icon.name for icon in icons()]))


def shapes(random: np.random.Generator) -> Labelled:
    """What icons stand for, by their outlines: few names are in many themes."""
    y = names()
    chosen, y = at_most(np.arange(len(y)), y, random, 4_500)
    copies = few_copies(len(chosen), random)
    return principal(described(chosen, copies, 0.7, shape), 128), np.repeat(y, copies)


def learned(random: np.random.Generator) -> Labelled:
    """What icons stand for, by outline and colour, embedded by an LDA fitted on other names."""
    y = names()
    chosen = np.flatnonzero(sized(y, 4, 99))
    y = numbered(y[chosen])
    copies = few_copies(len(chosen), random)
    X, y = described(chosen, copies, 0.7, shape, thumbnail), np.repeat(y, copies)
    unseen = (random.permutation(y.max() + 1) % 2 == 0)[y]
    lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.1, n_components=128)
    return normalize(lda.fit(X[~unseen], y[~unseen]).transform(X[unseen])), y[unseen]


def pictures(random: np.random.Generator) -> Labelled:
    """Bad copies of a few hundred pictures, by their colours."""
    chosen = random.permutation(len(icons()))[:340]
    copies = random.integers(10, 41, len(chosen))
    X = described(chosen, copies, 1.5, colours, thumbnail)
    return X, np.repeat(np.arange(len(chosen)), copies)


def themes(random: np.random.Generator) -> Labelled:
    """Handfuls of icons of one theme, by their style, as one icon tells too little of where it is from."""
    every = np.arange(len(icons()))
    y = numbered(np.array([icon.theme for icon in icons()]))
    styles = described(every, np.ones(len(every), int), 0.3, style)
    hands = []
    for theme in np.unique(y):
        for _ in range(3):  # each icon is in three handfuls, of others each time
            own = random.permutation(np.flatnonzero(y == theme))
            hands.append(own[: len(own) // 8 * 8].reshape(-1, 8))
    hands = np.concatenate(hands)
    return principal(styles[hands].mean(axis=1), 32), y[hands[:, 0]]


def recipes() -> dict[str, Recipe]:
    """Things as themes draw them, from their outlines or learned; copies of a picture; themes."""
    return {
        "icon_shapes": Recipe("cosine", shapes),
        "icon_learned": Recipe("cosine", learned),
        "icon_colours": Recipe("euclidean", pictures),
        "icon_themes": Recipe("cosine", themes),
    }
