"""`python -m tests.fuzz`: the long fuzz run, with its figures. Ends with status 1 when it found a bug."""

import argparse
import logging
import sys
import time

from hypothesis import HealthCheck, given, settings
from hypothesis import seed as seeded

from tests.fuzz.inputs import Fuzzer, Input, flood
from tests.fuzz.run import Run, peak_rss_mb
from tests.fuzz.strategies import MESSAGES

EVERY = 5_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hypothesis", type=int, default=5_000, help="how many of them hypothesis makes")
    parser.add_argument("--flood", choices=("copies", "near"), help="a flood of one article instead")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # a bug's stack is not needed 50 times
    run = Run()
    started = time.monotonic()

    told_bugs = 0

    def told() -> None:
        nonlocal told_bugs
        for bug in run.figures.bugs[told_bugs:]:
            print(f"BUG {bug}", flush=True)
        told_bugs = len(run.figures.bugs)
        if run.figures.inputs % EVERY == 0:
            print(
                f"{run.figures.inputs:7} inputs, {time.monotonic() - started:6.0f} s,"
                f" CPU {time.process_time():6.0f} s, RSS at most {peak_rss_mb()} MB,"
                f" largest record {run.figures.largest_record} bytes, {len(run.figures.bugs)} bugs",
                flush=True,
            )

    @seeded(options.seed)
    @settings(
        max_examples=options.hypothesis,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(MESSAGES)
    def by_hypothesis(value: bytes) -> None:
        if run.figures.inputs < options.hypothesis:
            run.feed_one(Input("hypothesis", value))
            told()

    if options.flood:
        inputs = flood(options.flood, options.inputs)
    else:
        by_hypothesis()
        inputs = Fuzzer(options.seed).inputs(options.inputs - run.figures.inputs)
    for one in inputs:
        run.feed_one(one)
        told()
    print("\n".join(run.figures.lines()))
    sys.exit(1 if run.figures.bugs else 0)


if __name__ == "__main__":
    main()
