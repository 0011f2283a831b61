"""Every document of every build fits the schema of its kind, strictly: no field that is not there.

Needs the custom resource definitions of Knative and the others (QUIRE_CRDS, else ../shared/crds)
with crdcheck.py beside them, and jsonschema and kubernetes-validate; skipped where one is missing.
"""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.deploy.build import BUILDS, ROOT, Document, rendered, title

CRDS = Path(os.environ.get("QUIRE_CRDS", ROOT.parent / "shared" / "crds"))


@pytest.fixture(scope="module")
def checker() -> Any:
    path = CRDS.parent / "crdcheck.py"
    if not path.is_file():
        pytest.skip(f"no schemas at {CRDS}; QUIRE_CRDS says where they are")
    for needed in ("jsonschema", "kubernetes_validate"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed")
    spec = importlib.util.spec_from_file_location("crdcheck", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["crdcheck"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def validator(checker: Any) -> Any:
    return checker.Validator(str(CRDS))


@pytest.mark.parametrize("build", BUILDS)
def test_documents_fit_their_schemas(build: str, checker: Any, validator: Any):
    for document in rendered(build):
        assert not validator.check(document), f"{title(document)}: {validator.check(document)}"
        assert not checker.semantic(document), f"{title(document)}: {checker.semantic(document)}"


def test_a_typo_is_seen(checker: Any, validator: Any):
    [trigger] = [each for each in rendered("dev") if title(each) == "Trigger minutes"]
    wrong: Document = {**trigger, "spec": {**trigger["spec"], "filtres": []}}
    assert validator.check(wrong)
