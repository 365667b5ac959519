"""
Texts: what functions do
========================

Two thousand functions of NumPy, SciPy and scikit-learn, each with the sentence that its documentation
begins with. What topics are there? Nobody has labelled them. As a topic model would, this finds groups, names
them by their words, shows a typical sentence of each, puts what is left over where it fits best, and says
which topics are part of wider ones. ::

    python examples/cluster_texts.py         # seconds
    python examples/cluster_texts.py --fast  # fewer functions
"""

import importlib
import inspect
import sys

import numpy as np
import scipy.sparse as sp
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
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

vectorizer = CountVectorizer(stop_words="english", min_df=2)
counts = vectorizer.fit_transform(texts)
X = make_pipeline(TfidfTransformer(sublinear_tf=True), TruncatedSVD(64, random_state=0)).fit_transform(counts)
some = np.abs(X).max(axis=1) > 1e-6  # a few sentences share no word with any other
X, counts, texts, names = X[some], counts[some], np.array(texts)[some], np.array(names)[some]

# %%
# Topics
# ------

clusterer = GCNClustering(random_state=0).fit(X)
labels = clusterer.labels_
print(f"{clusterer.n_clusters_} topics, {np.count_nonzero(labels < 0)} sentences in none")

# %%
# Their names: the words that are frequent in a topic and rare in others. All sentences of a topic are one
# text, and of these texts tf-idf tells which words make them differ.


def names_of(labels):
    """Three words for each cluster."""
    inside = np.flatnonzero(labels >= 0)
    shape = (labels.max() + 1, len(labels))
    of_topics = sp.csr_array((np.ones(len(inside)), (labels[inside], inside)), shape=shape) @ counts
    weights = TfidfTransformer(sublinear_tf=True).fit_transform(of_topics).toarray()
    vocabulary = vectorizer.get_feature_names_out()
    return [", ".join(vocabulary[np.argsort(-row, kind="stable")[:3]]) for row in weights]


topics = names_of(labels)

# %%
# Those of which the networks are surest, each with its most typical sentence.

surest = clusterer.cluster_scores_[:, 0].argsort()[::-1]
for topic in surest[:8]:
    exemplar = clusterer.exemplars_[topic]
    print(f"{np.count_nonzero(labels == topic):4} sentences  {topics[topic]:40} {texts[exemplar][:70]}")

# %%
# Sentences in no topic
# ---------------------
#
# ``assign_outliers`` gives them the topic that they are tied to most, if they are tied to it enough: the
# lower the floor, the fewer are left. ``labels_`` stay as they are.

for floor in (0.5, 0.2, 0.05):
    everyone = clusterer.assign_outliers(min_probability=floor)
    print(f"floor {floor}: {np.count_nonzero(everyone < 0)} sentences in none")
joined = np.flatnonzero((labels < 0) & (everyone >= 0))
for row in joined[:5]:
    print(f"    {texts[row][:70]:72} -> {topics[everyone[row]]}")

# %%
# Topics of topics
# ----------------
#
# ``cluster_layers_`` has finer and coarser answers, each found by itself, and ``cluster_tree_`` tells which
# cluster of the next layer holds most of each. From the finest layer, parents lead to the coarsest.

tree, layers = clusterer.cluster_tree_, clusterer.cluster_layers_
print(tree)
top = np.arange(layers[0].max() + 1)
for layer in range(len(layers) - 1):
    parent = tree.parent[tree.layer == layer]
    top = np.append(parent, -1)[top]
fine, wide = names_of(layers[0]), names_of(layers[-1])
for topic in np.argsort(-np.bincount(top[top >= 0]), kind="stable")[:3]:
    print(f"{wide[topic]}: {np.count_nonzero(layers[-1] == topic)} sentences")
    for part in np.flatnonzero(top == topic)[:6]:
        print(f"    {fine[part]}: {np.count_nonzero(layers[0] == part)}")

# %%
# All of them, to read and to search: in a notebook, the report shows itself.

report = ClusterReport(
    labels,
    cluster_scores=clusterer.cluster_scores_,
    exemplars=clusterer.exemplars_,
    texts=list(texts),
    ids=list(names),
    title="What functions do",
)
report.write_html("cluster_texts.html")

# %%
# On a map of the words, a colour for each topic, and the names of the surest.

import matplotlib.pyplot as plt
from sklearn.manifold import TSNE

places = TSNE(metric="cosine", init="pca", random_state=0).fit_transform(X)
figure, axes = plt.subplots(figsize=(8, 6), layout="constrained")
found = labels >= 0
axes.scatter(*places[~found].T, s=6, color="#CCCCCC")
axes.scatter(*places[found].T, s=22, c=labels[found] % 20, cmap="tab20")
for topic in surest[:8]:
    middle = places[labels == topic].mean(axis=0)
    axes.annotate(topics[topic], middle, fontsize=9, ha="center", weight="bold")
axes.set_axis_off()
figure.savefig("cluster_texts.png", dpi=150)
