"""The solves of a comparison, from precision.csv.

    from precision_report.points import read_points
    points = read_points(Path("results/schemes-1"))
"""

from dataclasses import dataclass

import numpy as np

import page
import style

WORDS = ("scheme", "family", "control", "status", "reason")


@dataclass
class Ladder:
    """The solves of one scheme with one control, from coarse to fine; failed ones apart."""

    scheme: str
    family: str
    control: str
    reached: dict
    failed: dict

    @property
    def title(self):
        """The scheme, and whether its step is fixed."""
        return self.scheme if self.control == "step" else f"{self.scheme}, adaptive"


def read_points(directory):
    """precision.csv as ladders, in the order of the file."""
    if not directory.is_dir():
        raise page.Missing(f"there is no directory '{directory}'.")
    columns = page.read_columns(directory / "precision.csv")
    if not columns or not columns["scheme"]:
        raise page.Missing(f"'{directory}' holds no precision.csv with any solve.")
    numbers = {key: page.floats(texts) for key, texts in columns.items() if key not in WORDS}
    status = np.array(columns["status"])
    keys = list(zip(columns["scheme"], columns["family"], columns["control"]))
    ladders = []
    for key in dict.fromkeys(keys):
        mine = np.array([other == key for other in keys])
        parts = []
        for chosen in (mine & (status == "time"), mine & (status != "time")):
            rows = np.flatnonzero(chosen)
            rows = rows[np.argsort(-numbers["dial"][rows], kind="stable")]
            parts.append({name: values[rows] for name, values in numbers.items()})
        ladders.append(Ladder(*key, *parts))
    return ladders


def looks_of(ladders):
    """One look a family, in the order of the file."""
    families = list(dict.fromkeys(ladder.family for ladder in ladders))
    return style.looks(["", *families])
