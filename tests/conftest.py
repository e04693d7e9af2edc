"""Options of the tests."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--chaos-articles", type=int, default=1000, help="articles fed by the chaos test")
    parser.addoption("--chaos-kills", type=int, default=8, help="services killed with -9 by the chaos test")
    parser.addoption("--chaos-seed", type=int, default=1, help="seed of what the chaos test does when")
    parser.addoption(
        "--chaos-sabotage",
        default="",
        choices=["", "ack-before-send", "no-confirm"],
        help="put a trap back: then the chaos test must find a fault",
    )
