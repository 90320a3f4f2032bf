"""What every example in a docstring or in README.md finds already there."""

from typing import Any

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _names_in_examples(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["np"] = np
