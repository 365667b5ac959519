"""Plots of what was learned and found, in scikit-learn's Display style.

Each display has `from_estimator` and `from_predictions`, which compute and draw, and `plot`, which draws
again. They need matplotlib: ``pip install sklearn-gcncluster[plot]``.
"""

from ._cluster_size import ClusterSizeDisplay
from ._proposal_score import ProposalScoreDisplay
from ._proposal_size import ProposalSizeDisplay
from ._threshold import ThresholdDisplay

__all__ = ["ClusterSizeDisplay", "ProposalScoreDisplay", "ProposalSizeDisplay", "ThresholdDisplay"]
