#!/usr/bin/python3
"""The report of a study: verdict first, then pictures, tables, and the command that repeats it.

    postprocess/report.py results/study            writes results/study/report.html
    postprocess/report.py results/study --quiet    the same, saying nothing

It reads only what `thalweg study` wrote there: runs.csv, and where present effects.csv, shares.csv,
curves.csv, run.json and run.ini. The statistics are thalweg's own; this program words and draws
them. Any factors, methods and measures will do: what has no data is left out. Exit: 0 written,
2 misuse (no such directory, no runs), 4 the page could not be written.
"""

import argparse
import sys
import warnings
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import style  # first, for it says which package is missing

import numpy as np

import page
from page import Right, escape, floats
from style import interval, name, number, percent, plain

FIXED = ("run", "method", "seed", "status", "reason", "steps", "gradients", "time")
BAD = ("diverged", "failed")
OUTCOMES = (
    "test_accuracy",
    "best_accuracy",
    "validation_accuracy",
    "train_accuracy",
    "loss",
    "energy",
)
SMOOTHNESS = ("roughness", "turning")
PLAIN_METHODS = {
    "sgd",
    "gd",
    "momentum",
    "nesterov",
    "adam",
    "sam",
}  # methods in which nothing diffuses
FRAGMENTED = "islands"
FEWEST_PAIRS = 6  # 2 / 2^6 < .05: fewer pairs cannot reach it with a sign-flip test
FOREST_ROWS = 24  # cells of one method that fit a panel and stay readable
PANELS = 8  # levels of a factor that get a panel of their own
NAMED = 3  # methods named in one clause of the verdict
TABLE_ROWS = 400
BANDS = 4  # more methods than this overlap too much for filled bands


@dataclass(frozen=True)
class Effect:
    """One row of effects.csv: a paired difference, method - baseline, in a cell or pooled."""

    measure: str
    method: str
    levels: dict
    pairs: int
    mean: float
    low: float
    high: float
    p_holm: float
    verdict: str

    @property
    def stars(self):
        """Over how many factors the row is pooled."""
        return sum(level == "*" for level in self.levels.values())

    @property
    def where(self):
        """The levels that the row is about, in words; empty where it is about everything."""
        return ", ".join(level for level in self.levels.values() if level != "*")


@dataclass(frozen=True)
class Share:
    """One row of shares.csv: the share of a measure's variance that a term explains."""

    measure: str
    term: str
    share: float
    low: float
    high: float

    @property
    def group(self):
        """`method` for whatever it takes part in, else `data`, `seed`, `residual` or `other`."""
        parts = {part.strip() for part in self.term.split(" x ")}
        if any(
            part in ("method", "matching") or part.split(".")[0] in ("flow", "scheme", "study")
            for part in parts
        ):
            return "method"
        if parts & {"seed", "residual"}:
            return (parts & {"seed", "residual"}).pop()
        return "data" if all(part.startswith("data.") for part in parts) else "other"


