"""What is measured: a list of commands, each a plain value."""
import os
from dataclasses import dataclass
from pathlib import Path

TARGET = "bench_target"
CORES = os.cpu_count()
SESSIONS = min(CORES + 2, 8)  # a dump's, unless it is told how many


@dataclass
class Command:
    group: str
    tool: str  # silverback, receive (the floor), server (the server's own floor), pg_dump, pg_restore, pgcopydb
    name: str
    argv: list
    output: Path = None  # removed before each run; of a dump, its size is told
    fresh_target: bool = False  # needs TARGET, empty
    ready_file: Path = None  # removed before each run; when it appeared is told
    once: bool = False  # in one round only: its time matters to nobody

    @property
    def label(self):
        return label(self.tool, self.name)


def label(tool, name):
    return name if tool == "receive" else f"{tool} {name}"


@dataclass
class Place:
    """What the commands work on."""
    server: object
    programs: object
    way: object  # to the server: it knows the port
    far: bool
    database: str
    folder: Path

    @property
    def archive(self):
        return self.folder / "main.sbk"

    @property
    def peer_archive(self):
        return self.folder / "peer.dir"

    def url(self, database):
        return self.server.url(database, self.way.port)


def plan(place, tools, pgcopydb):
    """All commands; through the proxy only those that are at their best there."""
    yield from dumps(place, tools)
    if not place.far:
        yield Command("verify", "silverback", "verify", [place.programs.silverback, "verify", "-q", place.archive])
    yield from restores(place, tools)
    yield from clones(place, tools, pgcopydb)


def dumps(place, tools):
    silverback, testkit, out = place.programs.silverback, place.programs.testkit, place.folder / "round"
    yield Command("dump", "silverback", "dump", [silverback, "dump", "-q", "-d", place.url(place.database), "-f", out], output=out)
    if not place.far:
        yield Command("dump", "silverback", "dump -Z zstd:9", [silverback, "dump", "-q", "-Z", "zstd:9", "-d", place.url(place.database), "-f", out], output=out, once=True)
    receive = [testkit, "receive", "--url", place.url(place.database), "--sessions"]
    for sessions in dict.fromkeys((CORES, SESSIONS)):
        yield Command("dump", "receive", f"receive only, {sessions} sessions", [*receive, sessions])
    if not place.far:
        yield Command("dump", "server", f"COPY TO '/dev/null', {CORES} sessions", [*receive, CORES, "--server-only"])
    for one in tools:
        for words in one.dump_settings():
            if not place.far or len(words) > 1:
                yield Command("dump", "pg_dump", f"{one.version} {' '.join(words)}", [one.pg_dump, *words, "-f", out, place.database], output=out)


def restores(place, tools):
    ready = place.folder / "ready"
    early = ["--ready-early", "--ready-file", ready]
    settings = [["--no-analyze"]]
    if not place.far:
        settings += [["--no-analyze", "--fk", "trust"], [], early, ["--no-analyze", *early]]
    for words in settings:
        name = " ".join(["restore", *(word for word in words if word not in early[1:])])
        argv = [place.programs.silverback, "restore", "-q", *words, "-d", place.url(TARGET), place.archive]
        yield Command("restore", "silverback", name, argv, fresh_target=True, ready_file=ready if ready in words else None)
    for one in tools:
        for words, memory in (([], None), (["-j2"], None), (["-j2"], "16MB"), (["-j2"], "1GB"), (["-j3"], None), (["-j4"], None)):
            if not place.far or words:
                name = " ".join([one.version, *words, *([f"with maintenance_work_mem={memory}"] if memory else [])])
                own = ["env", f"PGOPTIONS=-c maintenance_work_mem={memory}"] if memory else []
                yield Command("restore", "pg_restore", name, [*own, one.pg_restore, *words, "-d", TARGET, place.peer_archive], fresh_target=True)


def clones(place, tools, pgcopydb):
    if not pgcopydb or place.far:
        return
    source, target, out = place.url(place.database), place.url(TARGET), place.folder / "round"
    both = '"$0" dump -q -d "$1" -f "$3" && "$0" restore -q --no-analyze -d "$2" "$3"'
    yield Command("clone", "silverback", "dump, then restore --no-analyze", ["sh", "-c", both, place.programs.silverback, source, target, out], output=out, fresh_target=True)
    # It starts pg_dump and pg_restore by name, and an older pg_dump refuses the server.
    words = ["clone", "--source", source, "--target", target, "--dir", out, "--skip-vacuum", "--skip-analyze"]
    yield Command("clone", "pgcopydb", "clone --skip-vacuum --skip-analyze", ["env", f"PATH={tools[0].folder}:{os.environ['PATH']}", pgcopydb, *words], output=out, fresh_target=True)
