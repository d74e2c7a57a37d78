"""What the reports share: reading thalweg's files, and one self-contained HTML page.

Nothing to run here; `report.py DIR` and `pictures.py DIR` build their pages with it. A page holds
its pictures, asks the network for nothing, fits a phone and paper, follows the reader's light or
dark setting, and escapes every text that comes from a file.
"""

import argparse
import csv
import html
import json
import math
import shlex
import sys
from pathlib import Path

import style  # first, for it says which package is missing

import numpy as np

CSS = """
:root{color-scheme:light dark;--ink:#1b1b1b;--soft:#5b5b5b;--paper:#fbfbfa;--line:#d5d5d2;
--box:#f1f1ee;
--helps:#00598c;--hurts:#a84a00}
@media (prefers-color-scheme:dark){:root{--ink:#e9e9e6;--soft:#a9a9a5;--paper:#17181a;
--line:#3b3d40;
--box:#222427;--helps:#6cc0f2;--hurts:#ff9a55}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.2rem 1rem 4rem;max-width:76rem;background:var(--paper);
color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;overflow-wrap:anywhere}
td:first-child{white-space:nowrap}
h1{font-size:1.7rem;line-height:1.2;margin:.2rem 0}
h2{font-size:1.25rem;margin:2.4rem 0 .6rem;border-bottom:1px solid var(--line)}
h3{font-size:1.02rem;margin:1.8rem 0 .5rem}
p,figcaption,caption{max-width:52rem}
.about,figcaption,caption{color:var(--soft);font-size:.92rem}
.about{margin:0 0 .8rem}
.verdict p{margin:.7rem 0 .2rem;max-width:none}.verdict p:first-child{margin-top:0}
.verdict ul{margin:.1rem 0;padding-left:1.2rem;font-size:.92rem}
.verdict{background:var(--box);border-left:4px solid var(--helps);padding:.8rem 1rem;margin:0;
max-width:60rem}
figure{margin:0}
figcaption{margin:.5rem 0 0}
.panels{display:grid;gap:.6rem;
grid-template-columns:repeat(auto-fit,minmax(min(100%,var(--wide)),1fr))}
.panels>div{background:#fff;border:1px solid var(--line);border-radius:6px;padding:.35rem;
text-align:center}
.panels img{display:block;margin:0 auto;width:100%;height:auto}
.legend{display:flex;flex-wrap:wrap;gap:.15rem 1.1rem;background:#fff;color:#1b1b1b;
border:1px solid var(--line);
border-radius:6px;padding:.3rem .7rem;margin:0 0 .6rem;font-size:.9rem;list-style:none}
.legend img{vertical-align:-.2em;margin-right:.35em;width:40px;height:17px}
.panels.one{max-width:calc(1.35*var(--wide))}
.scroll{overflow-x:auto;margin:0 0 1.1rem;border:1px solid var(--line);border-radius:6px}
table{border-collapse:collapse;font-size:.86rem;width:100%;overflow-wrap:normal}
caption{text-align:left;padding:.5rem .7rem;overflow-wrap:anywhere}
th,td{padding:.28rem .7rem;text-align:left;border-top:1px solid var(--line);vertical-align:top;
max-width:34rem}
th{background:var(--box);font-weight:600}
.num{text-align:right;font-variant-numeric:tabular-nums}
td.num{white-space:nowrap}
.helps{color:var(--helps);font-weight:600}.hurts{color:var(--hurts);font-weight:600}
pre{background:var(--box);padding:.7rem .9rem;overflow-x:auto;white-space:pre-wrap;
font-size:.86rem;
border-radius:6px}
details{margin:1rem 0}summary{cursor:pointer;font-weight:600}
@media print{:root{--ink:#000;--soft:#333;--paper:#fff;--line:#bbb;--box:#f4f4f4;--helps:#00598c;
--hurts:#a84a00}
body{max-width:none;padding:0;font-size:10pt}tr,.panels>div,.verdict,.legend{break-inside:avoid}
h2,h3,.legend{break-after:avoid}figcaption{break-before:avoid}.scroll{overflow:visible}table{font-size:8pt}
.panels{grid-template-columns:repeat(2,1fr)}.panels.one{grid-template-columns:1fr}}
"""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
escape = html.escape


class Right(str):
    """The text of a table's cell that stands at the right: a number."""


class Missing(Exception):
    """A file that the report cannot do without: the message is the one sentence a user reads."""


def read_columns(path, wanted=None):
    """A CSV file as {column: list of texts}, in the file's order; {} where there is no such file.

    Rows of another length than the header's, such as a last line cut short, are left out.
    """
    path = Path(path)
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8", errors="replace") as stream:
        reader = csv.reader(line.replace("\0", "") for line in stream)
        header = next(reader, [])
        keep = [i for i, column in enumerate(header) if wanted is None or column in wanted]
        rows = [[row[i] for i in keep] for row in reader if len(row) == len(header)]
    columns = zip(*rows) if rows else ([] for _ in keep)
    return {header[i]: list(column) for i, column in zip(keep, columns)}


