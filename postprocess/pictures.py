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

import argparse
import base64
import re
import sys
from pathlib import Path

import style  # first, for it says which package is missing

import numpy as np

import page
from page import Right, escape
from style import name, number, percent, plain

try:
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkObject
    from vtkmodules.vtkIOXML import vtkXMLImageDataReader, vtkXMLPolyDataReader
except ImportError:
    vtk_to_numpy = None

DPI = 160
LOSSES = ("loss", "energy")
SHARES = ("train_accuracy", "validation_accuracy", "test_accuracy", "worst_fragment", "memorised")
GRADIENT = ("grad_norm",)
CLASS_COLOURS = (style.BLUE, style.VERMILLION, style.GREEN, style.PURPLE, style.ORANGE, style.SKY)
CLASS_MARKERS = ("o", "s", "^", "D", "v", "P")
SOFT = style.matplotlib.colors.LinearSegmentedColormap.from_list(  # paler than the points on it
    "soft", ["#5E9FCB", "#C4DCEB", "#F7F7F7", "#F8D3BF", "#E08A63"]
)
CAP = 1e299  # thalweg writes an infinite loss as 1e300


class NoPicture(Exception):
    """Why a picture is left out: the message is the sentence a user reads."""


def metrics_of(directory):
    """metrics.csv as {column: numbers}, columns without any finite number left out."""
    if not directory.is_dir():
        raise page.Missing(f"there is no directory '{directory}'.")
    if not (directory / "metrics.csv").is_file():
        raise page.Missing(f"'{directory}' holds no metrics.csv: is it the directory of a run?")
    columns = page.read_columns(directory / "metrics.csv")
    metrics = {key: page.floats(texts) for key, texts in columns.items()}
    metrics = {key: values for key, values in metrics.items() if np.isfinite(values).any()}
    if "time" not in metrics:
        raise page.Missing(f"'{directory / 'metrics.csv'}' holds no recorded time.")
    return metrics


def draw_metrics(metrics):
    """Losses, shares and gradient norm against training time, one above the other."""
    groups = [[key for key in keys if key in metrics] for keys in (LOSSES, SHARES, GRADIENT)]
    groups = [keys for keys in groups if keys]
    if not groups:
        raise NoPicture("metrics.csv holds no loss, accuracy or gradient norm to draw")
    figure, rows = style.plt.subplots(
        len(groups),
        1,
        sharex=True,
        squeeze=False,
        figsize=(6, 0.7 + 2.1 * len(groups)),
        layout="constrained",
    )
    for axes, keys in zip(rows[:, 0], groups):
        draw_columns(axes, metrics, keys)
    bottom = rows[-1, 0]
    bottom.set_xlabel("training time t")
    if is_early(metrics["time"]):
        bottom.set_xscale("log")
        style.log_ticks(bottom.xaxis)
    return figure


def metrics_caption(metrics):
    """What the curves show: how far the loss fell, and where validation was best."""
    text = f"{len(metrics['time'])} records"
    if "loss" in metrics:
        loss = metrics["loss"][np.isfinite(metrics["loss"])]
        text += f"; the loss goes from {number(loss[0])} to {number(loss[-1])}"
    if "validation_accuracy" in metrics:
        best = np.nanargmax(metrics["validation_accuracy"])
        text += (
            f"; validation accuracy is best at t = {number(metrics['time'][best])}, with "
            f"{percent(metrics['validation_accuracy'][best])} %"
        )
    return text + "."


def is_early(time):
    """Whether most records lie early, so that a logarithmic axis shows them."""
    positive = time[time > 0]
    return positive.size > 2 and np.median(positive) < 0.2 * np.nanmax(positive)


