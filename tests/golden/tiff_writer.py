"""Writes TIFF directories value by value, for files that no library would write."""

import struct

SHORT, LONG, RATIONAL, ASCII, LONG8 = 3, 4, 5, 2, 16
CODES = {SHORT: "H", LONG: "I", LONG8: "Q"}


class Writer:
    """A file that grows at its end; directories are linked as they are added."""

    def __init__(self, order="<", big=False):
        self.order, self.big = order, big
        self.data = bytearray(b"II" if order == "<" else b"MM")
        self.data += self.pack("HHHQ", 43, 8, 0, 0) if big else self.pack("HI", 42, 0)
        self.link_at = 8 if big else 4

    def pack(self, code, *values):
        return struct.pack(self.order + code, *values)

    def put(self, block):
        """Adds a block at an even offset and returns the offset."""
        self.data += b"\0" * (len(self.data) % 2)
        at = len(self.data)
        self.data += block
        return at

    def values(self, kind, values):
        if kind == ASCII:
            return len(values), values
        if kind == RATIONAL:
            return len(values), b"".join(self.pack("II", *pair) for pair in values)
        return len(values), self.pack(f"{len(values)}{CODES[kind]}", *values)

    def directory(self, tags, linked=True):
        """Adds a directory of {tag: (type, values)}; returns its offset."""
        wide = 8 if self.big else 4
        entries = b""
        for tag, (kind, values) in sorted(tags.items()):
            count, block = self.values(kind, values)
            if len(block) > wide:
                block = self.pack("Q" if self.big else "I", self.put(block))
            entries += self.pack("HH", tag, kind) + self.pack("Q" if self.big else "I", count)
            entries += block.ljust(wide, b"\0")
        count = self.pack("Q" if self.big else "H", len(tags))
        at = self.put(count + entries + b"\0" * wide)
        if linked:
            struct.pack_into(self.order + ("Q" if self.big else "I"), self.data, self.link_at, at)
            self.link_at = len(self.data) - wide
        return at

    def tiles(self, blocks):
        """Adds the tiles of a level; None is a tile that is not written. Offsets and lengths."""
        offsets = [0 if block is None else self.put(block) for block in blocks]
        return offsets, [0 if block is None else len(block) for block in blocks]

    def level(self, size, tile, blocks, photometric, samples, compression=1, extra=None, linked=True):
        """Adds tiles and their directory; `extra` tags win. Returns the directory's offset."""
        offsets, lengths = self.tiles(blocks)
        tags = {
            256: (LONG, [size[0]]),
            257: (LONG, [size[1]]),
            258: (SHORT, [8] * samples),
            259: (SHORT, [compression]),
            262: (SHORT, [photometric]),
            277: (SHORT, [samples]),
            284: (SHORT, [1]),
            322: (SHORT, [tile[0]]),
            323: (SHORT, [tile[1]]),
            324: (LONG, offsets),
            325: (LONG, lengths),
        }
        for tag, value in (extra or {}).items():
            tags[tag] = value
        if 273 in (extra or {}):
            tags[273], tags[279] = tags.pop(324), tags.pop(325)
        return self.directory(tags, linked)

    def save(self, path):
        path.write_bytes(self.data)
