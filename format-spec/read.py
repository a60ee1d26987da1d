#!/usr/bin/env python3
"""Reads a Silverback archive of format 1 or 2, written from README.md in this folder and nothing else.

Checks every checksum, count and cross-reference, decodes every chunk, and prints the rows. What is wrong is collected and
told on stderr. Exit codes: 0 all is well, 2 wrong use, 3 not an archive, cut short or damaged, 6 a newer format.

Needs: pip install zstandard xxhash blake3
"""

import argparse
import collections
import json
import os
import struct
import sys
import uuid
import zlib

import blake3
import xxhash
import zstandard

MAGIC = b"\x89SBK\r\n\x1a\n"
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
CHUNK_BYTES_MAX, ROW_BYTES_MAX, MANIFEST_BYTES_MAX = 64 * MIB, GIB + 64 * KIB, GIB
COLUMNS_MAX, CHUNKS_MAX, TABLES_MAX, WINDOW_MAX = 1600, 1 << 24, 1 << 22, 1 << 27
BINARY, TEXT = 1, 2
ENCODINGS = {"binary": BINARY, "text": TEXT}
TRANSFORMS = NONE, PLANES, DIFFERENCES, ONE_VALUE, DICTIONARY, NUMBERS, ALPHABET = range(7)

HEADER = struct.Struct("<8sIII16s24s")
PREFIX = struct.Struct("<8sB7sQQI")
COLUMN = struct.Struct("<BBBBIIII")
INDEX = struct.Struct("<8sQII")
TABLE_END = struct.Struct("<8s16sIIQQQQ16s")
CRC = struct.Struct("<I")


class Layout:
    """Where two formats differ: structures, with the names of their fields."""

    def __init__(self, chunk_magic, index_magic, chunk, column, entry, totals, footer):
        self.chunk_magic, self.index_magic = chunk_magic, index_magic
        for name, (form, fields) in {"chunk": chunk, "entry": entry, "totals": totals, "footer": footer}.items():
            setattr(self, name, struct.Struct("<" + form))
            setattr(self, name.capitalize(), collections.namedtuple(name.capitalize(), fields))
        self.Column = collections.namedtuple("Column", column + " value_bytes lengths_stored data_raw data_stored")

    def header_bytes(self, columns):
        return self.chunk.size + columns * COLUMN.size + CRC.size

    def footer_bytes(self):
        return self.footer.size + CRC.size + len(MAGIC)


SHAPE = "table encoding reserved columns rows raw_bytes body_bytes digest body_blake3 raw_crc body_crc"
PLACES = "manifest_offset manifest_bytes index_offset index_bytes chunks rows raw_bytes total_bytes root archive"
FORMATS = {
    1: Layout(
        b"SBKCHUNK",
        b"SBKINDEX",
        ("8s16sQIBBHQQQ16s32sII", "magic archive number " + SHAPE),
        "form lengths_codec data_codec reserved",
        ("IIQQQQ16s", "table part offset stored_bytes raw_bytes rows digest"),
        ("QQQQ16s", "chunks rows raw_bytes stored_bytes digest"),
        ("QQQQQQQQ32s16s4s", PLACES + " reserved"),
    ),
    2: Layout(
        b"SBKCHNK2",
        b"SBKINDX2",
        ("8s16s16sQIBBHQQQ16s32sII", "magic archive writer number " + SHAPE),
        "form transform lengths_codec data_codec",
        ("IIQQQQ16s32s", "table part offset stored_bytes raw_bytes rows digest header_blake3"),
        ("QQQQ16sIIQ", "chunks rows raw_bytes stored_bytes digest end_part end_reserved end_offset"),
        ("QQQQQQQQ32s16sQQ4s", PLACES + " keys_bytes signature_bytes reserved"),
    ),
}


class Damaged(Exception):
    """Something is not as the format says."""


class Newer(Exception):
    """The archive is of a format that this reader does not know."""


