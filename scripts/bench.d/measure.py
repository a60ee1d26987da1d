"""Runs the commands in rounds, and keeps seconds, CPU, memory and sizes."""
import hashlib, itertools, json, os, platform, re, shlex, subprocess, sys, time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import commands, shapes
from common import ROOT, WORK, Distance, Failure, Server, remove, tree_bytes
from peers import Peers

# What one connection may have on its way through a link, as with a server's usual settings of TCP: at 80 ms it carries 105 Mbit/s at most.
WINDOW_BYTES = 1 << 20


def run(options, programs, results):
    peers = Peers(options.peers)
    server = Server(options.server, peers.psql)
    tools = peers.tools(int(server.query("postgres", "-c", "SHOW server_version_num")) // 10_000)
    facts = {
        "command": shlex.join(["scripts/bench", *without_addresses(sys.argv[1:])]), "began": time.strftime("%Y-%m-%d %H:%M:%S"), "runs": options.runs, "machine": "; ".join(filter(None, [machine(), options.note])),
        "silverback": silverback_version(programs), "server": server.query("postgres", "-c", "SHOW server_version").split()[0], "settings": settings(server),
        "peers": [f"PostgreSQL's tools {one.version} ({', '.join(['gzip', *one.methods])})" for one in tools] + ([f"pgcopydb {peers.pgcopydb_version}"] if peers.pgcopydb else []),
    }
    folder = results / run_key(facts)
    folder.mkdir(exist_ok=True)
    remove(WORK / "work")
    with ExitStack() as proxies:
        cases = [prepared(options, programs, server, tools, peers, proxies, *one) for one in itertools.product(options.shape, options.rows, options.distances)]
        facts["load"] = os.getloadavg()[0]
        # The cases take turns too: what slows a machine down for minutes slows all of them.
        for turn, case in itertools.product(range(options.runs + 1), cases):
            if len(cases) > 1 and turn > 0:
                warm_up(case)
            one_round(case, turn, options.runs)
    for case in cases:
        for group in dict.fromkeys(one.group for one in case.commands):
            found = [sample for sample in case.samples if sample["group"] == group]
            (folder / f"{case.facts['name']}.{group}.json").write_text(json.dumps({"case": case.facts, "group": group, "run": facts, "commands": found}, indent=1))
    server.query("postgres", "-c", f"DROP DATABASE IF EXISTS {commands.TARGET} WITH (FORCE)")
    remove(WORK / "work")


@dataclass
class Case:
    """A shape at a size and a distance: what is run there, and what came of it."""
    facts: dict
    place: commands.Place
    commands: list
    samples: list


def prepared(options, programs, server, tools, peers, proxies, shape, rows, distance):
    rows = rows or shapes.SHAPES[shape].rows
    name = f"{shape}-{shapes.short(rows)}{distance.suffix()}"
    say(f"{name}: building the data")
    database = shapes.build(server, programs, peers, shape, rows)
    way = proxies.enter_context(way_to(programs, server, distance))
    place = commands.Place(server, programs, way, distance != Distance(), database, WORK / "work" / name)
    wanted = [one for one in commands.plan(place, tools, peers.pgcopydb) if one.group in options.only]
    wanted = [one for one in wanted if not (options.skip and re.search(options.skip, one.label))]
    if not wanted:
        raise Failure(f"--only and --skip leave nothing to measure of {name}")
    totals = archives(place, tools, {one.group for one in wanted})
    facts = {"name": name, "shape": shape, "asked_rows": rows, "latency": distance.latency, "mbit": distance.mbit, "rows": int(totals["rows"]), "raw_bytes": int(totals["raw_bytes"])}
    samples = [{"group": one.group, "tool": one.tool, "name": one.name, "seconds": [], "user": [], "system": [], "peak_mib": [], "ready": [], "link_mbit": [], "bytes": None, "failed": None} for one in wanted]
    return Case(facts, place, wanted, samples)


def run_key(facts):
    """The name of a run's folder: the same command on the same server is the same run, and takes its place."""
    return hashlib.sha256(f"{facts['command']}\n{facts['machine']}\n{facts['server']}\n{facts['settings']}".encode()).hexdigest()[:12]


def archives(place, tools, groups):
    """The archives that are verified and restored; how much they hold."""
    place.folder.mkdir(parents=True)
    environment = place.server.environment()
    execute("silverback dump", [place.programs.silverback, "dump", "-q", "-d", place.server.url(place.database), "-f", place.archive], environment)
    if "restore" in groups:
        compress = ["-Z", "zstd:1"] if "zstd" in tools[0].methods else ["-Z1"]
        execute("pg_dump", [tools[0].pg_dump, "-Fd", "-j2", *compress, "-f", place.peer_archive, place.database], environment)
    # Read by another Python, whose memory goes with it.
    with subprocess.Popen([place.programs.silverback, "list", "--json", place.archive], stdout=subprocess.PIPE) as listed:
        totals = subprocess.run([sys.executable, "-c", "import json, sys; print(json.dumps(json.load(sys.stdin)['totals']))"], stdin=listed.stdout, stdout=subprocess.PIPE, check=True)
    return json.loads(totals.stdout)


def warm_up(case):
    """The case before has taken the caches: a command that only reads, uncounted."""
    one = next((one for one in case.commands if not one.fresh_target), None)
    if one:
        measure(case.place, one, {}, False)


def one_round(case, turn, runs):
    """All commands one after the other, each time beginning with another one. Round 0 warms caches; only its first command writes to a target."""
    first = turn % len(case.commands)
    warm_target = False
    pairs = [*zip(case.commands, case.samples)]
    for one, sample in pairs[first:] + pairs[:first]:
        if sample["failed"] or (turn == 0 and one.fresh_target and warm_target) or (one.once and turn != 1):
            continue
        warm_target |= one.fresh_target
        say(f"{case.facts['name']}, round {turn} of {runs}: {one.label}")
        measure(case.place, one, sample, turn > 0)


def measure(place, one, sample, counted):
    for path in filter(None, (one.output, one.ready_file)):
        remove(path)
    if one.fresh_target:
        place.server.query("postgres", "-c", f"DROP DATABASE IF EXISTS {commands.TARGET} WITH (FORCE)", "-c", f"CREATE DATABASE {commands.TARGET} TEMPLATE template0", "-c", "CHECKPOINT")
    began = time.time()
    try:
        place.way.traffic()
        seconds, usage = execute(one.label, one.argv, place.server.environment(place.way.port))
        mbit = place.way.traffic()
    except Failure as failure:
        if one.tool == "silverback":
            raise
        say(f"{failure}; it is left out from now on")
        sample["failed"] = str(failure)
        return
    if counted:
        figures = {"seconds": seconds, "user": usage.ru_utime, "system": usage.ru_stime, "peak_mib": usage.ru_maxrss / 1024}
        for key, value in figures.items():
            sample[key].append(round(value, 4))
        if mbit:
            sample["link_mbit"].append(round(mbit, 2))
        if one.ready_file:
            sample["ready"].append(round(one.ready_file.stat().st_ctime - began, 4))
        sample["bytes"] = tree_bytes(one.output) if one.group == "dump" and one.output else None
    if one.output:
        remove(one.output)


def execute(label, argv, environment):
    """Runs a command to its end: seconds, and what it and its children used."""
    started = time.monotonic()
    process = subprocess.Popen([str(word) for word in argv], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failure(f"{label} failed with {process.returncode}: {said.decode(errors='replace').strip()[-1000:]}")
    return seconds, usage


@dataclass
class Way:
    """How the server is reached."""
    port: int  # the server's, or that of the proxy before it
    proxy: object = None  # that of a link with a rate

    def traffic(self):
        """How fast the way with most bytes went since this was asked before; None if nobody measures it."""
        if not self.proxy:
            return None
        self.proxy.stdin.write("\n")
        self.proxy.stdin.flush()
        return max(json.loads(self.proxy.stdout.readline()).values(), key=lambda way: way["bytes"])["mbit"]


@contextmanager
def way_to(programs, server, distance):
    if distance == Distance():
        yield Way(server.port)
        return
    if server.host not in ("127.0.0.1", "localhost"):
        raise Failure(f"--latency and --link need a server on 127.0.0.1, not on {server.host}")
    argv = [programs.testkit, "far", "--port", server.port, "--round-trip-ms", distance.latency]
    if distance.mbit:
        argv += ["--mbit", distance.mbit, "--window", WINDOW_BYTES]
    with subprocess.Popen([str(word) for word in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as proxy:
        try:
            yield Way(int(proxy.stdout.readline()), proxy if distance.mbit else None)
        finally:
            proxy.stdin.close()


def without_addresses(words):
    """The command without what is true of one machine only, or told with it."""
    kept, skip = [], False
    for word in words:
        if skip or re.match("--(server|peers|programs|out|note)=", word):
            skip = False
        elif word in ("--server", "--peers", "--programs", "--out", "--note"):
            skip = True
        else:
            kept.append(word)
    return kept


def machine():
    model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return f"{os.cpu_count()} cores ({model.group(1) if model else platform.machine()}), {memory:.0f} GiB of memory, {platform.system()} {platform.release()}"


def silverback_version(programs):
    """The version and, if it was built here, the commit; "+" where the sources are not those of the commit."""
    version = subprocess.run([programs.silverback, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    if programs.given:
        return version

    def ask(*words):
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    commit, changed = ask("rev-parse", "--short", "HEAD"), ask("status", "--porcelain", "--", "src", "Cargo.toml", "Cargo.lock")
    return f"{version} ({commit}{'+' if changed else ''})" if commit else version


def settings(server):
    names = ("shared_buffers", "max_wal_size", "checkpoint_timeout", "maintenance_work_mem", "fsync", "full_page_writes")
    return ", ".join(f"{name} {server.query('postgres', '-c', f'SHOW {name}')}" for name in names)


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)
