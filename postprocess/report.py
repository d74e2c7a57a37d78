#!/usr/bin/python3
"""The report of a study: verdict first, then pictures, tables, and the command that repeats it.

    postprocess/report.py results/study            writes results/study/report.html
    postprocess/report.py results/study --quiet    the same, saying nothing

It reads only what `thalweg study` wrote there: runs.csv, and where present effects.csv, shares.csv,
curves.csv, run.json and run.ini. The statistics are thalweg's own; this program words and draws
them. What has no data is left out. Exit: 0 written, 2 misuse (no such directory, no runs), 4 the
page could not be written.
"""

import argparse
import sys
import warnings
from pathlib import Path

import page
from style import name, plural

from study_report.forest import picture_forests
from study_report.levels import picture_accuracy, picture_geometry, picture_smoothness
from study_report.paths import picture_loss, picture_memorised
from study_report.phase import picture_phases
from study_report.shares import picture_shares
from study_report.study import Study
from study_report.tables import tables
from study_report.verdict import verdict

PICTURES = (
    picture_forests,
    picture_shares,
    picture_phases,
    picture_accuracy,
    picture_memorised,
    picture_smoothness,
    picture_geometry,
    picture_loss,
)


def about(study):
    """What was run, in one line."""
    matchings = [m for m in study.matchings if m]
    parts = [
        plural(len(study.methods), "method"),
        *(f"{len(study.levels(f))} levels of {name(f)}" for f in study.varied),
        *([plural(len(matchings), "matching")] if matchings else []),
        plural(len(set(study.columns.get("seed", [""]))), "seed"),
    ]
    return (
        f"{plural(study.size, 'run')}: {', '.join(parts)}; compared with {study.baseline} in pairs."
    )


def write_report(directory):
    """Writes report.html into a study's directory and returns its path."""
    study = Study(Path(directory))
    body = "".join(
        [
            "<h1>When does diffusion help?</h1>\n",
            f'<p class="about">{page.escape(about(study))}</p>\n',
            verdict(study),
            "<h2>Pictures</h2>\n",
            *(picture(study) for picture in PICTURES),
            "<h2>Tables</h2>\n",
            tables(study),
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
    warnings.filterwarnings("ignore", message="Glyph .* missing")  # a level may be in any script
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
