"""What every part needs: folders, Silverback's programs, and a server to ask."""
import json, os, shutil, subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent
WORK = ROOT / "target" / "bench"
SILVERBACK_GROUPS = ("dump", "verify", "restore", "clone")


class Failure(Exception):
    """Something is missing or went wrong; its text says what."""


class Programs:
    """silverback and testkit."""

    def __init__(self, folder, given):
        self.given = given
        self.silverback, self.testkit = Path(folder) / "silverback", Path(folder) / "testkit"
        for program in (self.silverback, self.testkit):
            if not program.exists():
                raise Failure(f"{program} is missing")

    @classmethod
    def build(cls, folder):
        if folder:
            return cls(folder, True)
        if not shutil.which("cargo"):
            raise Failure("cargo is missing: install Rust with rustup, or name a folder with silverback and testkit with --programs")
        subprocess.run(["cargo", "build", "--release", "--workspace", "--quiet"], cwd=ROOT, check=True)
        facts = subprocess.run(["cargo", "metadata", "--format-version", "1", "--no-deps"], cwd=ROOT, check=True, capture_output=True).stdout
        return cls(Path(json.loads(facts)["target_directory"]) / "release", False)


@dataclass(frozen=True)
class Distance:
    """How far away the server seems: milliseconds of a round trip, and a link's rate (None: there is no limit)."""
    latency: float = 0.0
    mbit: float = None

    @classmethod
    def of(cls, case):
        return cls(case["latency"], case.get("mbit"))

    def suffix(self):
        """Of a case's name."""
        return f"-link-{self.mbit:g}-{self.latency:g}" if self.mbit else f"-latency-{self.latency:g}" if self.latency else ""

    def words(self):
        return f", {self.mbit:g} Mbit/s at {self.latency:g} ms" if self.mbit else f", {self.latency:g} ms away" if self.latency else ""


class Server:
    """A server as a superuser sees it."""

    def __init__(self, url, psql):
        parts = urlsplit(url)
        if not parts.hostname:
            raise Failure(f"{url}: not an address such as postgres://postgres@127.0.0.1:5432")
        self.host, self.port, self.user, self.password = parts.hostname, parts.port or 5432, parts.username or "postgres", parts.password
        self.psql = psql

    def url(self, database, port=None):
        return f"postgres://{self.user}{':' + self.password if self.password else ''}@{self.host}:{port or self.port}/{database}"

    def environment(self, port=None):
        """What pg_dump and its kin look at."""
        password = {"PGPASSWORD": self.password} if self.password else {}
        return {**os.environ, "PGHOST": self.host, "PGPORT": str(port or self.port), "PGUSER": self.user, **password}

    def query(self, database, *words, stdin=None, stream=None):
        """What psql prints; it reads the text `stdin` or from the pipe `stream`."""
        command = [self.psql, "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, *map(str, words)]
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, input=stdin, stdin=stream)
        if done.returncode != 0:
            raise Failure(f"psql {' '.join(map(str, words))}: {done.stderr.strip()}")
        return done.stdout.strip()


# A command's peak memory is at least what this process has ever had, which starts it: no list of what may be 100,000 files is kept here.

def remove(path):
    subprocess.run(["rm", "-rf", path], check=True)


def tree_bytes(path):
    """Of a file, or of all files of a folder."""
    if not os.path.isdir(path):
        return os.stat(path).st_size
    with os.scandir(path) as entries:
        return sum(tree_bytes(entry.path) for entry in entries)
