"""BENCHMARKS.md, from all runs that are in the folder of results."""
import json
from statistics import median

import goals
from commands import label
from common import SILVERBACK_GROUPS, Distance
from shapes import SHAPES, short

HEADS = {"dump": "Dump", "verify": "Verify, every row decoded", "restore": "Restore into an empty database", "clone": "From one database to another"}
NOTES = """\
Figures are medians over alternating rounds after one that warms caches; ratios are those of medians. CPU is that of the command and
its children, not the server's. Peak memory is that of a command's largest process (`ru_maxrss`, which is VmHWM;
less than 20 MiB may be Python's, which starts it). *receive only* is the
same COPYs over the same driver with the bytes thrown away, *server* the same into the server's own `/dev/null`. pg_restore reads a directory
of `pg_dump -Fd -Z zstd:1` (gzip where it has no zstd). A link's rate is shared by all connections, each way, and each has at most 1 MiB on its
way; what a command made of it is told without the first and the last hundredth of its bytes. `dump -Z zstd:9` runs once, for its size."""


def render(folder):
    found = [json.loads(path.read_text()) for path in folder.glob("*/*.json")]
    found.sort(key=lambda one: (list(SHAPES).index(one["case"]["shape"]), one["case"]["asked_rows"], one["case"]["latency"], one["case"].get("mbit") or 0, SILVERBACK_GROUPS.index(one["group"]), -len(one["commands"]), one["run"]["began"]))
    newest = sorted(found, key=lambda one: one["run"]["began"], reverse=True)
    machines = list(dict.fromkeys(surroundings(one["run"]) for one in newest))

    def machine(run):
        return f"machine {machines.index(surroundings(run)) + 1}"
    lines = ["# Benchmarks", "", *goals.summary(found), "", NOTES, "", "## Goals", "", *goals.lines(found, machine), ""]
    lines += ["## Machine and versions", "", *(f"{n + 1}. {one}" for n, one in enumerate(machines)), ""]
    case = group = None
    for one in found:
        if one["case"]["name"] != case:
            case, group = one["case"]["name"], None
            lines += [f"## {heading(one['case'])}", ""]
        if one["group"] != group:
            group = one["group"]
            lines += [f"### {HEADS[group]}", ""]
        where = f" On {machine(one['run'])}." if len(machines) > 1 else ""
        lines += [*table(one), "", origin(one["run"]) + where, ""]
    return "\n".join(lines)


def heading(case):
    return f"{case['shape']}: {case['rows']:,} rows, {case['raw_bytes'] / 1e6:.1f} MB as COPY data, {SHAPES[case['shape']].what}{Distance.of(case).words()}"


def table(one):
    commands = one["commands"]
    ready = any(command["ready"] for command in commands)
    link = any(command.get("link_mbit") for command in commands)
    more = ready + link
    yield f"| command | seconds (min–max) | {'ready after | ' if ready else ''}{'Mbit/s | ' if link else ''}Silverback ÷ this | MB | CPU s (user + system) | peak MiB |"
    yield f"|---|---|---|---|---|---|{'---|' * more}"
    mine = next((command for command in commands if command["tool"] == "silverback" and command["seconds"]), None)
    for command in commands:
        name = label(command["tool"], command["name"])
        if not command["seconds"]:
            yield f"| {name} | {'failed' if command['failed'] else 'not run'} |{' |' * (4 + more)}"
            continue
        walls = command["seconds"]
        early = f"{median(command['ready']):.2f} | " if command["ready"] else " | " if ready else ""
        early += (f"{median(command['link_mbit']):.1f} | " if command["link_mbit"] else " | ") if link else ""
        part = f"{median(mine['seconds']) / median(walls):.2f}" if mine else ""
        size = f"{command['bytes'] / 1e6:.1f}" if command["bytes"] else ""
        yield (f"| {name} | {median(walls):.2f} ({min(walls):.2f}–{max(walls):.2f}) | {early}{part} | {size} "
               f"| {median(command['user']):.2f} + {median(command['system']):.2f} | {max(command['peak_mib']):.0f} |")
    if one["group"] == "verify" and mine:
        yield ""
        yield f"{one['case']['raw_bytes'] / median(mine['seconds']) / 1e9:.2f} GB of raw data a second."
    for command in commands:
        if command["failed"]:
            yield ""
            yield f"{command['failed'].splitlines()[0]}"


def surroundings(run):
    """What most runs have in common."""
    return f"{run['machine']}. Server: PostgreSQL {run['server']} beside the client, {run['settings']}. Peers: {'; '.join(run['peers'])}."


def origin(run):
    return f"`{run['command']}`, {run['began'].split()[0]}: {run['runs']} rounds, Silverback {run['silverback']}; the machine's load before it was {run['load']:.1f}."
