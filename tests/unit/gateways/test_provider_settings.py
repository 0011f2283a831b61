"""Where the simulated provider says that its pages are."""

import pytest

from gateways.settings import Settings


def test_its_pages_are_on_this_machine_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("QUIRE_PROVIDER_PORT", "9001")
    assert Settings().page_url == "http://127.0.0.1:9001"
    monkeypatch.setenv("QUIRE_PROVIDER_PAGE_URL", "http://shop.example:8084/")
    assert Settings().page_url == "http://shop.example:8084"
