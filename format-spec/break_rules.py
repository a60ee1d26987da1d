#!/usr/bin/env python3
"""Archives that break one rule of README.md each, every checksum and hash made right again.

    break_rules.py DIRECTORY        writes NAME.sbk for each rule, and rules.json: what `silverback verify` must say of each

Made from vectors/plain-2.sbk with the structures of read.py, which is asked what it says of each: one that is not refused for its rule ends this.
"""

import copy
import json
import os
import struct
import sys
import zlib

import blake3

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
import read  # noqa: E402

LAYOUT = read.FORMATS[2]


def seal(data):
    return data + struct.pack("<I", zlib.crc32(data))


class Vector:
    """The parts of the vector; what follows from them is made by `forge`."""

    def __init__(self):
        with open(os.path.join(HERE, "vectors", "plain-2.sbk"), "rb") as file:
            archive = read.Archive(file)
            self.header = list(read.HEADER.unpack(archive.header[:60]))
            self.manifest, self.chunks, records = archive.manifest, [], []
            for place, entry in enumerate(archive.entries):
                stored = archive.read(entry.offset, entry.stored_bytes)
                head = LAYOUT.header_bytes(len(archive.tables[entry.table]["columns"]))
                chunk, columns = read.read_chunk_header(LAYOUT, stored[:head])
                self.chunks.append([chunk, columns, stored[head:]])
                records.append((entry.offset, ("chunk", place)))
            for table, totals in enumerate(archive.totals):
                records.append((totals.end_offset, ("end", table)))
            self.order = [record for _, record in sorted(records)]


def forge(vector, **change):
    """The archive's bytes. Each change is handed what it is named after, and may alter it before it is sealed."""

    def altered(name, value):
        return change[name](value) if name in change else value

    parts = altered("parts", copy.deepcopy(vector))
    header = seal(read.HEADER.pack(*altered("header", parts.header)))
    text = altered("text", json.dumps(altered("manifest", parts.manifest), separators=(",", ":")).encode())
    prefix = altered("prefix", [b"SBKMANIF", 0, bytes(7), len(text), len(text), zlib.crc32(text)])
    section = seal(read.PREFIX.pack(*prefix)) + text
    tables = len(parts.manifest["tables"])
    sums = [[0, 0, 0, 0, 0] for _ in range(tables)]
    bodies, entries = [], []
    for place, (chunk, columns, body) in enumerate(parts.chunks):
        hashes = {"body_bytes": len(body), "body_blake3": blake3.blake3(body).digest(), "body_crc": zlib.crc32(body)}
        chunk = altered(f"chunk{place}", chunk._replace(**hashes))
        head = seal(LAYOUT.chunk.pack(*chunk) + b"".join(read.COLUMN.pack(*column) for column in columns))
        stored = head + body
        bodies.append(stored)
        added = (1, chunk.rows, chunk.raw_bytes, len(stored), read.number(chunk.digest))
        sums[chunk.table % tables] = [a + b for a, b in zip(sums[chunk.table % tables], added)]
        entries.append(LAYOUT.Entry(chunk.table, 0, 0, len(stored), chunk.raw_bytes, chunk.rows, chunk.digest, blake3.blake3(head).digest()))
    sums = [[*sum_[:4], (sum_[4] % (1 << 128)).to_bytes(16, "little")] for sum_ in sums]
    offset, ends, data = 64 + len(section), [0] * tables, b""
    for kind, place in parts.order:
        if kind == "chunk":
            entries[place] = entries[place]._replace(offset=offset)
            record = bodies[place]
        else:
            ends[place] = offset
            record = seal(read.TABLE_END.pack(*altered(f"end{place}", [b"SBKTBEND", parts.header[4], place, 0, *sums[place]])))
        data, offset = data + record, offset + len(record)
    gap = altered("gap", b"")
    data, offset = data + gap, offset + len(gap)
    entries = altered("entries", entries)
    totals = altered("totals", [LAYOUT.Totals(*sum_, 0, 0, end) for sum_, end in zip(sums, ends)])
    index = altered("index", [LAYOUT.index_magic, len(entries), len(totals), 0])
    index = seal(read.INDEX.pack(*index) + b"".join(LAYOUT.entry.pack(*e) for e in entries) + b"".join(LAYOUT.totals.pack(*t) for t in totals))
    root = blake3.blake3(header + section + index).digest()
    rows, raw_bytes = sum(e.rows for e in entries), sum(e.raw_bytes for e in entries)
    size = LAYOUT.footer_bytes()
    footer = LAYOUT.Footer(64, len(section), offset, len(index), len(entries), rows, raw_bytes, offset + len(index) + size, root, parts.header[4], 0, 0, bytes(4))
    footer = seal(LAYOUT.footer.pack(*altered("footer", footer))) + read.MAGIC
    return altered("whole", header + section + data + index + footer)


