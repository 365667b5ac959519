"""Clustering that learns from labelled classes how clusters look.

`GCNClustering` is a scikit-learn estimator. Fitted on embeddings with labels, it clusters
embeddings of classes it has never seen, after the method of [1]_.

References
----------
.. [1] Yang, L., Zhan, X., Chen, D., Yan, J., Loy, C. C., & Lin, D. (2019). "Learning to
       Cluster Faces on an Affinity Graph". CVPR 2019. :arxiv:`1904.02749`
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import baselines, datasets, metrics, plotting
    from ._clustering import GCNClustering
    from ._diagnosis import Diagnosis, ExpectedDiagnosis
    from ._incremental import IncrementalGCNClustering
    from ._matching import match_labels
    from ._persistence import load
    from ._scored_proposals import ScoredProposals
    from ._segmenter import GCNSegmenter
    from ._showing import ClusterTree
    from ._stages import record_stages
    from .report import ClusterReport, load_decisions

__version__ = "0.1.0.dev0"

__all__ = [
    "ClusterReport",
    "ClusterTree",
    "Diagnosis",
    "ExpectedDiagnosis",
    "GCNClustering",
    "GCNSegmenter",
    "IncrementalGCNClustering",
    "ScoredProposals",
    "__version__",
    "baselines",
    "datasets",
    "load",
    "load_decisions",
    "match_labels",
    "metrics",
    "plotting",
    "record_stages",
]

# Public names are imported on first use, because _clustering imports torch, and someone who
# wants a metric or a data set should not wait for that.
_MODULE_OF_NAME = {
    "ClusterReport": ".report",
    "ClusterTree": "._showing",
    "Diagnosis": "._diagnosis",
    "ExpectedDiagnosis": "._diagnosis",
    "GCNClustering": "._clustering",
    "GCNSegmenter": "._segmenter",
    "IncrementalGCNClustering": "._incremental",
    "ScoredProposals": "._scored_proposals",
    "load": "._persistence",
    "load_decisions": ".report",
    "match_labels": "._matching",
    "record_stages": "._stages",
}
_SUBMODULES = ("baselines", "datasets", "metrics", "plotting")


def __getattr__(name: str) -> object:
    """Import a public name on first use."""
    if name in _SUBMODULES:
        return import_module(f".{name}", __name__)
    if name in _MODULE_OF_NAME:
        value = getattr(import_module(_MODULE_OF_NAME[name], __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
