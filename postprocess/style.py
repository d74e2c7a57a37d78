"""The look that all pictures and reports share: colours, markers, panels, numbers and names.

Nothing to run here. A picture is made in three lines:

    figure, axes = style.panel(title="islands")
    style.band(axes, x, low, middle, high, style.looks(["sgd", "momentum"])["sgd"])
    uri = style.svg_uri(figure)

Colours are Okabe and Ito's, which the colour-blind can tell apart; markers and dashes differ as
well, so that colour is never the only cue.
"""

import base64
import io
import math
import sys
from dataclasses import dataclass

try:
    import matplotlib
    import numpy as np

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator
except ImportError:
    ADVICE = "on Debian: apt install python3-matplotlib, and run it with /usr/bin/python3"
    print(f"thalweg: pictures need matplotlib and numpy; {ADVICE}.", file=sys.stderr)
    raise SystemExit(4) from None

BLACK, BLUE, VERMILLION, GREEN = "#000000", "#0072B2", "#D55E00", "#009E73"
PURPLE, ORANGE, SKY, GREY, GOLD = "#CC79A7", "#E69F00", "#56B4E9", "#767676", "#FFC800"

COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, GREY)
# Nine markers against seven colours: a pair of them repeats after 63 methods.
MARKERS = ("s", "^", "D", "v", "P", "X", "<", "p", "h")
DASHES = ("--", "-.", (0, (1, 1.2)), (0, (5, 1, 1, 1, 1, 1)), "-")

STEPS = (1, 2, 2.5, 5, 10)  # ticks at round numbers

NAMES = {
    "data.noise": "label noise",
    "data.kind": "data kind",
    "grad_norm": "gradient norm",
    "memorised": "memorised share",
    "worst_fragment": "accuracy on the worst fragment",
    "noise_realised": "label noise realised",
    "best_accuracy": "best accuracy on the path",
    "step_sharpness": "step × sharpness",
}
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

matplotlib.rcParams.update(
    {
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "axes.titlesize": 10,
        "axes.labelsize": 9,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "legend.frameon": False,
        "legend.fontsize": 8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#DDDDDD",
        "grid.linewidth": 0.6,
        "axes.linewidth": 0.8,
        "lines.linewidth": 1.6,
        "lines.markersize": 4.5,
        "figure.facecolor": "white",
        "axes.formatter.useoffset": False,
        "contour.negative_linestyle": "solid",
        "svg.hashsalt": "thalweg",
        "svg.fonttype": "path",
    }
)


@dataclass(frozen=True)
class Look:
    """How one method is drawn everywhere."""

    colour: str
    marker: str
    dash: object


def looks(methods):
    """One look a method; the first, the baseline, is black."""
    found = {
        method: Look(COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)], DASHES[i % len(DASHES)])
        for i, method in enumerate(methods[1:])
    }
    return {**{baseline: Look(BLACK, "o", "-") for baseline in methods[:1]}, **found}


def name(key):
    """A key or a measure as a reader says it: `test_accuracy` is "test accuracy"."""
    return NAMES.get(key, key.replace("_", " "))


def plain(text, width=34):
    """Text for matplotlib: one line, cut at `width` characters, and never read as a formula."""
    line = " ".join(str(text).split())
    line = line if len(line) <= width else line[: width - 1] + "…"
    return line.replace("$", r"\$")


def number(value, digits=3):
    """A number for a reader: significant digits, a true minus, a dash for what is missing."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == int(value) and abs(value) < 1e7:
        return f"{int(value)}".replace("-", "−")
    mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
    if exponent and 0 < int(exponent) < 7:
        return f"{value:.0f}".replace("-", "−")
    power = f"·10{str(int(exponent)).translate(SUPERSCRIPT)}" if exponent else ""
    return mantissa.replace("-", "−") + power


def plural(count, noun):
    """3 runs, 1 run."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def signed(value, decimals):
    """A difference with its sign."""
    return f"{value:+.{decimals}f}".replace("-", "−")


def interval(mean, low, high):
    """A difference and its interval, rounded to a third of its half width or finer."""
    if not math.isfinite(mean):
        return "–"
    known = math.isfinite(low) and math.isfinite(high)
    size = (high - low) / 2 if known and high > low else abs(mean)
    decimals = min(max(math.ceil(0.5 - math.log10(size)), 0), 6) if size > 0 else 0
    text = signed(mean, decimals)
    return f"{text} [{signed(low, decimals)}, {signed(high, decimals)}]" if known else text


