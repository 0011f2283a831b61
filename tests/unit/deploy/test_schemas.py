"""Every document of every build fits the schema of its kind, strictly: no field that is not there.

Needs the custom resource definitions of Knative and the others (QUIRE_CRDS, else ../shared/crds)
with crdcheck.py beside them, and jsonschema and kubernetes-validate; skipped where one is missing.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.deploy.build import BUILDS, ROOT, Document, rendered, title

KUBERNETES = "1.34"
"""The oldest that deploy/README.md asks for."""
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
    module.CORE_VERSION = KUBERNETES  # pyright: ignore[reportAttributeAccessIssue]
    return module


@pytest.fixture(scope="module")
def validator(checker: Any) -> Any:
    return checker.Validator(str(CRDS))


def test_documents_fit_their_schemas(checker: Any, validator: Any):
    """One test for all builds: most documents are in each of them, and are looked at once."""
    seen: set[str] = set()
    for build in BUILDS:
        for document in rendered(build):
            text = json.dumps(document, sort_keys=True)
            if text not in seen:
                seen.add(text)
                wrong = [*validator.check(document), *checker.semantic(document)]
                assert not wrong, f"{build}: {title(document)}: {wrong}"


def test_a_typo_is_seen(checker: Any, validator: Any):
    [trigger] = [each for each in rendered("dev") if title(each) == "Trigger minutes"]
    wrong: Document = {**trigger, "spec": {**trigger["spec"], "filtres": []}}
    assert validator.check(wrong)