def draw_columns(axes, metrics, keys):
    """Some columns against time, with the legend above the axes."""
    looks = style.looks(keys)
    time = metrics["time"]
    for key in keys:
        look = looks[key]
        every = max(1, len(time) // 6)
        axes.plot(
            time,
            metrics[key],
            color=look.colour,
            linestyle=look.dash,
            marker=look.marker,
            markevery=(every // 2, every),
            label=name(key),
        )
    if keys[0] in SHARES:
        axes.set_ylabel("share")
    else:
        axes.set_ylabel(name(keys[0]))
        values = np.concatenate([metrics[key] for key in keys])
        if np.nanmin(values) > 0:
            axes.set_yscale("log")
            style.log_ticks(axes.yaxis)
    if len(keys) > 1:
        axes.legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncol=3, borderaxespad=0.1, columnspacing=1.2
        )


def read_vtk(path, reader):
    """A VTK XML file as VTK's own object."""
    if vtk_to_numpy is None:
        raise NoPicture(f"{path.name} needs VTK's Python module (Debian: python3-vtk9) to be drawn")
    vtkObject.GlobalWarningDisplayOff()  # its pages about a broken file become our one sentence
    reader = reader()
    reader.SetFileName(str(path))
    reader.Update()
    data = reader.GetOutput()
    if reader.GetErrorCode() or not data.GetNumberOfPoints():
        raise NoPicture(f"{path.name} cannot be read")
    return data


def arrays_of(data):
    """Point arrays by name."""
    points = data.GetPointData()
    return {
        points.GetArrayName(i): vtk_to_numpy(points.GetArray(i))
        for i in range(points.GetNumberOfArrays())
    }


def field_text(data, key, default):
    """A text or number kept in a file's field data."""
    array = data.GetFieldData().GetAbstractArray(key)
    return array.GetValue(0) if array is not None and array.GetNumberOfValues() else default


def read_plane(path):
    """A plane's data, its coordinates, and its arrays with rows along y."""
    data = read_vtk(path, vtkXMLImageDataReader)
    columns, rows, layers = data.GetDimensions()
    if layers != 1 or min(columns, rows) < 2:
        raise NoPicture(f"{path.name} is not a plane; ParaView draws it")
    (x0, y0, _), (dx, dy, _) = data.GetOrigin(), data.GetSpacing()
    arrays = {
        key: values.reshape(rows, columns)
        for key, values in arrays_of(data).items()
        if values.ndim == 1
    }
    return data, x0 + dx * np.arange(columns), y0 + dy * np.arange(rows), arrays


def read_lines(path):
    """The polylines of a file, each as (points, its arrays)."""
    if not path.is_file():
        return []
    data = read_vtk(path, vtkXMLPolyDataReader)
    points, arrays = vtk_to_numpy(data.GetPoints().GetData()), arrays_of(data)
    cells = [data.GetCell(i).GetPointIds() for i in range(data.GetNumberOfCells())]
    indices = [[ids.GetId(i) for i in range(ids.GetNumberOfIds())] for ids in cells]
    return [
        (points[ids], {key: values[ids] for key, values in arrays.items()})
        for ids in indices
        if len(ids) > 1
    ]


def draw_surface(directory):
    """Filled contours of log10 loss with the projected path: (figure, caption)."""
    path = directory / "surface.vti"
    if not path.is_file():
        return None
    data, x, y, arrays = read_plane(path)
    if "log10_loss" not in arrays and "loss" not in arrays:
        raise NoPicture("surface.vti holds no loss")
    height = (
        arrays["log10_loss"]
        if "log10_loss" in arrays
        else np.log10(np.maximum(arrays["loss"], 1e-300))
    )
    height = np.where(np.isfinite(height) & (height < np.log10(CAP)), height, np.nan)
    if not np.isfinite(height).any():
        raise NoPicture("surface.vti holds no finite loss")
    lines = read_lines(directory / "trajectory.vtp")
    figure, axes = style.plt.subplots(figsize=(6, 5), layout="constrained")
    draw_height(figure, axes, x, y, height)
    for points, _ in lines:
        draw_path(axes, points)
    axes.plot(0, 0, marker="*", markersize=13, color=style.GOLD, markeredgecolor="black")
    axes.set(
        xlim=(x[0], x[-1]),
        ylim=(y[0], y[-1]),
        xlabel=plain(field_text(data, "axis_x", "x")),
        ylabel=plain(field_text(data, "axis_y", "y")),
    )
    axes.grid(False)
    return figure, surface_caption(lines)


def draw_height(figure, axes, x, y, height):
    """Filled and lined levels of log10 loss; the top is cut where it would hide the valley."""
    top = np.nanpercentile(height, 97)
    low = np.nanmin(height)
    levels = np.linspace(low, top if top > low else low + 1, 25)
    filled = axes.contourf(x, y, height, levels, cmap="viridis", extend="max")
    if low < top:
        axes.contour(x, y, height, levels[::3], colors="black", linewidths=0.4, alpha=0.5)
    bar = figure.colorbar(filled, ax=axes, shrink=0.9, pad=0.02)
    bar.set_label("log10 of the loss")
    bar.locator = style.MaxNLocator(6)
    bar.update_ticks()


def draw_path(axes, points):
    """A path, white on a black casing, from a hollow disc."""
    axes.plot(points[:, 0], points[:, 1], color="black", linewidth=3.2)
    axes.plot(points[:, 0], points[:, 1], color="white", linewidth=1.6)
    axes.plot(*points[0, :2], marker="o", markersize=7, color="white", markeredgecolor="black")


def surface_caption(lines):
    """What the surface shows, and how far the path leaves it."""
    text = "The loss on a plane through the trained point (star)"
    if not lines:
        return text + "."
    text += ", with the path projected onto it, from its start (disc)"
    far = [np.nanmax(arrays["distance"]) for _, arrays in lines if "distance" in arrays]
    far = [value for value in far if np.isfinite(value)]
    return text + (f"; the path itself is up to {number(max(far))} off the plane." if far else ".")


def field_files(directory):
    """Decision fields in the order of their numbers."""

    def order(path):
        return [int(digits) for digits in re.findall(r"\d+", path.stem)], path.name

    return sorted((directory / "decision").glob("field_*.vti"), key=order)


def draw_decision(directory):
    """The last decision field with the training points: (figure, caption)."""
    files = field_files(directory)
    if not files:
        return None
    data, x, y, arrays = read_plane(files[-1])
    figure, axes = style.plt.subplots(figsize=(6, 5), layout="constrained")
    if "class" in arrays:
        said = draw_classes(axes, x, y, arrays["class"])
    elif "probability" in arrays:
        said = draw_probability(figure, axes, x, y, arrays["probability"])
    else:
        raise NoPicture(f"{files[-1].name} holds no probability")
    points = draw_points(axes, directory / "data.csv")
    axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), xlabel="x0", ylabel="x1", aspect="equal")
    axes.grid(False)
    time = field_text(data, "TimeValue", None)
    at = f" at training time {number(float(time))}" if time is not None else ""
    return figure, f"{said}{at}{points}."