class Study:
    """The tables of a study's directory."""

    def __init__(self, directory):
        self.directory = directory
        if not directory.is_dir():
            raise page.Missing(f"there is no directory '{directory}'.")
        if not (directory / "runs.csv").is_file():
            raise page.Missing(f"'{directory}' holds no runs.csv: is it the directory of a study?")
        self.columns = page.read_columns(directory / "runs.csv")
        self.size = len(next(iter(self.columns.values()), []))
        if not self.size:
            raise page.Missing(f"'{directory / 'runs.csv'}' holds no finished run yet.")
        header = list(self.columns)
        ends = [i for i, column in enumerate(header) if column in FIXED and column != "run"]
        self.factors = [c for c in header[: ends[0] if ends else 0] if c != "run"]
        self.method = np.array(self.columns.get("method", ["all runs"] * self.size))
        self.status = np.array(self.columns.get("status", ["done"] * self.size))
        self.fine = ~np.isin(self.status, BAD)
        self.values = {
            column: floats(self.columns[column])
            for column in header
            if column not in FIXED and column not in self.factors
        }
        self.measures = [m for m, values in self.values.items() if np.isfinite(values).any()]
        self.ini = page.read_text(directory / "run.ini")
        self.baseline, self.methods = self._methods()

    def _methods(self):
        methods = list(dict.fromkeys(self.method))
        against = {effect.method for effect in self.effects}
        unpaired = [m for m in methods if m not in against]
        chosen = page.setting(self.ini, "study.baseline") or "sgd"
        baseline = chosen if chosen in methods or not unpaired else unpaired[0]
        return baseline, sorted(methods, key=lambda m: m != baseline)

    @cached_property
    def effects(self):
        """The rows of effects.csv whose mean is known."""
        columns = page.read_columns(self.directory / "effects.csv")
        if not {"measure", "method", "mean"} <= set(columns):
            return []
        known = {"measure", "method", "pairs", "mean", "low", "high", "p", "p_holm", "verdict"}
        factors = [column for column in columns if column not in known]
        blank = [""] * len(columns["mean"])
        numbers = {
            k: floats(columns.get(k, blank)) for k in ("pairs", "mean", "low", "high", "p_holm")
        }
        return [
            Effect(
                columns["measure"][i],
                columns["method"][i],
                {f: columns[f][i] for f in factors},
                int(np.nan_to_num(numbers["pairs"][i])),
                *(float(numbers[k][i]) for k in ("mean", "low", "high", "p_holm")),
                columns.get("verdict", blank)[i].strip(),
            )
            for i in range(len(blank))
            if np.isfinite(numbers["mean"][i])
        ]

    @cached_property
    def shares(self):
        """The rows of shares.csv whose share is known."""
        columns = page.read_columns(self.directory / "shares.csv")
        if not {"measure", "term", "share"} <= set(columns):
            return []
        blank = [""] * len(columns["share"])
        numbers = [floats(columns.get(k, blank)) for k in ("share", "low", "high")]
        return [
            Share(m, t, *map(float, row))
            for m, t, *row in zip(columns["measure"], columns["term"], *numbers)
            if np.isfinite(row[0])
        ]

    @cached_property
    def curves(self):
        """{run: {column: values along the path}}; empty without curves.csv."""
        wanted = ("run", "time", "loss", "test_accuracy", "memorised")
        columns = page.read_columns(self.directory / "curves.csv", wanted)
        if not {"run", "time"} <= set(columns) or not columns["run"]:
            return {}
        names, index = np.unique(np.array(columns.pop("run")), return_inverse=True)
        columns = {key: floats(texts) for key, texts in columns.items()}
        order = np.argsort(index, kind="stable")
        order = order[np.isfinite(columns["time"][order])]
        bounds = np.searchsorted(index[order], np.arange(len(names) + 1))
        sorted_columns = {key: values[order] for key, values in columns.items()}
        return {
            str(run): {key: values[a:b] for key, values in sorted_columns.items()}
            for run, a, b in zip(names, bounds[:-1], bounds[1:])
            if b > a
        }

    @cached_property
    def outcome(self):
        """The measure that the verdict is about: test accuracy where there is one."""
        have = {effect.measure for effect in self.effects} | set(self.measures)
        return next((m for m in OUTCOMES if m in have), next(iter(self.measures), None))

    @cached_property
    def looks(self):
        """How each method is drawn."""
        return style.looks(self.methods)

    def levels(self, factor):
        """A factor's levels: numbers ascending, texts as they came."""
        levels = list(dict.fromkeys(self.columns[factor]))
        return sorted(levels, key=float) if is_numeric(levels) else levels

    def varied(self):
        """The factors with more than one level."""
        return [factor for factor in self.factors if len(self.levels(factor)) > 1]

    def where(self, factor=None, level=None, method=None):
        """Mask of the runs that ended well, at this level and of this method."""
        mask = self.fine.copy()
        if factor:
            mask &= np.array(self.columns[factor]) == level
        return mask & (self.method == method) if method else mask

    def compared(self):
        """The methods that were compared with the baseline."""
        against = {effect.method for effect in self.effects}
        return [m for m in self.methods if m in against] + sorted(against - set(self.methods))

    def pooled(self, measure, method, fixed=None):
        """The effects pooled over as many factors as there are, at the levels fixed."""
        rows = [
            e
            for e in self.effects
            if e.measure == measure
            and e.method == method
            and all(e.levels.get(factor) == level for factor, level in (fixed or {}).items())
        ]
        most = max((e.stars for e in rows), default=0)
        rows = [e for e in rows if e.stars == most]
        return rows if most or len(rows) == 1 else []

    def cells(self, measure, method=None):
        """The effects of single cells."""
        return [
            e
            for e in self.effects
            if e.measure == measure and e.method == (method or e.method) and not e.stars
        ]


def is_numeric(levels):
    """Whether all these texts are numbers."""
    return bool(np.isfinite([page.number_or_nan(level) for level in levels]).all())


