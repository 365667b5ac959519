"""Draw docs/figures/comparison.svg and write comparison.txt: accuracy and time of clusterers, set by set.

Each set is a file in docs/figures/peers, as `examples/benchmarks/peers.py SET.npz --csv FILE` writes it.
"""

import csv
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import NullFormatter, ScalarFormatter

HERE = Path(__file__).parent
METHODS = {
    "GCNClustering": ("labels of other classes", "#0072B2", "o"),
    "GCNClustering, without labels": ("nothing", "#56B4E9", "X"),
    "Leiden modularity, cut": ("tuned", "#D55E00", "s"),
    "Infomap": ("tuned", "#CC79A7", "D"),
    "average link": ("tuned", "#009E73", "^"),
    "HDBSCAN": ("tuned", "#333333", "v"),
    "fast_hdbscan": ("tuned", "#999999", "<"),
    "EVoC": ("tuned", "#E69F00", "P"),
}
"""What each is given beside the samples, and how it is drawn: marks differ for print in grey."""


def results():
    """Mean of both F-scores, and processor seconds, by set and method."""
    found = {}
    for path in sorted((HERE / "peers").glob("*.csv")):
        with path.open(encoding="utf-8") as file:
            for line in csv.DictReader(file):
                score = (float(line["pairwise"]) + float(line["bcubed"])) / 2
                found.setdefault(line["set"], {})[line["method"]] = score, float(line["seconds"])
    return found


def usual(seconds):
    """Geometric mean."""
    return np.exp(np.log(np.maximum(seconds, 0.01)).mean())


def draw(found):
    """Scores of each set in a row of dots, and the mean over sets against time."""
    figure, (by_set, by_time) = plt.subplots(2, 1, figsize=(6.4, 7.4), layout="constrained")
    for place, name in enumerate(found):
        for method, (_, colour, mark) in METHODS.items():
            if method in found[name]:
                by_set.plot(found[name][method][0], place, mark, color=colour, ms=8, mec="white", mew=0.6)
    by_set.set_yticks(range(len(found)), list(found))
    by_set.invert_yaxis()
    by_set.grid(axis="y", color="#EEEEEE")
    by_set.set(xlabel="mean of pairwise and BCubed F", xlim=(0.2, 1))
    for method, (given, colour, mark) in METHODS.items():
        scores, seconds = np.array([found[name][method] for name in found if method in found[name]]).T
        by_time.plot(
            usual(seconds), scores.mean(), mark, color=colour, ms=10, mec="white",
            ls="", label=f"{method} ({given})" if given != "nothing" else method,
        )  # fmt: skip
    by_time.set(xscale="log", xlabel="processor seconds, geometric mean over sets", ylabel="mean F over sets")
    by_time.xaxis.set_major_formatter(ScalarFormatter())
    by_time.xaxis.set_minor_formatter(NullFormatter())
    by_time.grid(color="#EEEEEE")
    handles = by_time.get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    for axes in (by_set, by_time):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def table(found):
    """The same as a table in reStructuredText."""
    rows = [["", *found, "mean", "seconds"]]
    for method in METHODS:
        numbers = [found[name].get(method) for name in found]
        scores = [score for score, _ in filter(None, numbers)]
        seconds = [second for _, second in filter(None, numbers)]
        cells = [f"{number[0]:.3f}" if number else "" for number in numbers]
        rows.append([method, *cells, f"{np.mean(scores):.3f}", f"{usual(seconds):.1f}"])
    return list_table(rows)


def list_table(rows, stubs=1):
    """Rows of cells, the first of which are headings, as a table in reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", f"   :stub-columns: {stubs}", ""]
    for row in rows:
        lines += [f"   {'*' if number == 0 else ' '} - {cell}".rstrip() for number, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


def keep(name, figure, text):
    """Write a figure and its table to files of that name; print the table."""
    with plt.rc_context({"svg.hashsalt": "sklearn_gcncluster", "svg.fonttype": "none"}):
        figure.savefig(HERE / f"{name}.svg", metadata={"Date": None})
    (HERE / f"{name}.txt").write_text(text, encoding="utf-8")
    print(text)


def main():
    """Draw and write."""
    found = results()
    keep("comparison", draw(found), table(found))


if __name__ == "__main__":
    main()
