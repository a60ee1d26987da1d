"""What the measurements are held against. Where several runs on the same server measured a goal, the worst of them counts; each server has
a row of its own."""
import operator
from dataclasses import dataclass
from typing import Callable

import measures
from common import Distance
from shapes import SHAPES, short

SIGNS = {"≤": operator.le, "<": operator.lt, "≥": operator.ge}
# The size that a shape's goals are for, where it is not the one that the shape has unless rows are named.
GOAL_ROWS = {"kong": 5_000_000}
SIZES = (1_000_000, 5_000_000, 20_000_000)
HERE, SLOW, FAST = Distance(), Distance(80.0, 100.0), Distance(80.0, 1000.0)


@dataclass
class Goal:
    what: str
    sign: str
    limits: dict  # by shape
    groups: tuple
    measure: Callable  # of the results of a case; with `rows`, of those of each size
    rows: tuple = None  # these sizes; otherwise the measured one that is nearest to the shape's
    away: Distance = HERE

    def find(self, run, everything, shape):
        """The measure's answer from one run's results."""
        cases = [case_of(run, everything, self.groups, shape, rows, self.away) for rows in self.rows or (None,)]
        return self.measure(*cases) if all(cases) else None

    def command(self, shape):
        rows = self.rows or ((GOAL_ROWS[shape],) if shape in GOAL_ROWS and self.away == HERE else ())
        words = ["scripts/bench", *(["--shape", shape] if shape != "kong" else []), *(["--rows", ",".join(map(short, rows))] if rows else []),
                 *(["--link", f"{self.away.mbit:g}:{self.away.latency:g}"] if self.away.mbit else []), "--only", ",".join(self.groups)]
        return " ".join(words)


def case_of(run, everything, groups, shape, rows, away):
    """The commands of these groups in one run; without `rows`, those at the size that is nearest to the shape's of all that were ever measured."""
    def fits(one):
        return one["group"] in groups and one["case"]["shape"] == shape and Distance.of(one["case"]) == away
    near = GOAL_ROWS.get(shape, SHAPES[shape].rows)
    rows = rows or min({one["case"]["asked_rows"] for one in everything if fits(one)}, key=lambda size: abs(size - near), default=None)
    found = [one for one in run if fits(one) and one["case"]["asked_rows"] == rows]
    return {"case": found[0]["case"], "commands": [command for one in found for command in one["commands"]]} if found else None


def every(limit, **others):
    return {**dict.fromkeys(SHAPES, limit), **others}


def documented(name):
    return name.endswith(" -Fd")


def two_jobs(name):
    return " -j2 " in f"{name} "


