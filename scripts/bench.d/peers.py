"""The programs that Silverback is measured against, wherever they are."""
import glob, os, re, subprocess
from pathlib import Path

from common import ROOT, Failure


class Tools:
    """One version of PostgreSQL's own tools."""

    def __init__(self, folder):
        self.folder, self.pg_dump, self.pg_restore = folder, folder / "pg_dump", folder / "pg_restore"
        self.version = version(self.pg_dump)
        self.major = int(self.version.split(".")[0]) if self.version else 0
        self.methods = [method for method in ("zstd", "lz4") if self.version and self.can(method)]

    def can(self, method):
        probe = subprocess.run([self.pg_dump, "-Z", f"{method}:1", "-h", "/nonexistent", "x"], capture_output=True, text=True)
        return not re.search("does not support|unrecognized|invalid|must be|not supported", probe.stderr)

    def dump_settings(self):
        settings = ["-Fd", "-Fd -j2 -Z1"]
        settings += ["-Fd -j3 -Z zstd:1", "-Fd -j2 -Z zstd:1"] if "zstd" in self.methods else []
        settings += ["-Fd -j4 -Z lz4", "-Fd -j3 -Z lz4"] if "lz4" in self.methods else []
        return [setting.split() for setting in settings]


class Peers:
    """What was found: tools, newest first, of versions that the server answers; psql; pgcopydb or None."""

    def __init__(self, folders):
        missing = [folder for folder in folders if not Path(folder).is_dir()]
        if missing:
            raise Failure(f"--peers {missing[0]}: there is no such folder")
        installed = os.environ.get("SILVERBACK_PG_HOME", str(ROOT / "target" / "pg"))
        self.folders = [Path(folder) for folder in (*folders, *os.environ["PATH"].split(os.pathsep), *sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True),
                                                    *glob.glob(f"{installed}/*/bin"), *glob.glob(f"{installed}/*/native/bin"))]
        self.psql = self.first("psql") or self.missing("psql")
        self.pgcopydb = self.first("pgcopydb")
        self.pgcopydb_version = version(self.pgcopydb) if self.pgcopydb else None

    def first(self, name):
        return next((folder / name for folder in self.folders if os.access(folder / name, os.X_OK)), None)

    def missing(self, name, remedy="install PostgreSQL's client programs, run scripts/servers 18"):
        raise Failure(f"no {name} was found: {remedy}, or name its folder with --peers")

    def tools(self, server_major):
        """One for each version, the one that compresses in most ways; an older pg_dump refuses a newer server."""
        found = {}
        for folder in dict.fromkeys(self.folders):
            if os.access(folder / "pg_dump", os.X_OK) and os.access(folder / "pg_restore", os.X_OK):
                tools = Tools(folder)
                known = found.get(tools.major)
                if tools.major >= server_major and (known is None or len(tools.methods) > len(known.methods)):
                    found[tools.major] = tools
        if not found:
            raise Failure(f"no pg_dump of version {server_major} or newer was found for this server: run scripts/servers 18, or name its folder with --peers")
        return [found[major] for major in sorted(found, reverse=True)]


def version(program):
    done = subprocess.run([program, "--version"], capture_output=True, text=True)
    match = re.search(r"(?:PostgreSQL\) |version )(\d+(?:\.\d+)*)", done.stdout + done.stderr)
    return match.group(1) if match else None
