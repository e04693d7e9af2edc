"""`python -m services.exporter`: the same as `machtin exporter`."""

from services.exporter.app import run
from services.runtime.settings import from_environment

run(from_environment())
