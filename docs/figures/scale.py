"""Draw docs/figures/scale.svg and write scale.txt: time, memory and accuracy over the number of samples.

What it draws is docs/figures/scale.csv, as `examples/benchmarks/peers_at_scale.py --csv FILE` writes it.
"""

import csv

import matplotlib.pyplot as plt
from comparison import HERE, METHODS, keep, list_table
from matplotlib.ticker import FuncFormatter, NullFormatter

STYLES = {name.replace("modularity", "CPM"): look for name, look in METHODS.items()}
"""One look for each method in all figures; the objective of Leiden is another here."""
PANELS = {
    "processor": "processor seconds",
    "peak": "peak of memory (GiB)",
    "pairwise": "pairwise F",
    "bcubed": "BCubed F",
}
BASES = {"processor": 10, "peak": 2}
"""Of the logarithmic axes."""


def results():
    """Lines of the file by method, from few samples to many."""
    with (HERE / "scale.csv").open(newline="", encoding="utf-8") as file:
        lines = sorted(csv.DictReader(file), key=lambda line: int(line["samples"]))
    found = {name: [line for line in lines if line["method"] == name] for name in STYLES}
    return {name: measured for name, measured in found.items() if measured}


def draw(found):
    """Time, memory and both F-scores over the number of samples, a line for each method."""
    figure, panels = plt.subplots(2, 2, figsize=(7.6, 6.8), layout="constrained")
    for axes, (field, label) in zip(panels.flat, PANELS.items(), strict=True):
        for name, lines in found.items():
            _, colour, mark = STYLES[name]
            lines = [line for line in lines if line["status"] == "measured"]
            axes.plot(
                [int(line["samples"]) for line in lines], [float(line[field]) for line in lines],
                f"{mark}-", color=colour, ms=8, mec="white", mew=0.6, lw=1.2, label=name,
            )  # fmt: skip
        axes.set(xscale="log", xlabel="samples", ylabel=label)
        axes.set_xticks(sorted({int(line["samples"]) for lines in found.values() for line in lines}))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda samples, _: f"{samples:,.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        if field in BASES:
            axes.set_yscale("log", base=BASES[field])
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.yaxis.set_minor_formatter(NullFormatter())
        else:
            axes.set_ylim(0, 1)
        axes.grid(color="#EEEEEE")
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(
        *panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False
    )
    return figure


def table(found):
    """The same as a table in reStructuredText, size by size."""
    rows = [["samples", "", "processor seconds", "of which search", "peak (GiB)", "pairwise F", "BCubed F"]]
    for size in sorted({int(line["samples"]) for lines in found.values() for line in lines}):
        for name, lines in found.items():
            for line in lines:
                if int(line["samples"]) == size:
                    rows.append([f"{size:,}", name, *cells(line)])
    return list_table(rows, stubs=2)


def cells(line):
    """Numbers of a line of the file, or why there are none."""
    if line["status"] != "measured":
        return [line["status"], "", "", "", ""]
    search = "" if line["search"] == "nan" else seconds(line["search"])
    scores = [f"{float(line[field]):.3f}" for field in ("pairwise", "bcubed")]
    return [seconds(line["processor"]), search, f"{float(line['peak']):.2f}", *scores]


def seconds(value):
    """Two digits, or all before the point."""
    return f"{float(value):.{0 if float(value) >= 9.95 else 1}f}"


if __name__ == "__main__":
    found = results()
    keep("scale", draw(found), table(found))
