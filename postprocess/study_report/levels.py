"""Medians of the runs: the outcome against label noise, and how smooth the paths are.

    from study_report.levels import picture_accuracy, picture_smoothness
    html = picture_accuracy(study) + picture_smoothness(study)
"""

import numpy as np

import page
import style
from style import name, number, plain

from study_report.panels import (
    BANDS,
    cut_of,
    factor_across,
    factor_of_panels,
    method_legend,
    panels_of,
    pooled_over,
    shared_limits,
)
from study_report.study import GEOMETRY, SMOOTHNESS, is_numeric, spread


def picture_accuracy(study):
    """The outcome against label noise, a panel a kind of data; as ranges where nothing varies."""
    measure, across = study.outcome, factor_across(study)
    if not measure:
        return ""
    if not across:
        heading = f"How well each method does: {name(measure)}"
        return page.figure(heading, range_panels(study, [measure]), RANGES)
    factor = factor_of_panels(study, across)
    found = {p.title: (p, rows_of(study, across, p)) for p in panels_of(study, factor)}
    limits = shared_limits([rows for _, lines in found.values() for rows in lines.values()])
    described = f"{name(measure)} against {name(across)} per method"
    panels = [
        (draw_across(study, across, panel.title, lines, limits), panel.describe(described))
        for panel, lines in found.values()
    ]
    caption = (
        f"{widest_gap(study, across, found)}Median and 10-90 % over"
        f" {pooled_over(study, across, factor)}, runs that ended well.{cut_of(study, factor)}"
    )
    heading = f"{name(measure).capitalize()} against {name(across)}"
    return page.figure(heading, panels, caption, method_legend(study, study.methods))


def rows_of(study, across, panel):
    """{method: rows of 10 %, median, 90 %, one a level of the factor across}."""
    values = study.values[study.outcome]
    return {
        m: np.array(
            [
                spread(values[study.where(panel.matching, m, **panel.fixed, **{across: level})])
                for level in study.levels(across)
            ]
        )
        for m in study.methods
    }


def draw_across(study, across, title, lines, limits):
    """One panel: a line a method; bands where they are few, dodged bars where they are many."""
    levels = study.levels(across)
    numeric = is_numeric(levels)
    x = np.array(levels, dtype=float) if numeric else np.arange(len(levels), dtype=float)
    figure, axes = style.panel(title)
    step = np.diff(x).min() if len(x) > 1 else 1
    for i, (m, rows) in enumerate(lines.items()):
        look = study.looks[m]
        if len(lines) <= BANDS and numeric:
            style.band(axes, x, *rows.T, look)
            continue
        at = x + (i - (len(lines) - 1) / 2) * 0.3 * step / len(lines)
        axes.vlines(at, rows[:, 0], rows[:, 2], color=look.colour, linewidth=0.9, alpha=0.6)
        axes.plot(at, rows[:, 1], color=look.colour, marker=look.marker, markersize=3.5,
                  linestyle=look.dash if numeric else "none", linewidth=1)
    axes.set(ylim=limits, xlabel=plain(name(across)), ylabel=plain(name(study.outcome)))
    if numeric and len(x) <= 7:
        axes.set_xticks(x, levels)
    elif not numeric:
        axes.set_xticks(x, [plain(v, 12) for v in levels], rotation=25 if len(levels) > 4 else 0)
    return style.svg_uri(figure)


def widest_gap(study, across, found):
    """How far apart the methods' medians are at most, and where."""
    gaps = [
        (gap, ", ".join(filter(None, (title, f"{name(across)} {level}"))))
        for title, (_, lines) in found.items()
        for gap, level in zip(
            np.ptp([rows[:, 1] for rows in lines.values()], axis=0), study.levels(across)
        )
        if np.isfinite(gap)
    ]
    if not gaps or len(study.methods) < 2:
        return ""
    gap, where = max(gaps)
    return f"The methods' medians are at most {number(gap, 2)} apart ({where}). "


RANGES = (
    "Median, 25-75 % (thick) and 10-90 % (thin) over all runs that ended well. The bands hold the"
    " spread between seeds and cells; paired differences are in the tables."
)


def picture_smoothness(study):
    """Roughness and turning of each method."""
    measures = [m for m in SMOOTHNESS if m in study.values]
    caption = f"Smaller is smoother. {RANGES} Taken from the full gradient at the recorded times."
    panels = range_panels(study, measures)
    return page.figure("How smooth the path is", panels, caption) if panels else ""


def picture_geometry(study):
    """Sharpness and trace of each method."""
    measures = [m for m in GEOMETRY if m in study.values]
    caption = f"Largest eigenvalue and trace of the Hessian of the training loss at the end. {RANGES}"
    panels = range_panels(study, measures)
    return page.figure("How sharp the loss is where it ends", panels, caption) if panels else ""


def range_panels(study, measures):
    """A panel a matching and measure: (picture, description)."""
    parts = panels_of(study)
    return [
        (
            draw_ranges(study, measure, panel, range_limits(study, measure, parts)),
            panel.describe(f"{name(measure)} per method: medians and ranges"),
        )
        for panel in parts
        for measure in measures
    ]


def range_limits(study, measure, parts):
    """One axis for all panels of a measure."""
    values = study.values[measure]
    return shared_limits(
        [spread(values[study.where(panel.matching, m)]) for panel in parts for m in study.methods]
    )


def draw_ranges(study, measure, panel, limits):
    """One measure, a row a method."""
    labels = [plain(m, 26) for m in study.methods]
    left = 0.3 + 0.066 * max(map(len, labels))
    figure, axes = style.panel(panel.title, 3.6, 1.0 + 0.24 * len(labels), left)
    for row, m in enumerate(study.methods):
        values = study.values[measure][study.where(panel.matching, m)]
        values = values[np.isfinite(values)]
        if values.size:
            ends = np.percentile(values, (10, 25, 50, 75, 90))
            look = study.looks[m]
            thick = {"linewidth": 4.5, "alpha": 0.45, "solid_capstyle": "butt"}
            axes.plot(ends[[0, 4]], [row, row], color=look.colour, linewidth=1.2)
            axes.plot(ends[[1, 3]], [row, row], color=look.colour, **thick)
            axes.plot(ends[2], row, color=look.colour, marker=look.marker, markersize=6)
    axes.set_yticks(range(len(labels)), labels)
    style.rows_only(axes)
    axes.set(xlim=limits, ylim=(len(labels) - 0.4, -0.6), xlabel=plain(name(measure)))
    return style.svg_uri(figure)