def draw_probability(figure, axes, x, y, probability):
    """The probability of class 1 of two."""
    filled = axes.contourf(x, y, np.clip(probability, 0, 1), np.linspace(0, 1, 21), cmap=SOFT)
    if np.nanmin(probability) < 0.5 < np.nanmax(probability):
        axes.contour(x, y, probability, [0.5], colors="black", linewidths=1.6)
    figure.colorbar(
        filled,
        ax=axes,
        shrink=0.9,
        pad=0.02,
        label="probability of class 1",
        ticks=(0, 0.25, 0.5, 0.75, 1),
    )
    return "The probability of class 1 (line: one half)"


def draw_classes(axes, x, y, classes):
    """The winning class of several."""
    count = int(np.nanmax(classes)) + 1
    colours = [CLASS_COLOURS[k % len(CLASS_COLOURS)] for k in range(count)]
    axes.contourf(x, y, classes, np.arange(count + 1) - 0.5, colors=colours, alpha=0.35)
    if np.nanmin(classes) < np.nanmax(classes):
        axes.contour(x, y, classes, np.arange(count - 1) + 0.5, colors="black", linewidths=1)
    return "The class with the highest probability"


def draw_points(axes, path):
    """The training points by label, wrong labels ringed in gold; returns words for the caption."""
    columns = page.read_columns(path)
    if not {"x0", "x1", "label"} <= set(columns):
        return ""
    label = page.floats(columns["label"])
    train = np.array(columns.get("split", ["train"] * len(label))) == "train"
    train &= np.isfinite(label)
    if not train.any():
        return ""
    x, y = page.floats(columns["x0"]), page.floats(columns["x1"])
    flipped = train & (label != page.floats(columns.get("clean", columns["label"])))
    axes.scatter(
        x[flipped], y[flipped], s=70, color=style.GOLD, edgecolors="black", linewidths=0.7, zorder=3
    )
    for k in sorted(set(label[train].astype(int))):
        mine = train & (label == k)
        axes.scatter(
            x[mine],
            y[mine],
            s=17,
            marker=CLASS_MARKERS[k % 6],
            color=CLASS_COLOURS[k % 6],
            edgecolors="white",
            linewidths=0.5,
            zorder=4,
            label=f"label {k}",
        )
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=4, borderaxespad=0.1)
    ringed = f", {flipped.sum()} of them with a wrong label (gold rings)" if flipped.any() else ""
    return f", and the {train.sum()} training points{ringed}"


