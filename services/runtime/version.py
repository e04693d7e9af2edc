"""What runs: the version of the project, which the image has no package metadata to read from."""

from __future__ import annotations

VERSION = "0.1.0"
"""As in pyproject.toml."""
