"""The databases that are measured; the same size has the same rows every time."""
import subprocess, sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from common import WORK, Failure

HERE = Path(__file__).parent
TPCHGEN = "4.0.0"
TPCH_TABLES = ("region", "nation", "supplier", "part", "partsupp", "customer", "orders", "lineitem")
TPCH_ROWS = 8_660_000  # at scale 1


@dataclass
class Filling:
    """An empty database, and what may fill it."""
    server: object
    programs: object
    peers: object
    database: str
    rows: int

    def sql(self, name):
        self.server.query(self.database, "-v", f"rows={self.rows}", "-f", "-", stdin=(HERE / f"{name}.sql").read_text())

    def run(self, argv):
        done = subprocess.run([str(word) for word in argv], env={**self.server.environment(), "PGOPTIONS": "-c synchronous_commit=off"}, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"{Path(argv[0]).name}: {done.stderr.strip()[-1000:]}")


def sql(name):
    return lambda filling: filling.sql(name)


def kong(filling):
    filling.run([filling.programs.testkit, "seed", "--url", filling.server.url(filling.database), "--consumers", max(1, filling.rows // 5)])


def pgbench(filling):
    """Only the times in pgbench_history are others each time, and the order in which two clients wrote."""
    program = filling.peers.first("pgbench") or filling.peers.missing("pgbench", "install PostgreSQL's server package, which has it")
    scale = max(1, filling.rows // 100_000)
    filling.run([program, "-i", "-q", "-s", scale, filling.database])
    filling.run([program, "-c", 2, "-t", 500 * scale, "--random-seed=42", filling.database])


def tpch(filling):
    generator, scale = tpch_generator(), filling.rows / TPCH_ROWS
    filling.sql("tpch")
    for table in TPCH_TABLES:
        with subprocess.Popen([generator, "csv", "-s", f"{scale:g}", "-T", table, "--stdout"], stdout=subprocess.PIPE) as rows:
            filling.server.query(filling.database, "-c", f"COPY {table} FROM STDIN (FORMAT csv, HEADER)", stream=rows.stdout)
        if rows.returncode != 0:
            raise Failure(f"tpchgen-cli of {table} failed with {rows.returncode}")
    filling.sql("tpch-keys")


def tpch_generator():
    venv = WORK / f"venv-tpchgen-{TPCHGEN}"
    generator = venv / "bin" / "tpchgen-cli"
    if not generator.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"tpchgen-cli=={TPCHGEN}"], check=True)
    return generator


@dataclass
class Shape:
    what: str
    rows: int  # unless they are named
    fill: Callable


SHAPES = {
    "kong": Shape("consumers with credentials and all else that Kong keeps", 1_000_000, kong),
    "tpch": Shape("the eight tables of TPC-H with keys, foreign keys and indexes", TPCH_ROWS, tpch),
    "pgbench": Shape("accounts and their history, as pgbench makes them", 4_000_000, pgbench),
    "events": Shape("events of many tenants in 100 partitions, with jsonb", 5_000_000, sql("events")),
    "small": Shape("tables of 10 rows", 20_000, sql("small")),
    "tables": Shape("tables of 10 rows", 100_000, sql("small")),
    "huge": Shape("one table of consumers", 2_000_000, sql("huge")),
    "wide": Shape("certificates of 7 kB", 50_000, sql("wide")),
    "partitions": Shape("partitions of 10 rows, with a key, an index and a foreign key to their parent", 10_000, sql("partitions")),
    "grants": Shape("50 grants on each table", 50_000, sql("grants")),
    "objects": Shape("large objects of 400 bytes to 4 kB", 100_000, sql("objects")),
}


def build(server, programs, peers, shape, rows):
    """The name of a database that holds it, made now or by an earlier run."""
    name = f"bench_{shape}_{rows}"
    if server.query("postgres", "-c", f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == "1":
        return name
    partial = f"{name}_partial"
    server.query("postgres", "-c", f"DROP DATABASE IF EXISTS {partial} WITH (FORCE)", "-c", f"CREATE DATABASE {partial} TEMPLATE template0")
    SHAPES[shape].fill(Filling(server, programs, peers, partial, rows))
    server.query(partial, "-c", "VACUUM (FREEZE, ANALYZE)")
    server.query("postgres", "-c", f"ALTER DATABASE {partial} RENAME TO {name}", "-c", "CHECKPOINT")
    return name


def short(rows):
    """1000000 as 1M."""
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if rows >= unit and rows % (unit // 10) == 0:
            return f"{rows / unit:g}{letter}"
    return str(rows)
