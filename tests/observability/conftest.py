"""The broker of the integration tests, for these tests too."""

from tests.integration.conftest import cluster as cluster
