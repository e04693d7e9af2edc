"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Broker(StrEnum):
    """Which local broker to start."""

    AUTO = "auto"
    KAFKA = "kafka"
    EMBEDDED = "embedded"


HOME = Path(".machtin")
"""Where the local broker keeps its files: below the directory that machtin is started in."""

Home = Annotated[Path, typer.Option("--home", help="Directory of the local broker's files.")]
