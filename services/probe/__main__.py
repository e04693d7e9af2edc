"""`python -m services.probe`: the same as `machtin probe`, with its defaults."""

from services.probe.app import Plan, run
from services.runtime.settings import from_environment

run(from_environment(), Plan())