def plural(count, noun):
    """3 runs, 1 run."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def listed(texts, more=NAMED):
    """The first few texts, and how many more there are."""
    rest = f" and {len(texts) - more} more" if len(texts) > more else ""
    return "; ".join(texts[:more]) + rest


def direction(effects, by_sign):
    """Where these effects of one method point; `by_sign`: below 0 is better."""
    seen = [e for e in effects if e.verdict in ("helps", "hurts")]
    if not seen:
        return "few" if all(e.verdict == "too few pairs" for e in effects) else "none"
    better = [e.mean < 0 if by_sign else e.verdict == "helps" for e in seen]
    return "better" if all(better) else "mixed" if any(better) else "worse"


def numbers_of(effects, named, fixed):
    """One method's effects, with the measures' names or without."""
    texts = []
    for e in effects:
        label = f"{name(e.measure)} " if named else ""
        at = "" if e.where in ("", *fixed.values()) else f"at {e.where} "
        texts.append(label + at + interval(e.mean, e.low, e.high))
    return ", ".join(texts)


def clauses(study, methods, measures, words, by_sign=False, fixed=None):
    """One clause a direction, "smoother: a (numbers); b (numbers)", largest first; and counts."""
    fixed = fixed or {}
    groups = {}
    for method in methods:
        effects = [e for measure in measures for e in study.pooled(measure, method, fixed)]
        if effects:
            size = max(abs(e.mean) for e in effects)
            text = f"{method} ({numbers_of(effects, len(measures) > 1, fixed)})"
            groups.setdefault(direction(effects, by_sign), []).append((size, text))
    words = {
        **words,
        "mixed": "mixed",
        "none": "no difference seen",
        "few": "too few pairs to tell",
    }
    parts = [
        f"{word}: {listed([text for _, text in sorted(groups[key], reverse=True)])}"
        for key, word in words.items()
        if key in groups
    ]
    return "; ".join(parts), {key: len(group) for key, group in groups.items()}


def claim_smooth(study):
    """Does diffusion smooth the gradient flow?"""
    diffusion = [m for m in study.compared() if m.split()[0] not in PLAIN_METHODS]
    text, counts = clauses(
        study, diffusion, SMOOTHNESS, {"better": "smoother", "worse": "rougher"}, True
    )
    if not text:
        return ""
    mark = ":" if "better" in counts else ";"
    return (
        f"{counts.get('better', 0)} of {sum(counts.values())} diffusion methods smooth"
        f" the path compared with {study.baseline}{mark} {text.removeprefix('smoother: ')}."
    )


def claim_stable(study):
    """Is convergence stable on fragmented data?"""
    bad = ~study.fine
    kinds = study.columns.get("data.kind") or [page.setting(study.ini, "data.kind")] * study.size
    islands = np.array([kind == FRAGMENTED for kind in kinds])
    counts = [f"{method} {count}" for method, count in Counter(study.method[bad]).most_common()]
    lost = f"{bad.sum()} of {plural(study.size, 'run')}"
    which = f" ({listed(counts, 4)})" if counts else ""
    if not islands.any():
        return f"No fragmented data ({FRAGMENTED}) here; {lost} diverged or failed{which}."
    text = f"{lost} diverged or failed{which}"
    if not islands.all():
        there = f"{(bad & islands).sum()} of {plural(islands.sum(), 'run')}"
        text = f"On {FRAGMENTED} {there} diverged or failed, in all {lost}{which}"
    known = any("data.kind" in e.levels for e in study.effects[:1])
    fixed = {"data.kind": FRAGMENTED} if known else {}
    words = {"better": "higher", "worse": "lower"}
    worst, _ = clauses(study, study.compared(), ["worst_fragment"], words, fixed=fixed)
    return f"{text}; accuracy on the worst fragment {worst}." if worst else f"{text}."


def claim_structure(study):
    """Does the data's structure dominate?"""
    shares = [s for s in study.shares if s.measure == study.outcome]
    groups = {key: [s for s in shares if s.group == key] for key in ("data", "method")}
    if not all(groups.values()):
        return ""

    def said(group):
        top = max(groups[group], key=lambda s: s.share)
        known = np.isfinite(top.low) and np.isfinite(top.high)
        span = f" [{percent(top.low)}, {percent(top.high)}]" if known else ""
        return (
            f"{percent(sum(s.share for s in groups[group]))} % (most by {top.term},"
            f" {percent(top.share)} %{span})"
        )

    conclusion = dominance(groups["data"], groups["method"])
    return (
        f"Data factors explain {said('data')} of the variance of {name(study.outcome)}, and the"
        f" method with all its interactions {said('method')}: {conclusion}."
    )


def dominance(data, method):
    """Which explains more, said only where its largest term clears the other's upper ends added."""

    def clears(a, b):
        return max(s.low for s in a) > sum(s.high for s in b)

    if clears(data, method):
        return "the data's structure dominates"
    return "the method dominates" if clears(method, data) else "neither clearly dominates"


def tally(effects):
    """In how many cells there was which verdict."""
    counts = Counter(e.verdict for e in effects)
    parts = [f"{word} in {counts[word]}" for word in ("helps", "hurts")]
    return f"{' and '.join(parts)} of {plural(len(effects), 'cell')}"


def claim_gains(study):
    """Do accuracy gains depend on the task?"""
    measure = study.outcome
    text, _ = clauses(study, study.compared(), [measure], {"better": "helps", "worse": "hurts"})
    text = f"Over all cells, {name(measure)}: {text}. " if text else ""
    by_cell = sorted(
        (
            (-sum(e.verdict in ("helps", "hurts") for e in cells), m, cells)
            for m in study.compared()
            if len(cells := study.cells(measure, m)) > 1
        ),
        key=lambda row: row[0],
    )
    seen = [f"{m} {tally(cells)}" for count, m, cells in by_cell if count]
    quiet = [m for count, m, _ in by_cell if not count]
    if quiet:
        seen.append(f"no difference seen in any cell with {', '.join(quiet)}")
    return text + (f"Cell by cell, {listed(seen, 4)}." if seen else "")


def too_few(study):
    """A warning where the pairs cannot carry a verdict; else nothing."""
    if not study.effects:
        return ""
    cells = max((e.pairs for e in study.effects if not e.stars), default=FEWEST_PAIRS)
    if max(e.pairs for e in study.effects) < FEWEST_PAIRS:
        return (
            f"Nothing can be significant here: no comparison has the {FEWEST_PAIRS} pairs below"
            " which a sign-flip test never reaches p < .05, so read the numbers as a rehearsal."
        )
    if cells < FEWEST_PAIRS:
        return (
            "In single cells nothing can be significant: they hold at most"
            f" {plural(cells, 'pair')}, and a sign-flip test needs {FEWEST_PAIRS} to reach p < .05;"
            " only pooled effects can."
        )
    return ""


def verdict(study):
    """The one paragraph that answers the study's questions."""
    claims = [
        ("", too_few(study)),
        ("Does diffusion smooth the gradient flow?", claim_smooth(study)),
        ("Is convergence stable on fragmented data?", claim_stable(study)),
        ("Does the data's structure dominate?", claim_structure(study)),
        ("Do accuracy gains depend on the task?", claim_gains(study)),
    ]
    said = [f"<b>{escape(question)}</b> {escape(answer)}" for question, answer in claims if answer]
    if study.effects:
        said.append(
            "<span class=about>Numbers are mean paired differences, method −"
            f" {escape(study.baseline)}, with 95 % intervals; helps and hurts are said only where"
            " the interval excludes 0 and Holm's adjusted p is below .05.</span>"
        )
    else:
        said.append("There are no paired effects: a comparison needs a second method.")
    return f'<p class="verdict">{"<br>".join(said)}</p>\n'


