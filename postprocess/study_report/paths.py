"""Along the path: accuracy against memorising, and the loss, as medians of the recorded curves.

    from study_report.paths import picture_loss, picture_memorised
    html = picture_memorised(study) + picture_loss(study)
"""

import warnings
from dataclasses import replace

import numpy as np

import page
import style
from style import number

from study_report.panels import (
    BANDS,
    cut_of,
    factor_of_panels,
    method_legend,
    panels_of,
    pooled_over,
    shared_limits,
)

NOISE = "data.noise"


def resample(x, at, y):
    """y at the places `at`; nan outside the finite data."""
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < 2:
        return np.full(len(at), np.nan)
    return np.interp(at, x[known], y[known], left=np.nan, right=np.nan)


def quantiles(rows):
    """10 %, median and 90 % of many curves, where at least half of those that say anything do."""
    rows = np.array([row for row in rows if np.isfinite(row).any()])
    if not rows.size:
        return None
    counts = np.isfinite(rows).sum(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column without any value is nan
        found = np.nanpercentile(rows, (10, 50, 90), axis=0)
    return np.where(counts * 2 >= len(rows), found, np.nan)


def paths_of(study, panel, method, *needed):
    """The recorded curves of these runs, where they hold the columns needed."""
    runs = np.array(study.columns.get("run", [""] * study.size))
    mask = study.where(panel.matching, method, **panel.fixed)
    paths = [study.curves.get(str(run), {}) for run in runs[mask]]
    return [path for path in paths if all(key in path for key in needed)]


def noisiest(study):
    """A panel a matching and kind of data, of the runs with most label noise, and words for it."""
    factor = factor_of_panels(study, NOISE)
    panels = panels_of(study, factor)
    if NOISE not in study.varied:
        return panels, "", factor
    noise = study.levels(NOISE)[-1]
    panels = [replace(panel, fixed={**panel.fixed, NOISE: noise}) for panel in panels]
    return panels, f" at label noise {noise}", factor


def clock_of(study):
    """Runs that stop at a time are compared at equal times, others at equal steps."""
    return "time" if page.setting(study.ini, "stop.time") else "step"


def picture_memorised(study):
    """Accuracy against memorised share along the path: free of the learning rate and of time."""
    panels, at_noise, factor = noisiest(study)
    found = [(panel, lines) for panel in panels if (lines := memorised_lines(study, panel))]
    if not found:
        return ""
    limits = shared_limits([y for _, lines in found for _, y in lines.values()])
    right = shared_limits([x for _, lines in found for x, _ in lines.values()])[1]
    described = "Test accuracy against memorised share along the path"
    drawn = [
        (draw_memorised(study, panel, lines, limits, right), panel.describe(described))
        for panel, lines in found
    ]
    best, where = max(
        (np.nanmax(y), f"{method}'s" + (f" ({panel.title})" if panel.title else ""))
        for panel, lines in found
        for method, (_, y) in lines.items()
    )
    caption = (
        "Up and left is better: right without memorising wrong labels. The highest median is"
        f" {where}, {number(best)}. Medians over {pooled_over(study, factor, NOISE)}{at_noise} at"
        " equal shares of each run, from its start (hollow) to its end (filled)."
        + cut_of(study, factor)
    )
    methods = {m for _, lines in found for m in lines}
    heading = "Accuracy against memorising, along the path"
    return page.figure(heading, drawn, caption, method_legend(study, methods))


def memorised_lines(study, panel):
    """{method: (median memorised share, median test accuracy)} at equal shares of the run."""
    keys = ("memorised", "test_accuracy")
    shares = np.linspace(0, 1, 40)
    lines = {}
    for method in study.methods:
        paths = paths_of(study, panel, method, *keys)
        line = [quantiles([resample(part_of_run(p), shares, p[k]) for p in paths]) for k in keys]
        if all(part is not None for part in line):
            lines[method] = (line[0][1], line[1][1])
    return lines


def part_of_run(path):
    """Time as a share of the run."""
    time = path["time"] - np.nanmin(path["time"])
    return time / (np.nanmax(time) or 1)


def draw_memorised(study, panel, lines, limits, right):
    """One panel of paths."""
    figure, axes = style.panel(panel.title)
    for method, (x, y) in lines.items():
        look = study.looks[method]
        known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        axes.plot(x, y, color=look.colour, linestyle=look.dash)
        for i, fill in zip(known[[0, -1]] if known.size else (), ("white", look.colour)):
            axes.plot(x[i], y[i], marker=look.marker, color=look.colour, markerfacecolor=fill,
                      markersize=6)
    axes.set(xlim=(-0.02, right), ylim=limits, ylabel="test accuracy")
    axes.set_xlabel("memorised share of the wrong labels")
    return style.svg_uri(figure)


def picture_loss(study):
    """Training loss along the run."""
    panels, at_noise, factor = noisiest(study)
    clock = clock_of(study)
    paths = [
        {m: paths_of(study, panel, m, clock, "loss") for m in study.methods} for panel in panels
    ]
    at = [path[clock] for lines in paths for found in lines.values() for path in found]
    if not at or not np.nanmax(np.concatenate(at)) > 0:
        return ""
    axis = LossAxis(clock, np.concatenate(at))
    found = [(panel, loss_lines(lines, axis)) for panel, lines in zip(panels, paths)]
    limits = shared_limits([np.log10(q) for _, lines in found for q in lines.values()])
    drawn = [
        (draw_loss(study, panel, lines, axis, limits), panel.describe("Loss along the run"))
        for panel, lines in found
        if lines
    ]
    caption = (
        ("Median" if len(study.methods) > BANDS else "Median and 10-90 %")
        + f" over {pooled_over(study, factor, NOISE)}{at_noise}, runs that ended well; the loss of"
        f" the whole training set with its noisy labels, logarithmic.{cut_of(study, factor)}"
    )
    methods = {m for _, lines in found for m in lines}
    heading = "Training loss along the run"
    return page.figure(heading, drawn, caption, method_legend(study, methods))


class LossAxis:
    """The places at which runs are compared, spaced by ratio where most records lie early."""

    def __init__(self, clock, records):
        records = records[np.isfinite(records)]
        positive = records[records > 0]
        self.clock = clock
        self.label = {"step": "step", "time": "training time t"}[clock]
        self.is_logarithmic = style.is_early(positive)
        self.places = (
            np.geomspace(np.percentile(positive, 1), positive.max(), 80)
            if self.is_logarithmic
            else np.linspace(records.min(), records.max(), 80)
        )


def loss_lines(paths, axis):
    """{method: 10 %, median, 90 % of the loss at the places of the axis}; positive values only."""
    lines = {}
    for method, found in paths.items():
        rows = [resample(p[axis.clock], axis.places, p["loss"]) for p in found]
        line = quantiles(rows)
        if line is not None:
            lines[method] = np.where(line > 0, line, np.nan)
    return lines


def draw_loss(study, panel, lines, axis, limits):
    """One panel of loss curves."""
    figure, axes = style.panel(panel.title)
    marks = np.linspace(8, len(axis.places) - 8, 4).astype(int)
    for method, (low, middle, high) in lines.items():
        if len(lines) > BANDS:
            low = high = middle
        style.band(axes, axis.places, low, middle, high, study.looks[method], marks)
    if axis.is_logarithmic:
        axes.set_xscale("log")
        style.log_ticks(axes.xaxis)
    axes.set_yscale("log")
    axes.set_ylim(10.0 ** np.array(limits))
    style.log_ticks(axes.yaxis)
    axes.set(xlabel=axis.label, ylabel="loss")
    return style.svg_uri(figure)
