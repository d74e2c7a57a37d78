#!/usr/bin/python3
"""The pictures of one training run, and a small report that holds them.

    postprocess/pictures.py results/run            metrics.png, surface.png, decision.png
                                                   and report.html, in results/run
    postprocess/pictures.py results/run --quiet    the same, saying nothing

It reads only what `thalweg train` wrote there: metrics.csv, and where present surface.vti with
trajectory.vtp, decision/field_*.vti with data.csv, run.json and run.ini. Surfaces and decision
fields need VTK's Python module (Debian: python3-vtk9); without it they are left out, which it says.
Exit: 0 written, 2 misuse (no such directory, no metrics), 4 a picture could not be written.
"""

import sys
from pathlib import Path

import style  # first, for it says which package is missing

import numpy as np

import page
from page import Right, escape
from style import name, number, percent

from run_report.decision import draw_decision
from run_report.metrics import LOSSES, SHARES, draw_metrics, drawn_keys, limits_of, metrics_of
from run_report.planes import NoPicture
from run_report.surface import draw_surface


def pictures_of(directory, metrics):
    """Draws what there is data for: the HTML, the files written, why others are left out."""
    plans = (
        ("metrics.png", "Along training time", lambda: draw_metrics(metrics, limits_of(directory))),
        ("surface.png", "The loss around the trained point", lambda: draw_surface(directory)),
        ("decision.png", "The decision field", lambda: draw_decision(directory)),
    )
    parts, written, notes = [], [], []
    for file, heading, draw in plans:
        try:
            drawn = draw()
        except NoPicture as reason:
            style.plt.close("all")
            notes.append(f"{file} is left out: {reason}.")
            continue
        if drawn:
            uri = style.save(drawn[0], directory / file)
            written.append(directory / file)
            parts.append(page.figure(heading, [(uri, heading)], drawn[1], wide=520))
    return "".join(parts), written, notes


def last(values):
    """The last finite value."""
    return values[np.isfinite(values)][-1]


def verdict(metrics, run):
    """How the run ended, in one paragraph."""
    ending = ": ".join(str(run[key]) for key in ("status", "message") if run.get(key))
    text = f"The run ended at training time {number(run_end(metrics, run))}"
    text += f" ({ending})" if ending else ""
    found = [f"{name(key)} {number(last(metrics[key]))}" for key in drawn_keys(metrics, LOSSES)]
    found += [f"{name(key)} {percent(last(metrics[key]))} %" for key in SHARES if key in metrics]
    said = f"{text}. Last recorded: {', '.join(found)}." if found else f"{text}."
    return f'<p class="verdict">{escape(said)}</p>\n'


def run_end(metrics, run):
    """The time at which the run ended, which need not have been recorded."""
    return run.get("results", {}).get("time", last(metrics["time"]))


def table_final(metrics):
    """First, lowest, highest and last value of every column."""
    rows = []
    for key, values in metrics.items():
        if key != "time":
            known = values[np.isfinite(values)]
            shown = (known[0], known.min(), known.max(), known[-1])
            rows.append([name(key), *(Right(number(value, 5)) for value in shown)])
    header = ["measure", "first", "lowest", "highest", "last"]
    return page.table(header, rows, "Recorded values along the run") if rows else ""


def write_pictures(directory):
    """Writes the pictures and report.html: the paths written, and why others were left out."""
    directory = Path(directory)
    metrics = metrics_of(directory)
    drawn, written, notes = pictures_of(directory, metrics)
    label = directory.resolve().name
    remarks = "".join(f'<p class="about">{escape(note)}</p>\n' for note in notes)
    body = (
        f"<h1>Training run {escape(label)}</h1>\n"
        + verdict(metrics, page.read_json(directory / "run.json"))
        + "<h2>Pictures</h2>\n"
        + drawn
        + remarks
        + "<h2>Numbers</h2>\n"
        + table_final(metrics)
        + page.provenance(directory, "train")
    )
    page.write(directory / "report.html", page.frame(f"thalweg: {label}", body))
    return [*written, directory / "report.html"], notes


if __name__ == "__main__":
    sys.exit(page.command_line("pictures.py", "Draw the pictures of one training run.", write_pictures))
