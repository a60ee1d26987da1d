"""One database for each extension: made, dumped, verified, restored, compared; by pg_dump and pg_restore too.

    list NAME…      the extensions that the server has, but for these
    test NAME…      tries these, each with NAME.sql beside this file if there is one, and keeps what came of it
    report          writes all that came of it
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
# pg_cron works in one database of a server, and so does what needs it.
ONE_DATABASE = {"pg_cron": "sbk_cron", "documentdb": "sbk_cron", "documentdb_distributed": "sbk_cron"}

parser = argparse.ArgumentParser()
for name in ("port", "work", "result", "tools", "silverback"):
    parser.add_argument(f"--{name}", required=True)
parser.add_argument("what", choices=("list", "test", "report"))
parser.add_argument("names", nargs="*")
args = parser.parse_args()
work = pathlib.Path(args.work)
work.mkdir(parents=True, exist_ok=True)


def run(*command, timeout=600):
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return -1, "", f"it did not end within {timeout} s"
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def url(database):
    return f"postgresql://postgres@127.0.0.1:{args.port}/{database}"


def psql(database, *what):
    return run(f"{args.tools}/psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url(database), *what)


def sql(database, statement):
    code, out, err = psql(database, "-c", statement)
    if code:
        raise RuntimeError(err.strip())
    return out.splitlines()


def fresh(database):
    sql("postgres", f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
    sql("postgres", f'CREATE DATABASE "{database}" TEMPLATE template0')


def lines_of(database):
    """The database in pg_dump's words."""
    code, out, err = run(f"{args.tools}/pg_dump", "--restrict-key=x", "-d", url(database))
    return out.splitlines() if code == 0 else [err]


def error_line(text):
    """The line that says what went wrong, without where this script stands."""
    for word in ("ERROR:", "FATAL:", "error:", "warning:", ""):
        for line in text.splitlines():
            if word in line:
                return line[line.index(word):].replace(f"{work}/", "")[:220]
    return ""


def differing(left, right):
    """Lines that only one side has."""
    left, right = collections.Counter(left), collections.Counter(right)
    return [f"- {line}" for line in (left - right).elements()] + [f"+ {line}" for line in (right - left).elements()]


def make(name, database):
    fresh(database)
    own = HERE / f"{name}.sql"
    code, _, err = psql(database, "-c", f'CREATE EXTENSION IF NOT EXISTS "{name}" CASCADE')
    if code:
        return error_line(err)
    code, _, err = psql(database, "-c", f"SET sbk.extension = '{name}'", "-f", str(HERE / "uses.sql"))
    if code:
        return "uses.sql: " + error_line(err)
    if own.exists():
        code, _, err = psql(database, "-f", str(own))
        if code:
            return f"{own.name}: " + error_line(err)
    return None


def target(name, database, is_prepared):
    """An empty database, or one that the extension's own instructions prepare."""
    fresh(database)
    if is_prepared:
        psql(database, "-f", str(HERE / f"{name}.prepare.sql"))


def compare(name, database, before, is_prepared):
    """The lines that differ."""
    if is_prepared:
        psql(database, "-f", str(HERE / f"{name}.finish.sql"))
    return differing(before, lines_of(database))


def one(name, is_prepared=False):
    database = ONE_DATABASE.get(name, f"sbk_{re.sub('[^a-z0-9]', '_', name)}")
    problem = make(name, database)
    if problem:
        return {"made": problem}
    archive, custom = work / f"{name}.sbk", work / f"{name}.dump"
    archive.unlink(missing_ok=True)
    told = {"made": ""}
    # Whatever looks on changes its own tables: the comparison is with what stands when the dump begins.
    before = lines_of(database)
    code, _, err = run(args.silverback, "dump", "-d", url(database), "-f", str(archive))
    told["dump"], note = code, error_line(err) if code else ""
    peer, _, err = run(f"{args.tools}/pg_dump", "-Fc", "-f", str(custom), "-d", url(database))
    peer_note = error_line(err) if peer else ""
    if code in (0, 10):
        code, _, err = run(args.silverback, "verify", str(archive))
        told["verify"] = code
        note = note or (error_line(err) if code else "")
        target(name, database, is_prepared)
        code, _, err = run(args.silverback, "restore", "-d", url(database), str(archive))
        told["restore"] = code
        note = note or (error_line(err) if code else "")
        (work / f"{name}.err").write_text(err)
        if code in (0, 10):
            lines = compare(name, database, before, is_prepared)
            told["differ"] = len(lines)
            (work / f"{name}.diff").write_text("\n".join(lines))
    is_equal = (told["dump"], told.get("verify"), told.get("restore"), told.get("differ")) == (0, 0, 0, 0)
    if peer == 0 and not is_equal:
        target(name, database, is_prepared)
        peer, _, err = run(f"{args.tools}/pg_restore", "-d", url(database), str(custom))
        peer_note = error_line(err) if peer else ""
        told["peer_differ"] = len(compare(name, database, before, is_prepared))
    told["peer"], told["note"], told["peer_note"] = peer, note, peer_note
    sql("postgres", f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
    return told


def test(names):
    for name in names:
        variants = [False, True] if (HERE / f"{name}.prepare.sql").exists() else [False]
        for is_prepared in variants:
            try:
                told = one(name, is_prepared)
            except RuntimeError as error:
                told = {"made": error_line(str(error))}
            title = f"{name}, in a database that {name}.prepare.sql prepared" if is_prepared else name
            (work / f"{name}{'.prepared' if is_prepared else ''}.json").write_text(json.dumps([title, told]))
            print(title, told, flush=True)


def codes(told):
    return told["dump"], told.get("verify"), told.get("restore")


def report():
    results = dict(json.loads(path.read_text()) for path in sorted(work.glob("*.json")))
    made = {name: told for name, told in results.items() if not told["made"]}
    equal = [name for name, told in made.items() if codes(told) == (0, 0, 0) and told["differ"] == 0]
    with open(args.result, "w") as out:
        version = sql("postgres", "SHOW server_version")[0]
        print(f"PostgreSQL {version}: of {len(results)} tried {len(made)} can be created, and of these {len(equal)} come back equal (dump 0, verify 0, restore 0, no line of `pg_dump` differs):\n", file=out)
        print(", ".join(equal) + ".\n", file=out)
        print("| the others | dump | verify | restore | lines that differ | `pg_restore`: exit code, lines that differ | |\n|---|---|---|---|---|---|---|", file=out)
        for name, told in made.items():
            if name not in equal:
                note = (told["note"] or told["peer_note"]).replace("|", "\\|")
                print(f"| {name} | {told['dump']} | {told.get('verify', '')} | {told.get('restore', '')} | {told.get('differ', '')} | {told['peer']}, {told.get('peer_differ', '')} | {note} |", file=out)
        print("\nCannot be created there:\n", file=out)
        for name, told in results.items():
            if told["made"]:
                print(f"- {name}: {told['made']}", file=out)
    return [name for name, told in made.items() if told["peer"] == 0 and codes(told) != (0, 0, 0)]


if args.what == "list":
    known = "SELECT name FROM pg_available_extensions WHERE name <> 'plpgsql' AND name !~ '-' ORDER BY 1"
    print(*(name for name in sql("postgres", known) if name not in args.names), sep="\n")
elif args.what == "test":
    test(args.names)
elif bad := report():
    sys.exit(f"pg_restore brings back what Silverback does not: {', '.join(bad)}")
