"""Small functions for text and for series of numbers."""

from .stats import moving_average, outliers, standardize
from .text import slugify, truncate

__all__ = ["moving_average", "outliers", "slugify", "standardize", "truncate"]
