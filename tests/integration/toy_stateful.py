"""The toy stateful stage as a Faust app; TOY_TRAP names a trap of Faust's to spring."""

import os
from functools import partial

from services.runtime.faust_app import on_demand
from services.runtime.stream import create_app
from tests.integration.toy_stages import STATEFUL
from tests.integration.toy_traps import spring

spring(os.environ.get("TOY_TRAP"))

__getattr__ = on_demand(partial(create_app, STATEFUL))
