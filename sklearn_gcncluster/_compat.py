"""The only place with private names of scikit-learn, so that a change there is mended here."""

from sklearn.base import _fit_context as fit_context
from sklearn.cluster._hierarchical_fast import single_linkage_label
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_parameter_constraints,
    validate_params,
)

__all__ = [
    "HasMethods",
    "Interval",
    "StrOptions",
    "fit_context",
    "single_linkage_label",
    "validate_parameter_constraints",
    "validate_params",
]
