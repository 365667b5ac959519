"""Draw pictures of all displays, and print a diagnosis, of glyphs of classes that the networks have not seen.

Writes one docs/figures/NAME.svg for each display and diagnosis.svg; the names are those of the classes.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster.datasets import load_glyphs
from sklearn_gcncluster.plotting import (
    ClusterSizeDisplay,
    ProposalScoreDisplay,
    ProposalSizeDisplay,
    ThresholdDisplay,
)

plt.rcParams |= {"svg.hashsalt": "sklearn_gcncluster", "svg.fonttype": "none"}


def save(figure, name):
    """Write a figure beside this script."""
    figure.savefig(Path(__file__).with_name(f"{name}.svg"), metadata={"Date": None})
    plt.close(figure)


def main():
    """Learn from one half of the classes, draw the other."""
    X, y = load_glyphs(return_X_y=True)
    known = np.isin(y, np.random.default_rng(0).permutation(400)[:200])
    clusterer = GCNClustering(random_state=0).fit(X[known], y[known])
    X, y = X[~known], y[~known]
    for display in (ClusterSizeDisplay, ProposalScoreDisplay, ProposalSizeDisplay, ThresholdDisplay):
        save(display.from_estimator(clusterer, X, y).figure_, display.__name__)
    diagnosis = clusterer.diagnose(X, y)
    print(diagnosis)
    print(clusterer.diagnose(X))
    save(diagnosis.plot().figure_, "diagnosis")


if __name__ == "__main__":
    main()