def need(condition, what):
    if not condition:
        raise Damaged(what)


def unseal(data, what):
    """Checks the CRC32 at the end and gives what stands before it."""
    need(len(data) >= CRC.size, f"{what}: cut short")
    content, (stored,) = data[: -CRC.size], CRC.unpack(data[-CRC.size :])
    need(zlib.crc32(content) == stored, f"{what}: checksum does not match")
    return content


def number(digest):
    """A u128."""
    return int.from_bytes(digest, "little")


def decompress(codec, stored, raw_bytes, what):
    """Gives back a block of raw_bytes bytes, which the caller has capped."""
    need(codec in (0, 1), f"{what}: unknown codec {codec}")
    if codec == 0:
        need(len(stored) == raw_bytes, f"{what}: {len(stored)} bytes, expected {raw_bytes}")
        return stored
    need(stored[:4] == b"\x28\xb5\x2f\xfd", f"{what}: not a zstd frame")
    try:
        frame = zstandard.get_frame_parameters(stored)
        need(frame.content_size == raw_bytes, f"{what}: the frame declares {frame.content_size} bytes, expected {raw_bytes}")
        need(frame.dict_id == 0, f"{what}: the frame asks for a dictionary")
        # A frame of one segment has no window but its content.
        need(stored[4] & 0x20 or frame.window_size <= WINDOW_MAX, f"{what}: the frame's window is too large")
        decoder = zstandard.ZstdDecompressor(max_window_size=max(WINDOW_MAX, raw_bytes)).decompressobj()
        out = decoder.decompress(stored)
        need(decoder.eof and not decoder.unused_data, f"{what}: not exactly one zstd frame")
    except zstandard.ZstdError as error:
        raise Damaged(f"{what}: {error}") from error
    need(len(out) == raw_bytes, f"{what}: {len(out)} bytes after decompression, expected {raw_bytes}")
    return out


def raw_bytes_max(rows):
    return ROW_BYTES_MAX if rows == 1 else CHUNK_BYTES_MAX


