"""Resources: processors, memory, files, state, and what runs."""

from __future__ import annotations

from deploy.grafana.generator.panels import BAD, WARNING, Panel, Query
from deploy.grafana.generator.queries import rate, series

TITLE = "Mạch Tin / Resources"
DESCRIPTION = "What each process takes, how large the states are, and which version runs."


def rows() -> list[tuple[str, list[Panel]]]:
    """Return the rows of the dashboard."""
    return [("Processes", _processes()), ("State", _state()), ("What runs", _build())]


def _processes() -> list[Panel]:
    files = f"{series('process_open_fds')} / {series('process_max_fds')}"
    return [
        Panel(
            "graph",
            "Processor time",
            "Processors in use by each process. A service computes on one: at 1 it is at its limit.",
            "short",
            [Query(rate("process_cpu_seconds_total", by="service, instance"), "{{service}} {{instance}}")],
            thresholds=((0.9, WARNING),),
            runbook="latency-budget-burns-fast",
        ),
        Panel(
            "graph",
            "Memory",
            "Resident memory of each process.",
            "bytes",
            [Query(series("process_resident_memory_bytes"), "{{service}} {{instance}}")],
            runbook="service-down",
        ),
        Panel(
            "graph",
            "Open files",
            "Share of the files and connections that a process may have open.",
            "percentunit",
            [Query(files, "{{service}} {{instance}}")],
            thresholds=((0.8, BAD),),
        ),
        Panel(
            "stat",
            "Uptime",
            "Time since each process started. A short one again and again: it restarts in a loop.",
            "s",
            [Query(f"time() - {series('process_start_time_seconds')}", "{{service}} {{instance}}")],
            width=12,
            runbook="service-down",
        ),
        Panel(
            "graph",
            "Garbage collections",
            "Collections of the oldest generation per second; many of them cost latency.",
            "cps",
            [
                Query(
                    rate("python_gc_collections_total", 'generation="2"', by="service, instance"),
                    "{{service}} {{instance}}",
                )
            ],
            width=12,
        ),
    ]


def _state() -> list[Panel]:
    return [
        Panel(
            "graph",
            "State in memory",
            "Entries that the stateful stages hold, per kind.",
            "short",
            [Query(f"sum by (stage, of) ({series('machtin_state_entries')})", "{{stage}}: {{of}}")],
            width=12,
        ),
        Panel(
            "graph",
            "Bytes of state",
            "Bytes allocated by the states that can tell.",
            "bytes",
            [Query(f"sum by (stage) ({series('machtin_state_bytes')})", "{{stage}}")],
            width=12,
        ),
    ]


def _build() -> list[Panel]:
    labels = "stage, version, python, faust, aiokafka"
    return [
        Panel(
            "stat",
            "Versions",
            "Processes of each stage by the version that runs, of Python and of Faust.",
            "short",
            [
                Query(
                    f"count by ({labels}) ({series('machtin_build_info')})",
                    "{{stage}} {{version}}, Python {{python}}, Faust {{faust}}",
                )
            ],
            width=24,
            height=6,
        )
    ]
