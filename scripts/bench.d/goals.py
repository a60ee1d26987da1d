"""What the measurements are held against. Each goal: what, at most (or at least) how much, and how to find it in the results of a run.
Where several runs on the same server measured it, the worst of them counts; each server has a row of its own."""
from statistics import median

from commands import label
from shapes import short

MEMORY_MIB = 300


class Results:
    """All groups of all cases of one run, and which sizes any run measured."""

    def __init__(self, found, everything):
        self.found, self.everything = found, everything

    def group(self, group, shape="kong", near=5_000_000, exact=False):
        """A case without latency: of all that were ever measured the one nearest in size; None if this run has none of it."""
        def fits(one):
            return one["group"] == group and one["case"]["shape"] == shape and not one["case"]["latency"]
        sizes = {one["case"]["asked_rows"] for one in self.everything if fits(one)}
        size = near if exact else min(sizes, key=lambda rows: abs(rows - near), default=None)
        return next((one for one in self.found if fits(one) and one["case"]["asked_rows"] == size), None)


def seconds(command, key="seconds"):
    return median(command[key])


def all_of(result, tool, name=""):
    return [one for one in result["commands"] if one["tool"] == tool and name in one["name"] and one["seconds"]]


def silverback(result, name):
    return next((one for one in result["commands"] if (one["tool"], one["name"]) == ("silverback", name) and one["seconds"]), None)


def fastest(commands):
    return min(commands, key=seconds, default=None)


def ratio(result, mine, other, key="seconds"):
    """The ratio and its words; None if either was not measured."""
    if not mine or not other:
        return None
    value = seconds(mine, key) / seconds(other)
    return value, f"{seconds(mine, key):.2f} s, {label(other['tool'], other['name'])} {seconds(other):.2f} s; {title(result['case'])}"


def title(case):
    far = f", {case['latency']:g} ms away" if case["latency"] else ""
    return f"{case['shape']} {short(case['asked_rows'])} rows{far}"


# -- the goals' measures: each takes Results and returns (value, words) or None

def dump_to(tool, name="", shape="kong", near=5_000_000):
    def find(results):
        result = results.group("dump", shape, near)
        return result and ratio(result, silverback(result, "dump"), fastest(all_of(result, tool, name)))
    return find


def dump_documented(results):
    result = results.group("dump")
    return result and ratio(result, silverback(result, "dump"), fastest([one for one in all_of(result, "pg_dump") if one["name"].endswith(" -Fd")]))


def dump_size(results):
    result = results.group("dump")
    mine, other = result and silverback(result, "dump"), result and fastest(all_of(result, "pg_dump", "zstd:1"))
    if not mine or not other:
        return None
    return mine["bytes"] / other["bytes"], f"{mine['bytes'] / 1e6:.1f} MB, {other['bytes'] / 1e6:.1f} MB; {title(result['case'])}"


def restore_to(parallel, name="restore --no-analyze", key="seconds", shape="kong", near=5_000_000, exact=False):
    def find(results):
        result = results.group("restore", shape, near, exact)
        return result and ratio(result, silverback(result, name), fastest([one for one in all_of(result, "pg_restore") if parallel in (None, " -j" in one["name"])]), key)
    return find


def ready_to_the_end(name, plain):
    def find(results):
        result = results.group("restore")
        return result and ratio(result, silverback(result, name), silverback(result, plain))
    return find


def verify_speed(results):
    result = results.group("verify")
    mine = result and silverback(result, "verify")
    return mine and (result["case"]["raw_bytes"] / seconds(mine) / 1e9, f"{seconds(mine):.2f} s; {title(result['case'])}")


def peak(results):
    peaks = [(max(one["peak_mib"]), f"{one['name']}, {title(result['case'])}") for result in results.found for one in result["commands"]
             if one["tool"] == "silverback" and result["group"] != "clone" and one["peak_mib"]]
    return max(peaks) if peaks else None


def peak_of(shape, rows):
    def find(results):
        result = results.group("restore", shape, rows, exact=True)
        mine = result and silverback(result, "restore --no-analyze")
        return mine and mine["peak_mib"] and (max(mine["peak_mib"]), title(result["case"]))
    return find


def peak_growth(group, name):
    def find(results):
        small, large = (results.group(group, near=rows, exact=True) for rows in (1_000_000, 20_000_000))
        mine = small and large and [silverback(small, name), silverback(large, name)]
        if not mine or not all(mine):
            return None
        values = [max(one["peak_mib"]) for one in mine]
        return values[1] / values[0], f"{values[0]:.0f} MiB, {values[1]:.0f} MiB"
    return find


def marginal(group, name):
    """How the time for a row grows; beside it, the same of every other tool that was measured at all three sizes."""
    def steps(times, rows):
        return [(times[n + 1] - times[n]) / (rows[n + 1] - rows[n]) * 1e6 for n in (0, 1)]

    def find(results):
        cases = [results.group(group, near=rows, exact=True) for rows in (1_000_000, 5_000_000, 20_000_000)]
        if not all(cases) or not all(silverback(case, name) for case in cases):
            return None
        rows = [case["case"]["rows"] for case in cases]
        first, second = steps([seconds(silverback(case, name)) for case in cases], rows)
        words = f"{first:.3f} s, then {second:.3f} s for each million rows"
        others = [{(one["tool"], one["name"]): one for one in case["commands"] if one["tool"] != "silverback" and one["seconds"]} for case in cases]
        for key in others[0]:
            if all(key in case for case in others):
                growth = steps([seconds(case[key]) for case in others], rows)
                words += f"; {label(*key)}: {growth[1] / growth[0]:.2f}"
        return second / first, words
    return find