class Archive:
    """Header, footer, manifest and index, read and compared with each other; raises what is wrong."""

    def __init__(self, file):
        self.file = file
        self.size = os.fstat(file.fileno()).st_size
        self.read_header()
        self.read_footer()
        self.read_manifest()
        self.read_index()

    def read(self, offset, size):
        self.file.seek(offset)
        data = self.file.read(size)
        need(len(data) == size, f"cut short while it was read, at byte {offset + len(data)}")
        return data

    def read_header(self):
        self.header = self.read(0, min(self.size, 64))
        need(self.header, "the file is empty")
        need(MAGIC.startswith(self.header[:8]), "not a Silverback archive")
        need(len(self.header) == 64, "cut short: no whole header")
        _, version, critical, _, self.archive, reserved = HEADER.unpack(unseal(self.header, "header"))
        if version > max(FORMATS) or critical:
            raise Newer(f"a newer format, or a feature that is not read here: version {version}, critical flags {critical:#010x}")
        need(version in FORMATS, f"there is no format version {version}")
        self.version, self.layout = version, FORMATS[version]
        need(not any(reserved), "header: reserved bytes are not zero")

    def read_footer(self):
        size = self.layout.footer_bytes()
        need(self.size >= 64 + size, "cut short: no footer")
        data = self.read(self.size - size, size)
        sealed, magic = data[: -len(MAGIC)], data[-len(MAGIC) :]
        if magic != MAGIC and zlib.crc32(sealed[:-4]) != CRC.unpack(sealed[-4:])[0]:
            raise Damaged("cut short: no footer")
        self.footer = footer = self.layout.Footer(*self.layout.footer.unpack(unseal(sealed, "footer")))
        need(magic == MAGIC, "footer: the end mark is damaged")
        need(not any(footer.reserved), "footer: reserved bytes are not zero")
        need(self.version == 1 or footer.keys_bytes == footer.signature_bytes == 0, "footer: sections that are not specified yet")
        need(footer.total_bytes == self.size, f"{self.size} bytes, expected {footer.total_bytes}")
        need(footer.archive == self.archive, "footer: of another archive")
        self.chunks_start = footer.manifest_offset + footer.manifest_bytes
        ordered = footer.manifest_offset == 64 and self.chunks_start <= footer.index_offset
        need(ordered and footer.index_offset + footer.index_bytes + size == self.size, "footer: the sections do not follow each other")

    def read_manifest(self):
        need(PREFIX.size + CRC.size <= self.footer.manifest_bytes <= 40 + MANIFEST_BYTES_MAX, "manifest: wrong size")
        self.section = self.read(64, self.footer.manifest_bytes)
        magic, codec, reserved, stored_bytes, raw_bytes, stored_crc = PREFIX.unpack(unseal(self.section[:40], "manifest"))
        stored = self.section[40:]
        need(magic == b"SBKMANIF" and not any(reserved), "manifest: it does not begin as one")
        need(stored_bytes == len(stored), f"manifest: {len(stored)} bytes, expected {stored_bytes}")
        need(raw_bytes <= MANIFEST_BYTES_MAX, "manifest: over the limit")
        need(zlib.crc32(stored) == stored_crc, "manifest: checksum does not match")
        try:
            self.manifest = json.loads(decompress(codec, stored, raw_bytes, "manifest").decode("utf-8"))
            self.tables = self.manifest["tables"]
            ids = collections.Counter(item["id"] for item in self.manifest["objects"])
            named = [table["object"] for table in self.tables]
            # An extension has several tables.
            extensions = {item["id"] for item in self.manifest["objects"] if item["kind"] == "extension"}
            single = [(t["object"], (t["schema"], t["name"]) if t["object"] in extensions else None) for t in self.tables]
            need(len(set(single)) == len(single), "manifest: two tables are one object")
            told = [item["object"] for item in self.manifest.get("statistics", [])]
            need(len(set(told)) == len(told), "manifest: an object has its statistics twice")
            named += told
            for item in self.manifest["objects"]:
                need(isinstance(item.get("extension", ""), str), "manifest: an extension's name is not a string")
                named += item["depends_on"]
                detail = item.get("detail", {})
                named += [item.get("of")] * (item.get("of") is not None) + [detail.get("references")] * (detail.get("type") == "foreign-key")
            need(all(count == 1 for count in ids.values()), "manifest: two objects have one number")
            need(all(name in ids for name in named), "manifest: an object is named that is not there")
            for table in self.tables:
                need(table["encoding"] in ENCODINGS, f"manifest: unknown encoding {table['encoding']}")
                need(len(table["columns"]) <= COLUMNS_MAX, "manifest: too many columns")
                names = [table["schema"], table["name"], *(column["name"] for column in table["columns"])]
                need(all(isinstance(name, str) for name in names), "manifest: a name is not a string")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Damaged(f"manifest: {type(error).__name__}: {error}") from error

    def read_index(self):
        footer = self.footer
        need(INDEX.size + CRC.size <= footer.index_bytes <= 28 + self.layout.entry.size * CHUNKS_MAX + self.layout.totals.size * TABLES_MAX, "index: wrong size")
        self.index = self.read(footer.index_offset, footer.index_bytes)
        content = unseal(self.index, "index")
        magic, chunks, tables, reserved = INDEX.unpack(content[: INDEX.size])
        need(magic == self.layout.index_magic, "index: it does not begin as one")
        need(reserved == 0, "index: reserved bytes are not zero")
        need(chunks <= CHUNKS_MAX and tables <= TABLES_MAX, "index: over the limits")
        need(len(content) == INDEX.size + chunks * self.layout.entry.size + tables * self.layout.totals.size, "index: wrong size for its counts")
        need(tables == len(self.tables), f"index: {tables} tables, the manifest has {len(self.tables)}")
        split = INDEX.size + chunks * self.layout.entry.size
        self.entries = [self.layout.Entry(*fields) for fields in self.layout.entry.iter_unpack(content[INDEX.size : split])]
        self.totals = [self.layout.Totals(*fields) for fields in self.layout.totals.iter_unpack(content[split:])]
        self.check_entries()
        self.check_places()
        sums = (len(self.entries), sum(e.rows for e in self.entries), sum(e.raw_bytes for e in self.entries))
        need(sums == (footer.chunks, footer.rows, footer.raw_bytes), "index: its sums are not the footer's")

    def check_entries(self):
        sums = [[0, 0, 0, 0, 0] for _ in self.tables]
        for place, entry in enumerate(self.entries):
            what = f"index, chunk {place}"
            need(entry.table < len(self.tables), f"{what}: no such table")
            need(entry.part == 0, f"{what}: in another part")
            need(entry.rows >= 1 and entry.raw_bytes <= raw_bytes_max(entry.rows), f"{what}: over the limits")
            head = self.layout.header_bytes(len(self.tables[entry.table]["columns"]))
            need(head <= entry.stored_bytes <= head + 5 * entry.raw_bytes, f"{what}: wrong size")
            added = (1, entry.rows, entry.raw_bytes, entry.stored_bytes, number(entry.digest))
            sums[entry.table] = [a + b for a, b in zip(sums[entry.table], added)]
        for place, (found, stored) in enumerate(zip(sums, self.totals)):
            found[4] %= 1 << 128
            need(found == [*stored[:4], number(stored[4])], f"index: wrong totals of table {place}")
        if self.version > 1:
            hashes = {entry.header_blake3 for entry in self.entries}
            need(len(hashes) == len(self.entries), "index: a chunk is there twice")

    def check_places(self):
        """Chunks and the ends of tables fill what is between manifest and index, and an end follows its table's chunks."""
        records = [(entry.offset, entry.stored_bytes, entry.table, False) for entry in self.entries]
        need(records == sorted(records), "index: its chunks are not in the file's order")
        if self.version > 1:
            size = TABLE_END.size + CRC.size
            for place, totals in enumerate(self.totals):
                need(totals.end_part == 0, f"index, table {place}: its end is in another part")
                need(totals.end_reserved == 0, f"index, table {place}: reserved bytes are not zero")
                records.append((totals.end_offset, size, place, True))
        offset, ended = self.chunks_start, set()
        for place, size, table, ends in sorted(records):
            need(place == offset, f"index: a record at {place}, expected at {offset}")
            need(table not in ended, f"index: a chunk follows the end of table {table}")
            offset += size
            if ends:
                ended.add(table)
        need(offset == self.footer.index_offset, "index: the last record does not end where it begins")

    def check_root(self):
        root = blake3.blake3(self.header)
        root.update(self.section)
        for entry in self.entries if self.version == 1 else []:
            root.update(self.read(entry.offset, self.layout.header_bytes(len(self.tables[entry.table]["columns"]))))
        root.update(self.index)
        need(root.digest() == self.footer.root, f"root: {root.hexdigest()}, expected {self.footer.root.hex()}")

    def check_table_end(self, place):
        totals = self.totals[place]
        data = unseal(self.read(totals.end_offset, TABLE_END.size + CRC.size), f"end of table {place}")
        magic, archive, table, reserved, *says = TABLE_END.unpack(data)
        need(magic == b"SBKTBEND", f"end of table {place}: there is none")
        need(reserved == 0, f"end of table {place}: reserved bytes are not zero")
        need(archive == self.archive, f"end of table {place}: of another archive")
        need((table, *says) == (place, *totals[:5]), f"end of table {place}: it is not what the index says")

    def rows(self, place):
        """The rows of a chunk, checked: lists of bytes or None."""
        entry, table = self.entries[place], self.tables[self.entries[place].table]
        stored = self.read(entry.offset, entry.stored_bytes)
        head = self.layout.header_bytes(len(table["columns"]))
        chunk, columns = read_chunk_header(self.layout, stored[:head])
        body = stored[head:]
        need(chunk.archive == self.archive, "of another archive")
        if self.version == 1:
            need(chunk.number == place, f"chunk {chunk.number} in another place")
        else:
            need(blake3.blake3(stored[:head]).digest() == entry.header_blake3, "the hash of its header is not what the index says")
        says = (chunk.table, chunk.rows, chunk.raw_bytes, chunk.digest, chunk.body_bytes, chunk.encoding)
        index = (entry.table, entry.rows, entry.raw_bytes, entry.digest, len(body), ENCODINGS[table["encoding"]])
        need(says == index, "its header is not what the index says")
        need(zlib.crc32(body) == chunk.body_crc, "checksum of the body does not match")
        need(blake3.blake3(body).digest() == chunk.body_blake3, "hash of the body does not match")
        cut, at = [], 0
        for column in columns:
            lengths, data = body[at : at + column.lengths_stored], body[at + column.lengths_stored :][: column.data_stored]
            at += column.lengths_stored + column.data_stored
            cut.append(cut_column(chunk.rows, column, lengths, data))
        rows = [list(row) for row in zip(*cut)] if cut else [[]] * chunk.rows
        check_rows(chunk, rows)
        return rows


