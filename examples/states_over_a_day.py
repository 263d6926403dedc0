"""A picture of a store's day: how many orders were in which state, minute by minute, as the journal tells it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from omniorder import Recorded

AFTER: Final[Mapping[str, str]] = {
    "OrderConfirmed": "to pick",
    "PickStarted": "picking",
    "PickReset": "to pick",
    "MadeReady": "ready",
    "Unreadied": "picking",
    "CustomerArrived": "customer waits",
    "HandOverStarted": "customer waits",
    "OrderCompleted": "collected",
    "NoShow": "not collected",
    "PickupCancelled": "called off",
}
"""The state of an order after each of these events; all others leave it where it was."""

COLOURS: Final[Mapping[str, str]] = {
    "to pick": "#c9d6e3",
    "picking": "#7fa3c7",
    "ready": "#f2c14e",
    "customer waits": "#e4572e",
    "collected": "#76b041",
    "not collected": "#6b4e71",
    "called off": "#9d9d9d",
}
"""From the shelf to the customer's hands, and what comes of the rest; told apart in grey print, too."""


def counted(histories: Iterable[Sequence[Recorded]], moments: Sequence[datetime]) -> dict[str, list[int]]:
    """For each state, how many orders were in it at each of these moments."""
    lives = [[(entry.stamp.at, AFTER[entry.name]) for entry in history if entry.name in AFTER] for history in histories]
    found: dict[str, list[int]] = {state: [] for state in COLOURS}
    for moment in moments:
        now = Counter(state for life in lives if (state := _at(life, moment)))
        for state, counts in found.items():
            counts.append(now[state])
    return found


def _at(life: Sequence[tuple[datetime, str]], moment: datetime) -> str | None:
    state = None
    for at, after in life:
        if at > moment:
            break
        # who waits for an order that is not ready waits at its side, not instead of it
        state = state if after == "customer waits" and state != "ready" else after
    return state


def draw(
    histories: Iterable[Sequence[Recorded]],
    starts: datetime,
    ends: datetime,
    zone: ZoneInfo,
    title: str,
    path: Path,
    *,
    remarks: Mapping[datetime, str],
) -> None:
    """Write the picture, a PNG, to `path`, with `remarks` at what happened to the whole store."""
    import matplotlib as mpl

    mpl.use("Agg")  # there may be no screen
    from matplotlib import dates
    from matplotlib import pyplot as plt

    minutes = int((ends - starts) / timedelta(minutes=1))
    moments = [starts + timedelta(minutes=n) for n in range(0, minutes + 1, 2)]
    counts = {state: numbers for state, numbers in counted(histories, moments).items() if any(numbers)}
    local: Any = [moment.astimezone(zone) for moment in moments]
    colours = [COLOURS[state] for state in counts]
    figure, axes = plt.subplots(figsize=(11, 5.5), layout="constrained")
    areas = axes.stackplot(local, *counts.values(), labels=list(counts), colors=colours, edgecolor="white", lw=0.3)
    clock: Any = dates.DateFormatter
    hours: Any = dates.HourLocator
    axes.xaxis.set_major_locator(hours(interval=1, tz=zone))
    axes.xaxis.set_major_formatter(clock("%H:%M", tz=zone))
    axes.set(ylabel="orders", xlim=(local[0], local[-1]), ylim=(0, None))
    axes.set_title(title, loc="left", fontsize=13, pad=12)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color="#e5e5e5", lw=0.8)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    for moment, remark in remarks.items():
        here: Any = moment.astimezone(zone)
        axes.axvline(here, color="#444444", lw=0.9, ls=":")
        axes.annotate(f"{remark} ", (here, 0.8), xycoords=("data", "axes fraction"), ha="right", color="#444444")
    # the keys stand as the areas do, the last state uppermost, where the morning leaves room
    axes.legend(areas[::-1], list(counts)[::-1], loc="upper left", frameon=False)
    figure.savefig(path, format="png", dpi=120)
    plt.close(figure)
