"""The whole protocol holds in every state of every scenario."""

import pytest

from .protections import ALL
from .scenarios import LARGE
from .search import search


@pytest.mark.parametrize("name", LARGE)
def test_nothing_is_violated_when(name: str):
    report = search(LARGE[name](ALL))
    print(f"{name}: {report}")
    assert report.violation is None, str(report)
    assert report.ends > 0
