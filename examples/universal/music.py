"""Music and speech: notes of instruments, hits of drums, music for an orchestra, dances, languages.

None of them is shipped. With packages, sources and licences:

- music_instruments: the samples FluidR3, fluid-soundfont-gm (Debian, MIT).
- music_drums: kits of drums, hydrogen-drumkits (Debian; by kit GPL 2, GPL 2 or later, CC0, CC BY 3.0 or
  CC BY-SA 3.0).
- music_tracks: music of the game Battle for Wesnoth, wesnoth-1.16-music (Debian, GPL 2 or later).
- music_tunes: dances of Ryan's, O'Neill's and Aird's collections, music21 (PyPI, BSD 3-clause; the tunes are
  of before 1903).
- speech_languages: letters and syllables read in twenty languages, klettres-data (Debian, GPL 2 or later).
- speech_prompts: what telephone exchanges say in five languages, `asterisk-core-sounds-*-wav` (Debian,
  CC BY-SA 3.0, Italian and Russian CC BY 3.0).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from base import SEED, Labelled, Packaged, embed_texts, principal, sized
from packages import debian_package, pypi_package
from scipy.signal import stft
from sklearn.preprocessing import scale
from sounds import RATE, triangles

N_BANDS = 40
WINDOW = 1_024

DRUMS = {
    "hihat": r"hi?[-_ ]?hat|^hh|sabianhat",
    "snare": r"snare|^sn|^sd|rsnare|jsnare",
    "kick": r"kick|^bd|bass ?drum",
    "tom": r"tom|^tm|^t\d",
    "ride": r"ride|^rd|bell",
    "crash": r"crash|splash|china",
    "conga": r"conga|bongo|djembe|cajon|darbuka",
    "rim": r"rim|stick|^rs",
    "clap": r"clap|snap",
    "shaker": r"shaker|maraca|cabasa|tambour|egg",
    "metal": r"cowbell|agogo|^cb|triangle|glass",
    "wood": r"wood|clave|block",
}
"""What files of kinds of drums are called."""

KITS = r"/|Kick|Snare|Tom|Perc$|Percussion|Orchestra$|808|Crash|Hats| Right$"
"""What kits of drums, and second versions, are called among instruments."""

NOTE = re.compile(r"[_^=]*([A-Ga-g])([,']*)(\d*/*\d*)([<>]?)")
"""Letter, octave, length and what it takes from the next note, in ABC."""


# ---------------------------------------------------------------------------------------------------
# Hearing


@cache
def filters() -> np.ndarray:
    """Triangles (frequencies, N_BANDS) from 40 Hz, evenly spread on the mel scale, and a little anywhere."""
    low, high = 2_595 * np.log10(1 + 40 / 700), 2_595 * np.log10(1 + RATE / 2 / 700)
    return triangles(700 * (10 ** (np.linspace(low, high, N_BANDS + 2) / 2_595) - 1), WINDOW) + 1e-9


def heard(signal: np.ndarray) -> np.ndarray:
    """Statistics over time of log-mel spectra: means of three thirds, deviations, mean steps."""
    signal = signal / (np.abs(signal).max() + 1e-9)
    signal = np.pad(signal, (0, max(0, 2 * WINDOW - len(signal))))
    spectra = np.abs(stft(signal, RATE, nperseg=WINDOW, noverlap=WINDOW * 3 // 4)[2]) ** 2
    levels = np.log(spectra.T @ filters() + 1e-7)
    thirds = [part.mean(axis=0) for part in np.array_split(levels, 3)]
    steps = np.abs(np.diff(levels, axis=0)).mean(axis=0)
    return np.concatenate([*thirds, levels.std(axis=0), steps])


def resampled(signal: np.ndarray, ratio: float) -> np.ndarray:
    """The signal played `ratio` times as fast."""
    places = np.arange(0, len(signal) - 1, ratio)
    return np.interp(places, np.arange(len(signal)), signal)


def read_sound(file: Path) -> np.ndarray:
    """A sound file in mono at RATE, without the silence around it."""
    import soundfile

    signal, rate = soundfile.read(file, dtype="float32", always_2d=True)
    signal = resampled(signal.mean(axis=1), rate / RATE)
    loud = np.flatnonzero(np.abs(signal) > 0.02 * np.abs(signal).max())
    return signal[loud[0] : loud[-1] + 1] if len(loud) else signal


# ---------------------------------------------------------------------------------------------------
# Instruments


class Sample(NamedTuple):
    """A recording in a file of samples, as its header says: places are counted from the start of all."""

    name: bytes
    start: int
    end: int
    loop: int
    loop_end: int
    rate: int
    pitch: int
    correction: int
    link: int
    kind: int


class SoundFont:
    """Recordings, and which of them instruments are made of."""

    def __init__(self, file: Path) -> None:
        self.data = file.read_bytes()
        place, size = self.chunk(b"smpl", self.data.find(b"sdta"))
        self.wave = np.frombuffer(self.data, np.int16, size // 2, place)
        self.samples = [Sample(*fields) for fields in self.records(b"shdr", "<20sIIIIIBbHH")]

    def chunk(self, tag: bytes, start: int) -> tuple[int, int]:
        """Where what is called so begins, and how long it is."""
        place = self.data.find(tag, start)
        return place + 8, struct.unpack_from("<I", self.data, place + 4)[0]

    def records(self, tag: bytes, layout: str) -> list[tuple[Any, ...]]:
        """Records of a table of instruments."""
        place, size = self.chunk(tag, self.data.rfind(b"pdta"))
        return list(struct.iter_unpack(layout, self.data[place : place + size]))

    def instruments(self) -> Iterator[tuple[str, list[dict[int, bytes]]]]:
        """Names, and settings of the zones of keys that recordings are for."""
        kinds, bags = self.records(b"inst", "<20sH"), self.records(b"ibag", "<HH")
        settings = self.records(b"igen", "<H2s")
        for (name, first), (_, last) in pairwise(kinds):
            zones = [dict(settings[bags[bag][0] : bags[bag + 1][0]]) for bag in range(first, last)]
            yield name.split(b"\0")[0].decode(), [zone for zone in zones if 53 in zone]

    def notes(self, zone: dict[int, bytes], random: np.random.Generator) -> set[tuple[int, int, int]]:
        """A few notes in a zone: a recording, a key, and the key that was recorded."""
        (number,) = struct.unpack("<H", zone[53])
        low, high = zone.get(43, b"\x00\x7f")
        low, high = max(low, 24), min(high, 103)
        if self.samples[number].kind == 2 or high < low:  # right channels repeat the left
            return set()
        root = struct.unpack("<H", zone[58])[0] if 58 in zone else self.samples[number].pitch
        return {(number, int(key), root) for key in random.permutation(np.arange(low, high + 1))[:4]}

    def played(self, number: int, key: int, root: int) -> np.ndarray:
        """A note of about a second."""
        sample = self.samples[number]
        signal = self.wave[sample.start : sample.end]
        ratio = 2 ** ((key - root + sample.correction / 100) / 12) * sample.rate / RATE
        if sample.end > sample.loop_end > sample.loop + 20 > sample.start + 20:  # a sustained note goes round
            loop = np.resize(self.wave[sample.loop : sample.loop_end], 2 * sample.rate)
            signal = np.concatenate([self.wave[sample.start : sample.loop_end], loop])
        return resampled(signal[: int(1.2 * RATE * ratio) + 2].astype(float), ratio)


def instruments(folder: Path) -> Labelled:
    """Instruments by notes, as a sampler plays them: of six to sixty."""
    font = SoundFont(debian_package("fluid-soundfont-gm", folder) / "usr/share/sounds/sf2/FluidR3_GM.sf2")
    random = np.random.default_rng(SEED)
    X, y = [], []
    for name, zones in font.instruments():
        if re.search(KITS, name):
            continue
        notes = sorted({note for zone in zones for note in font.notes(zone, random)})
        notes = [notes[place] for place in random.permutation(len(notes))[:60]]
        for note in notes if len(notes) >= 6 else []:
            signal = font.played(*note)
            X.append(heard(signal + 1e-3 * np.abs(signal).max() * random.standard_normal(len(signal))))
            y.append(name)
    return principal(scale(np.stack(X)), 64), np.array(y)


# ---------------------------------------------------------------------------------------------------
# Other sounds


def drums(folder: Path) -> Labelled:
    """Kinds of drums by hits, of over a dozen of kits."""
    package = debian_package("hydrogen-drumkits", folder)
    X, y = [], []
    for file in sorted(path for path in package.rglob("*") if path.suffix in {".wav", ".flac", ".aiff"}):
        kinds = [kind for kind, pattern in DRUMS.items() if re.search(pattern, file.stem.lower())]
        if len(kinds) == 1 or "crash" in kinds:
            X.append(heard(read_sound(file)[: int(1.5 * RATE)]))
            y.append(kinds[0])
    return principal(scale(np.stack(X)), 48), np.array(y)


def tracks(folder: Path) -> Labelled:
    """Pieces of music for an orchestra, by ten to 150 times four seconds of each."""
    files = sorted(debian_package("wesnoth-1.16-music", folder).rglob("*.ogg"))

    def parts(file: Path) -> list[np.ndarray]:
        signal = read_sound(file)
        return [heard(part) for part in np.split(signal, np.arange(4 * RATE, len(signal), 4 * RATE))[:-1]]

    # Threads suffice, as NumPy lets go of the lock.
    with ThreadPoolExecutor(2) as pool:
        found = [rows for rows in pool.map(parts, files) if len(rows) >= 5]
    X = np.concatenate(found)
    order = np.random.default_rng(SEED).permutation(len(X))
    y = np.repeat(np.arange(len(found)), [len(rows) for rows in found])
    return principal(scale(X[order]), 64), y[order]


def readers(folder: Path) -> Labelled:
    """Languages by letters and syllables, which another reads in each: of some thirty to 500."""
    package = debian_package("klettres-data", folder)
    files = sorted(package.rglob("*.ogg"))
    X = np.stack([heard(read_sound(file)[: 2 * RATE]) for file in files])
    return principal(scale(X), 64), np.array([file.relative_to(package).parts[3] for file in files])


def prompts(folder: Path) -> Labelled:
    """Languages by what a telephone exchange says, which one woman says in each: five of some 550."""
    X, y = [], []
    for language in "en", "es", "fr", "it", "ru":
        for file in sorted(debian_package(f"asterisk-core-sounds-{language}-wav", folder).rglob("*.wav")):
            if file.stat().st_size > 8_000:  # some hold silence
                X.append(heard(read_sound(file)[: 2 * RATE]))
                y.append(language)
    features = np.stack(X)
    # Levels of bands tell the recording more than the voice, so their means over all bands are left out.
    thirds = features[:, : 3 * N_BANDS].reshape(-1, 3, N_BANDS)
    features[:, : 3 * N_BANDS] = (thirds - thirds.mean(axis=2, keepdims=True)).reshape(-1, 3 * N_BANDS)
    return principal(scale(features), 64), np.array(y)


# ---------------------------------------------------------------------------------------------------
# Notes on paper


def sung(tune: str) -> str:
    """Steps of the scale and lengths of the notes of a tune in ABC, as words."""
    body = re.sub(r'"[^"]*"|![^!]*!|\{[^}]*\}|\[[A-Za-z]:[^\]]*\]|%.*|\\', "", tune)
    words: list[str] = []
    last = None
    for bar in re.split(r"[|\]:]+", body):
        lengths = []
        for letter, octave, length, broken in NOTE.findall(bar):
            height = "CDEFGABcdefgab".index(letter) + 7 * (octave.count("'") - octave.count(","))
            lengths.append(f"{length}{broken}" or "1")
            if last is not None:
                words.append(f"s{height - last}")
            last = height
        words += [f"l{length}" for length in lengths] + [f"b{'.'.join(lengths)}", f"n{len(lengths)}"]
    return " ".join(words)


def tunes(folder: Path) -> Labelled:
    """Dances, such as reels, jigs and hornpipes, by tunes."""
    corpus = pypi_package("music21", "10.5.1", folder) / "music21" / "corpus"
    files = [
        file
        for part in ("airdsAirs", "oneills1850", "ryansMammoth")
        for file in (corpus / part).rglob("*.abc")
    ]
    texts, labels = [], []
    for file in sorted(files):
        for tune in re.split(r"(?m)^X:", file.read_text(encoding="utf-8", errors="replace")):
            dance = re.search(r"(?m)^R:\s*(.+)$", tune)
            body = "\n".join(line for line in tune.splitlines()[1:] if not re.match(r"[A-Za-z]:|%", line))
            if dance and len(body) > 60:
                texts.append(sung(body))
                labels.append(re.sub(r"[^a-z]|double(?=jig)", "", dance[1].lower().replace(" ", "")))
    y = np.array(labels)
    rows = np.flatnonzero(sized(y, 15, len(y)))
    settings = {"token_pattern": r"\S+", "ngram_range": (1, 2)}
    return embed_texts([texts[row] for row in rows], y[rows], 32, **settings)


SETS: dict[str, Packaged] = {
    "music_instruments": ("cosine", instruments),
    "music_drums": ("cosine", drums),
    "music_tracks": ("cosine", tracks),
    "music_tunes": ("cosine", tunes),
    "speech_languages": ("cosine", readers),
    "speech_prompts": ("cosine", prompts),
}