def floats(texts):
    """Texts as numbers; what is not a finite number becomes nan."""
    try:
        values = np.array(texts, dtype=float)
    except ValueError:
        values = np.array([number_or_nan(text) for text in texts])
    return np.where(np.isfinite(values), values, np.nan)


def number_or_nan(text):
    """One text as a number, nan where it is none."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return math.nan


def read_json(path):
    """A JSON object; {} where the file is absent or broken."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def read_text(path):
    """A text file; empty where it is absent."""
    path = Path(path)
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def setting(ini, key):
    """The value of a dotted key in run.ini's text, or None."""
    section, wanted, current = *key.rsplit(".", 1), ""
    for line in ini.splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            current = line[1:-1].strip()
        left, equals, right = line.partition("=")
        if equals and ".".join(filter(None, (current, left.strip()))) == f"{section}.{wanted}":
            return right.strip()
    return None


def table(header, rows, caption=""):
    """A table that scrolls in its own box; columns whose first cell is `Right` stand right."""
    right = [isinstance(value, Right) for value in (rows[0] if rows else header)]

    def cell(value):
        kind = "num" if isinstance(value, Right) else value if value in ("helps", "hurts") else ""
        sign = {"helps": "▲ ", "hurts": "▼ "}.get(value, "")
        return f"<td{f' class={kind}' if kind else ''}>{sign}{escape(str(value))}</td>"

    head = "".join(
        f'<th scope="col"{" class=num" if stands_right else ""}>{escape(text)}</th>'
        for text, stands_right in zip(header, right)
    )
    body = "\n".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    caption = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll" tabindex="0"><table>{caption}<thead><tr>{head}</tr></thead>\n'
        f'<tbody>{body}</tbody></table></div>\n'
    )


def figure(heading, panels, caption, legend=(), wide=284):
    """Pictures (address, description) on white cards, each `wide` pixels at least, one caption."""
    keys = "".join(f'<li><img src="{uri}" alt="">{escape(text)}</li>' for uri, text in legend)
    keys = f'<ul class="legend">{keys}</ul>' if keys else ""
    cards = "".join(
        f'<div><img src="{uri}" alt="{escape(alt)}" style="max-width:{round(1.4 * wide)}px"></div>'
        for uri, alt in panels
    )
    one = " one" if len(panels) == 1 else ""
    return (
        f'<h3>{escape(heading)}</h3><figure>{keys}<div class="panels{one}"'
        f' style="--wide:{wide}px">{cards}'
        f'</div><figcaption>{escape(caption)}</figcaption></figure>\n'
    )


def flat(entries, prefix=""):
    """The leaves of nested JSON objects as (dotted key, text), without those that hold nothing."""
    for key, value in entries.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        elif isinstance(value, float):
            if math.isfinite(value):
                yield prefix + key, style.number(value, 6)
        elif value not in (None, "", []):
            yield prefix + key, " ".join(map(str, value)) if isinstance(value, list) else str(value)


def provenance(directory, command):
    """Where the numbers come from, and the command that repeats them."""
    run = read_json(directory / "run.json")
    ini = read_text(directory / "run.ini")
    parts = []
    if ini:
        again = directory.resolve()
        command = run.get("command", command)
        line = ["thalweg", command, f"{again}/run.ini", f"--out.dir={again}-again"]
        parts.append(
            "<p>This command repeats it from the stored keys, into a new directory:</p>"
            f"<pre>{escape(shlex.join(line))}</pre>\n"
        )
    if facts := list(flat(run)):
        parts.append(table(["provenance", "value"], facts))
    if ini:
        parts.append(
            f"<details><summary>Every key as resolved (run.ini)</summary><pre>{escape(ini)}</pre>"
            "</details>\n"
        )
    return "<h2>Repeat it</h2>\n" + "".join(parts) if parts else ""


def frame(title, body):
    """The whole page."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<title>{escape(title)}</title><style>{CSS}</style></head>\n<body>\n{body}</body></html>\n'
    )


def write(path, text):
    """Writes the whole file or nothing: a reader never meets half a page."""
    path = Path(path)
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def command_line(program, description, write_report, arguments=None):
    """Runs `PROGRAM DIR [--quiet]` and returns the exit code: 0 written, 2 misuse, 4 not writable.

    `write_report(directory)` returns the files that it wrote and notes on what it left out.
    """
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("directory", metavar="DIR", help="the directory that thalweg wrote")
    parser.add_argument("--quiet", action="store_true", help="do not say which files were written")
    options = parser.parse_args(arguments)
    try:
        written, notes = write_report(options.directory)
    except Missing as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{program}: cannot write the report: {error}.", file=sys.stderr)
        return 4
    for note in notes:
        print(f"{program}: {note}", file=sys.stderr)
    if not options.quiet:
        print(*written, sep="\n")
    return 0
