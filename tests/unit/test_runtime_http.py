import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from services.runtime.http import Page, Response, metrics_page, serve, verdict
from services.runtime.metrics import Metrics


@contextmanager
def served(pages: dict[str, Page]) -> Iterator[Callable[[str], tuple[int, str]]]:
    server = serve("127.0.0.1", 0, pages)

    def get(path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{path}", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    try:
        yield get
    finally:
        server.shutdown()
        server.server_close()


def test_a_verdict_is_ok_or_says_what_is_wrong() -> None:
    problem: list[str] = []
    with served({"/ready": verdict(lambda: problem[0] if problem else None)}) as get:
        assert get("/ready") == (200, "ok\n")
        problem.append("rebuilding")
        assert get("/ready") == (503, "rebuilding\n")


def test_unknown_pages_are_not_found() -> None:
    with served({"/": lambda: Response(b"home")}) as get:
        assert get("/") == (200, "home")
        assert get("/table")[0] == 404


def test_every_metric_of_a_stage_is_there_from_the_start() -> None:
    metrics = Metrics("normalizer")
    with served({"/metrics": metrics_page(metrics.registry)}) as get:
        status, page = get("/metrics")
    assert status == 200
    assert 'machtin_messages_total{outcome="dead",stage="normalizer"} 0.0' in page
    assert 'machtin_ready{stage="normalizer"} 0.0' in page


def test_two_processes_worth_of_metrics_do_not_meet() -> None:
    one, other = Metrics("normalizer"), Metrics("normalizer")
    one.records.labels("normalizer").inc()
    value = other.registry.get_sample_value("machtin_records_published_total", {"stage": "normalizer"})
    assert value == pytest.approx(0)
