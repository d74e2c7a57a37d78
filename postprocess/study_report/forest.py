"""The forest: paired effects on the outcome of every matching, method beside method, then cell by cell.

    from study_report.forest import picture_forests
    html = picture_forests(study)
"""

from dataclasses import dataclass

import numpy as np

import page
import style
from style import name, plain

from study_report.study import is_numeric
from study_report.verdict import tally

ALL = "all cells"
CELLS = 24  # of one method that fit a panel and stay readable
VERDICTS = {
    "helps": {"color": style.BLUE, "marker": "o"},
    "hurts": {"color": style.VERMILLION, "marker": "D"},
    "raises": {"color": style.GREEN, "marker": "^"},
    "lowers": {"color": style.PURPLE, "marker": "v"},
    "no difference seen": {"color": style.GREY, "marker": "o", "markerfacecolor": "white"},
    "too few pairs": {"color": style.GREY, "marker": "s", "markerfacecolor": "white"},
}


@dataclass(frozen=True)
class Forest:
    """Effects of one matching as groups of labelled rows, from above, with a gap between groups."""

    title: str
    groups: list  # of lists of (label, effect)
    bold: object = None  # the effect drawn larger

    @property
    def rows(self):
        """All rows."""
        return [row for group in self.groups for row in group]

    @property
    def effects(self):
        """All effects drawn."""
        return [effect for _, effect in self.rows]


def picture_forests(study):
    """One picture a matching, on one scale, with the cells, on one of theirs, folded away behind it."""
    found = {m: beside(study, m) for m in study.matchings}
    cells = {m: by_cell(study, m) for m in study.matchings}
    limits, wider = limits_of(found.values()), limits_of(cells.values())
    return "".join(
        picture_beside(study, m, found[m], limits) + picture_cells(study, m, cells[m], wider)
        for m in study.matchings
    )


def limits_of(pictures):
    """One range for all panels of all pictures."""
    effects = [e for forests in pictures for forest in forests for e in forest.effects]
    if not effects:
        return (-1, 1)
    ends = [value for e in effects for value in (e.low, e.high, e.mean, 0) if np.isfinite(value)]
    pad = 0.06 * (max(ends) - min(ends) or 1)
    return min(ends) - pad, max(ends) + pad


def beside(study, matching):
    """A forest over all cells and one a level, each with a row a method."""
    groups = {}
    for e in study.effects:
        if (e.measure, e.matching) == (study.outcome, matching) and len(e.fixed) < 2:
            groups.setdefault(label_of(e), []).append((e.method, e))
    return [Forest(title, [rows]) for title, rows in sorted(groups.items(), key=lambda g: g[0] != ALL)]


def by_cell(study, matching):
    """A forest a method: over all cells, over those of a level, and the cells, sorted."""
    if len(study.varied) < 2:
        return []
    forests = []
    for method in study.compared:
        rows = [
            e
            for e in study.effects
            if (e.measure, e.method, e.matching) == (study.outcome, method, matching)
        ]
        cells = sorted((e for e in rows if e.is_cell), key=lambda e: -abs(e.mean))[:CELLS]
        groups = [
            [e for e in rows if not e.fixed],
            [e for e in rows if e.fixed and not e.is_cell],
            sorted(cells, key=lambda e: -e.mean),
        ]
        labelled = [[(label_of(e), e) for e in group] for group in groups if group]
        if labelled:
            forests.append(Forest(method, labelled, next(iter(groups[0]), None)))
    return forests


def picture_beside(study, matching, forests, limits):
    """All methods under one matching, over all cells and level by level."""
    if not forests:
        return ""
    panels = [
        (draw_forest(study, f, limits), f"Paired differences in {name(study.outcome)}, {f.title}")
        for f in forests
    ]
    cells = [e for e in study.effects if e.is_cell and (e.measure, e.matching) == (study.outcome, matching)]
    caption = (
        f"Paired difference in {name(study.outcome)}, method − {study.baseline}: mean over seeds"
        " and 95 % bootstrap interval, over all cells and over those of each level. "
        + (f"Cell by cell, a method {tally(cells)}." if cells else "")
    )
    heading = "Where a method helps, and where it hurts" + (f": {matching}" if matching else "")
    return page.figure(heading, panels, caption, legend_of(forests), wide=330)


def picture_cells(study, matching, forests, limits):
    """The same cell by cell, folded away."""
    if not forests:
        return ""
    panels = [
        (
            draw_forest(study, f, limits),
            f"Paired differences in {name(study.outcome)} of {f.title}, cell by cell",
        )
        for f in forests
    ]
    hidden = sum(
        max(0, len(study.cells(study.outcome, f.title, matching)) - CELLS) for f in forests
    )
    caption = "Over all cells (bold), over those of one level, then cell by cell, sorted." + (
        f" The {hidden} cells nearest to 0 are not drawn; see effects.csv." if hidden else ""
    )
    title = "Cell by cell" + (f": {matching}" if matching else "")
    return (
        f"<details><summary>{page.escape(title)}</summary>"
        + page.figure(title, panels, caption, legend_of(forests), wide=400)
        + "</details>\n"
    )


def legend_of(forests):
    """Keys of the verdicts drawn."""
    used = {e.verdict for forest in forests for e in forest.effects}
    return [(style.swatch_marker(**VERDICTS[v]), v) for v in VERDICTS if v in used]


def label_of(effect):
    """What an effect is about, as a row's label."""
    parts = [
        f"{name(factor)} {level}" if is_numeric([level]) else level
        for factor, level in effect.fixed.items()
    ]
    return plain(", ".join(parts), 40) or ALL


def places_of(forest):
    """The height of each row, with a gap between the groups, and of the lines in the gaps."""
    group = np.repeat(np.arange(len(forest.groups)), [len(rows) for rows in forest.groups])
    places = np.arange(len(group)) + 0.6 * group
    lines = (places[1:] + places[:-1])[np.diff(group) > 0] / 2
    return places, lines


def draw_forest(study, forest, limits):
    """One panel."""
    places, lines = places_of(forest)
    margin = 0.3 + 0.056 * max(len(label) for label, _ in forest.rows)
    figure, axes = style.panel(forest.title, margin + 2.5, 1.1 + 0.16 * (places[-1] + 1), margin)
    for place, e in zip(places, forest.effects):
        kind = VERDICTS.get(e.verdict, VERDICTS["no difference seen"])
        bold = 1.8 if e is forest.bold else 1
        axes.plot([e.low, e.high], [place, place], color=kind["color"], linewidth=1.2 * bold)
        axes.plot([e.mean], [place], markersize=3.6 * bold, linestyle="none", **kind)
    for line in lines:
        axes.axhline(line, color="#BBBBBB", linewidth=0.8)
    axes.axvline(0, color="black", linewidth=0.9)
    difference = plain(f"{name(study.outcome)}, method − {study.baseline}", 50)
    axes.set(xlim=limits, ylim=(places[-1] + 0.8, -0.8), xlabel=difference)
    axes.set_yticks(places, [plain(label, 40) for label, _ in forest.rows], fontsize=7)
    style.rows_only(axes)
    return style.svg_uri(figure)