VERDICTS = {
    "helps": {"color": style.BLUE, "marker": "o"},
    "hurts": {"color": style.VERMILLION, "marker": "D"},
    "no difference seen": {"color": style.GREY, "marker": "o", "markerfacecolor": "white"},
    "too few pairs": {"color": style.GREY, "marker": "s", "markerfacecolor": "white"},
}


def spread(values):
    """10 %, median and 90 % of the finite values."""
    values = values[np.isfinite(values)]
    return np.percentile(values, (10, 50, 90)) if values.size else np.full(3, np.nan)


def method_legend(study, methods):
    """Keys of the methods drawn."""
    return [(style.swatch(study.looks[m]), m) for m in methods]


def picture_forest(study):
    """Paired effects: every cell of every method, the pooled one on top."""
    measure = study.outcome if any(e.measure == study.outcome for e in study.effects) else None
    measure = measure or next((e.measure for e in study.effects), None)
    rows = {m: forest_rows(study, measure, m) for m in study.compared()}
    rows = {m: found for m, found in rows.items() if found[0] or found[1]}
    if not rows:
        return ""
    drawn = [e for top, cells, _ in rows.values() for e in top + cells]
    ends = [value for e in drawn for value in (e.low, e.high, e.mean, 0) if np.isfinite(value)]
    pad = 0.06 * (max(ends) - min(ends) or 1)
    limits = (min(ends) - pad, max(ends) + pad)
    margin = 0.3 + 0.056 * max(len(label_of(e)) for e in drawn)
    panels = [
        (
            draw_forest(study, m, measure, *rows[m], limits, margin),
            f"Paired differences in {name(measure)} of {m}, cell by cell",
        )
        for m in rows
    ]
    cells = [e for m in rows for e in study.cells(measure, m)]
    cut = sum(hidden for _, _, hidden in rows.values())
    caption = (
        f"Paired difference in {name(measure)}, method − {study.baseline}: mean over seeds and 95 %"
        " bootstrap interval a cell, sorted, the pooled effect bold on top. "
        + (f"In all, a method {tally(cells)}." if cells else "")
        + (f" The {cut} cells nearest to 0 are not drawn; effects.csv holds them." if cut else "")
    )
    used = {e.verdict for e in drawn}
    legend = [(style.swatch_marker(**VERDICTS[v]), v) for v in VERDICTS if v in used]
    return page.figure(
        "Where a method helps, and where it hurts",
        panels,
        caption,
        legend,
        round(90 * (margin + 2.4)),
    )


def label_of(effect):
    """The cell that an effect is about, as a row's label."""
    return plain(effect.where, 40) or "all cells"


def forest_rows(study, measure, method):
    """The pooled effects, the cells to draw, and how many nearer to 0 were left out."""
    top = [e for e in study.pooled(measure, method) if e.stars]
    cells = sorted(study.cells(measure, method), key=lambda e: -abs(e.mean))
    drawn = sorted(cells[:FOREST_ROWS], key=lambda e: -e.mean)
    return top, drawn, len(cells) - len(drawn)


