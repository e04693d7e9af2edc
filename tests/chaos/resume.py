"""Takes up a chaos run whose machine or test was ended in the middle: `python -m tests.chaos.resume DIR`.

DIR is the test's temporary directory, which holds the broker's data. Everything ended at once: that is one
more thing that must not lose or double anything. Starts the broker and the services on that data, lets them
finish, and prints the verdict. What the subscriber of the run had seen is gone; a new one reads it all.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path

from services.runtime.topics import STORIES
from tests.chaos.fleet import ROOT, Fleet
from tests.chaos.kafka import ChaosKafka
from tests.chaos.proxy import Proxy
from tests.chaos.subscriber import Subscriber
from tests.chaos.test_chaos import at_rest, read_all, running, supervise
from tests.chaos.verifier import Report, verify, verify_subscriber

WITHIN_S = 3 * 3600.0


async def finish(kafka: ChaosKafka, logs: Path) -> Report:
    """Let the services come to rest on what lies there; return the verdict."""
    began = time.monotonic()
    subscriber = Subscriber(kafka.direct)
    fleet = Fleet(kafka.proxied, logs)
    async with Proxy(kafka.proxy_port, kafka.behind_proxy):
        with running(fleet):
            background = [asyncio.create_task(supervise(fleet)), asyncio.create_task(subscriber.run())]
            rested = await at_rest(kafka.direct, WITHIN_S)
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
    topics = await read_all(kafka.direct)
    report = await asyncio.to_thread(verify, topics)
    verify_subscriber(report, subscriber.events, subscriber.faults, topics[STORIES])
    if not rested:
        report.faults.append(f"work was left after {WITHIN_S:.0f} s")
    report.figures["seconds since it was taken up"] = int(time.monotonic() - began)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("directory", type=Path)
    directory = parser.parse_args().directory
    kafka = ChaosKafka(directory / "kafka", ROOT / ".machtin")
    kafka.start()
    try:
        report = asyncio.run(finish(kafka, directory))
    finally:
        kafka.stop()
    print(*report.lines(), *(f"FAULT: {fault}" for fault in report.faults), sep="\n")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
