"""What was installed from the wheel has its data. Run outside of the repository, which has them anyway."""

from importlib.resources import files

import numpy as np

from sklearn_gcncluster import ClusterReport, GCNClustering, __version__
from sklearn_gcncluster.datasets import load_glyphs, make_identities

place = files("sklearn_gcncluster")
assert "site-packages" in str(place), f"{place} is not what was installed"
assert (place / "py.typed").is_file(), "type checkers look for py.typed"
assert len(load_glyphs().data), "the characters are there"
X, _ = make_identities(200, n_features=32, class_spread=0.4, random_state=0)
labels = GCNClustering(random_state=0).fit_predict(X)  # without labels, by the universal networks
assert 1 < len(np.unique(labels)) < len(X), "the universal networks are there and cluster"
assert "Clusters" in ClusterReport(labels)._repr_html_(), "the report has its page"
print(f"sklearn_gcncluster {__version__} is complete at {place}")
