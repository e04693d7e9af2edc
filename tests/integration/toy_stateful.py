"""The toy stateful stage as a Faust app."""

from functools import partial

from services.runtime.stream import create_app, on_demand
from tests.integration.toy_stages import STATEFUL

__getattr__ = on_demand(partial(create_app, STATEFUL))
