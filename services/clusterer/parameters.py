"""The learned numbers that decisions use, as shipped in `data/parameters.json`."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from services.clusterer.evidence import FEATURES
from services.clusterer.links import LINK_FEATURES

MOST_ODDS = 12.0


def probability_of(odds: float) -> float:
    """Return the probability of log-odds."""
    return 1 / (1 + math.exp(-odds))


@dataclass(frozen=True)
class Rule:
    """A logistic rule: probability = 1 / (1 + exp(-(bias + weights . features)))."""

    bias: float
    weights: npt.NDArray[np.float64]
    threshold: float
    """Between 0 and 1, neither of them."""

    def odds(self, features: npt.NDArray[np.float64]) -> list[float]:
        """Return the log-odds for each row of features, within plus or minus MOST_ODDS."""
        odds: list[float] = _odds(features, self.weights, self.bias).tolist()
        return odds

    def probabilities(self, features: npt.NDArray[np.float64]) -> list[float]:
        """Return the probability for each row of features."""
        return [*map(probability_of, self.odds(features))]

    def passed(self, features: npt.NDArray[np.float64]) -> list[tuple[int, float]]:
        """Return which rows of features reach the threshold, and with what probability."""
        least = math.log(self.threshold / (1 - self.threshold))
        return [(row, probability_of(odds)) for row, odds in enumerate(self.odds(features)) if odds >= least]


@numba.njit(cache=True)
def _odds(features, weights, bias):  # type: ignore[no-untyped-def]
    found = np.empty(len(features))
    for row in range(len(features)):
        odds = bias
        for feature in range(len(weights)):
            odds += features[row, feature] * weights[feature]
        found[row] = min(max(odds, -MOST_ODDS), MOST_ODDS)
    return found


@dataclass(frozen=True)
class Parameters:
    """Everything the clusterer can be tuned with."""

    join: Rule
    link: Rule
    link_kept: float
    """Probability below which two stories that have grown are linked no more."""
    merge_odds: float
    """Mean log-odds from which two stories are merged."""
    split_odds: float
    """Mean log-odds below which the two sides of a story are split."""
    close_after_hours: int
    forget_after_hours: int
    join_candidates: int
    link_candidates: int
    closes_per_decision: int


def load_parameters(path: Path | None = None) -> Parameters:
    """Return the parameters of a JSON file, by default the shipped one. Raises KeyError if one is missing."""
    source = path or Path(__file__).parent / "data" / "parameters.json"
    values = json.loads(source.read_text(encoding="utf-8"))
    return Parameters(
        join=rule(values["join"], FEATURES),
        link=rule(values["link"], LINK_FEATURES),
        link_kept=float(values["link_kept"]),
        merge_odds=float(values["merge_odds"]),
        split_odds=float(values["split_odds"]),
        close_after_hours=int(values["close_after_hours"]),
        forget_after_hours=int(values["forget_after_hours"]),
        join_candidates=int(values["join_candidates"]),
        link_candidates=int(values["link_candidates"]),
        closes_per_decision=int(values["closes_per_decision"]),
    )


def rule(values: dict[str, Any], features: tuple[str, ...]) -> Rule:
    """Return the rule of a JSON object {bias, threshold, weights by feature}; unnamed features weigh 0.

    Raises ValueError for a weight of something that is no feature.
    """
    unknown = sorted(set(values["weights"]) - set(features))
    if unknown:
        raise ValueError(f"no such feature: {', '.join(unknown)}")
    weights = [float(values["weights"].get(name, 0.0)) for name in features]
    return Rule(float(values["bias"]), np.array(weights), float(values["threshold"]))