def draw_forest(study, method, measure, top, cells, hidden, limits, margin):
    """One method's forest."""
    y = np.arange(len(top + cells), dtype=float)
    y += 0.5 * (y >= len(top))
    gap = len(top) + sum(e.mean > 0 for e in cells)  # the cells left out lie between the signs
    if hidden:
        y[gap:] += 1.2
    last = max(y[-1], gap + 0.7) if hidden else y[-1]
    figure, axes = style.panel(method, margin + 2.5, 1.1 + 0.16 * (last + 1), margin)
    for place, e in zip(y, top + cells):
        kind = VERDICTS.get(e.verdict, VERDICTS["no difference seen"])
        bold = 1.8 if e in top else 1
        axes.plot([e.low, e.high], [place, place], color=kind["color"], linewidth=1.2 * bold)
        axes.plot([e.mean], [place], markersize=3.6 * bold, linestyle="none", **kind)
    if hidden:
        axes.text(
            np.mean(limits),
            gap + 0.6,
            f"{hidden} cells nearer to 0 not drawn",
            ha="center",
            va="center",
            fontsize=7,
            color=style.GREY,
            style="italic",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    if top and cells:
        axes.axhline(len(top) - 0.25, color="#BBBBBB", linewidth=0.8)
    axes.axvline(0, color="black", linewidth=0.9)
    axes.set(
        xlim=limits,
        ylim=(last + 0.8, -0.8),
        xlabel=plain(f"{name(measure)}, method − {study.baseline}", 50),
    )
    axes.set_yticks(y, map(label_of, top + cells), fontsize=7)
    style.rows_only(axes)
    return style.svg_uri(figure)


GROUPS = {
    "data": ("data factors", style.BLUE, ""),
    "method": ("method, with its interactions", style.VERMILLION, "////"),
    "other": ("other factors", style.GREEN, ".."),
    "seed": ("seed", "#BBBBBB", "xx"),
    "residual": ("residual", "#E2E2E2", ""),
}


def picture_shares(study):
    """Variance shares: a bar a term."""
    measures = list(dict.fromkeys(s.measure for s in study.shares))
    measures = sorted(measures, key=lambda m: m != study.outcome)[:4]
    if not measures:
        return ""
    panels = [
        (draw_shares([s for s in study.shares if s.measure == m]), f"Variance shares of {name(m)}")
        for m in measures
    ]
    top = max((s for s in study.shares if s.measure == measures[0]), key=lambda s: s.share)
    used = {s.group for s in study.shares}
    legend = [(style.swatch_bar(*GROUPS[g][1:]), GROUPS[g][0]) for g in GROUPS if g in used]
    caption = (
        f"The largest term of {name(measures[0])} is {top.term}, {percent(top.share)} %. Sums of"
        " squares of the balanced design over the total, with 95 % bootstrap intervals over seeds."
    )
    return page.figure("What explains the differences", panels, caption, legend, 400)


def draw_shares(shares):
    """One measure's bars, largest first, the residual last."""
    shares = sorted(shares, key=lambda s: (s.group == "residual", -s.share))[:20]
    labels = [plain(s.term) for s in shares]
    y = np.arange(len(shares))
    figure, axes = style.panel(
        name(shares[0].measure), 4.4, 1.1 + 0.2 * len(y), 0.3 + 0.062 * max(map(len, labels)), 0.45
    )
    for place, s in zip(y, shares):
        _, colour, hatch = GROUPS[s.group]
        axes.barh(
            place,
            100 * s.share,
            height=0.7,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            linewidth=0,
        )
        end = s.share
        if np.isfinite(s.low) and np.isfinite(s.high):
            axes.plot(
                [100 * s.low, 100 * s.high],
                [place, place],
                color="black",
                linewidth=1.1,
                marker="|",
                markersize=5,
            )
            end = max(s.share, s.high)
        axes.annotate(
            f"{percent(s.share)} %",
            (100 * end, place),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
        )
    axes.set_yticks(y, labels, fontsize=7.5)
    style.rows_only(axes)
    axes.set(ylim=(len(y) - 0.4, -0.6), xlabel="share of the variance, %")
    axes.set_xlim(left=min(0, axes.get_xlim()[0]))
    return style.svg_uri(figure)


def factor_across(study):
    """The factor along the axis: label noise, else the numeric one with most levels, else any."""
    varied = study.varied()
    numeric = [f for f in varied if is_numeric(study.levels(f))]
    if "data.noise" in numeric:
        return "data.noise"
    return max(numeric or varied, key=lambda f: len(study.levels(f)), default=None)


def factor_of_panels(study, across):
    """The factor whose levels get a panel each: the kind of data, else another text factor."""
    rest = [f for f in study.varied() if f != across]
    texts = [f for f in rest if not is_numeric(study.levels(f))]
    return "data.kind" if "data.kind" in rest else next(iter(texts), None)


def panel_levels(study, factor):
    """The levels to draw, a panel each (one without a factor), and a remark on those left out."""
    levels = study.levels(factor) if factor else [None]
    cut = (
        f" Only the first {PANELS} of {len(levels)} levels of {name(factor)} are drawn."
        if len(levels) > PANELS
        else ""
    )
    return levels[:PANELS], cut


def picture_accuracy(study):
    """The outcome against label noise, one panel a kind of data."""
    measure, across = study.outcome, factor_across(study)
    if measure not in study.measures:
        return ""
    if not across:
        return page.figure(
            f"How well each method does: {name(measure)}",
            [draw_ranges(study, measure)],
            (
                f"Median, 25-75 % (thick) and 10-90 % (thin) of {name(measure)} over "
                f"{plural(int(study.fine.sum()), 'run')} that ended well."
            ),
        )
    factor = factor_of_panels(study, across)
    levels, cut = panel_levels(study, factor)
    found = {
        level: {m: across_levels(study, measure, across, factor, level, m) for m in study.methods}
        for level in levels
    }
    limits = shared_limits([rows for lines in found.values() for rows in lines.values()])
    panels = [
        (
            draw_across(study, measure, across, level, found[level], limits),
            f"{name(measure)} against {name(across)} per method" + (f", {level}" if level else ""),
        )
        for level in levels
    ]
    others = [name(f) for f in study.varied() if f not in (across, factor)]
    caption = (
        f"{seen_across(study, measure, across, found)}Median and 10-90 % over "
        f"{' and '.join(['seeds'] + others)}, runs that ended well.{cut}"
    )
    return page.figure(
        f"{name(measure).capitalize()} against {name(across)}",
        panels,
        caption,
        method_legend(study, study.methods),
    )


def across_levels(study, measure, across, factor, level, method):
    """Rows of 10 %, median, 90 %, one a level of the factor across."""
    mask = study.where(factor, level, method)
    column = np.array(study.columns[across])
    return np.array(
        [spread(study.values[measure][mask & (column == here)]) for here in study.levels(across)]
    )


def shared_limits(arrays):
    """One vertical range for all panels."""
    values = np.concatenate([a.ravel() for a in arrays])
    values = values[np.isfinite(values)]
    low, high = (values.min(), values.max()) if values.size else (0, 1)
    pad = 0.05 * (high - low) or 0.05 * abs(high) or 0.05
    return low - pad, high + pad


def draw_across(study, measure, across, level, lines, limits):
    """One panel: a line a method; bands where they are few, dodged bars where they are many."""
    levels = study.levels(across)
    numeric = is_numeric(levels)
    x = np.array([float(v) for v in levels]) if numeric else np.arange(len(levels), dtype=float)
    figure, axes = style.panel(level or "")
    step = np.diff(x).min() if len(x) > 1 else 1
    for i, (m, rows) in enumerate(lines.items()):
        look = study.looks[m]
        if len(lines) <= BANDS and numeric:
            style.band(axes, x, *rows.T, look)
            continue
        at = x + (i - (len(lines) - 1) / 2) * 0.6 * step / len(lines)
        known = np.isfinite(rows[:, 1])
        axes.vlines(
            at[known], rows[known, 0], rows[known, 2], color=look.colour, linewidth=0.9, alpha=0.6
        )
        axes.plot(
            at,
            rows[:, 1],
            color=look.colour,
            marker=look.marker,
            markersize=3.5,
            linestyle=look.dash if numeric else "none",
            linewidth=1,
        )
    axes.set(ylim=limits, xlabel=plain(name(across)), ylabel=plain(name(measure)))
    if numeric and len(x) <= 7:
        axes.set_xticks(x, levels)
    elif not numeric:
        axes.set_xticks(x, [plain(v, 12) for v in levels], rotation=25 if len(levels) > 4 else 0)
    return style.svg_uri(figure)


def seen_across(study, measure, across, found):
    """How far the baseline moves along the factor, against how far apart the methods are."""
    levels = study.levels(across)
    base = across_levels(study, measure, across, None, None, study.baseline)[:, 1]
    if not np.isfinite(base).all():
        return ""
    text = (
        f"From {name(across)} {levels[0]} to {levels[-1]} the median of {study.baseline} goes from "
        f"{number(base[0])} to {number(base[-1])}"
    )
    middles = {
        level: np.array([rows[:, 1] for rows in lines.values()]) for level, lines in found.items()
    }
    gaps = [
        (gap, level, here)
        for level, rows in middles.items()
        for gap, here in zip(np.ptp(rows, axis=0), levels)
        if np.isfinite(gap)
    ]
    if not gaps or len(study.methods) < 2:
        return text + ". "
    gap, level, here = max(gaps, key=lambda row: row[0])
    at = ", ".join(filter(None, (level, here)))
    return f"{text}; the methods' medians are at most {number(gap, 2)} apart ({at}). "


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
        warnings.simplefilter(
            "ignore", RuntimeWarning
        )  # columns without any value are dropped on the next line
        found = np.nanpercentile(rows, (10, 50, 90), axis=0)
    return np.where(counts * 2 >= len(rows), found, np.nan)


def curves_of(study, mask, *needed):
    """The recorded paths of these runs, where they hold the columns needed."""
    names = np.array(study.columns.get("run", []))
    paths = [study.curves.get(str(run)) for run in (names[mask] if len(names) else [])]
    return [path for path in paths if path and all(key in path for key in needed)]


def noisiest(study):
    """Mask of the runs with most label noise, where paths differ most, and the words for it."""
    if "data.noise" not in study.varied():
        return np.ones(study.size, bool), ""
    noise = study.levels("data.noise")[-1]
    return np.array(study.columns["data.noise"]) == noise, f" at label noise {noise}"


def picture_memorised(study):
    """Accuracy against memorised share along the path: free of the learning rate and of time."""
    x, y = "memorised", "test_accuracy"
    noisy, at_noise = noisiest(study)
    factor = factor_of_panels(study, "data.noise")
    levels, cut = panel_levels(study, factor)
    shares = np.linspace(0, 1, 40)
    found = {}
    for level in levels:
        lines = {}
        for m in study.methods:
            paths = curves_of(study, study.where(factor, level, m) & noisy, x, y)
            line = [
                quantiles([resample(share_of_run(p), shares, p[key]) for p in paths])
                for key in (x, y)
            ]
            if all(part is not None for part in line):
                lines[m] = (line[0][1], line[1][1])
        if lines:
            found[level] = lines
    if not found:
        return ""
    limits = shared_limits([line[1] for lines in found.values() for line in lines.values()])
    panels = [
        (
            draw_memorised(study, level, lines, limits),
            "Test accuracy against memorised share along the path"
            + (f", {level}" if level else ""),
        )
        for level, lines in found.items()
    ]
    best = max(
        (np.nanmax(line[1]), m, level)
        for level, lines in found.items()
        for m, line in lines.items()
    )
    caption = (
        "Up and left is better: right without memorising wrong labels. The highest median,"
        f" {number(best[0])}, is {best[1]}'s"
        + (f" on {best[2]}" if best[2] else "")
        + f". Medians over runs{at_noise} "
        + f"at equal shares of each run, from its start (hollow) to its end (filled).{cut}"
    )
    return page.figure(
        "Accuracy against memorising, along the path",
        panels,
        caption,
        method_legend(study, [m for m in study.methods if any(m in f for f in found.values())]),
    )


def share_of_run(path):
    """Time as a share of the run."""
    time = path["time"]
    length = np.nanmax(time) - np.nanmin(time)
    return (time - np.nanmin(time)) / (length or 1)


def draw_memorised(study, level, lines, limits):
    """One panel of paths."""
    figure, axes = style.panel(level or "")
    for m, (x, y) in lines.items():
        look = study.looks[m]
        known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        axes.plot(x, y, color=look.colour, linestyle=look.dash)
        for i, fill in zip(known[[0, -1]] if known.size else (), ("white", look.colour)):
            axes.plot(
                x[i],
                y[i],
                marker=look.marker,
                color=look.colour,
                markerfacecolor=fill,
                markersize=6,
            )
    axes.set(ylim=limits, xlabel="memorised share of the wrong labels", ylabel="test accuracy")
    axes.set_xlim(left=-0.02)
    return style.svg_uri(figure)


def picture_smoothness(study):
    """Roughness and turning of each method."""
    measures = [m for m in SMOOTHNESS if m in study.measures]
    if not measures:
        return ""
    middle = {m: spread(study.values[measures[0]][study.where(method=m)])[1] for m in study.methods}
    middle = {m: value for m, value in middle.items() if np.isfinite(value)}
    if not middle:
        return ""
    best = min(middle, key=middle.get)
    base = (
        f" ({study.baseline}: {number(middle[study.baseline])})"
        if study.baseline in middle and best != study.baseline
        else ""
    )
    caption = (
        f"The lowest median {measures[0]} is {best}'s, {number(middle[best])}{base}; smaller is"
        " smoother. Median, 25-75 % (thick) and 10-90 % (thin) over all runs that ended well; the"
        " full gradient on a time grid that all methods share."
    )
    return page.figure("How smooth the path is", [draw_ranges(study, m) for m in measures], caption)


def draw_ranges(study, measure):
    """One measure, a row a method: (picture, description)."""
    labels = [plain(m, 26) for m in study.methods]
    figure, axes = style.panel(
        name(measure), 3.6, 1.0 + 0.24 * len(labels), 0.3 + 0.066 * max(map(len, labels))
    )
    for row, m in enumerate(study.methods):
        values = study.values[measure][study.where(method=m)]
        values = values[np.isfinite(values)]
        if values.size:
            ends = np.percentile(values, (10, 25, 50, 75, 90))
            look = study.looks[m]
            axes.plot(ends[[0, 4]], [row, row], color=look.colour, linewidth=1.2)
            axes.plot(
                ends[[1, 3]],
                [row, row],
                color=look.colour,
                linewidth=4.5,
                alpha=0.45,
                solid_capstyle="butt",
            )
            axes.plot(ends[2], row, color=look.colour, marker=look.marker, markersize=6)
    axes.set_yticks(range(len(labels)), labels)
    style.rows_only(axes)
    axes.set(ylim=(len(labels) - 0.4, -0.6), xlabel=plain(name(measure)))
    return style.svg_uri(figure), f"{name(measure)} per method: medians and ranges"


def picture_loss(study):
    """Loss against training time."""
    noisy, at_noise = noisiest(study)
    factor = factor_of_panels(study, "data.noise")
    levels, cut = panel_levels(study, factor)
    paths = {
        level: {
            m: curves_of(study, study.where(factor, level, m) & noisy, "loss")
            for m in study.methods
        }
        for level in levels
    }
    times = [p["time"] for lines in paths.values() for found in lines.values() for p in found]
    if not times or not np.nanmax(np.concatenate(times)) > 0:
        return ""
    grid, logarithmic = time_grid(np.concatenate(times))
    found = {
        level: {
            m: quantiles([resample(p["time"], grid, p["loss"]) for p in group])
            for m, group in lines.items()
        }
        for level, lines in paths.items()
    }
    found = {
        level: {m: q for m, q in lines.items() if q is not None} for level, lines in found.items()
    }
    limits = [np.array(list(lines.values())) for lines in found.values() if lines]
    panels = [
        (
            draw_loss(study, level, lines, grid, logarithmic, limits),
            "Loss against training time" + (f", {level}" if level else ""),
        )
        for level, lines in found.items()
        if lines
    ]
    if not panels:
        return ""
    others = [name(f) for f in study.varied() if f not in (factor, "data.noise")]
    statistic = "Median" if len(study.methods) > BANDS else "Median and 10-90 %"
    caption = (
        f"{seen_loss(study, noisy, at_noise)}{statistic} over {' and '.join(['seeds'] + others)}, "
        "runs that ended well, interpolated to shared times t; one descent step of size η spans η "
        f"of t.{cut}"
    )
    return page.figure(
        "Loss against training time",
        panels,
        caption,
        method_legend(study, [m for m in study.methods if any(m in f for f in found.values())]),
    )


def time_grid(times):
    """80 times to compare runs at, spaced as the records: by ratio where most of them are early."""
    times = times[np.isfinite(times)]
    positive = times[times > 0]
    logarithmic = np.median(positive) < 0.2 * positive.max()
    if logarithmic:
        return np.geomspace(np.percentile(positive, 1), positive.max(), 80), True
    return np.linspace(times.min(), times.max(), 80), False


def draw_loss(study, level, lines, grid, logarithmic, limits):
    """One panel of loss curves."""
    figure, axes = style.panel(level or "")
    marks = np.linspace(8, len(grid) - 8, 4).astype(int)
    values = np.concatenate([a.ravel() for a in limits])
    values = values[np.isfinite(values)]
    for m, (low, middle, high) in lines.items():
        if len(lines) > BANDS:
            low = high = middle
        style.band(axes, grid, low, middle, high, study.looks[m], marks)
    if logarithmic:
        axes.set_xscale("log")
        style.log_ticks(axes.xaxis)
    if values.min() > 0:
        axes.set_yscale("log")
        axes.set_ylim(values.min() / 1.15, values.max() * 1.15)
        style.log_ticks(axes.yaxis)
    axes.set(xlabel="training time t", ylabel="loss")
    return style.svg_uri(figure)


def seen_loss(study, noisy, at_noise):
    """Which method ends lowest."""
    if "loss" not in study.measures:
        return ""
    ends = {
        m: spread(study.values["loss"][study.where(method=m) & noisy])[1] for m in study.methods
    }
    ends = {m: value for m, value in ends.items() if np.isfinite(value)}
    best = min(ends, key=ends.get, default=None)
    return (
        f"The lowest median loss at the end{at_noise} is {best}'s, {number(ends[best])}. "
        if best
        else ""
    )


PICTURES = (
    picture_forest,
    picture_shares,
    picture_accuracy,
    picture_memorised,
    picture_smoothness,
    picture_loss,
)


def effect_table(effects, baseline, caption):
    """Effects as a table; a factor over which all rows are pooled gets no column."""
    factors = [
        f
        for f in (effects[0].levels if effects else ())
        if any(e.levels[f] != "*" for e in effects)
    ]
    rows = [
        [
            name(e.measure),
            e.method,
            *(e.levels[f].replace("*", "all") for f in factors),
            Right(e.pairs),
            Right(interval(e.mean, e.low, e.high)),
            Right(number(e.p_holm, 2)),
            e.verdict,
        ]
        for e in effects[:TABLE_ROWS]
    ]
    header = [
        "measure",
        "method",
        *map(name, factors),
        "pairs",
        f"mean − {baseline} [95 %]",
        "p (Holm)",
        "verdict",
    ]
    return page.table(header, rows, caption) if rows else ""


def table_pooled(study):
    """All measures, pooled."""
    measures = list(dict.fromkeys(e.measure for e in study.effects))
    effects = [
        e for measure in measures for m in study.compared() for e in study.pooled(measure, m)
    ]
    return effect_table(effects, study.baseline, "Paired effects over all cells")


def table_methods(study):
    """Runs, losses of runs and medians of every method."""
    shown = [
        m
        for m in (*OUTCOMES, "memorised", "worst_fragment", *SMOOTHNESS, "path_ratio")
        if m in study.measures
    ]
    rows = []
    for method in study.methods:
        mine = study.method == method
        states = [Right(int((mine & (study.status == state)).sum())) for state in BAD]
        medians = [Right(number(spread(study.values[m][mine & study.fine])[1])) for m in shown]
        rows.append([method, Right(int(mine.sum())), *states, *medians])
    return page.table(
        ["method", "runs", *BAD, *map(name, shown)],
        rows,
        "Runs of each method, and medians over those that ended well",
    )


def table_shares(study):
    """Variance shares."""
    rows = [
        [
            name(s.measure),
            s.term,
            Right(f"{percent(s.share)} %"),
            Right(
                f"{percent(s.low)} to {percent(s.high)} %"
                if np.isfinite([s.low, s.high]).all()
                else "–"
            ),
        ]
        for s in study.shares
    ]
    return (
        page.table(["measure", "term", "share", "95 % interval"], rows, "Variance shares")
        if rows
        else ""
    )


def table_cells(study):
    """The outcome cell by cell, folded away."""
    cells = study.cells(study.outcome)
    if len(cells) < 2:
        return ""
    cut = (
        f", the first {TABLE_ROWS} of {len(cells)}; effects.csv holds them all"
        if len(cells) > TABLE_ROWS
        else ""
    )
    return (
        f"<details><summary>Paired effects on {escape(name(study.outcome))}, cell by"
        f" cell{cut}</summary>"
        + effect_table(cells, study.baseline, "")
        + "</details>\n"
    )


def table_bad(study):
    """The runs that did not end well: counted and shown, never dropped in silence."""
    bad = np.flatnonzero(~study.fine)
    columns = [
        c
        for c in ("run", *study.factors, "method", "seed", "status", "reason")
        if c in study.columns
    ]
    rows = [[study.columns[c][i] for c in columns] for i in bad[:30]]
    if not rows:
        return ""
    cut = f", the first 30 of {len(bad)}" if len(bad) > 30 else ""
    return page.table([name(c) for c in columns], rows, f"Runs that diverged or failed{cut}")


TABLES = (table_pooled, table_methods, table_shares, table_bad, table_cells)


def about(study):
    """What was run, in one line."""
    parts = [
        plural(len(study.methods), "method"),
        *(f"{len(study.levels(f))} levels of {name(f)}" for f in study.varied()),
    ]
    seeds = len(set(study.columns.get("seed", [])))
    parts += [plural(seeds, "seed")] if seeds else []
    return (
        f"{plural(study.size, 'run')}: {', '.join(parts)}; compared with {study.baseline} in pairs."
    )


def write_report(directory):
    """Writes report.html into a study's directory and returns its path."""
    study = Study(Path(directory))
    body = "".join(
        [
            f'<h1>When does diffusion help?</h1>\n<p class="about">{escape(about(study))}</p>\n',
            verdict(study),
            "<h2>Pictures</h2>\n",
            *(picture(study) for picture in PICTURES),
            "<h2>Tables</h2>\n",
            *(table(study) for table in TABLES),
            page.provenance(study.directory, "study"),
        ]
    )
    path = study.directory / "report.html"
    page.write(path, page.frame(f"thalweg: {study.directory.resolve().name}", body))
    return path


def main(arguments=None):
    """Reads the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        description="Write DIR/report.html from the tables of a thalweg study."
    )
    parser.add_argument("directory", metavar="DIR", help="the directory that `thalweg study` wrote")
    parser.add_argument("--quiet", action="store_true", help="do not say which file was written")
    options = parser.parse_args(arguments)
    warnings.filterwarnings(
        "ignore", message="Glyph .* missing"
    )  # a level may be named in any script
    try:
        path = write_report(options.directory)
    except page.Missing as error:
        print(f"report.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"report.py: cannot write the report: {error}.", file=sys.stderr)
        return 4
    if not options.quiet:
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