def put(place, value):
    """Puts a value at a place of a list."""

    def change(values):
        values = list(values)
        values[place] = value(values[place]) if callable(value) else value
        return values

    return change


def field(**values):
    """Replaces fields of a tuple."""
    return lambda old: old._replace(**{name: value(getattr(old, name)) if callable(value) else value for name, value in values.items()})


def of(place, change):
    """Changes one of a list."""
    return put(place, change)


def table(number, **members):
    """Changes members of a table of the manifest."""

    def change(manifest):
        manifest["tables"][number].update(members)
        return manifest

    return change


def column(chunk, number, change, body=None):
    """Changes a column's descriptor, and the chunk's body."""

    def parts(vector):
        one = vector.chunks[chunk]
        one[1][number] = change(one[1][number])
        one[2] = one[2] if body is None else body(one[2])
        return vector

    return parts


def dictionary(codes, block):
    """Makes a dictionary of the first chunk's column of short texts, with these codes for its three rows."""
    sizes = field(transform=read.DICTIONARY, value_bytes=len(block), data_stored=len(block))
    return column(0, 2, sizes, lambda body: body[:65] + codes + block + body[75:])


def numbers(block):
    """Makes a block of numbers of the first chunk's first column."""
    sizes = field(transform=read.NUMBERS, value_bytes=len(block), data_stored=len(block))
    return column(0, 0, sizes, lambda body: block + body[48:])


def alphabet(codes, rest, bits=4):
    """Makes an alphabet of the first chunk's first column, of so many codes."""
    block = bytes([bits]) + bytes(range(1 << 4)) + codes.to_bytes(4, "little") + rest
    sizes = field(transform=read.ALPHABET, data_stored=len(block))
    return column(0, 0, sizes, lambda body: block + body[48:])


def both(*changes):
    def all_of(value):
        for change in changes:
            value = change(value)
        return value

    return all_of


def reorder(change):
    def parts(vector):
        vector.order = change(vector.order)
        return vector

    return parts


def add_object(**members):
    def change(manifest):
        manifest["objects"][0].update(members)
        return manifest

    return change