def lengths_bytes(form, rows):
    return (0, 0, (rows + 7) // 8, rows, 2 * rows, 4 * rows)[form]


def read_chunk_header(layout, data):
    need(data[:8] == layout.chunk_magic, "there is no chunk here")
    content = unseal(data, "chunk header")
    chunk = layout.Chunk(*layout.chunk.unpack(content[: layout.chunk.size]))
    need(chunk.encoding in (BINARY, TEXT), f"unknown encoding {chunk.encoding}")
    need(chunk.reserved == 0, "reserved bytes are not zero")
    need(chunk.columns <= COLUMNS_MAX and len(data) == layout.header_bytes(chunk.columns), "wrong number of columns")
    need(chunk.rows >= 1 and chunk.raw_bytes <= raw_bytes_max(chunk.rows), "over the limits")
    row_bytes_min = 2 + 4 * chunk.columns if chunk.encoding == BINARY else max(chunk.columns, 1)
    need(chunk.rows * row_bytes_min <= chunk.raw_bytes, "too many rows for its bytes")
    columns = [layout.Column(*fields) for fields in COLUMN.iter_unpack(content[layout.chunk.size :])]
    for column in columns:
        need(column.form <= 5, f"unknown form {column.form}")
        transform = transform_of(column)
        need(transform in TRANSFORMS, f"unknown transform {transform}, or reserved bytes that are not zero")
        need(column.value_bytes == 0 or column.form in (1, 2) or transform == DICTIONARY, "lengths are given twice")
        check_transform(transform, column)
        sizes = (
            (column.lengths_codec, lengths_bytes(column.form, chunk.rows), column.lengths_stored),
            (column.data_codec, block_bytes(column), column.data_stored),
        )
        for codec, raw, stored in sizes:
            need(codec in (0, 1), f"unknown codec {codec}")
            need(stored == raw if codec == 0 else stored < raw, f"a block of {raw} bytes is stored in {stored}")
    need(sum(c.lengths_stored + c.data_stored for c in columns) == chunk.body_bytes, "wrong body_bytes")
    need(sum(c.data_raw for c in columns) <= chunk.raw_bytes, "more values than rows")
    return chunk, columns


def transform_of(column):
    """What was done to a column; in format 1 nothing, in the place of a reserved byte."""
    return column.transform if hasattr(column, "transform") else column.reserved * 256


def block_bytes(column):
    """The data block's bytes before it was compressed."""
    if transform_of(column) == ALPHABET:
        return column.data_stored
    return column.value_bytes if transform_of(column) in (ONE_VALUE, DICTIONARY, NUMBERS) else column.data_raw


def check_transform(transform, column):
    """What can be told of a transform by a column's descriptor."""
    if transform == NONE:
        return
    what = f"transform {transform} does not go with the form or the sizes"
    need(column.form in {DICTIONARY: (3,), ALPHABET: (1, 2, 3, 4, 5)}.get(transform, (1, 2)), what)
    need(block_bytes(column) <= column.data_raw, what)
    need(transform != ALPHABET or block_bytes(column) >= 21, what)
    if transform in (PLANES, DIFFERENCES, ONE_VALUE):
        widths = {PLANES: range(2, 33), DIFFERENCES: (2, 4, 8), ONE_VALUE: range(1, 1 << 32)}[transform]
        need(column.value_bytes in widths and column.data_raw % column.value_bytes == 0, what)
        need(transform != ONE_VALUE or column.data_raw > 0, what)


def cut_column(rows, column, lengths, data):
    """The fields of a column."""
    lengths = decompress(column.lengths_codec, lengths, lengths_bytes(column.form, rows), "a lengths block")
    data = decompress(column.data_codec, data, block_bytes(column), "a data block")
    transform = transform_of(column)
    if transform == DICTIONARY:
        fields = look_up(lengths, data, column.data_raw)
    elif transform == NUMBERS:
        fields = numerics(value_bits(rows, column, lengths), data)
    elif transform == ALPHABET:
        return cut(rows, column, lengths, spell(data, column.data_raw))
    else:
        undo = {NONE: lambda *_: data, PLANES: unplane, DIFFERENCES: sum_up, ONE_VALUE: lambda width, _: data * (column.data_raw // width)}
        return cut(rows, column, lengths, undo[transform](column.value_bytes, data))
    total = sum(len(field) for field in fields if field is not None)
    need(total == column.data_raw, f"transform {transform} makes {total} bytes of {column.data_raw}")
    return fields


def value_bits(rows, column, lengths):
    """Of each row whether it has a value, in forms 1 and 2."""
    if column.form == 1:
        return [True] * rows
    need(rows % 8 == 0 or lengths[-1] >> (rows % 8) == 0, "a bitmap has bits beyond the last row")
    return [lengths[row // 8] >> (row % 8) & 1 == 1 for row in range(rows)]


def cut(rows, column, lengths, data):
    """The fields of a column that was not transformed, or is not any more."""
    if column.form == 0:
        sizes = [None] * rows
    elif column.form in (1, 2):
        sizes = [column.value_bytes if bit else None for bit in value_bits(rows, column, lengths)]
    else:
        letter, null = {3: ("B", 0xFF), 4: ("H", 0xFFFF), 5: ("I", 0xFFFFFFFF)}[column.form]
        sizes = [None if size == null else size for size in struct.unpack(f"<{rows}{letter}", lengths)]
    total = sum(size for size in sizes if size is not None)
    need(total == len(data), f"lengths of {total} bytes for {len(data)} bytes of values")
    fields, at = [], 0
    for size in sizes:
        fields.append(None if size is None else data[at : at + size])
        at += size or 0
    return fields


def unplane(width, planes):
    """Values of width bytes, of which planes has the first bytes, then the second, and so on."""
    values, count = bytearray(len(planes)), len(planes) // width
    for at in range(width):
        values[at::width] = planes[at * count : (at + 1) * count]
    return bytes(values)


def from_zigzag(number):
    return number // 2 if number % 2 == 0 else -(number + 1) // 2


def sum_up(width, planes):
    """Values of width bytes from the planes of their differences."""
    out, value, zigzags = [], 0, unplane(width, planes)
    for at in range(0, len(zigzags), width):
        value = (value + from_zigzag(int.from_bytes(zigzags[at : at + width], "big"))) % (1 << 8 * width)
        out.append(value.to_bytes(width, "big"))
    return b"".join(out)


def look_up(codes, block, data_raw):
    """The values of a dictionary that have these codes."""
    need(block, "a dictionary without a count")
    lengths, values, at = block[1 : 1 + block[0]], [], 1 + block[0]
    need(len(lengths) == block[0] and 255 not in lengths and at + sum(lengths) == len(block), "a dictionary is not as long as its values")
    for length in lengths:
        values.append(block[at : at + length])
        at += length
    need(all(code == 255 or code < len(values) for code in codes), "a code is not one of the dictionary")
    # Before they are made: few bytes could be many.
    need(sum(lengths[code] for code in codes if code != 255) == data_raw, "a dictionary makes another number of bytes")
    return [None if code == 255 else values[code] for code in codes]


def spell(block, data_raw):
    """Values of data_raw bytes from the codes of their letters, and what is no letter."""
    need(block[0] in (4, 6), "no such alphabet")
    bits = block[0]
    head = 5 + (1 << bits)
    need(len(block) >= head, "an alphabet is cut short")
    letters, count = block[1 : head - 4], int.from_bytes(block[head - 4 : head], "little")
    end = head + (count * bits + 7) // 8
    need(count <= data_raw and end <= len(block), "fewer codes than are told")
    packed = int.from_bytes(block[head:end], "big") >> (end - head) * 8 - count * bits
    # Bits as text: four bits are a digit, six bits two digits of base 8.
    digits = f"{packed:0{count}x}" if bits == 4 else f"{packed:0{2 * count}o}"
    width, base = (1, 16) if bits == 4 else (2, 8)
    text = bytes(letters[int(digits[at : at + width], base)] for at in range(0, count * width, width))
    out, at, rest, more = [], 0, block[end:], data_raw - count
    while rest:
        gap, rest = seven_bits(rest)
        need(rest, "exceptions are cut short")
        byte, (times, rest) = rest[:1], seven_bits(rest[1:])
        need(times <= more and at + gap * times <= count, "more exceptions than bytes of values")
        more -= times
        for _ in range(times):
            out += [text[at : at + gap], byte]
            at += gap
    need(more == 0, "fewer exceptions than bytes of values")
    return b"".join(out) + text[at:]


def seven_bits(data):
    """A number of seven bits a byte, and what follows."""
    value = 0
    for at, byte in enumerate(data[:5]):
        value |= (byte & 0x7F) << 7 * at
        if byte < 0x80:
            return value, data[at + 1 :]
    raise Damaged("a number is cut short")


def numerics(has_value, block):
    """Values of the type numeric from whole numbers."""
    need(len(block) >= 2 and block[0] in (1, 2, 4, 8) and block[1] <= 12, "no such block of numbers")
    width, scale, values = block[0], block[1], sum(has_value)
    need(len(block) == 2 + width * values, f"{len(block)} bytes for {values} numbers of {width}")
    zigzags, fields, at = unplane(width, block[2:]), [], 0
    for has in has_value:
        if has:
            fields.append(numeric(from_zigzag(int.from_bytes(zigzags[at : at + width], "big")), scale))
            at += width
        else:
            fields.append(None)
    return fields


def numeric(number, scale):
    """A number of so many decimal digits behind the point as PostgreSQL sends it."""
    groups, digits = -(-scale // 4), []
    size = abs(number) * 10 ** (4 * groups - scale)
    need(size < 10**16, "a number is too large")
    place = -groups
    while size and size % 10000 == 0:
        size, place = size // 10000, place + 1
    while size:
        size, digit = divmod(size, 10000)
        digits.insert(0, digit)
    weight = place + len(digits) - 1 if digits else 0
    return struct.pack(f">HhHH{len(digits)}H", len(digits), weight, 0x4000 if number < 0 else 0, scale, *digits)


def check_rows(chunk, rows):
    """Joins the rows as COPY has them, and compares size, checksum and digest."""
    raw_bytes, raw_crc, digest = 0, 0, 0
    for row in rows:
        frame = b"".join(b"\xff\xff\xff\xff" if field is None else struct.pack(">I", len(field)) + field for field in row)
        if chunk.encoding == BINARY:
            raw = struct.pack(">H", len(row)) + frame
        else:
            need(not any(field and (b"\t" in field or b"\n" in field) or field == b"\\N" for field in row), "a text field is not escaped")
            raw = b"\t".join(b"\\N" if field is None else field for field in row) + b"\n"
            need(raw != b"\\.\n", "a row reads as the end of the data")
        raw_bytes += len(raw)
        raw_crc = zlib.crc32(raw, raw_crc)
        digest = (digest + xxhash.xxh3_128_intdigest(frame)) % (1 << 128)
    need(raw_bytes == chunk.raw_bytes, f"{raw_bytes} bytes of rows, expected {chunk.raw_bytes}")
    need(raw_crc == chunk.raw_crc, "checksum of the rows does not match")
    need(digest == number(chunk.digest), f"digest {digest:032x}, expected {number(chunk.digest):032x}")


def shown(field, encoding, as_json):
    """A field as it is printed: binary ones in hexadecimal."""
    if field is None:
        return None if as_json else "\\N"
    if encoding == "binary":
        return field.hex() if as_json else "\\x" + field.hex()
    return field.decode("utf-8", "surrogateescape")


def print_rows(table, rows, as_json):
    name = f"{table['schema']}.{table['name']}"
    if not name.isprintable() and not as_json:
        name = json.dumps(name)
    for row in rows:
        fields = [shown(field, table["encoding"], as_json) for field in row]
        print(json.dumps({"table": name, "row": fields}) if as_json else "\t".join([name, *fields]))


def summary(archive):
    tables = [
        {
            "table": f"{table['schema']}.{table['name']}",
            "columns": [column["name"] for column in table["columns"]],
            "encoding": table["encoding"],
            "chunks": chunks,
            "rows": rows,
            "raw_bytes": raw_bytes,
            "stored_bytes": stored_bytes,
            "digest": f"{number(digest):032x}",
        }
        for table, (chunks, rows, raw_bytes, stored_bytes, digest, *_) in zip(archive.tables, archive.totals)
    ]
    return {
        "archive": str(uuid.UUID(bytes=archive.archive)),
        "root": archive.footer.root.hex(),
        "total_bytes": archive.size,
        "objects": len(archive.manifest["objects"]),
        "tables": tables,
    }


def check(path, seen=lambda table, rows: None, end=lambda archive: None):
    """The exit code, and what is wrong. Tells every chunk's rows, and at the end the archive."""
    findings = []
    try:
        with open(path, "rb") as file:
            archive = Archive(file)
            ends = [lambda place=place: archive.check_table_end(place) for place in range(len(archive.tables))]
            for check in [archive.check_root, *(ends if archive.version > 1 else [])]:
                try:
                    check()
                except Damaged as error:
                    findings.append(str(error))
            for place, entry in enumerate(archive.entries):
                try:
                    rows = archive.rows(place)
                except Damaged as error:
                    findings.append(f"chunk {place}, at byte {entry.offset}: {error}")
                    continue
                seen(archive.tables[entry.table], rows)
            end(archive)
    except Newer as error:
        return 6, [str(error)]
    except Damaged as error:
        findings.append(str(error))
    except OSError as error:
        return 2, [str(error)]
    return 3 if findings else 0, findings


def main():
    parser = argparse.ArgumentParser(description="Check a Silverback archive and print its rows")
    parser.add_argument("archive", help="the file")
    parser.add_argument("--json", action="store_true", help="print JSON, one line a row and a last one about the archive")
    parser.add_argument("--check", action="store_true", help="print no rows")
    options = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="\n")

    def seen(table, rows):
        if not options.check:
            print_rows(table, rows, options.json)

    def end(archive):
        print(json.dumps(summary(archive)) if options.json else f"root {archive.footer.root.hex()}")

    code, findings = check(options.archive, seen, end)
    for finding in findings:
        print(f"read.py: {options.archive}: {finding}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
