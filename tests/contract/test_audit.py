"""The audit says what it knows, and that it knows nothing when it does not."""

import sys

import pytest

from deploy.audit import CLEAN, UNKNOWN, VULNERABLE, main, verdict

FINE = {"name": "orjson", "version": "3.13.0", "vulns": []}
BAD = {
    "name": "urllib3",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["1.1"], "description": "…"}],
}
SKIPPED = {"name": "numba", "skip_reason": "Dependency not found on PyPI and could not be audited: numba"}


@pytest.mark.parametrize(
    ("dependencies", "status"),
    [
        ([FINE], CLEAN),
        ([FINE, BAD], VULNERABLE),
        ([BAD, SKIPPED], VULNERABLE),
        ([FINE, SKIPPED], UNKNOWN),
        ([SKIPPED], UNKNOWN),
        ([], UNKNOWN),
    ],
)
def test_only_packages_that_were_looked_up_count(dependencies, status):
    assert verdict({"dependencies": dependencies})[0] == status


def test_a_vulnerability_is_named_with_its_remedy():
    assert verdict({"dependencies": [BAD]})[1] == ["urllib3 1.0: PYSEC-2026-1, fixed in 1.1"]


def test_an_audit_that_breaks_off_is_none(tmp_path, capsys):
    tool = tmp_path / "pip-audit"
    tool.write_text(f"#!{sys.executable}\nraise SystemExit('no such host')\n")
    tool.chmod(0o755)
    assert main(str(tool)) == UNKNOWN
    assert "NOT AUDITED" in capsys.readouterr().out
