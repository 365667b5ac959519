"""Figure 4 of the paper: pairwise F and upper bound over the number of proposals, with 1, 2 and 3 levels."""

import matplotlib.pyplot as plt
import numpy as np
from experiment import STYLES, Claim, Experiment, arguments, gcn, measure, run
from matplotlib.ticker import NullFormatter, ScalarFormatter


def rows(train, test, args, seed):
    """More edge thresholds and more levels give more proposals. Average linkage would hide that."""
    found = []
    for n_levels in (1, 2) if args.fast else (1, 2, 3):
        for n_thresholds in (1, 4) if args.fast else (1, 2, 4, 8):
            clusterer = gcn(
                args,
                seed,
                proposals=("supervertices",),
                n_levels=n_levels,
                edge_threshold=thresholds(train, args, n_thresholds),
            ).fit(train.X, train.y)
            scored = clusterer.score_proposals(test.X)
            sizes = np.diff(scored.membership.indptr)[~scored.segmented]
            # The F of the best choice among these proposals: no network could choose better.
            bound = clusterer.diagnose(test.X, test.y).upper_bound["pairwise"]
            found.append(
                {"levels": n_levels, "thresholds": n_thresholds}
                | {"proposals": np.count_nonzero(sizes > 1), "upper bound": bound}
                | measure(test.y, clusterer.predict(test.X))
            )
    return found


def thresholds(train, args, n_thresholds):
    """Edge thresholds evenly over what is high, in similarities of the training half."""
    places = np.linspace(0, 1, n_thresholds + 2)[1:-1].tolist()
    return np.quantile(train.nearest[1][:, :20], places).tolist()


def draw(results, args):
    """F and upper bound over the number of proposals."""
    figure, axes = plt.subplots(figsize=(4.2, 3.2), layout="constrained")
    for style, levels in zip(STYLES, sorted({group[0] for group in results}), strict=False):
        groups = [group for group in results if group[0] == levels]
        counts = [results.mean(group, "proposals") for group in groups]
        axes.errorbar(counts, **results.curve(groups, "pairwise F"), label=f"I = {levels}", **style)
        bound = results.curve(groups, "upper bound")["y"]
        axes.plot(
            counts, bound, color=style["color"], ls=style["ls"], lw=0.8, marker=style["marker"], mfc="white"
        )
    axes.plot([], [], color="#333333", marker="o", mfc="white", lw=0.8, label="upper bound")
    axes.set(xscale="log", xlabel="proposals", ylabel="pairwise F")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.legend()
    return figure


def claims(results):
    """What Figure 4 says."""
    few = min(group[1] for group in results)
    many = max(group[1] for group in results)
    first = {levels: results.mean((levels, few), "pairwise F") for levels in (1, 2)}
    ends = [results.mean((1, count), "pairwise F") for count in (few, many)]
    said = [
        Claim(
            "More proposals give a higher F, up to a point.",
            f"with one level, {few} and {many} thresholds give {100 * ends[0]:.1f} and {100 * ends[1]:.1f}.",
            ends[1] > ends[0],
        ),
        Claim(
            "A second level adds about five points where proposals are few.",
            f"F goes from {100 * first[1]:.1f} to {100 * first[2]:.1f} at one threshold.",
            first[2] > first[1] + 0.02,
        ),
    ]
    if (3, many) in results.groups:
        deep = [results.mean((levels, many), "pairwise F") for levels in (2, 3)]
        said.append(
            Claim(
                "A third level brings little more.",
                f"F goes from {100 * deep[0]:.1f} to {100 * deep[1]:.1f} at {many} thresholds.",
                deep[1] < deep[0] + 0.01,
            )
        )
    return said


EXPERIMENT = Experiment("figure_4", "Figure 4: proposals", ("levels", "thresholds"), rows, draw, claims)

if __name__ == "__main__":
    run(EXPERIMENT, arguments(__doc__))
