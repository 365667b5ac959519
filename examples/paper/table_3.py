"""Table 3 of the paper: pooling, vertex features, channels and depth of GCN-D, one at a time."""

import matplotlib.pyplot as plt
import numpy as np
from experiment import BLUE, GREY, Claim, Experiment, arguments, gcn, measure, run

VARIANTS = {
    "mean pooling": {"pooling": "mean"},
    "sum pooling": {"pooling": "sum"},
    "max pooling": {"pooling": "max"},
    "features: structure": {"node_features": "structure"},
    "features: embedding": {"node_features": "embedding"},
    "features: both": {"node_features": "both"},
    "channels 64, 16": {"hidden_channels": (64, 16)},
    "channels 128, 32": {"hidden_channels": (128, 32)},
    "channels 256, 64": {"hidden_channels": (256, 64)},
    "channels 256, 128, 64": {"hidden_channels": (256, 128, 64)},
}
"""In four groups, of which the first, second and third ask for one thing each, and the last for depth."""
IN_FAST_MODE = ("mean pooling", "sum pooling", "max pooling", "features: structure", "features: embedding")


def rows(train, test, args, seed):
    """One network, no GCN-S: the question is how well GCN-D judges proposals."""
    plain = {"segment": False, "n_networks": 1, "pooling": "max"}
    found = []
    for name, variant in VARIANTS.items():
        if name in IN_FAST_MODE or not args.fast:
            clusterer = gcn(args, seed, **plain | variant).fit(train.X, train.y)
            found.append({"variant": name} | measure(test.y, clusterer.predict(test.X)))
    return found


def draw(results, args):
    """Pairwise F of each variant."""
    groups = list(results)
    figure, axes = plt.subplots(figsize=(4.6, 0.5 + 0.28 * len(groups)), layout="constrained")
    curve, places = results.curve(groups, "pairwise F"), np.arange(len(groups))
    colours = [
        BLUE if "max" in name or "structure" in name or "64, 16" in name else GREY for (name,) in groups
    ]
    axes.barh(places, curve["y"], xerr=curve["yerr"], color=colours, error_kw={"lw": 1, "capsize": 2})
    axes.set_yticks(places, [name for (name,) in groups])
    axes.invert_yaxis()
    axes.set(xlabel="pairwise F", xlim=(0, 1))
    return figure


def claims(results):
    """What Table 3 says."""
    scores = {name: results.mean((name,), "pairwise F") for (name,) in results}
    recall, precision = (results.mean(("sum pooling",), column) for column in ("recall", "precision"))
    pools = {name: scores[f"{name} pooling"] for name in ("mean", "sum", "max")}
    said = [
        Claim(
            "Max pooling is the best.",
            "F is " + ", ".join(f"{100 * score:.1f} ({name})" for name, score in pools.items()) + ".",
            pools["max"] >= max(pools.values()) - 1e-3,
        ),
        Claim(
            "Sum pooling prefers large proposals: recall 80.6, precision 40.3.",
            f"recall {100 * recall:.1f}, precision {100 * precision:.1f}.",
            recall > precision + 0.05,
        ),
        Claim(
            "Without vertex features, which are embeddings there, much is lost.",
            f"what members see of the structure gives {100 * scores['features: structure']:.1f}, embeddings "
            f"{100 * scores['features: embedding']:.1f}.",
            scores["features: embedding"] > scores["features: structure"],
        ),
    ]
    if "channels 256, 64" in scores:
        narrow, wide, deep = (scores[f"channels {name}"] for name in ("128, 32", "256, 64", "256, 128, 64"))
        said += [
            Claim(
                "Wider networks are better.",
                f"{100 * narrow:.1f} and {100 * wide:.1f}.",
                wide > narrow + 1e-3,
            ),
            Claim(
                "A third convolution smooths too much.",
                f"{100 * wide:.1f} and {100 * deep:.1f}.",
                deep < wide,
            ),
        ]
    return said


EXPERIMENT = Experiment("table_3", "Table 3: design of GCN-D", ("variant",), rows, draw, claims)

if __name__ == "__main__":
    run(EXPERIMENT, arguments(__doc__))
