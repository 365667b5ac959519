"""Figure 5 of the paper: a recogniser that learns from clusters, as if they were classes.

Classes are dealt into ten parts and some to test on. A small convolutional network learns to recognise the
classes of the first part, and embeds everything; each clusterer learns from, or is tuned on, the same part.
Then 1, 3, 5, 7 and 9 of the other parts are clustered, and a new network learns from the first part and the
clusters together. Recognition is measured on classes that nobody has seen: one sample of each is known, and
the others look for theirs. The lower bound learns from the first part alone, the upper bound from the true
classes of all.
"""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from experiment import INK, STYLES, Claim, Experiment, arguments, gcn, run
from peers import Samples, registry, tune
from recogniser import N_FEATURES, embed, learn, recognition

from sklearn_gcncluster.baselines import ConsensusPropagation
from sklearn_gcncluster.datasets import load_glyphs
from sklearn_gcncluster.metrics import pairwise_fscore

N_PARTS, TEST_SHARE = 10, 0.15
METHODS = ("K-means", "HAC", "CDP", "GCN-D + GCN-S")
LOWER, UPPER = "none (lower bound)", "people (upper bound)"


def rows(train, test, args, seed):
    """Recognition after learning from each number of parts, with the labels of each method."""
    X, y = inputs(args, train, test)
    classes = np.random.default_rng(seed).permutation(np.unique(y))[: 120 if args.fast else None]
    n_test = round(TEST_SHARE * len(classes))
    part = np.full(len(y), N_PARTS)  # a part of no use
    part[np.isin(y, classes[:n_test])] = -1
    for number, names in enumerate(np.array_split(classes[n_test:], N_PARTS)):
        part[np.isin(y, names)] = number
    testing, labelled = part == -1, part == 0
    n_steps = 150 if args.fast else 800

    def recognised(chosen, labels):
        network = learn(X[chosen], labels, n_steps, seed)
        return recognition(embed(network, X[testing]), y[testing])

    embedding = embed(learn(X[labelled], y[labelled], n_steps, seed), X)
    if args.paper:
        known = Samples(embedding[labelled], y[labelled])
    else:
        known = Samples(held_out(X[labelled], y[labelled], n_steps, seed), y[labelled])
        embedding = np.pad(embedding, [(0, 0), (0, N_FEATURES)])
    clusterers = cluster_with(known, args, seed)
    lowest = recognised(labelled, y[labelled])
    found = []
    for n_parts in (1, 9) if args.fast else (1, 3, 5, 7, 9):
        others = (part > 0) & (part <= n_parts)
        together = labelled | others
        best = recognised(together, y[together])
        for name, score, fscore in ((LOWER, lowest, 0.0), (UPPER, best, 1.0)):
            found.append({"parts": n_parts, "labels by": name, "recognition": score, "pairwise F": fscore})
        for name, cluster in clusterers.items():
            labels = cluster(Samples(embedding[others], y[others]))
            pseudo = np.full(len(y), -1)
            pseudo[others] = np.where(labels >= 0, y.max() + 1 + labels, -1)
            pseudo[labelled] = y[labelled]
            taken = teaching(pseudo)
            found.append(
                {
                    "parts": n_parts,
                    "labels by": name,
                    "recognition": recognised(taken, pseudo[taken]),
                    "pairwise F": pairwise_fscore(y[others], labels),
                }
            )
    return found


def held_out(X, y, n_steps, seed):
    """Embeddings of each half of the classes, by a network that learned from the other half.

    Classes look better to a network that learned from them than new ones do, and clusterers would learn from
    that to expect too much. Each half has columns of its own, so that they are no neighbours of each other.
    """
    first = np.isin(y, np.unique(y)[::2])
    rows = np.zeros((2, len(y), N_FEATURES), np.float32)
    for number, half in enumerate((first, ~first)):
        rows[number, half] = embed(learn(X[~half], y[~half], n_steps, seed), X[half])
    return np.concatenate(rows, axis=1)


def inputs(args, train, test):
    """Pictures and classes; of other data than the glyphs, vectors."""
    if args.data is None:
        glyphs = load_glyphs()
        return (glyphs.images / 255).astype(np.float32), glyphs.target
    return np.concatenate([train.X, test.X]), np.concatenate([train.y, test.y])


def cluster_with(known, args, seed):
    """Functions from samples to labels, with what the labelled part teaches each method."""
    peers = registry(known, args.fast)
    tuned = {
        name: partial(peers[name].cluster, **tune(peers[name], known)) for name in ("k-means", "average link")
    }
    propagation = ConsensusPropagation().fit(known.X, known.y)
    # A linear map would belong to the embedding of the labelled part, which is not that of the others.
    clusterer = gcn(args, seed, metric_learning=False).fit(known.X, known.y)
    return {
        "K-means": tuned["k-means"],
        "HAC": tuned["average link"],
        "CDP": lambda samples: propagation.predict(samples.X),
        "GCN-D + GCN-S": lambda samples: clusterer.predict(samples.X),
    }


def teaching(labels):
    """Samples whose class or cluster has another sample: a class of one teaches nothing."""
    _, numbers, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return (labels >= 0) & (counts[numbers] > 1)


def draw(results, args):
    """Recognition over the number of unlabelled parts, bounds as lines."""
    figure, axes = plt.subplots(figsize=(4.4, 3.4), layout="constrained")
    parts = sorted({group[0] for group in results})
    for name, style in {UPPER: "-", LOWER: ":"}.items():
        curve = results.curve([(n_parts, name) for n_parts in parts], "recognition")
        axes.errorbar(parts, **curve, color=INK, ls=style, lw=1.2, capsize=2, label=name)
    for name, style in zip(METHODS, (STYLES[3], STYLES[2], STYLES[1], STYLES[0]), strict=True):
        curve = results.curve([(n_parts, name) for n_parts in parts], "recognition")
        axes.errorbar(parts, **curve, label=name, **style)
    axes.set(xlabel="unlabelled parts, for one that is labelled", ylabel="recognition of new classes")
    axes.set_xticks(parts)
    axes.legend(fontsize=8)
    return figure


def claims(results):
    """What Figure 5 says."""
    first, last = (end({group[0] for group in results}) for end in (min, max))
    score = {group: results.mean(group, "recognition") for group in results}
    lower, upper = score[last, LOWER], score[last, UPPER]
    early, ours = (score[n_parts, "GCN-D + GCN-S"] for n_parts in (first, last))
    others = {name: score[last, name] for name in METHODS[:-1]}
    best = max(others, key=others.get)
    weak = {name: score[first, name] - score[first, LOWER] for name in ("K-means", "HAC")}
    return [
        Claim(
            "Clusters by GCN-D + GCN-S teach more, the more there are.",
            f"recognition goes from {lower:.3f} without to {early:.3f} with {first} part and {ours:.3f} with "
            f"{last}; the upper bound is {upper:.3f}.",
            ours > early > lower,
        ),
        Claim(
            "They teach more than clusters by others.",
            f"with {last} parts, {best} is the best of the others with {others[best]:.3f}.",
            ours > others[best],
        ),
        Claim(
            "With few unlabelled parts, clusters by K-means and HAC do harm.",
            ", ".join(f"{gain:+.3f} ({name})" for name, gain in weak.items()) + f" with {first} part.",
            max(weak.values()) < 0,
        ),
    ]


EXPERIMENT = Experiment("figure_5", "Figure 5: pseudo-labels", ("parts", "labels by"), rows, draw, claims)

if __name__ == "__main__":
    run(EXPERIMENT, arguments(__doc__))
