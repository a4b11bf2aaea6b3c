"""`make audit` says what it found, and never that all is well when nothing was looked at."""

import json
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

import pytest

from tests.serving import ROOT


@pytest.fixture(scope="module")
def audit():
    loader = SourceFileLoader("audit", str(ROOT / ".ci" / "audit"))
    module = module_from_spec(spec_from_loader("audit", loader))
    loader.exec_module(module)
    return module


CLEAN = {"name": "django", "version": "5.2.19", "vulns": []}
UNKNOWN = {"name": "numpy", "skip_reason": "not found"}
HOLED = {"name": "daphne", "version": "4.2.1", "vulns": [{"id": "CVE-2026-1", "fix_versions": ["4.2.2"]}]}


@pytest.mark.parametrize(
    ("packages", "status", "says"),
    [
        ([CLEAN], 0, "1 packages audited, no known hole."),
        ([CLEAN, HOLED], 1, "daphne 4.2.1: CVE-2026-1, mended in 4.2.2"),
        ([CLEAN, UNKNOWN], 3, "SKIPPED: 1 of 2 packages were NOT audited"),
        ([UNKNOWN, HOLED], 1, "SKIPPED: 1 of 2 packages were NOT audited"),
        ([], 3, "NO package was audited"),
    ],
)
def test_what_was_found_and_what_was_left_out_is_said(audit, packages, status, says):
    found, said = audit.verdict(json.dumps({"dependencies": packages}), "")
    assert found == status
    assert says in said
    assert ("no known hole" in said) == (status == 0)


def test_a_service_that_does_not_answer_is_not_clean(audit):
    found, said = audit.verdict("", "Traceback …\nConnectionError: no such host\n")
    assert (found, said.startswith("SKIPPED: NO package was audited")) == (audit.NOT_AUDITED, True)
    assert "no such host" in said


@pytest.mark.parametrize(("required", "status"), [("", 0), ("true", 3)])
def test_a_release_may_insist_on_it(audit, required, status, monkeypatch, capsys):
    monkeypatch.setattr(audit, "ask", lambda: ("", ""))
    monkeypatch.setenv("AUDIT_REQUIRED", required)
    assert audit.main() == status
    assert "SKIPPED" in capsys.readouterr().out
