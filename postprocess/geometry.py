#!/usr/bin/python3
"""The pictures of a spectrum or a surface, and a small report that holds them.

    postprocess/geometry.py results/spectrum            spectrum.png, sharpness.png and report.html
    postprocess/geometry.py results/spectrum --quiet    the same, saying nothing

It reads only what `thalweg spectrum` or `thalweg surface` wrote there. What has no data is left out. Exit: 0 written, 2
misuse (no such directory, no run.json), 4 a picture could not be written.
"""

import sys
from pathlib import Path

import style  # first, for it says which package is missing

import page
from page import Right, escape
from style import name, number

from run_report.geometry import (
    draw_connection,
    draw_heat,
    draw_line,
    draw_variance,
    draw_volume,
)
from run_report.planes import NoPicture
from run_report.spectrum import columns_of, draw_density, draw_sharpness
from run_report.surface import draw_surface

PLANS = (
    ("spectrum.png", "Spectral density", draw_density),
    ("sharpness.png", "Sharpness along the run", draw_sharpness),
    ("surface.png", "The loss around the trained point", draw_surface),
    ("line.png", "The loss along a line", draw_line),
    ("volume.png", "The loss in a volume", draw_volume),
    ("connect.png", "Between two minima", draw_connection),
    ("heat.png", "The landscape under the heat equation", draw_heat),
    ("pca.png", "Principal components of the path", draw_variance),
)
TABLES = (
    ("spectrum.csv", "Eigenpairs; rank 1 is the largest, −1 the smallest"),
    ("topology.csv", "Basins by falling persistence; the lowest one never ends"),
    ("heat.csv", "Basins under the heat equation"),
    ("pca.csv", "Variance of the path"),
)


def draw_all(directory):
    """Draws what there is data for: the HTML, the files written, why others are left out."""
    parts, written, notes = [], [], []
    for file, heading, draw in PLANS:
        try:
            drawn = draw(directory)
        except NoPicture as reason:
            style.plt.close("all")
            notes.append(f"{file} is left out: {reason}.")
            continue
        if drawn:
            uri = style.save(drawn[0], directory / file)
            written.append(directory / file)
            parts.append(page.figure(heading, [(uri, heading)], drawn[1], wide=560))
    return "".join(parts), written, notes


def tables_of(directory):
    """The short tables of the run."""
    parts = []
    for file, caption in TABLES:
        columns = columns_of(directory / file)
        if columns:
            rows = [[Right(number(value, 8)) for value in row] for row in zip(*columns.values())]
            parts.append(page.table([name(key) for key in columns], rows, caption))
    return "".join(parts)


def results_of(run):
    """The numbers of run.json."""
    rows = [
        [name(key), Right(number(value, 8))]
        for key, value in run.get("results", {}).items()
        if isinstance(value, (int, float))
    ]
    return page.table(["measure", "value"], rows, "Results") if rows else ""


def write_report(directory):
    """Writes the pictures and report.html: the paths written, and why pictures were left out."""
    directory = Path(directory)
    run = page.read_json(directory / "run.json")
    if not run:
        raise page.Missing(f"'{directory}' holds no run.json: is it the directory of a run?")
    command = run.get("command", "geometry")
    drawn, written, notes = draw_all(directory)
    label = directory.resolve().name
    body = (
        f"<h1>{escape(command.capitalize())} {escape(label)}</h1>\n"
        + "<h2>Pictures</h2>\n"
        + drawn
        + "".join(f'<p class="about">{escape(note)}</p>\n' for note in notes)
        + "<h2>Numbers</h2>\n"
        + results_of(run)
        + tables_of(directory)
        + page.provenance(directory, command)
    )
    page.write(directory / "report.html", page.frame(f"thalweg: {label}", body))
    return [*written, directory / "report.html"], notes


if __name__ == "__main__":
    sys.exit(page.command_line("geometry.py", "Draw the pictures of a spectrum or a surface.", write_report))
