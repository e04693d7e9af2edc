"""Known vulnerabilities among the packages that run: `python -m deploy.audit PIP_AUDIT` (make audit).

pip-audit ends with 0 and "no known vulnerabilities" when the advisory service knows none of the packages,
as behind a mirror that serves files alone. That is no audit: every package must have been looked up.
Ends with 0 when all were and none is vulnerable, 1 when one is, 3 when not all could be looked up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[1] / "requirements.lock"
DEADLINE_S = 600.0
CLEAN, VULNERABLE, UNKNOWN = 0, 1, 3


def verdict(report: Any) -> tuple[int, list[str]]:
    """Return the exit status and what to say of pip-audit's report in JSON."""
    packages = report["dependencies"]
    unknown = [one["name"] for one in packages if "skip_reason" in one]
    vulnerable = [
        f"{one['name']} {one['version']}: {found['id']},"
        f" fixed in {', '.join(found['fix_versions']) or 'none'}"
        for one in packages
        for found in one.get("vulns", ())
    ]
    if vulnerable:
        return VULNERABLE, vulnerable
    if unknown or not packages:
        return UNKNOWN, [
            f"NOT AUDITED: nobody could say anything of {len(unknown)} of {len(packages)} packages."
        ]
    return CLEAN, [f"No known vulnerability in {len(packages)} packages."]


def main(pip_audit: str) -> int:
    """Run pip-audit on the lock file and print the verdict."""
    command = [pip_audit, "--requirement", str(LOCK), "--disable-pip", "--require-hashes"]
    command += ["--format", "json", "--progress-spinner", "off"]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        status, lines = verdict(json.loads(ended.stdout))
    except (json.JSONDecodeError, subprocess.TimeoutExpired):
        status, lines = UNKNOWN, ["NOT AUDITED: the advisory service cannot be reached."]
    sys.stdout.write("\n".join(lines) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
