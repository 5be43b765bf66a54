"""The tests. What several of them need to know about the checkout is here; what they use is in conftest.py."""

from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
ANSWERS = TOP / "tests" / "answers"

# Real market data and broker records, kept beside the checkout where there are any; not part of the repository.
SHARED = next((path for path in [TOP.parent / "shared"] if (path / "data").is_dir()), None)
needs_shared = pytest.mark.skipif(SHARED is None, reason="the shared data is not beside this checkout")
