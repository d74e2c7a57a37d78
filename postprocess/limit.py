#!/usr/bin/python3
"""The picture and the report of a continuum limit.

    postprocess/limit.py results/limit-1            limit.png and report.html
    postprocess/limit.py results/limit-1 --quiet    the same, saying nothing

It reads only what `thalweg limit` wrote there: limit.csv, fit.csv, and where present run.json and
run.ini. Exit: 0 written, 2 misuse (no such directory, no errors), 4 a picture could not be written.
"""

import sys
from pathlib import Path

import style  # first, for it says which package is missing

import numpy as np

import page
from page import Right, escape
from style import number


def read_series(directory):
    """limit.csv as {series: (parameter, error, standard error)}, each in ascending order."""
    if not directory.is_dir():
        raise page.Missing(f"there is no directory '{directory}'.")
    columns = page.read_columns(directory / "limit.csv")
    if not columns or not columns["series"]:
        raise page.Missing(f"'{directory}' holds no limit.csv with any error.")
    names = np.array(columns["series"])
    numbers = [page.floats(columns[key]) for key in ("parameter", "error", "standard_error")]
    series = {}
    for label in dict.fromkeys(columns["series"]):
        rows = np.flatnonzero(names == label)
        rows = rows[np.argsort(numbers[0][rows])]
        series[label] = tuple(values[rows] for values in numbers)
    return series


def read_fits(directory):
    """fit.csv as {series: {column: number}}."""
    columns = page.read_columns(directory / "fit.csv")
    labels = columns.pop("series", [])
    return {
        label: {key: page.number_or_nan(texts[i]) for key, texts in columns.items()}
        for i, label in enumerate(labels)
    }


def thetas_of(series, ending):
    """The series of theta methods with this ending, by theta."""
    found = {}
    for label, values in series.items():
        if label.startswith("theta=") and label.endswith(ending):
            found[float(label[len("theta=") : -len(ending)])] = values
    return dict(sorted(found.items()))


def looks_of(series):
    """A colour a series; those of one theta share it."""
    stems = {label: label.rpartition("-")[0] if label.startswith("theta=") else label for label in series}
    own = style.looks(["", *dict.fromkeys(stems.values())])
    return {label: own[stem] for label, stem in stems.items()}


def draw_series(axes, label, values, look, fit):
    """Errors with their standard errors, faint where these hide them; the fitted line over its range."""
    parameter, error, spread = values
    filled = not label.endswith("-flow")
    face = look.colour if filled else "white"
    clear = error > 2 * spread
    label = style.plain(label)
    if label.startswith("theta="):  # the hollow ones are explained once
        label = "θ = " + label[len("theta=") :].rpartition("-")[0] if filled else None
    for seen, alpha in ((clear, 1), (~clear, 0.35)):
        if not seen.any():
            continue
        axes.errorbar(
            parameter[seen],
            error[seen],
            yerr=spread[seen] if spread.any() else None,
            fmt=look.marker,
            color=look.colour,
            markerfacecolor=face,
            capsize=2,
            linewidth=0.8,
            markersize=5,
            alpha=alpha,
            label=label,
        )
        label = None
    if fit and np.isfinite(fit["order"]):
        ends = np.array([fit["finest"], fit["coarsest"]])
        axes.plot(ends, fit["constant"] * ends ** fit["order"], color=look.colour, linewidth=1.2)


def draw_triangle(axes, series, fits):
    """A slope triangle below each fit whose rounded order has none yet, and below those it would meet."""
    drawn = {}
    for label, fit in sorted(fits.items(), key=lambda item: item[1]["constant"]):
        order = fit["order"]
        if not np.isfinite(order) or round(order) in drawn or round(order) < 1 or label not in series:
            continue
        left = fit["finest"] * 1.15
        right = left * min(2.5, (fit["coarsest"] / fit["finest"]) ** 0.5)
        bottom = 0.35 * fit["constant"] * left**order
        rise = (right / left) ** round(order)
        for other_left, other_right, other_bottom, other_top in drawn.values():
            beside = left > 1.3 * other_right or other_left > 1.3 * right
            if not beside and bottom < 1.2 * other_top and other_bottom < 1.2 * bottom * rise:
                bottom = 0.6 * other_bottom / rise
        top = bottom * rise
        drawn[round(order)] = (left, right, bottom, top)
        axes.fill([left, right, right], [bottom, bottom, top], color="#BBBBBB", linewidth=0, zorder=1)
        axes.text(right * 1.06, (bottom * top) ** 0.5, str(round(order)), va="center", fontsize=8)


