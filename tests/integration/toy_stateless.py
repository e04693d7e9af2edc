"""The toy stateless stage as a Faust app."""

from functools import partial

from services.runtime.faust_app import on_demand
from services.runtime.stream import create_app
from tests.integration.toy_stages import STATELESS

__getattr__ = on_demand(partial(create_app, STATELESS))
