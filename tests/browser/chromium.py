"""A headless Chromium as a command: what a page becomes in a real browser, without a driver."""

from __future__ import annotations

import shutil
import subprocess
import tempfile

DEADLINE_S = 120.0
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip


def path() -> str | None:
    """Return where Chromium is, None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def _run(url: str, *flags: str) -> str:
    program = path()
    assert program is not None
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [program, *FLAGS, f"--user-data-dir={profile}", *flags, url],
            capture_output=True, text=True, timeout=DEADLINE_S, check=True,
        )  # fmt: skip
    return done.stdout


def dom(url: str) -> str:
    """Return the document as the browser has it, scripts run."""
    return _run(url, "--dump-dom", "--virtual-time-budget=2000")