def draw_limit(series, fits):
    """Errors against the small parameter; for theta methods also against theta."""
    flow = thetas_of(series, "-flow")
    dial = len(flow) > 2
    width = 9.5 if dial else 5.6
    figure, panels = style.plt.subplots(1, 2 if dial else 1, squeeze=False, figsize=(width, 4.6), layout="constrained")
    axes = panels[0, 0]
    axes.set(xscale="log", yscale="log", xlabel="step", ylabel="error")
    looks = looks_of(series)
    for label, values in series.items():
        draw_series(axes, label, values, looks[label], fits.get(label))
    draw_triangle(axes, series, fits)
    style.log_ticks(axes.xaxis)
    style.log_ticks(axes.yaxis)
    if flow:
        axes.plot([], [], "o", color=style.GREY, markerfacecolor="white", label="hollow: from the flow")
        axes.plot([], [], "o", color=style.GREY, label="full: from the modified flow")
    axes.legend(fontsize=7, loc="lower right")
    if dial:
        draw_dial(panels[0, 1], series, flow)
    return figure


def draw_dial(axes, series, flow):
    """Deviations at the smallest step against theta, beside the law |1 - 2 theta|."""
    thetas = np.array(list(flow))
    finest = min(values[0][0] for values in flow.values())
    deviation = np.array([values[1][0] for values in flow.values()])
    scale = deviation[np.argmax(np.abs(1 - 2 * thetas))] / np.abs(1 - 2 * thetas).max()
    fine = np.linspace(0, 1, 201)
    axes.plot(fine, scale * np.abs(1 - 2 * fine), color=style.GREY, label="proportional to |1 − 2θ|")
    axes.plot(thetas, deviation, "o", color=style.BLUE, markerfacecolor="white", label="from the flow")
    modified = thetas_of(series, "-modified")
    if modified:
        errors = [values[1][0] for values in modified.values()]
        axes.plot(list(modified), errors, "s", color=style.VERMILLION, label="from the modified flow")
    axes.set(xlabel="θ of the method", ylabel=f"deviation at step {number(finest)}", ylim=(0, None))
    axes.legend(fontsize=8)


def table_fits(fits):
    """Fitted orders with interval and range."""
    rows = []
    for label, fit in fits.items():
        known = np.isfinite(fit["low"]) and np.isfinite(fit["high"])
        interval = f"[{number(fit['low'], 4)}, {number(fit['high'], 4)}]" if known else "–"
        span = f"{number(fit['finest'])} to {number(fit['coarsest'])}"
        cells = (number(fit["order"], 4), interval, number(fit["constant"], 4), int(fit["points"]), span)
        rows.append([label, *map(Right, cells)])
    return page.table(["series", "order", "95 % interval", "constant", "points", "steps"], rows)


def write_report(directory):
    """Writes limit.png and report.html; returns their paths and no notes."""
    directory = Path(directory)
    series, fits = read_series(directory), read_fits(directory)
    run = page.read_json(directory / "run.json")
    picture = directory / "limit.png"
    uri = style.save(draw_limit(series, fits), picture)
    kind = run.get("kind", "")
    caption = (
        "Errors against the small parameter, with least-squares lines over their asymptotic ranges "
        f"and slope triangles. Rate of the theory: {run.get('rate', 'unknown')}."
    )
    if any((spread > 0).any() for _, _, spread in series.values()):
        caption += " Bars are standard errors of the ensembles; faint points are below two of them and not fitted."
    body = (
        f"<h1>Continuum limit {escape(kind)}: {escape(directory.resolve().name)}</h1>\n<h2>Picture</h2>\n"
        + page.figure("Error against the step", [(uri, "errors and fits")], caption, wide=640)
        + "<h2>Orders</h2>\n"
        + table_fits(fits)
        + page.provenance(directory, "limit")
    )
    page.write(directory / "report.html", page.frame(f"thalweg: {directory.resolve().name}", body))
    return [picture, directory / "report.html"], []


if __name__ == "__main__":
    sys.exit(page.command_line("limit.py", "Draw the picture of a continuum limit.", write_report))
