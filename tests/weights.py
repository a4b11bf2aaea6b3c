"""A mark for tests of what is read with the weights; with CI=true they fail where the weights are missing."""

import pytest

from escalations.assessor import sentences

needs_weights = pytest.mark.skipif(
    not sentences.is_there(), reason="the weights are not installed (make .venv/.weights)"
)
