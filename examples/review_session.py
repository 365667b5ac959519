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

import json
import sys

import numpy as np
import pandas as pd

from sklearn_gcncluster import ClusterReport, GCNClustering, load_decisions
from sklearn_gcncluster.datasets import load_glyphs
from sklearn_gcncluster.metrics import bcubed_fscore

fast = "--fast" in sys.argv

# %%
# Clusters without labels
# -----------------------

glyphs = load_glyphs()
classes = np.random.default_rng(0).permutation(400)[: 30 if fast else 120]
rows = np.flatnonzero(np.isin(glyphs.target, classes))
X, y, images = glyphs.data[rows], glyphs.target[rows], glyphs.images[rows]
clusterer = GCNClustering(random_state=0).fit(X)
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
report.write_html("review.html")
print(report)

# %%
# Answers, round by round
# -----------------------
#
# After each round of 25 answers, clusters are made anew under all answers so far, and asked about again.
# Proposals and their scores stay, so this takes seconds. The file of decisions is what the page would have
# written.

answers = {"must_link": [], "cannot_link": [], "n_samples": len(X)}
scores = {0: bcubed_fscore(y, clusterer.labels_)}
for _ in range(4):
    known = load_decisions(json.dumps(answers), n_samples=len(X))._asdict()
    for question in proposals.review(25, **known):
        pair = [question["first"], question["second"]]
        answers["must_link" if y[pair[0]] == y[pair[1]] else "cannot_link"].append(pair)
    known = load_decisions(json.dumps(answers), n_samples=len(X))._asdict()
    labels = proposals.cluster(**known)
    n_answers = len(answers["must_link"]) + len(answers["cannot_link"])
    scores[n_answers] = bcubed_fscore(y, labels)
    print(f"{n_answers:4} answers: BCubed F {scores[n_answers]:.3f}")

# %%
# As many random pairs say that different things are different, which was known.

pairs = np.random.default_rng(0).integers(0, len(X), (2 * n_answers, 2))
pairs = pairs[pairs[:, 0] != pairs[:, 1]][:n_answers]
same = y[pairs[:, 0]] == y[pairs[:, 1]]
labels = proposals.cluster(must_link=pairs[same], cannot_link=pairs[~same])
by_chance = bcubed_fscore(y, labels)
print(f"{len(pairs):4} random pairs: BCubed F {by_chance:.3f}")

# %%

import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(5, 3.2), layout="constrained")
axes.plot(list(scores), list(scores.values()), "o-", color="#0072B2", label="in the order of review")
axes.plot([0, n_answers], [scores[0], by_chance], "s--", color="#D55E00", label="random pairs")
axes.set(xlabel="answers", ylabel="BCubed F")
axes.spines[["top", "right"]].set_visible(False)
axes.legend(frameon=False)
figure.savefig("review_session.png", dpi=150)
