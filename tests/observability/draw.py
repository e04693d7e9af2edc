"""Draws the dashboards from what a real Prometheus answers to their queries. Needs matplotlib.

python -m tests.observability.draw DIRECTORY

Not Grafana's own drawing: it shows which panels there are, where, and what they say under the demo corpus.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import matplotlib as mpl

from services.runtime import broker
from services.runtime.cluster import create_topics
from services.runtime.topics import all_topics
from tests.access import plain
from tests.integration.conftest import JARS
from tests.observability.dashboard_lint import panels
from tests.observability.files import DASHBOARDS
from tests.observability.scenario import Run, demo

mpl.use("Agg")
from matplotlib import pyplot as plt  # (the backend has to be chosen first)

ARTICLES_PER_S = 2.0
COLUMN_INCHES, ROW_INCHES = 0.62, 0.34
BACKGROUND, PANEL, TEXT, FAINT = "#111217", "#181b1f", "#d8d9da", "#8e8e93"
COLORS = ("#73bf69", "#f2cc0c", "#5794f2", "#ff780a", "#f2495c", "#b877d9", "#37872d", "#8ab8ff")
NAMED = {"green": "#73bf69", "orange": "#ff9830", "red": "#f2495c"}
LABEL = "Drawn by Mạch Tin from the answers of a real Prometheus to the dashboard's queries; no screenshot."
MOST_IN_LEGEND, MOST_BARS = 6, 12


def text_of(value: float, unit: str, decimals: int | None) -> str:
    """Return a value as a reader expects it: seconds as ms, s or min, shares in percent."""
    if unit == "s" and value < 1:
        return f"{value * 1000:.0f} ms"
    if unit == "s":
        names = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
        size, name = next((size, name) for size, name in names if value >= size)
        return f"{value / size:.1f} {name}"
    if unit == "percentunit":
        return f"{100 * value:.{decimals or 0}f} %"
    if unit == "bytes":
        return f"{value / 2**20:.0f} MiB" if value >= 2**20 else f"{value / 2**10:.0f} KiB"
    if unit.startswith("bool"):
        return "yes" if value else "no"
    return f"{value:.{2 if decimals is None and value % 1 else decimals or 0}f}" + (
        " /s" if unit == "cps" else ""
    )


def legend_of(target: dict[str, Any], metric: dict[str, str]) -> str:
    text = target["legendFormat"]
    for name, value in metric.items():
        text = text.replace("{{" + name + "}}", value)
    return str(text)


def color_of(panel: dict[str, Any], value: float) -> str:
    """Return the colour of a value by the panel's mapping or thresholds."""
    defaults = panel["fieldConfig"]["defaults"]
    for mapping in defaults.get("mappings") or []:
        found = mapping["options"].get(f"{value:g}")
        if found:
            return NAMED[found["color"]]
    steps = defaults.get("thresholds", {}).get("steps", [])
    passed = [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
    return NAMED[passed[-1]] if len(steps) > 1 else COLORS[2]


def draw_panel(axes: Any, panel: dict[str, Any], run: Run, now_s: float) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    unit, decimals = defaults["unit"], defaults.get("decimals")
    axes.set_facecolor(PANEL)
    axes.set_title(panel["title"], loc="left", color=TEXT, fontsize=8)
    found = [(legend_of(t, s["metric"]), s) for t in panel["targets"] for s in run.series(t)]
    if panel["type"] == "timeseries":
        found.sort(key=lambda one: -float(one[1]["values"][-1][1]))
        for number, (name, series) in enumerate(found):
            times = [float(at) - now_s for at, _ in series["values"]]
            values = [float(value) for _, value in series["values"]]
            label = name if number < MOST_IN_LEGEND else None
            axes.plot(times, values, color=COLORS[number % len(COLORS)], linewidth=1, label=label)
        axes.tick_params(colors=FAINT, labelsize=6)
        axes.yaxis.set_major_formatter(lambda value, _: text_of(value, unit, decimals))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f} s")
        axes.set_ylim(bottom=0)
        axes.grid(color="#2c2f34", linewidth=0.5)
        axes.legend(fontsize=5.5, labelcolor=TEXT, frameon=False, loc="upper left")
    elif panel["type"] == "stat":
        axes.set_xticks([])
        axes.set_yticks([])
        for number, (name, series) in enumerate(found):
            value, at = float(series["value"][1]), (number + 0.5) / len(found)
            size = 18 if len(found) == 1 else max(5.5, 11 - len(found) // 2)
            color = color_of(panel, value)
            axes.text(
                at, 0.55, text_of(value, unit, decimals), color=color, fontsize=size, ha="center", va="center"
            )
            if len(found) > 1:
                axes.text(at, 0.2, name, color=FAINT, fontsize=5.5, ha="center", va="center", wrap=True)
    else:
        shown = [(name, float(series["value"][1])) for name, series in found][:MOST_BARS][::-1]
        axes.barh([name for name, _ in shown], [value for _, value in shown], color=COLORS[0])
        axes.tick_params(colors=TEXT, labelsize=6)
        axes.xaxis.set_major_formatter(lambda value, _: text_of(value, unit, decimals))
    for spine in axes.spines.values():
        spine.set_color("#2c2f34")


def draw(name: str, run: Run, target: Path) -> None:
    dashboard, now_s = DASHBOARDS[name], time.time()
    shown = panels(dashboard)
    rows = max(one["gridPos"]["y"] + one["gridPos"]["h"] for one in dashboard["panels"])
    width, height = 24 * COLUMN_INCHES, (rows + 3) * ROW_INCHES
    figure = plt.figure(figsize=(width, height), facecolor=BACKGROUND)
    figure.text(0.01, 1 - 0.9 * ROW_INCHES / height, dashboard["title"], color=TEXT, fontsize=13)
    figure.text(0.01, 0.4 * ROW_INCHES / height, LABEL, color=FAINT, fontsize=8)

    def place(
        box: dict[str, int], head: float, foot: float, side: float
    ) -> tuple[float, float, float, float]:
        top = (box["y"] + 1.5 + head) * ROW_INCHES
        left, right = (box["x"] + side) / 24, (box["x"] + box["w"] - 0.3) / 24
        bottom = (box["y"] + 1.5 + box["h"] - foot) * ROW_INCHES
        return left, 1 - bottom / height, right - left, (bottom - top) / height

    for row in dashboard["panels"]:
        if row["type"] == "row":
            left, bottom, *_ = place({**row["gridPos"], "w": 24}, 0, 0.3, 0.3)
            figure.text(left, bottom, row["title"], color=TEXT, fontsize=10)
    for panel in shown:
        side = {"timeseries": 1.3, "bargauge": 2.6}.get(panel["type"], 0.3)
        foot = 0.4 if panel["type"] == "stat" else 1.2
        draw_panel(figure.add_axes(place(panel["gridPos"], 1.1, foot, side)), panel, run, now_s)
    figure.savefig(target, dpi=80, facecolor=BACKGROUND)
    plt.close(figure)


def main(directory: Path) -> None:
    import asyncio

    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        with broker.running(home / "broker", "auto", cache=JARS, progress=print) as running:
            asyncio.run(create_topics(plain(running.bootstrap_servers), all_topics().values()))
            with demo(running.bootstrap_servers, home, ARTICLES_PER_S) as run:
                for name in DASHBOARDS:
                    if name != "runbooks":
                        draw(name, run, directory / f"grafana-{name}.png")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
