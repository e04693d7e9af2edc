"""Writes the dashboards; with --check says whether the committed ones are what would be written."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

with warnings.catch_warnings():
    # The SDK advises the schema of Grafana 12; provisioned files in the one before it load everywhere.
    warnings.simplefilter("ignore", DeprecationWarning)
    from deploy.grafana.generator.dashboards import rendered

TARGET = Path(__file__).resolve().parents[1] / "dashboards"

files = rendered()
differing = [
    name
    for name, text in files.items()
    if not TARGET.joinpath(name).is_file() or TARGET.joinpath(name).read_text(encoding="utf-8") != text
]
if "--check" in sys.argv[1:]:
    sys.exit(f"Not as generated: {', '.join(differing)}." if differing else 0)
TARGET.mkdir(exist_ok=True)
for name, text in files.items():
    TARGET.joinpath(name).write_text(text, encoding="utf-8")
