"""What the panels of a study's pictures share: which they are, their legend and their limits.

    for panel in panels_of(study, "data.kind"):
        mask = study.where(panel.matching, "momentum", **panel.fixed)
"""

from dataclasses import dataclass

import numpy as np

import style
from style import name

from study_report.study import is_numeric

PANELS = 8  # levels of a factor that get a panel of their own
BANDS = 4  # more methods than this overlap too much for filled bands


@dataclass(frozen=True)
class Panel:
    """The runs of one matching at one level of a factor."""

    matching: str
    fixed: dict
    title: str

    def describe(self, text):
        """Words for those who cannot see it."""
        return f"{text}, {self.title}" if self.title else text


def panels_of(study, factor=None):
    """A panel a matching and level of the factor; one a matching without a factor."""
    levels = study.levels(factor)[:PANELS] if factor else [None]
    several = len(study.matchings) > 1
    return [
        Panel(
            matching,
            {factor: level} if factor else {},
            ", ".join(filter(None, (level, matching if several else ""))),
        )
        for matching in study.matchings
        for level in levels
    ]


def cut_of(study, factor):
    """A remark on the levels that get no panel."""
    count = len(study.levels(factor)) if factor else 0
    if count <= PANELS:
        return ""
    return f" Only the first {PANELS} of {count} levels of {name(factor)} are drawn."


def factor_across(study):
    """The factor along the axis: label noise, else the numeric one with most levels, else any."""
    numeric = [f for f in study.varied if is_numeric(study.levels(f))]
    if "data.noise" in numeric:
        return "data.noise"
    return max(numeric or study.varied, key=lambda f: len(study.levels(f)), default=None)


def factor_of_panels(study, across):
    """The factor whose levels get a panel each: the kind of data, else another text factor."""
    rest = [f for f in study.varied if f != across]
    texts = [f for f in rest if not is_numeric(study.levels(f))]
    return "data.kind" if "data.kind" in rest else next(iter(texts), None)


def pooled_over(study, *shown):
    """What a picture pools over: seeds, and the factors that it does not show."""
    return " and ".join(["seeds", *(name(f) for f in study.varied if f not in shown)])


def method_legend(study, drawn):
    """Keys of the methods drawn."""
    return [(style.swatch(study.looks[m]), m) for m in study.methods if m in drawn]


def shared_limits(arrays):
    """One vertical range for all panels."""
    values = np.concatenate([np.ravel(a) for a in arrays])
    values = values[np.isfinite(values)]
    low, high = (values.min(), values.max()) if values.size else (0, 1)
    pad = 0.05 * (high - low) or 0.05 * abs(high) or 0.05
    return low - pad, high + pad
