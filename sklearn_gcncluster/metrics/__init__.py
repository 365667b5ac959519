"""Measures of how well clusters agree with classes, and scorers for model selection.

Unlike those of scikit-learn they count each predicted outlier (-1) as a cluster of its own, and
leave out samples whose true class is unknown (-1).
"""

from ._bcubed import bcubed_fscore, bcubed_precision_recall_fscore
from ._pairwise import pairwise_fscore, pairwise_precision_recall_fscore
from ._scorers import bcubed_scorer, pairwise_scorer

__all__ = [
    "bcubed_fscore",
    "bcubed_precision_recall_fscore",
    "bcubed_scorer",
    "pairwise_fscore",
    "pairwise_precision_recall_fscore",
    "pairwise_scorer",
]
