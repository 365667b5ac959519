"""
Texts: what functions do
========================

Two thousand functions of NumPy, SciPy and scikit-learn, each with the sentence that its documentation
begins with. What groups are there? Nobody has labelled them. ::

    python examples/cluster_texts.py         # seconds
    python examples/cluster_texts.py --fast  # fewer functions
"""

import importlib
import inspect
import sys

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

from sklearn_gcncluster import ClusterReport, GCNClustering

MODULES = [
    *("numpy", "numpy.linalg", "numpy.fft", "numpy.random", "numpy.ma", "scipy.stats", "scipy.special"),
    *("scipy.signal", "scipy.sparse", "scipy.linalg", "scipy.optimize", "scipy.ndimage", "scipy.fft"),
    *("scipy.interpolate", "sklearn.metrics", "sklearn.preprocessing"),
]

# %%
# The texts
# ---------

sentences = {}  # each once, and a function that has it
for module in map(importlib.import_module, MODULES[-6:] if "--fast" in sys.argv else MODULES):
    for name in dir(module):
        text = inspect.getdoc(getattr(module, name)) if not name.startswith("_") else None
        # Functions of NumPy written in C begin with their signature.
        paragraphs = [part for part in (text or "").split("\n\n") if not part.startswith(f"{name}(")]
        if paragraphs and 20 < len(paragraphs[0]) < 200:
            sentences.setdefault(" ".join(paragraphs[0].split()), f"{module.__name__}.{name}")
texts, names = list(sentences), list(sentences.values())
print(f"{len(texts)} sentences, such as: {texts[0]}")

# %%
# An embedding
# ------------
#
# The words that two sentences share, in 64 dimensions. A language model does better, and goes into the same
# place: ``SentenceTransformer("all-MiniLM-L6-v2").encode(texts)``.

words = TfidfVectorizer(sublinear_tf=True, stop_words="english", min_df=2)
X = make_pipeline(words, TruncatedSVD(64, random_state=0)).fit_transform(texts)
some = np.abs(X).max(axis=1) > 1e-6  # a few sentences share no word with any other
X, texts, names = X[some], np.array(texts)[some], np.array(names)[some]

# %%
# Clusters
# --------

clusterer = GCNClustering(random_state=0).fit(X)
print(f"{clusterer.n_clusters_} clusters, {np.count_nonzero(clusterer.labels_ < 0)} sentences in none")

surest = clusterer.cluster_scores_[:, 0].argsort()[::-1]
for cluster in surest[:6]:
    members = np.flatnonzero(clusterer.labels_ == cluster)
    print(f"\ncluster {cluster}, {len(members)} sentences")
    for member in members[:4]:
        print("   ", texts[member][:90])

# %%
# All of them, to read and to search: in a notebook, the report shows itself.

report = ClusterReport(clusterer.labels_, texts=list(texts), ids=list(names), title="What functions do")
report.write_html("cluster_texts.html")

# %%
# On a map of the words, a colour for each cluster, and a sentence of each of the surest.

import matplotlib.pyplot as plt
from sklearn.manifold import TSNE

places = TSNE(metric="cosine", init="pca", random_state=0).fit_transform(X)
figure, axes = plt.subplots(figsize=(8, 6), layout="constrained")
found = clusterer.labels_ >= 0
axes.scatter(*places[~found].T, s=6, color="#CCCCCC")
axes.scatter(*places[found].T, s=22, c=clusterer.labels_[found] % 20, cmap="tab20")
for cluster in surest[:6]:
    members = clusterer.labels_ == cluster
    middle = places[members].mean(axis=0)
    axes.annotate(texts[members][0][:40], middle, fontsize=9, ha="center", weight="bold")
axes.set_axis_off()
figure.savefig("cluster_texts.png", dpi=150)