DUMP, RESTORE, VERIFY = ("dump",), ("restore",), ("verify",)
ROWS_ONLY, READY, READY_ROWS_ONLY = "restore --no-analyze", "restore --ready-early", "restore --no-analyze --ready-early"
DUMP_TIME = Goal("dump ÷ the fastest pg_dump setting", "≤", every(0.80, kong=0.70, tpch=0.90, huge=0.62), DUMP, measures.time_to("dump", "pg_dump"))
RECEIVE = Goal("dump ÷ receive only, with as many sessions", "≤", {"kong": 1.35, "tpch": 1.35, "pgbench": 1.35, "events": 1.35, "huge": 1.35, "wide": 2.00}, DUMP, measures.receive)
SIZE = Goal("archive's size ÷ that of pg_dump -Z zstd:1", "≤", {"kong": 0.82, "tpch": 0.62, "pgbench": 0.25, "events": 0.75, "wide": 0.98}, DUMP, measures.size)
RESTORE_TIME = Goal("restore --no-analyze ÷ the best pg_restore -j", "≤", every(0.80), RESTORE, measures.time_to(ROWS_ONLY, "pg_restore", measures.parallel))
PEAK = Goal("peak memory of any command, MiB", "≤", every(80, tables=140), ("dump", "verify", "restore"), measures.peak)
GOALS = [
    DUMP_TIME,
    Goal("dump ÷ the documented pg_dump -Fd", "≤", {"kong": 0.20}, DUMP, measures.time_to("dump", "pg_dump", documented)),
    RECEIVE,
    SIZE,
    Goal("size with -Z zstd:9 ÷ that of level 1", "<", dict.fromkeys([*SIZE.limits, "huge", "objects"], 1.00), DUMP, measures.size_of_level_9),
    RESTORE_TIME,
    Goal("restore --no-analyze --fk trust ÷ the best pg_restore -j", "≤", {"kong": 0.80}, RESTORE, measures.time_to("restore --no-analyze --fk trust", "pg_restore", measures.parallel)),
    Goal("ready, ANALYZE included ÷ the best pg_restore -j", "≤", {"kong": 0.65}, RESTORE, measures.time_to(READY, "pg_restore", measures.parallel, "ready")),
    Goal("ready, without ANALYZE ÷ the best pg_restore -j", "≤", {"kong": 0.65}, RESTORE, measures.time_to(READY_ROWS_ONLY, "pg_restore", measures.parallel, "ready")),
    Goal("restore --no-analyze ÷ the documented pg_restore without -j", "≤", {"kong": 0.62}, RESTORE, measures.time_to(ROWS_ONLY, "pg_restore", lambda name: not measures.parallel(name))),
    Goal("restore --ready-early to the very end ÷ plain restore", "≤", {"kong": 1.15}, RESTORE, measures.ready_to_the_end(READY, "restore")),
    Goal("the same, both without ANALYZE", "≤", {"kong": 1.15}, RESTORE, measures.ready_to_the_end(READY_ROWS_ONLY, ROWS_ONLY)),
    Goal("restore --no-analyze of 5,000 partitions ÷ the best pg_restore -j", "≤", {"partitions": 1.00}, RESTORE, RESTORE_TIME.measure, rows=(50_000,)),
    Goal("peak memory of restore of 5,000 partitions, MiB", "≤", {"partitions": 100}, RESTORE, measures.peak_of(ROWS_ONLY), rows=(50_000,)),
    Goal("restore --no-analyze ÷ the fastest pg_restore", "≤", {"grants": 1.00}, RESTORE, measures.time_to(ROWS_ONLY, "pg_restore")),
    Goal("verify, GB of raw data a second", "≥", {"kong": 1.00}, VERIFY, measures.verify_speed),
    PEAK,
    Goal("peak memory of dump at 20 M rows ÷ at 1 M", "≤", {"kong": 1.10}, DUMP, measures.peak_growth("dump"), rows=(SIZES[0], SIZES[2])),
    Goal("peak memory of restore at 20 M rows ÷ at 1 M", "≤", {"kong": 1.10}, RESTORE, measures.peak_growth(ROWS_ONLY), rows=(SIZES[0], SIZES[2])),
    Goal("dump's time per row from 5 M to 20 M ÷ from 1 M to 5 M", "≤", {"kong": 1.10}, DUMP, measures.marginal("dump"), rows=SIZES),
    Goal("restore's time per row from 5 M to 20 M ÷ from 1 M to 5 M", "≤", {"kong": 1.10}, RESTORE, measures.marginal(ROWS_ONLY), rows=SIZES),
    Goal("part of a link of 100 Mbit/s at 80 ms that a dump uses", "≥", {"kong": 0.90}, DUMP, measures.link_used("dump"), away=SLOW),
    Goal("part of a link of 100 Mbit/s at 80 ms that a restore uses", "≥", {"kong": 0.90}, RESTORE, measures.link_used(ROWS_ONLY), away=SLOW),
    Goal("pg_dump -j2 ÷ dump, 1 Gbit/s at 80 ms", "≥", {"kong": 2.00, "tables": 4.00}, DUMP, measures.times_faster("dump", "pg_dump", two_jobs), away=FAST),
]
SUMMARY = [("dump ÷ fastest pg_dump", DUMP_TIME), ("dump ÷ receive only", RECEIVE), ("size ÷ pg_dump -Z zstd:1", SIZE), ("restore ÷ best pg_restore -j", RESTORE_TIME), ("peak MiB", PEAK)]


def runs_of(found):
    runs = {}
    for one in found:
        runs.setdefault((one["run"]["began"], one["run"]["command"]), []).append(one)
    return runs.values()


def worst(goal, outcomes):
    return (min if goal.sign == "≥" else max)(outcomes, key=lambda outcome: outcome[0])


def summary(found):
    """A line for each shape that was measured, on whatever server."""
    yield f"| | {' | '.join(what for what, _ in SUMMARY)} |"
    yield f"|---|{'---|' * len(SUMMARY)}"
    for shape in SHAPES:
        cells = []
        for _, goal in SUMMARY:
            outcomes = [outcome for run in runs_of(found) if (outcome := goal.find(run, found, shape))]
            cells.append(number(worst(goal, outcomes)[0]) if outcomes else "")
        if any(cells):
            yield f"| {shape}: {SHAPES[shape].what} | {' | '.join(cells)} |"


def lines(found, surroundings):
    """The table of goals; `surroundings` tells where a run was, in words that can stand behind "on"."""
    yield from ("| goal | shape | limit | measured | | from |", "|---|---|---|---|---|---|")
    for goal in GOALS:
        for shape, limit in goal.limits.items():
            yield from goal_lines(goal, shape, limit, found, surroundings)


def goal_lines(goal, shape, limit, found, surroundings):
    outcomes = {}
    for run in runs_of(found):
        if outcome := goal.find(run, found, shape):
            outcomes.setdefault(surroundings(run[0]["run"]), []).append(outcome)
    head = f"| {goal.what} | {shape} | {goal.sign} {number(limit)} |"
    if not outcomes:
        yield f"{head} | not measured | `{goal.command(shape)}` |"
    for place, measured in sorted(outcomes.items()):
        value, words = worst(goal, measured)
        held = SIGNS[goal.sign](value, limit)
        others = f"; the worst of {len(measured)} runs" if len(measured) > 1 else ""
        where = f"; on {place}" if len(outcomes) > 1 else ""
        yield f"{head} {number(value)} | {'held' if held else '**not held**'} | {words}{others}{where} |"


def number(value):
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"