def save(figure, path):
    """Writes the picture and returns it as an address that holds it."""
    figure.savefig(path, dpi=DPI, metadata={"Software": "thalweg"})
    style.plt.close(figure)
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def pictures_of(directory, metrics):
    """Draws what there is data for: the HTML, the files written, why others are left out."""
    plans = (
        (
            "metrics.png",
            "Along training time",
            lambda: (draw_metrics(metrics), metrics_caption(metrics)),
        ),
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
            uri = save(drawn[0], directory / file)
            written.append(directory / file)
            parts.append(page.figure(heading, [(uri, heading)], drawn[1], wide=520))
    return "".join(parts), written, notes


def last(values):
    """The last finite value."""
    return values[np.isfinite(values)][-1]


def verdict(metrics, run):
    """How the run ended, in one paragraph."""
    ending = ": ".join(str(run[key]) for key in ("status", "reason") if run.get(key))
    end = f"The run ended at training time {number(last(metrics['time']))}"
    text = f"{end} ({ending})" if ending else end
    found = [f"{name(key)} {number(last(metrics[key]))}" for key in LOSSES if key in metrics]
    found += [f"{name(key)} {percent(last(metrics[key]))} %" for key in SHARES if key in metrics]
    return f'<p class="verdict">{escape(text + ": " * bool(found) + ", ".join(found))}.</p>\n'


def table_final(metrics):
    """First, best and last value of every column."""
    rows = []
    for key, values in metrics.items():
        if key != "time":
            known = values[np.isfinite(values)]
            rows.append(
                [
                    name(key),
                    *(
                        Right(number(value, 5))
                        for value in (known[0], known.min(), known.max(), known[-1])
                    ),
                ]
            )
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


def main(arguments=None):
    """Reads the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Draw the pictures of one thalweg training run.")
    parser.add_argument("directory", metavar="DIR", help="the directory that `thalweg train` wrote")
    parser.add_argument("--quiet", action="store_true", help="do not say which files were written")
    options = parser.parse_args(arguments)
    try:
        written, notes = write_pictures(options.directory)
    except page.Missing as error:
        print(f"pictures.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"pictures.py: cannot write the pictures: {error}.", file=sys.stderr)
        return 4
    for note in notes:
        print(f"pictures.py: {note}", file=sys.stderr)
    if not options.quiet:
        print(*written, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