def percent(share):
    """A share as a percentage: one decimal below 10 %."""
    return f"{100 * share:.{1 if abs(share) < 0.0995 else 0}f}".replace("-", "−")


def panel(title="", width=3.15, height=2.55, left=0.62, right=0.14):
    """A figure with one axes and margins in inches, so that panels beside each other line up."""
    bottom, top = 0.5, 0.32 if title else 0.12
    figure = plt.figure(figsize=(width, height))
    axes = figure.add_axes(
        [
            left / width,
            bottom / height,
            (width - left - right) / width,
            (height - bottom - top) / height,
        ]
    )
    axes.set_title(plain(title), loc="left", fontweight="bold", fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=STEPS))
    return figure, axes


def rows_only(axes):
    """For a chart of labelled rows: no ticks or grid across, few ticks along."""
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=STEPS))


def log_ticks(axis):
    """Powers of ten; plain numbers where the axis spans less than two decades."""
    low, high = axis.get_view_interval()
    axis.set_minor_formatter(NullFormatter())
    if high / low >= 100:
        axis.set_major_formatter(FuncFormatter(lambda v, _: power_of_ten(v)))
        return
    axis.set_major_formatter(FuncFormatter(lambda v, _: number(v)))
    if high / low < 5:
        axis.set_major_locator(MaxNLocator(5, steps=STEPS))
        axis.set_minor_locator(NullLocator())
    else:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))


def power_of_ten(value):
    """10 to a power, for a tick."""
    return "10" + str(round(math.log10(value))).translate(SUPERSCRIPT) if value > 0 else ""


def is_early(places):
    """Whether most records lie early, so that a logarithmic axis shows them."""
    positive = places[places > 0]
    return positive.size > 2 and bool(np.median(positive) < 0.2 * positive.max())


def band(axes, x, low, middle, high, look, marks=True):
    """A median with its 10-90 % band."""
    axes.fill_between(x, low, high, color=look.colour, alpha=0.13, linewidth=0)
    axes.plot(
        x,
        middle,
        color=look.colour,
        linestyle=look.dash,
        marker=look.marker if marks is True else None,
    )
    if marks is not True:
        axes.plot(x[marks], middle[marks], color=look.colour, marker=look.marker, linestyle="none")


def _uri(figure, kind, **options):
    memory = io.BytesIO()
    figure.savefig(memory, format=kind, **options)
    plt.close(figure)
    mime = {"svg": "image/svg+xml", "png": "image/png"}[kind]
    return f"data:{mime};base64,{base64.b64encode(memory.getvalue()).decode()}"


def svg_uri(figure):
    """The figure, closed, as an address that holds the whole picture: the same bytes each time."""
    return _uri(figure, "svg", metadata={"Date": None})


def _key():
    figure = plt.figure(figsize=(0.42, 0.18))
    figure.patch.set_alpha(0)
    axes = figure.add_axes([0, 0, 1, 1])
    axes.axis("off")
    axes.set(xlim=(0, 1), ylim=(-1, 1))
    return figure, axes


def swatch(look):
    """A legend's key of a method: a piece of its line with its marker."""
    figure, axes = _key()
    axes.plot([0.04, 0.96], [0, 0], color=look.colour, linestyle=look.dash)
    axes.plot([0.5], [0], color=look.colour, marker=look.marker)
    return svg_uri(figure)


def swatch_marker(**marker):
    """A legend's key: one marker."""
    figure, axes = _key()
    axes.plot([0.5], [0], markersize=7, markeredgewidth=1.3, **marker)
    return svg_uri(figure)


def swatch_bar(colour, hatch):
    """A legend's key: a piece of a bar."""
    figure, axes = _key()
    axes.barh(
        0, 0.9, left=0.05, height=1.6, color=colour, hatch=hatch, edgecolor="white", linewidth=0
    )
    return svg_uri(figure)


def save(figure, path):
    """Writes the picture as PNG, closes it, and returns it as an address that holds it."""
    figure.savefig(path, dpi=160, metadata={"Software": "thalweg"})
    plt.close(figure)
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
