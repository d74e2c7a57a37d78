"""The tables of a study's report.

    from study_report.tables import tables
    html = tables(study)
"""

import numpy as np

import page
from page import Right, escape
from style import interval, name, number, percent

from study_report.study import BAD, GEOMETRY, OUTCOMES, SMOOTHNESS, spread
from study_report.verdict import term_name

ROWS = 400
BAD_ROWS = 30


def tables(study):
    """All tables."""
    return "".join(
        [
            *(table_pooled(study, matching) for matching in study.matchings),
            table_methods(study),
            table_shares(study),
            table_bad(study),
            *(table_parts(study, matching) for matching in study.matchings),
        ]
    )


def effect_table(effects, factors, baseline, caption=""):
    """Effects as a table, a column for each factor given."""
    rows = [
        [
            name(e.measure),
            e.method,
            *(e.levels[f].replace("*", "all") for f in factors),
            Right(e.pairs),
            Right(interval(e.mean, e.low, e.high)),
            Right(number(e.p_holm, 2)),
            e.verdict,
        ]
        for e in effects[:ROWS]
    ]
    difference = f"mean − {baseline} [95 %]"
    header = ["measure", "method", *map(name, factors), "pairs", difference, "p (Holm)", "verdict"]
    return page.table(header, rows, caption) if rows else ""


def under(matching):
    """The matching as the end of a caption."""
    return f", {matching}" if matching else ""


def table_pooled(study, matching):
    """All measures, pooled over all cells."""
    effects = [e for e in study.effects if e.matching == matching and not e.fixed]
    return effect_table(
        effects, [], study.baseline, f"Paired effects over all cells{under(matching)}"
    )


def table_parts(study, matching):
    """The outcome level by level and cell by cell, folded away."""
    effects = [
        e
        for e in study.effects
        if e.matching == matching and e.measure == study.outcome and e.fixed
    ]
    if not effects:
        return ""
    more = f", the first {ROWS} of {len(effects)} rows; effects.csv holds them all"
    cut = more if len(effects) > ROWS else ""
    title = f"Paired effects on {name(study.outcome)} level by level and cell by cell"
    return (
        f"<details><summary>{escape(title + under(matching) + cut)}</summary>"
        + effect_table(effects, list(effects[0].levels), study.baseline)
        + "</details>\n"
    )


def table_methods(study):
    """Runs, losses of runs and medians of every method."""
    wanted = (*OUTCOMES, "memorised", "worst_fragment", *SMOOTHNESS, *GEOMETRY, "path_ratio")
    shown = [m for m in wanted if m in study.values]
    rows = []
    for matching in study.matchings:
        for method in study.methods:
            mine = (study.method == method) & (study.matching == matching)
            states = [Right(int((mine & (study.status == state)).sum())) for state in BAD]
            medians = [Right(number(spread(study.values[m][mine & study.fine])[1])) for m in shown]
            label = [matching] if matching else []
            step = [Right(number(spread(study.steps[mine])[1]))] if study.steps.size else []
            rows.append([method, *label, Right(int(mine.sum())), *states, *step, *medians])
    label = ["matching"] if any(study.matchings) else []
    step = ["step"] if study.steps.size else []
    header = ["method", *label, "runs", *BAD, *step, *map(name, shown)]
    caption = "Runs of each method, and medians over those that ended well"
    return page.table(header, rows, caption)


def table_shares(study):
    """Variance shares: a row a term, a column a measure."""
    measures = list(dict.fromkeys(s.measure for s in study.shares))
    terms = list(dict.fromkeys(s.term for s in study.shares))
    found = {(s.measure, s.term): s for s in study.shares}
    rows = [
        [term_name(term), *(share_cell(found.get((m, term))) for m in measures)] for term in terms
    ]
    caption = "Variance shares in %, with 95 % intervals"
    return page.table(["term", *map(name, measures)], rows, caption) if rows else ""


def share_cell(share):
    """A share with its interval, in per cent."""
    if share is None:
        return Right("–")
    known = np.isfinite([share.low, share.high]).all()
    span = f" [{percent(share.low)}, {percent(share.high)}]" if known else ""
    return Right(percent(share.share) + span)


def table_bad(study):
    """The runs that did not end well: counted and shown, never dropped in silence."""
    bad = np.flatnonzero(~study.fine)
    wanted = ("run", *study.factors, "matching", "method", "seed", "status", "reason")
    columns = [c for c in wanted if c in study.columns]
    rows = [[study.columns[c][i] for c in columns] for i in bad[:BAD_ROWS]]
    cut = f", the first {BAD_ROWS} of {len(bad)}" if len(bad) > BAD_ROWS else ""
    caption = f"Runs that diverged or failed{cut}"
    return page.table([name(c) for c in columns], rows, caption) if rows else ""
