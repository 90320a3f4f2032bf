import os
import sys

import numpy as np
import pandas as pd
import pytest


@pytest.mark.skipif("PYTHON_ENV" not in os.environ, reason="not in the container")
def test_python_is_the_one_of_the_environment():
    assert sys.prefix == f"/opt/{os.environ['PYTHON_ENV']}"


def test_pandas_and_numpy_fit_together():
    # A pandas that was built against another numpy fails at the import, or here at the latest.
    assert pd.Series(np.arange(4)).sum() == 6
