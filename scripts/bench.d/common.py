"""What every part needs: folders, Silverback's programs, and a server to ask."""
import json, os, shutil, subprocess
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

    def query(self, database, *words, stdin=None):
        command = [self.psql, "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, *map(str, words)]
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, input=stdin)
        if done.returncode != 0:
            raise Failure(f"psql {' '.join(map(str, words))}: {done.stderr.strip()}")
        return done.stdout.strip()


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def tree_bytes(path):
    return path.stat().st_size if path.is_file() else sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
