"""Sounds: words, voices and languages, spoken by a synthesiser and heard through background noise.

The speech is made with espeak-ng (Debian package `espeak-ng`, GPL 3 or later), none of which is shipped.
Its formant voices differ in timbre, accent, pitch and speed; the same version of it gives the same sets.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import NamedTuple
from zlib import crc32

import numpy as np
from base import SEED, Labelled, Recipe, class_sizes, log_uniform, principal
from scipy.signal import lfilter
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import normalize, scale

PACKAGES = ("espeak-ng",)

RATE = 22_050
"""Samples a second of what espeak-ng makes."""

# Common short words, no two of which sound the same in British English.
WORDS = """
    able above add afraid again air all almost also always among angry animal answer any apple arm army art
    ask autumn baby back bad bag ball bank basket beach bean beauty bed begin behind bell below best better
    big bird black blood body bone book bottle bottom box bread breath bridge bright broken brother brown
    brush bucket build busy butter button cake call camera candle cap captain carpet cat chair chance cheap
    cheese chicken child church circle city clean clock cloth cloud coat coffee cold colour comb common cook
    copper corner cotton country cousin cover cow cup curtain daily damage dance danger dark daughter dead
    deep degree desk dinner dirty doctor dog door doubt dream dress drink drop dry dust early earth east edge
    effect egg empty engine enough evening every exact expert face fact fall family far farmer fast father
    feather fever field finger fire fish flag flame floor food foot force forest fork forward frame fresh
    friend front fruit full funny future garden gift girl glass glove goat gold good grass green ground group
    grow guide hammer hand happy harbour hat head heavy help hidden history hollow home honey hope horse
    hotel house hungry ice idea ill insect iron island jelly join judge jump keep kettle kind kiss kitchen
    knee knife ladder lamp language large laugh leaf learn left letter level lift light limit linen lip
    liquid list lock long loud love machine map market mass meal measure memory metal middle milk mind minute
    mixed money monkey month morning mother mountain mouth move muscle music nail narrow nation neck needle
    nerve news night noise north number office oil old open opinion orange order oven owner page paint paper
    parcel party past pencil pepper person picture pig pin place plant plate pocket point poison police
    polish pot potato powder power present price print prison private process public pump purpose quick quiet
    rabbit rail range rat reason record regret rhythm rice river rough rubber sad salt sand school scissors
    second secret shade shake sharp sheep shelf ship shirt shoe silver simple sister skin skirt sleep slip
    slow small smile smoke smooth snake soap sock soft south special sponge spoon spring square stage stamp
    star station stem stick stomach stone stop story strange street strong sudden sugar summer surprise sweet
    system table teaching thick thumb ticket tired together tomorrow tongue tooth touch town trick trouble
    twist umbrella unit value verse vessel view violent voice warm wash water wheel whistle window winter
    wise woman wonder wool yellow yesterday young"""

ACCENTS = "en-gb en-us en-gb-scotland en-gb-x-rp en-029 en-us-nyc en-gb-x-gbclan en-gb-x-gbcwmd"

# Variants of timbre, among them none that repeats another.
VARIANTS = """
    m1 f1 m2 f2 m3 f3 m4 f4 m5 f5 m6 m7 m8 croak Alex Alicia Andrea Andy Annie Denis Gene Hugo Jacky Lee
    Mario Michael Nguyen Storm adam anika antonio aunty belinda boris david ed edward grandma grandpa gustave
    iven john kaukovalta klatt2 klatt4 linda max michel miguel norbert pablo paul quincy rob robert sandro
    shelby steph travis victor zac whisper whisperf"""

# With few dialects, without languages in which espeak-ng leaves out some numbers, and without Arabic, whose
# numbers it speaks a little differently each time.
LANGUAGES = """
    af am an as az ba bg bn bpy ca cmn cs cy da de el en-gb eo es et eu fa fi fr-fr ga gd gu hak haw hi hr ht
    hu hy hyw ia id io is it ja jbo ka kk kn ko ku ky la lfn lt lv mi mk ml mr mt my nb nl om or pa pap pl pt
    pt-br ro ru sd shn si sk sl smj sq sv sw ta te th tn tr tt ug uk ur uz vi yue"""


class Utterance(NamedTuple):
    """What is said, and how: a voice of espeak-ng, words a minute, pitch (0 to 99), amplitude (0 to 200)."""

    text: str
    voice: str
    speed: int
    pitch: int
    amplitude: int


# ---------------------------------------------------------------------------------------------------
# Speaking and hearing


def speak(utterance: Utterance) -> np.ndarray:
    """What espeak-ng makes of an utterance, without the silence around it."""
    text, voice, *numbers = utterance
    options = [f"-{letter}{number}" for letter, number in zip("spa", numbers, strict=True)]
    command = ["espeak-ng", "--stdout", "-z", f"-v{voice}", *options, text]
    spoken = subprocess.run(command, capture_output=True, check=True).stdout
    signal = np.frombuffer(spoken[44:], "<i2") / 2**15  # after the header
    loud = np.flatnonzero(np.abs(signal) > 0.02 * np.abs(signal).max(initial=0))
    if len(loud) == 0:
        raise RuntimeError(f"espeak-ng has nothing to say of {utterance}")
    return signal[loud[0] : loud[-1] + 1]


def in_noise(signal: np.ndarray, level: float, random: np.random.Generator) -> np.ndarray:
    """The signal somewhere in a slightly longer stretch of noise, white to red, of about `level`."""
    before, after = random.integers(RATE // 50, RATE // 20, 2)
    noise = random.standard_normal(before + len(signal) + after)
    noise = lfilter([1], [1, -random.uniform(0, 0.95)], noise)
    noise *= level * log_uniform(0.5, 2, random) / noise.std()
    noise[before : before + len(signal)] += signal
    return noise


def triangles(edges: np.ndarray, window: int) -> np.ndarray:
    """Filters (frequencies, n_bands), each of which rises from an edge to the next, and then falls."""
    frequencies = np.fft.rfftfreq(window, 1 / RATE)[:, None]
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling))


@cache
def mel_bands(n_bands: int, window: int) -> np.ndarray:
    """Triangular filters (frequencies, n_bands) from 60 to 8,000 Hz, evenly spread on the mel scale."""
    low, high = np.log1p(np.array([60, 8_000]) / 700)
    return triangles(700 * np.expm1(np.linspace(low, high, n_bands + 2)), window)


def log_mel(signal: np.ndarray, n_bands: int, window: int) -> np.ndarray:
    """Logarithms of the energy in each frame of `window` samples and mel band (n_frames, n_bands)."""
    frames = np.lib.stride_tricks.sliding_window_view(signal, window)[:: RATE // 100]
    energy = np.abs(np.fft.rfft(frames * np.hanning(window))) ** 2
    return np.log(energy @ mel_bands(n_bands, window) + 1e-6)


def hear(
    utterances: list[Utterance],
    describe: Callable[[np.ndarray], np.ndarray],
    *,
    level: float,
    n_bands: int,
    window: int,
) -> np.ndarray:
    """Features of utterances in noise of about `level`: what `describe` makes of their spectrograms."""

    def heard(utterance: Utterance) -> np.ndarray:
        random = np.random.default_rng([SEED, crc32(repr(utterance).encode())])
        signal = in_noise(speak(utterance), level, random)
        return describe(log_mel(signal, n_bands, window))

    # Threads suffice, as espeak-ng is a process of its own, and NumPy lets go of the lock.
    with ThreadPoolExecutor(2) as pool:
        return np.stack(list(pool.map(heard, utterances)))


def at_length(spectrogram: np.ndarray) -> np.ndarray:
    """A spectrogram stretched or pressed to 20 frames, each band relative to its mean, as a vector."""
    place = np.linspace(0, len(spectrogram) - 1, 20)
    left = np.minimum(place.astype(int), len(spectrogram) - 2)
    share = (place - left)[:, None]
    stretched = (1 - share) * spectrogram[left] + share * spectrogram[left + 1]
    return (stretched - stretched.mean(axis=0)).ravel()


def over_time(spectrogram: np.ndarray) -> np.ndarray:
    """By band: mean and deviation in the louder half of frames, and deviation of its changes in 40 ms."""
    loudness = spectrogram.mean(axis=1)
    loud = spectrogram[loudness > np.median(loudness)]
    means = loud.mean(axis=0)
    changes = spectrogram[4:] - spectrogram[:-4]
    return np.concatenate([means - means.mean(), loud.std(axis=0), changes.std(axis=0)])


# ---------------------------------------------------------------------------------------------------
# The sets


@cache
def spoken_words() -> Labelled:
    """300 words by 30 voices each, at various speeds, pitches and amplitudes: spectrograms, and the word."""
    random = np.random.default_rng([SEED, crc32(b"words")])
    voices = [
        f"{random.choice(ACCENTS.split())}+{variant}" for variant in random.permutation(VARIANTS.split())[:30]
    ]
    utterances = [
        Utterance(str(word), voice, *map(int, random.integers([120, 20, 30], [240, 80, 160])))
        for word in random.permutation(WORDS.split())[:300]
        for voice in voices
    ]
    X = hear(utterances, at_length, level=0.01, n_bands=24, window=512)
    return X, np.repeat(np.arange(300), 30)


def words(_: np.random.Generator) -> Labelled:
    """Words: spectrograms."""
    X, y = spoken_words()
    return principal(X, 128), y


def words_learned(random: np.random.Generator) -> Labelled:
    """Words, embedded by an LDA fitted on other words."""
    X, y = spoken_words()
    unseen = (random.permutation(y.max() + 1) % 2 == 0)[y]
    lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.1).fit(X[~unseen], y[~unseen])
    return normalize(lda.transform(X[unseen])), y[unseen]


def voices(random: np.random.Generator) -> Labelled:
    """Voices, of which some share a timbre or an accent, each saying 100 times four words."""
    pairs = random.permutation(
        [(accent, variant) for accent in ACCENTS.split() for variant in VARIANTS.split()]
    )[:60]
    utterances = []
    for accent, variant in pairs:
        pitch = int(random.integers(20, 81))
        for _ in range(100):
            text = " ".join(random.choice(WORDS.split(), 4))
            speed, amplitude = map(int, random.integers([140, 40], [200, 150]))
            utterances.append(Utterance(text, f"{accent}+{variant}", speed, pitch, amplitude))
    X = hear(utterances, over_time, level=0.01, n_bands=60, window=2_048)
    return principal(X, 96), np.repeat(np.arange(60), 100)


def languages(random: np.random.Generator) -> Labelled:
    """Languages of 30 to 285 samples, in each of which four voices say three numbers at a time."""
    order = random.permutation(LANGUAGES.split())
    y = np.repeat(np.arange(len(order)), class_sizes(5_000, len(order), 0.5))
    utterances = []
    for label in y:
        text = ", ".join(map(str, random.integers(0, 201, 3)))
        voice = f"{order[label]}+{random.choice(['m1', 'f1', 'm3', 'f2'])}"
        numbers = map(int, random.integers([140, 35, 40], [200, 65, 150]))
        utterances.append(Utterance(text, voice, *numbers))
    X = hear(utterances, over_time, level=0.002, n_bands=40, window=1_024)
    return principal(scale(X), 64), y


def recipes() -> dict[str, Recipe]:
    """Sounds: classes of 30 to 285, from languages that are much alike to words in a learned embedding."""
    return {
        "sound_words": Recipe("cosine", words),
        "sound_words_learned": Recipe("cosine", words_learned),
        "sound_voices": Recipe("cosine", voices),
        "sound_languages": Recipe("cosine", languages),
    }
