"""
A review session: few answers that mend much
============================================

Nobody looks at ten thousand samples, but at fifty pairs somebody does.
:meth:`GCNClustering.review <sklearn_gcncluster.GCNClustering.review>` asks in the order of what an answer
should be worth, :class:`~sklearn_gcncluster.ClusterReport` shows the questions with pictures, and answers are
constraints of the next clustering. Here the true classes answer, as a patient user would. ::

    python examples/review_session.py         # a minute or two on two cores
    python examples/review_session.py --fast  # less than one
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

from sklearn_gcncluster import ClusterReport, GCNClustering, load_decisions
from sklearn_gcncluster.datasets import load_glyphs
from sklearn_gcncluster.metrics import bcubed_fscore

parser = argparse.ArgumentParser(description="Ask, answer, and cluster again.")
parser.add_argument("--fast", action="store_true", help="fewer classes")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--report", type=Path, metavar="HTML", help="write the page with the questions")
args = parser.parse_args()

# %%
# Clusters without labels
# -----------------------

glyphs = load_glyphs()
classes = np.random.default_rng(args.seed).permutation(400)[: 30 if args.fast else 120]
rows = np.flatnonzero(np.isin(glyphs.target, classes))
X, y, images = glyphs.data[rows], glyphs.target[rows], glyphs.images[rows]
clusterer = GCNClustering(random_state=args.seed).fit(X)
proposals = clusterer.score_proposals(X)
print(
    f"{len(X)} samples, {clusterer.n_clusters_} clusters, BCubed F {bcubed_fscore(y, clusterer.labels_):.3f}"
)

# %%
# What is worth asking
# --------------------

questions = clusterer.review(X, n_questions=50)
print(pd.DataFrame(questions).head(10).to_string())

# %%
# The page has the same questions, with pictures. *Same*, *different* and *skip* have keys, and the answers
# are downloaded as JSON. Paper is white, so the pictures are turned round.

report = ClusterReport(
    clusterer.labels_,
    probabilities=clusterer.probabilities_,
    cluster_scores=clusterer.cluster_scores_,
    exemplars=clusterer.exemplars_,
    pictures=255 - images,
    questions=questions,
    title="Characters",
)
if args.report:
    report.write_html(args.report)
print(report)

# %%
# Answers, round by round
# -----------------------
#
# After each round of 25 answers, clusters are made anew under all answers so far, and asked about again.
# Proposals and their scores stay, so this takes seconds. The file of decisions is what the page would have
# written.

answers = {"must_link": [], "cannot_link": [], "n_samples": len(X)}
for _ in range(4):
    known = load_decisions(json.dumps(answers), n_samples=len(X))._asdict()
    for question in proposals.review(25, **known):
        pair = [question["first"], question["second"]]
        answers["must_link" if y[pair[0]] == y[pair[1]] else "cannot_link"].append(pair)
    known = load_decisions(json.dumps(answers), n_samples=len(X))._asdict()
    labels = proposals.cluster(**known)
    n_answers = len(answers["must_link"]) + len(answers["cannot_link"])
    print(f"{n_answers:4} answers: BCubed F {bcubed_fscore(y, labels):.3f}")

# %%
# As many random pairs say that different things are different, which was known.

pairs = np.random.default_rng(args.seed).integers(0, len(X), (2 * n_answers, 2))
pairs = pairs[pairs[:, 0] != pairs[:, 1]][:n_answers]
same = y[pairs[:, 0]] == y[pairs[:, 1]]
labels = proposals.cluster(must_link=pairs[same], cannot_link=pairs[~same])
print(f"{len(pairs):4} random pairs: BCubed F {bcubed_fscore(y, labels):.3f}")
