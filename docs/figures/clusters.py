"""Draw docs/figures/clusters.png: scans of characters in a heap, and in the clusters that were found.

Networks learn from one half of the characters in the package; the others are clustered.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "paper"))
from pictures import picture_rows

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster.datasets import load_glyphs
from sklearn_gcncluster.metrics import bcubed_fscore

GREY, BLUE, ORANGE = "#CCCCCC", "#56B4E9", "#D55E00"
N_COLUMNS = 20


def main():
    """Draw ten of the clusters, the heap of their members above them."""
    glyphs = load_glyphs()
    classes = np.random.default_rng(0).permutation(400)
    known = np.isin(glyphs.target, classes[:200])
    clusterer = GCNClustering(random_state=0).fit(glyphs.data[known], glyphs.target[known])
    labels, y, images = clusterer.predict(glyphs.data[~known]), glyphs.target[~known], glyphs.images[~known]
    print(f"{labels.max() + 1} clusters of 200 characters, BCubed F {bcubed_fscore(y, labels):.3f}")

    random = np.random.default_rng(1)
    sizes = np.bincount(labels[labels >= 0])
    chosen = random.choice(np.flatnonzero((sizes >= 14) & (sizes <= N_COLUMNS)), 8, replace=False)
    clusters = [np.flatnonzero(labels == cluster) for cluster in chosen]
    frames = []
    for members in clusters:
        names, counts = np.unique(y[members], return_counts=True)
        frames.append([BLUE if y[row] == names[counts.argmax()] else ORANGE for row in members])
    heap = random.permutation(np.concatenate(clusters))[: 3 * N_COLUMNS]
    canvas = picture_rows(images, [heap, *clusters], [[GREY] * len(heap), *frames], N_COLUMNS, gap=10)
    plt.imsave(Path(__file__).with_suffix(".png"), canvas)


if __name__ == "__main__":
    main()
