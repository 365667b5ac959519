"""Figure 7 of the paper: de-overlap against non-maximum suppression, by threshold and time."""

import matplotlib.pyplot as plt
from experiment import STYLES, Claim, Experiment, arguments, gcn, measure, run, timed
from matplotlib.ticker import NullFormatter

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster.datasets import make_identities

WAYS = ("deoverlap", "adaptive", "nms")
OF_DATA = "data"
"""In place of a number of samples, which differs from split to split."""


def rows(train, test, args, seed):
    """The same scored proposals, resolved in each way; then the time of it as samples grow in number."""
    clusterer = gcn(args, seed).fit(train.X, train.y)
    scored, found = clusterer.score_proposals(test.X), []
    for overlap in WAYS:
        for limit in limits(args) if overlap == "nms" else ("",):
            options = {"max_overlap": limit} if overlap == "nms" else {}
            labels, seconds = timed(scored.cluster, overlap=overlap, min_score=clusterer.min_score, **options)
            found.append(
                {"overlap": overlap, "largest IoU": limit, "samples": OF_DATA}
                | measure(test.y, labels)
                | {"time (s)": seconds}
            )
    for n_samples in (500, 1000, 2000) if args.fast else (2000, 4000, 8000, 16000):
        X, y = make_identities(n_samples, n_features=64, random_state=seed)
        scored = GCNClustering(random_state=seed).fit(X[:200]).score_proposals(X)
        for overlap in WAYS:
            labels, seconds = min(
                (timed(scored.cluster, overlap=overlap) for _ in range(3)), key=lambda found: found[1]
            )
            found.append(
                {"overlap": overlap, "largest IoU": "", "samples": n_samples}
                | measure(y, labels)
                | {"time (s)": seconds}
            )
    return found


def limits(args):
    """Overlaps above which non-maximum suppression drops a proposal."""
    return (0.1, 0.5, 0.9) if args.fast else (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)


def draw(results, args):
    """F over the threshold, and seconds over the number of samples."""
    figure, (quality, cost) = plt.subplots(1, 2, figsize=(7, 2.8), layout="constrained")
    curve = [group for group in results if group[0] == "nms" and group[1] != ""]
    places = [group[1] for group in curve]
    quality.errorbar(places, **results.curve(curve, "pairwise F"), label="NMS", **STYLES[1])
    for overlap, style in (("deoverlap", STYLES[0]), ("adaptive", STYLES[2])):
        level = results.mean(on_data(overlap), "pairwise F")
        quality.axhline(level, color=style["color"], ls=style["ls"], lw=1.4, label=overlap)
    quality.set(xlabel="largest IoU of two proposals kept by NMS", ylabel="pairwise F", ylim=(0, 1))
    quality.legend()
    for overlap, style in zip(WAYS, (STYLES[0], STYLES[2], STYLES[1]), strict=True):
        groups = on_identities(results, overlap)
        cost.errorbar(
            [group[2] for group in groups], **results.curve(groups, "time (s)"), label=overlap, **style
        )
    cost.set(xscale="log", yscale="log", xlabel="samples", ylabel="seconds")
    sizes = [group[2] for group in on_identities(results, "deoverlap")]
    cost.set_xticks(sizes, [f"{size:,}" for size in sizes])
    cost.xaxis.set_minor_formatter(NullFormatter())
    cost.legend()
    return figure


def on_data(overlap):
    """The group of a way without a threshold, on the data of the experiment."""
    return overlap, "", OF_DATA


def on_identities(results, overlap):
    """Groups of a way on synthetic identities of growing number."""
    return [group for group in results if group[:2] == (overlap, "") and group[2] != OF_DATA]


def claims(results):
    """What Figure 7 says."""
    ours = results.mean(on_data("deoverlap"), "pairwise F")
    nms = {
        group[1]: results.mean(group, "pairwise F")
        for group in results
        if group[0] == "nms" and group[1] != ""
    }
    best = max(nms, key=nms.get)
    first, last = (on_identities(results, "deoverlap")[place] for place in (0, -1))
    growth = results.mean(last, "time (s)") / results.mean(first, "time (s)")
    return [
        Claim(
            "De-overlap beats NMS at every threshold.",
            f"de-overlap has {100 * ours:.1f}, NMS at its best {100 * nms[best]:.1f}, at {best}.",
            ours > max(nms.values()) + 0.005,
        ),
        Claim(
            "De-overlap takes linear time.",
            f"{last[2] / first[2]:.0f} times as many samples take {growth:.1f} times as long.",
            growth < 1.5 * last[2] / first[2],
        ),
    ]


EXPERIMENT = Experiment(
    "figure_7", "Figure 7: de-overlap", ("overlap", "largest IoU", "samples"), rows, draw, claims
)

if __name__ == "__main__":
    run(EXPERIMENT, arguments(__doc__))
