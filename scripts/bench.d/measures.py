"""What goals are about: each measure takes the results of a case (or of several sizes) and returns a value and its words; None if they do not have it."""
from statistics import median

from commands import SESSIONS, label
from common import Distance
from shapes import short


def title(case):
    return f"{case['shape']} {short(case['asked_rows'])} rows{Distance.of(case).words()}"


# -- which command

def seconds(command, key="seconds"):
    return median(command[key])


def all_of(result, tool, fits=lambda name: True):
    return [one for one in result["commands"] if one["tool"] == tool and one["seconds"] and fits(one["name"])]


def silverback(result, name):
    return next(iter(all_of(result, "silverback", lambda found: found == name)), None)


def fastest(commands):
    return min(commands, key=seconds, default=None)


def parallel(name):
    return " -j" in name


# -- the measures

def ratio(result, mine, other, key="seconds"):
    if not mine or not other:
        return None
    value = seconds(mine, key) / seconds(other)
    return value, f"{seconds(mine, key):.2f} s, {label(other['tool'], other['name'])} {seconds(other):.2f} s; {title(result['case'])}"


def time_to(mine, tool, fits=lambda name: True, key="seconds"):
    """Silverback's time ÷ that of the fastest command of another tool."""
    return lambda result: ratio(result, silverback(result, mine), fastest(all_of(result, tool, fits)), key)


def times_faster(mine, tool, fits):
    def find(result):
        found = time_to(mine, tool, fits)(result)
        return found and (1 / found[0], found[1])
    return find


def receive(result):
    return time_to("dump", "receive", lambda name: name == f"receive only, {SESSIONS} sessions")(result)


def ready_to_the_end(name, plain):
    return lambda result: ratio(result, silverback(result, name), silverback(result, plain))


def sizes(result, mine, other):
    if not mine or not other:
        return None
    return mine["bytes"] / other["bytes"], f"{mine['bytes'] / 1e6:.1f} MB, {other['bytes'] / 1e6:.1f} MB; {title(result['case'])}"


def size(result):
    return sizes(result, silverback(result, "dump"), fastest(all_of(result, "pg_dump", lambda name: "zstd:1" in name)))


def size_of_level_9(result):
    return sizes(result, silverback(result, "dump -Z zstd:9"), silverback(result, "dump"))


def verify_speed(result):
    mine = silverback(result, "verify")
    return mine and (result["case"]["raw_bytes"] / seconds(mine) / 1e9, f"{seconds(mine):.2f} s; {title(result['case'])}")


def link_used(name):
    """The part of a link's rate that a command came to, less the first and the last hundredth of its bytes."""
    def find(result):
        mine = silverback(result, name)
        if not mine or not mine["link_mbit"]:
            return None
        mbit = median(mine["link_mbit"])
        return mbit / result["case"]["mbit"], f"{mbit:.1f} Mbit/s, {seconds(mine):.2f} s; {title(result['case'])}"
    return find


def peak(result):
    """Of all commands but those for size alone, which nobody who has little memory would choose."""
    peaks = [(max(one["peak_mib"]), f"{one['name']}, {title(result['case'])}") for one in all_of(result, "silverback", lambda name: name != "dump -Z zstd:9")]
    return max(peaks, default=None)


def peak_of(name):
    def find(result):
        mine = silverback(result, name)
        return mine and (max(mine["peak_mib"]), title(result["case"]))
    return find


def peak_growth(name):
    def find(small, large):
        mine = [silverback(small, name), silverback(large, name)]
        if not all(mine):
            return None
        values = [max(one["peak_mib"]) for one in mine]
        return values[1] / values[0], f"{values[0]:.0f} MiB, {values[1]:.0f} MiB"
    return find


def marginal(name):
    """How the time for a row grows; beside it, the same of every other tool that was measured at all three sizes."""
    def steps(times, rows):
        return [(times[n + 1] - times[n]) / (rows[n + 1] - rows[n]) * 1e6 for n in (0, 1)]

    def find(*cases):
        if not all(silverback(case, name) for case in cases):
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
