#!/usr/bin/python3
"""The pictures and the report of a comparison of schemes.

    postprocess/precision.py results/schemes-1            precision.png, stability.png and report.html
    postprocess/precision.py results/schemes-1 --quiet    the same, saying nothing

It reads only what `thalweg schemes` wrote there: precision.csv, orders.csv, and where present
run.json and run.ini. Exit: 0 written, 2 misuse (no such directory, no solves), 4 a picture could
not be written.
"""

import sys
from pathlib import Path

import style  # first, for it says which package is missing

import numpy as np

import page
from page import Right, escape
from style import number, plural

from precision_report.points import looks_of, read_points
from precision_report.stability import draw_stability
from precision_report.work import ERRORS, draw_work


def read_orders(directory):
    """orders.csv with its numbers as numbers; infinity stays, for it says that there is no bound."""
    columns = page.read_columns(directory / "orders.csv")
    words = ("scheme", "family")
    return {
        key: texts if key in words else np.array([page.number_or_nan(text) for text in texts])
        for key, texts in columns.items()
    }


def table_orders(orders):
    """Declared and observed orders with interval and range."""
    rows = []
    for i, scheme in enumerate(orders["scheme"]):
        fits = []
        for error in ("theta", "energy", "output"):
            low, high = orders[f"{error}_low"][i], orders[f"{error}_high"][i]
            known = np.isfinite(low) and np.isfinite(high)
            interval = f" [{number(low)}, {number(high)}]" if known else ""
            fits.append(number(orders[f"{error}_observed"][i]) + interval)
        steps = [number(orders[f"theta_{end}"][i]) for end in ("finest", "coarsest")]
        span = f"{steps[0]} to {steps[1]} ({int(orders['theta_points'][i])})"
        bounds = [number(orders[key][i]) for key in ("stable_step", "theory_step")]
        bounds = ["none" if np.isinf(orders["stable_step"][i]) else bounds[0], bounds[1]]
        rows.append(
            [scheme, orders["family"][i], Right(int(orders["order"][i])), *map(Right, fits), span]
            + [Right(bound) for bound in bounds]
        )
    header = ["scheme", "family", "order", "of θ", "of E", "of outputs", "fitted steps (points)"]
    header += ["largest stable step", "theory"]
    return page.table(header, rows, "Orders observed, with 95 % intervals, and stability")


def about(ladders, run):
    """What was compared, and how well the reference knows itself."""
    solves = sum(l.reached["cost"].size + l.failed["cost"].size for l in ladders)
    failed = sum(l.failed["cost"].size for l in ladders)
    text = f"{plural(solves, 'solve')}, {failed} of them did not reach the end."
    results = run.get("results", {})
    if run.get("reference") and results.get("reference_error_theta") is not None:
        error = number(results["reference_error_theta"])
        text += f" Reference: {run['reference']}, {error} from itself at twice the step."
    return text


def write_report(directory):
    """Writes the pictures and report.html; returns their paths and no notes."""
    directory = Path(directory)
    ladders = read_points(directory)
    orders = read_orders(directory)
    run = page.read_json(directory / "run.json")
    written = [directory / "precision.png"]
    uri = style.save(draw_work(ladders, "error_theta"), written[0])
    parts = [page.figure("Error against work", [(uri, "work-precision diagram")], WORK, wide=720)]
    for error in ("error_energy", "error_output"):
        uri = style.svg_uri(draw_work(ladders, error))
        caption = "The same for another error."
        parts.append(page.figure(ERRORS[error], [(uri, ERRORS[error])], caption, wide=720))
    sharpness = run.get("results", {}).get("last_sharpness") or np.nan
    if figure := draw_stability(orders, sharpness, looks_of(ladders)):
        written.append(directory / "stability.png")
        uri = style.save(figure, written[-1])
        parts.append(page.figure("Stability", [(uri, "largest stable steps")], STABLE, wide=520))
    body = (
        f"<h1>Schemes on one flow: {escape(directory.resolve().name)}</h1>\n"
        f'<p class="about">{escape(about(ladders, run))}</p>\n<h2>Pictures</h2>\n'
        + "".join(parts)
        + "<h2>Orders</h2>\n"
        + table_orders(orders)
        + page.provenance(directory, "schemes")
    )
    written.append(directory / "report.html")
    page.write(written[-1], page.frame(f"thalweg: {directory.resolve().name}", body))
    return written, []


WORK = (
    "Largest error over the shared times against work; lower left is better. Strong lines belong to "
    "schemes that somewhere are the cheapest at their accuracy; crosses at the top are solves that "
    "did not reach the end."
)
STABLE = (
    "Largest step that keeps a scheme bounded on the flow linearised at its end, found by bisection, "
    "in units of one over the sharpness; diamonds are what theory says where it says anything."
)


if __name__ == "__main__":
    sys.exit(page.command_line("precision.py", "Draw the pictures of a comparison of schemes.", write_report))