# Name, section of README.md, what is changed, what read.py and `silverback verify` say of it.
RULES = [
    ("version_above", 12, dict(header=put(1, 3)), "newer format", "of a newer format"),
    ("critical_flag", 12, dict(header=put(2, 4)), "newer format", "needs features"),
    ("header_reserved", 3, dict(header=put(5, bytes(23) + b"\1")), "reserved bytes", "reserved bytes"),
    ("manifest_magic", 4, dict(prefix=put(0, b"SBKMANIX")), "begin as one", "begin as a manifest"),
    ("manifest_codec", 4, dict(prefix=put(1, 7)), "unknown codec", "no codec 7"),
    ("manifest_no_json", 4, dict(text=lambda text: text[:-1]), "manifest", "EOF while parsing"),
    ("object_twice", 4, dict(manifest=add_object(id=1)), "one number", "have the number 1"),
    ("object_unknown", 4, dict(manifest=add_object(depends_on=[77])), "not there", "names object 77"),
    ("table_of_no_object", 4, dict(manifest=table(0, object=77)), "not there", "names object 77"),
    ("two_tables_one_object", 4, dict(manifest=table(0, object=1)), "one object", "is there twice"),
    ("unknown_encoding", 4, dict(manifest=table(0, encoding="csv")), "unknown encoding", "csv"),
    ("chunk_magic", 5, dict(chunk0=field(magic=b"SBKCHUNX")), "no chunk here", "no chunk here"),
    ("chunk_reserved", 5, dict(chunk0=field(reserved=1)), "reserved bytes", "reserved bytes"),
    ("chunk_of_another_archive", 5, dict(chunk0=field(archive=bytes(16))), "of another archive", "another archive"),
    ("chunk_encoding", 5, dict(chunk0=field(encoding=2)), "not what the index says", "not what the index says"),
    ("raw_crc", 5, dict(chunk0=field(raw_crc=1)), "checksum of the rows", "rows' checksum"),
    ("digest", 5, dict(chunk0=field(digest=bytes(16))), "digest", "its digest is"),
    ("body_blake3", 5, dict(chunk0=field(body_blake3=bytes(32))), "hash of the body", "hash of its blocks"),
    ("body_crc", 5, dict(chunk0=field(body_crc=1)), "checksum of the body", "checksum of its blocks"),
    ("body_bytes", 5, dict(chunk0=field(body_bytes=lambda old: old + 1)), "body_bytes", "its blocks have"),
    ("raw_bytes", 5, dict(chunk0=field(raw_bytes=lambda old: old + 1)), "bytes of rows", "its rows have"),
    ("form", 5, dict(parts=column(0, 0, field(form=6))), "unknown form", "no form of lengths 6"),
    ("transform", 5, dict(parts=column(0, 0, field(transform=7))), "unknown transform", "no transform 7"),
    ("transform_form", 5, dict(parts=column(0, 0, field(transform=4))), "does not go with", "transform 4 does not make"),
    ("planes_width", 5, dict(parts=column(0, 2, field(transform=1))), "does not go with", "transform 1 does not make"),
    ("differences_width", 5, dict(parts=column(0, 0, field(transform=2))), "does not go with", "transform 2 does not make"),
    ("one_value_bytes", 5, dict(parts=column(0, 0, field(transform=3, value_bytes=7))), "does not go with", "transform 3 does not make"),
    ("block_above_values", 5, dict(parts=numbers(bytes(49))), "does not go with", "transform 5 does not make"),
    ("dictionary_code", 5, dict(parts=dictionary(b"\0\xff\1", b"\1\3abc")), "not one of the dictionary", "not one of the dictionary"),
    ("dictionary_length", 5, dict(parts=dictionary(b"\0\xff\0", b"\1\4abc")), "not as long", "not as long"),
    ("dictionary_sum", 5, dict(parts=dictionary(b"\0\xff\0", b"\1\3abc")), "another number of bytes", "makes 6 bytes"),
    ("numbers_width", 5, dict(parts=numbers(b"\3\0" + bytes(9))), "no such block", "a width of 3"),
    ("numbers_scale", 5, dict(parts=numbers(b"\1\x0d" + bytes(3))), "no such block", "too large a scale"),
    ("numbers_count", 5, dict(parts=numbers(b"\1\0" + bytes(2))), "for 3 numbers", "too few"),
    ("numbers_size", 5, dict(parts=numbers(b"\x08\0" + b"\xff" * 24)), "too large", "too large"),
    ("numbers_sum", 5, dict(parts=numbers(b"\1\0" + bytes(3))), "makes 24 bytes", "make 24 bytes"),
    ("alphabet_bits", 5, dict(parts=alphabet(48, bytes(24), bits=5)), "no such alphabet", "codes of 5 bits"),
    ("alphabet_bytes", 5, dict(parts=alphabet(48, bytes(28))), "does not go with", "transform 6 does not make"),
    ("alphabet_codes", 5, dict(parts=alphabet(48, bytes(23))), "fewer codes", "fewer codes"),
    ("alphabet_more", 5, dict(parts=alphabet(40, bytes(20) + b"\0x\x09")), "more exceptions", "more exceptions"),
    ("alphabet_fewer", 5, dict(parts=alphabet(40, bytes(20) + b"\0x\7")), "fewer exceptions", "fewer exceptions"),
    ("alphabet_number", 5, dict(parts=alphabet(40, bytes(20) + b"\x80")), "cut short", "cut short"),
    ("lengths_codec", 5, dict(parts=column(0, 0, field(lengths_codec=2))), "unknown codec", "no codec 2"),
    ("data_raw", 5, dict(parts=column(0, 0, field(data_raw=lambda old: old + 1))), "stored in", "stored in 48"),
    ("end_magic", 5, dict(end0=put(0, b"SBKTBENX")), "there is none", "there is none here"),
    ("end_reserved", 5, dict(end0=put(3, 1)), "reserved bytes", "reserved bytes"),
    ("end_of_another_archive", 5, dict(end0=put(1, bytes(16))), "of another archive", "end of table 0"),
    ("end_rows", 5, dict(end0=put(5, 99)), "not what the index says", "end of table 0"),
    ("index_magic", 6, dict(index=put(0, b"SBKINDEX")), "begin as one", "no index here"),
    ("index_reserved", 6, dict(index=put(3, 1)), "reserved bytes", "reserved bytes"),
    ("index_tables", 6, dict(totals=lambda totals: totals[:-1]), "tables, the manifest has", "2 tables, the manifest 3"),
    ("entry_part", 6, dict(entries=of(0, field(part=1))), "another part", "in part 1"),
    ("entry_rows", 6, dict(entries=of(0, field(rows=lambda old: old + 1))), "wrong totals", "totals of table 0"),
    ("entry_hash", 6, dict(entries=of(0, field(header_blake3=bytes(32)))), "hash of its header", "hash of its header"),
    ("entry_twice", 6, dict(entries=lambda e: [e[0], e[1]._replace(header_blake3=e[0].header_blake3), *e[2:]]), "there twice", "there twice"),
    ("entry_offset", 6, dict(entries=of(0, field(offset=lambda old: old + 1))), "a record at", "begins at"),
    ("totals", 6, dict(totals=of(0, field(rows=99))), "wrong totals", "totals of table 0"),
    ("end_part", 6, dict(totals=of(0, field(end_part=1))), "another part", "in another part"),
    ("end_offset", 6, dict(totals=of(0, field(end_offset=lambda old: old + 1))), "record", "end of table 0 is at"),
    ("gap", 6, dict(gap=lambda _: bytes(8)), "last record", "the last of what it lists ends"),
    ("chunk_after_end", 6, dict(parts=reorder(lambda order: [order[0], ("end", 0), *(one for one in order[1:] if one != ("end", 0))])), "follows the end", "end"),
    ("footer_rows", 7, dict(footer=field(rows=99)), "sums", "add up"),
    ("footer_root", 7, dict(footer=field(root=bytes(32))), "root", "the root"),
    ("footer_archive", 7, dict(footer=field(archive=bytes(16))), "another archive", "another archive"),
    ("footer_reserved", 7, dict(footer=field(reserved=b"\0\0\0\1")), "reserved bytes", "reserved bytes"),
    ("footer_keys", 7, dict(footer=field(keys_bytes=1)), "not specified yet", "sections that format 2 has not yet"),
    ("footer_length", 7, dict(footer=field(total_bytes=lambda old: old + 1)), "expected", "bytes, expected"),
    ("bytes_after", 7, dict(whole=lambda whole: whole + b"\0"), "no footer", "follow the end"),
    ("cut", 7, dict(whole=lambda whole: whole[:-1]), "no footer", "cut short"),
]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    vector = Vector()
    honest = os.path.join(sys.argv[1], "honest.sbk")
    with open(honest, "wb") as file:
        file.write(forge(vector))
    if read.check(honest) != (0, []):
        sys.exit(f"what breaks no rule is refused: {read.check(honest)[1]}")
    told = []
    for name, section, change, reader, verify in RULES:
        path = os.path.join(sys.argv[1], name + ".sbk")
        with open(path, "wb") as file:
            file.write(forge(vector, **change))
        code, findings = read.check(path)
        if code not in (3, 6) or not any(reader in finding for finding in findings):
            sys.exit(f"{name}: read.py ends with {code} and does not say {reader!r}: {findings}")
        told.append({"name": name, "section": section, "verify": verify})
    with open(os.path.join(sys.argv[1], "rules.json"), "w", encoding="utf-8") as file:
        json.dump(told, file)


if __name__ == "__main__":
    main()
