"""Clusterers that the method is compared with in its paper, as estimators of the same contract.

Both join samples that are linked in a graph of nearest neighbours. They need no labels; given some, they
choose their threshold by them. k-means, DBSCAN and agglomerative clustering, the other peers, are in
scikit-learn.
"""

from ._consensus import ConsensusPropagation
from ._rank_order import ApproximateRankOrder

__all__ = ["ApproximateRankOrder", "ConsensusPropagation"]
