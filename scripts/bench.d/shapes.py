"""The databases that are measured, each filled by the server itself; the same size has the same rows every time."""
import subprocess
from pathlib import Path

from common import Failure

# What a shape is, and how many rows it has unless they are named.
SHAPES = {
    "kong": ("consumers with credentials and all else that Kong keeps", 1_000_000),
    "small": ("tables of 10 rows", 20_000),
    "huge": ("one table of consumers", 2_000_000),
    "wide": ("certificates of 7 kB", 50_000),
    "partitions": ("partitions of 10 rows, with a key, an index and a foreign key to their parent", 10_000),
    "grants": ("50 grants on each table", 50_000),
}


def build(server, programs, shape, rows):
    """The name of a database that holds it, made now or by an earlier run."""
    name = f"bench_{shape}_{rows}"
    if server.query("postgres", "-c", f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == "1":
        return name
    partial = f"{name}_partial"
    server.query("postgres", "-c", f"DROP DATABASE IF EXISTS {partial} WITH (FORCE)", "-c", f"CREATE DATABASE {partial} TEMPLATE template0")
    if shape == "kong":
        seeded = subprocess.run([programs.testkit, "seed", "--url", server.url(partial), "--consumers", str(max(1, rows // 5))], capture_output=True, text=True)
        if seeded.returncode != 0:
            raise Failure(f"testkit seed: {seeded.stderr.strip()}")
    else:
        server.query(partial, "-v", f"rows={rows}", "-f", "-", stdin=(Path(__file__).parent / f"{shape}.sql").read_text())
    server.query(partial, "-c", "VACUUM (FREEZE, ANALYZE)")
    server.query("postgres", "-c", f"ALTER DATABASE {partial} RENAME TO {name}", "-c", "CHECKPOINT")
    return name


def short(rows):
    """1000000 as 1M."""
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if rows >= unit and rows % (unit // 10) == 0:
            return f"{rows / unit:g}{letter}"
    return str(rows)