AT_LEAST, AT_MOST = ">=", "<="
FIVE, SIZES, PARTITIONS = "--rows 5M", "--rows 1M,5M,20M", "--shape partitions --rows 10k,50k"
GOALS = [
    ("dump ÷ the fastest pg_dump setting", AT_MOST, 0.80, dump_to("pg_dump"), f"{FIVE} --only dump"),
    ("archive's size ÷ that of pg_dump -Z zstd:1", AT_MOST, 0.95, dump_size, f"{FIVE} --only dump"),
    ("dump ÷ the documented pg_dump -Fd", AT_MOST, 0.20, dump_documented, f"{FIVE} --only dump"),
    ("dump ÷ receive only", AT_MOST, 1.45, dump_to("receive"), f"{FIVE} --only dump"),
    ("dump of one huge table ÷ the fastest pg_dump setting", AT_MOST, 0.62, dump_to("pg_dump", shape="huge", near=2_000_000), "--shape huge --only dump"),
    ("restore --no-analyze ÷ the best pg_restore -j", AT_MOST, 0.90, restore_to(True), f"{FIVE} --only restore"),
    ("restore --no-analyze --fk trust ÷ the best pg_restore -j", AT_MOST, 0.80, restore_to(True, "restore --no-analyze --fk trust"), f"{FIVE} --only restore"),
    ("ready, ANALYZE included ÷ the best pg_restore -j", AT_MOST, 0.65, restore_to(True, "restore --ready-early", "ready"), f"{FIVE} --only restore"),
    ("ready, without ANALYZE ÷ the best pg_restore -j", AT_MOST, 0.65, restore_to(True, "restore --no-analyze --ready-early", "ready"), f"{FIVE} --only restore"),
    ("restore --no-analyze ÷ the documented pg_restore without -j", AT_MOST, 0.62, restore_to(False), f"{FIVE} --only restore"),
    ("restore --ready-early to the very end ÷ plain restore", AT_MOST, 1.15, ready_to_the_end("restore --ready-early", "restore"), f"{FIVE} --only restore"),
    ("the same, both without ANALYZE", AT_MOST, 1.15, ready_to_the_end("restore --no-analyze --ready-early", "restore --no-analyze"), f"{FIVE} --only restore"),
    ("restore --no-analyze of 1,000 partitions ÷ the best pg_restore -j", AT_MOST, 0.80, restore_to(True, shape="partitions", near=10_000, exact=True), f"{PARTITIONS} --only restore"),
    ("restore --no-analyze of 5,000 partitions ÷ the best pg_restore -j", AT_MOST, 1.00, restore_to(True, shape="partitions", near=50_000, exact=True), f"{PARTITIONS} --only restore"),
    ("peak memory of restore of 5,000 partitions, MiB", AT_MOST, 100, peak_of("partitions", 50_000), f"{PARTITIONS} --only restore"),
    ("restore --no-analyze of 50,000 grants ÷ the fastest pg_restore", AT_MOST, 1.00, restore_to(None, shape="grants", near=50_000, exact=True), "--shape grants --only restore"),
    ("verify, GB of raw data a second", AT_LEAST, 1.00, verify_speed, f"{FIVE} --only verify"),
    ("peak memory of any command, MiB", AT_MOST, MEMORY_MIB, peak, f"{SIZES} --only dump,verify,restore"),
    ("peak memory of dump at 20 M rows ÷ at 1 M", AT_MOST, 1.10, peak_growth("dump", "dump"), f"{SIZES} --only dump"),
    ("peak memory of restore at 20 M rows ÷ at 1 M", AT_MOST, 1.10, peak_growth("restore", "restore --no-analyze"), f"{SIZES} --only restore"),
    ("dump's time per row from 5 M to 20 M ÷ from 1 M to 5 M", AT_MOST, 1.10, marginal("dump", "dump"), f"{SIZES} --only dump"),
    ("restore's time per row from 5 M to 20 M ÷ from 1 M to 5 M", AT_MOST, 1.10, marginal("restore", "restore --no-analyze"), f"{SIZES} --only restore"),
]


def lines(found, surroundings):
    """The table of goals; `surroundings` tells where a run was, in words that can stand behind "on"."""
    runs = {}
    for one in found:
        runs.setdefault((one["run"]["began"], one["run"]["command"], surroundings(one["run"])), []).append(one)
    yield from ("| goal | limit | measured | | from |", "|---|---|---|---|---|")
    for what, sign, limit, find, how in GOALS:
        outcomes = {}
        for (_, _, place), one in runs.items():
            if outcome := find(Results(one, found)):
                outcomes.setdefault(place, []).append(outcome)
        bound = f"{'≤' if sign == AT_MOST else '≥'} {number(limit)}"
        if not outcomes:
            yield f"| {what} | {bound} | | not measured | `scripts/bench {how}` |"
        for place, measured in sorted(outcomes.items()):
            value, words = (max if sign == AT_MOST else min)(measured, key=lambda outcome: outcome[0])
            held = value <= limit if sign == AT_MOST else value >= limit
            others = f"; the worst of {len(measured)} runs" if len(measured) > 1 else ""
            where = f"; on {place}" if len(outcomes) > 1 else ""
            yield f"| {what} | {bound} | {number(value)} | {'held' if held else '**not held**'} | {words}{others}{where} |"


def number(value):
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"
