"""The phase diagram: where on two dials a method helps or hurts.

    from study_report.phase import picture_phases
    html = picture_phases(study)

A study with two numeric factors of three levels or more has one: a cell a pair of levels, its
colour the paired difference on the outcome, a mark where it is confirmed.
"""

import matplotlib
import numpy as np

import page
import style
from style import name, plain, signed

from study_report.study import is_numeric
from study_report.verdict import LOWER_IS_BETTER

LEVELS = 3  # of a factor that count as a dial
PANELS = 16
# Brown to blue-green: its ends differ in lightness and hue for all kinds of colour vision.
COLOURS = matplotlib.colormaps["BrBG"]
MARKS = {"helps": "▲", "hurts": "▼"}


def dials_of(study):
    """The two dials: label noise across where it is one, the other up; None without two."""
    dials = [f for f in study.varied if len(study.levels(f)) >= LEVELS and is_numeric(study.levels(f))]
    if len(dials) != 2:
        return None
    return sorted(dials, key=lambda f: f != "data.noise")


def picture_phases(study):
    """One picture a matching: a panel a method and level of the remaining factors."""
    dials = dials_of(study)
    if not dials or not study.outcome:
        return ""
    found = {}
    for matching in study.matchings:
        for method in study.compared:
            for cell in study.cells(study.outcome, method, matching):
                rest = ", ".join(v for f, v in cell.levels.items() if f not in dials and f in study.varied)
                found.setdefault(matching, {}).setdefault((method, rest), []).append(cell)
    ends = [abs(c.mean) for panels in found.values() for cells in panels.values() for c in cells]
    if not ends:
        return ""
    reach = max(ends) or 1
    return "".join(picture_phase(study, m, panels, dials, reach) for m, panels in found.items())


def picture_phase(study, matching, panels, dials, reach):
    """All panels of one matching on one scale of colours."""
    across, up = dials
    what = name(study.outcome)
    drawn = list(panels.items())[:PANELS]
    pictures = [
        (
            draw_phase(study, ", ".join(filter(None, key)), cells, dials, reach),
            f"{what} of {key[0]} minus {study.baseline} over {name(across)} and {name(up)}",
        )
        for key, cells in drawn
    ]
    cut = f" {len(panels) - PANELS} more panels are in effects.csv." if len(panels) > PANELS else ""
    caption = (
        f"Paired difference in {what}, method − {study.baseline}: mean over seeds. A triangle marks"
        " what the interval and the adjusted p value confirm; a cell without one shows no confirmed"
        f" difference, whatever its colour.{cut}"
    )
    better = "lower is better" if study.outcome in LOWER_IS_BETTER else "higher is better"
    legend = [
        (style.swatch_bar(colour_of(share, 1), ""), f"{signed(share * reach, 3)}")
        for share in (-1, -0.5, 0, 0.5, 1)
    ]
    legend[-1] = (legend[-1][0], f"{legend[-1][1]} ({better})")
    heading = f"Phase diagram over {name(across)} and {name(up)}"
    return page.figure(
        heading + (f": {matching}" if matching else ""), pictures, caption, legend, wide=300
    )


def colour_of(value, reach):
    """Near white at no difference."""
    return COLOURS(0.5 + 0.45 * value / reach)


def draw_phase(study, title, cells, dials, reach):
    """One panel: a rectangle a cell."""
    across, up = dials
    columns, rows = study.levels(across), study.levels(up)
    figure, axes = style.panel(title, 3.5, 0.95 + 0.33 * len(rows), left=0.75)
    for cell in cells:
        x, y = columns.index(cell.levels[across]), rows.index(cell.levels[up])
        colour = colour_of(cell.mean, reach)
        axes.add_patch(matplotlib.patches.Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, color=colour))
        dark = np.dot(colour[:3], (0.299, 0.587, 0.114)) < 0.55
        axes.text(
            x, y, f"{signed(cell.mean, 3)} {MARKS.get(cell.verdict, '')}".rstrip(),
            ha="center", va="center", fontsize=6.5, color="white" if dark else "black",
            fontweight="bold" if cell.verdict in MARKS else "normal",
        )
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(-0.5, len(rows) - 0.5))
    axes.set(xlabel=plain(name(across)), ylabel=plain(name(up)))
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    return style.svg_uri(figure)
