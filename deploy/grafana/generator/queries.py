"""PromQL, with the matchers that make every panel follow the job and instance chosen above it."""

from __future__ import annotations

CHOSEN = 'job=~"$job", instance=~"$instance"'


def series(name: str, *matchers: str) -> str:
    """Return the selector of a metric, for the chosen jobs and instances."""
    return f"{name}{{{', '.join((CHOSEN, *matchers))}}}"


def rate(name: str, *matchers: str, by: str = "") -> str:
    """Return the sum of a counter's rates per second, by the labels given."""
    return f"{_sum(by)}(rate({series(name, *matchers)}[$__rate_interval]))"


def increase(name: str, *matchers: str, by: str = "") -> str:
    """Return how much a counter grew in the whole time shown, by the labels given."""
    return f"{_sum(by)}(increase({series(name, *matchers)}[$__range]))"


def quantile(share: float, name: str, *matchers: str, by: str = "") -> str:
    """Return the value that `share` (0..1) of a histogram's observations did not exceed."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, {rate(f'{name}_bucket', *matchers, by=labels)})"


def mean(name: str, *matchers: str, by: str = "") -> str:
    """Return the mean of a histogram's observations."""
    return f"{rate(f'{name}_sum', *matchers, by=by)} / {rate(f'{name}_count', *matchers, by=by)}"


def late_share(grown: str) -> str:
    """Return the share (0..1) of articles later in their story than the objective; `grown`: the range."""
    stage = 'stage="clusterer"'
    within = series("machtin_article_age_seconds_bucket", stage, 'le="5.0"')
    every = series("machtin_article_age_seconds_count", stage)
    return f"1 - sum(rate({within}[{grown}])) / sum(rate({every}[{grown}]))"


def _sum(by: str) -> str:
    return f"sum by ({by}) " if by else "sum"
