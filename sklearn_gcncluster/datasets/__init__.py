"""Data sets to try methods on: one made to measure and one of real, printed characters."""

from ._glyphs import load_glyphs
from ._identities import make_identities

__all__ = ["load_glyphs", "make_identities"]
