"""How evenly a billion images spread over instances, and answers over memcached servers.

    pip install numpy xxhash
    python3 load-tests/balance.py [--images 1000000000] [--seed 1]

Computed, not sampled, for images: every one of 000000000.tif to 999999999.tif goes where nginx'
`hash $image consistent` sends it (src/http/modules/ngx_http_upstream_hash_module.c of release 1.22:
160 points a server, CRC-32 of host and port and the point before). Answers' keys are random numbers of
128 bits, as good hashes are, and go where Tessera's router sends them: the highest of xxh3 of the key
mixed with SipHash 1-3 of the server's name.
"""

import argparse
import struct
import zlib

import numpy
import xxhash

POINTS = 160
NODES = [1, 4, 40, 400]
MEMCACHED = [1, 4, 20]
KEYS = 1_000_000
DIGITS = 9
# Of a hash: so many buckets that few of them hold a point of the ring, and so few that they fit a cache.
BUCKET_BITS = 22
# How many are asked for at all, where some are asked for much more often than others.
POPULARITY_IMAGES = 1_000_000


def address(number, port):
    return f"10.0.{number // 250}.{number % 250 + 1}", str(port)


def ring(servers):
    """Points in rising order and the servers that they belong to, as nginx has them."""
    points = {}
    for number, (host, port) in enumerate(servers):
        base = zlib.crc32(host.encode() + b"\0" + port.encode())
        before = 0
        for _ in range(POINTS):
            before = zlib.crc32(struct.pack("<I", before), base)
            points.setdefault(before, number)
    hashes = numpy.array(sorted(points), dtype=numpy.uint32)
    return hashes, numpy.array([points[int(point)] for point in hashes], dtype=numpy.uint16)


def owners(hashes, points, servers):
    """The server of the first point that is not below each hash; behind the last comes the first."""
    at = numpy.searchsorted(points, hashes, side="left")
    return servers[at % len(points)]


def names_hashed(count):
    """CRC-32 of every name, a million at a time. It is linear: names differ by what their digits differ."""

    def crc(number):
        return zlib.crc32(f"{number:0{DIGITS}}.tif".encode())

    zero = crc(0)
    thousand = 1000
    low = numpy.array([crc(number) ^ zero for number in range(thousand)], dtype=numpy.uint32)
    middle = numpy.array([crc(number * thousand) ^ zero for number in range(thousand)], dtype=numpy.uint32)
    million = (middle[:, None] ^ low[None, :]).ravel()
    for high in range(-(-count // million.size)):
        yield (million ^ numpy.uint32(crc(high * million.size)))[: count - high * million.size]


def images_by_server(count, nodes):
    points, servers = ring([address(number, 9000) for number in range(nodes)])
    shift = 32 - BUCKET_BITS
    firsts = (numpy.arange(1 << BUCKET_BITS, dtype=numpy.uint64) << shift).astype(numpy.uint32)
    lasts = firsts | numpy.uint32((1 << shift) - 1)
    at = numpy.searchsorted(points, firsts, side="left")
    # Where a point lies within a bucket, each hash has to be looked at.
    whole = at == numpy.searchsorted(points, lasts, side="left")
    table = servers[at % len(points)]
    total = numpy.zeros(nodes, dtype=numpy.int64)
    for hashes in names_hashed(count):
        bucket = hashes >> shift
        found = table[bucket]
        split = numpy.flatnonzero(~whole[bucket])
        found[split] = owners(hashes[split], points, servers)
        total += numpy.bincount(found, minlength=nodes)
    return total


def moved_by_a_death(nodes, generator):
    """Shares of images that move where one server goes: its own, and of the others'."""
    if nodes == 1:
        return 1.0, 0.0
    addresses = [address(number, 9000) for number in range(nodes)]
    sample = generator.integers(0, 1 << 32, KEYS, dtype=numpy.uint32)
    dead = int(generator.integers(nodes))
    before = owners(sample, *ring(addresses))
    left = [number for number in range(nodes) if number != dead]
    after = numpy.array(left)[owners(sample, *ring([addresses[number] for number in left]))]
    moved = before != after
    return moved.mean(), (moved & (before != dead)).mean()


def requests_by_server(nodes, generator):
    """Of images of which the n-th is asked for 1/n as often as the first."""
    points, servers = ring([address(number, 9000) for number in range(nodes)])
    hashes = generator.integers(0, 1 << 32, POPULARITY_IMAGES, dtype=numpy.uint32)
    weights = 1 / numpy.arange(1, POPULARITY_IMAGES + 1)
    return numpy.bincount(owners(hashes, points, servers), weights, minlength=nodes)


def sip13(data):
    """SipHash 1-3 with keys of 0, as Rust's `DefaultHasher` is (Aumasson and Bernstein, 2012)."""
    mask = (1 << 64) - 1
    v = [0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573]

    def turn(x, bits):
        return (x << bits | x >> 64 - bits) & mask

    def step():
        v[0] = (v[0] + v[1]) & mask
        v[1] = turn(v[1], 13) ^ v[0]
        v[0] = turn(v[0], 32)
        v[2] = (v[2] + v[3]) & mask
        v[3] = turn(v[3], 16) ^ v[2]
        v[0] = (v[0] + v[3]) & mask
        v[3] = turn(v[3], 21) ^ v[0]
        v[2] = (v[2] + v[1]) & mask
        v[1] = turn(v[1], 17) ^ v[2]
        v[2] = turn(v[2], 32)

    padded = data + bytes(-(len(data) + 1) % 8) + bytes([len(data) & 255])
    for (word,) in struct.iter_unpack("<Q", padded):
        v[3] ^= word
        step()
        v[0] ^= word
    v[2] ^= 255
    for _ in range(3):
        step()
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def mixed(numbers):
    numbers ^= numbers >> numpy.uint64(30)
    numbers *= numpy.uint64(0xBF58476D1CE4E5B9)
    numbers ^= numbers >> numpy.uint64(27)
    numbers *= numpy.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> numpy.uint64(31))


def answers_by_memcached(servers, generator):
    keys = generator.bytes(16 * KEYS)
    hashed = [xxhash.xxh3_64_intdigest(keys[at : at + 16]) for at in range(0, len(keys), 16)]
    hashed = numpy.array(hashed, dtype=numpy.uint64)
    scores = []
    for number in range(servers):
        name = ":".join(address(number, 11211)).encode()
        scores.append(mixed(hashed ^ numpy.uint64(sip13(struct.pack("<Q", len(name)) + name))))
    return numpy.bincount(numpy.argmax(scores, axis=0), minlength=servers)


def spread(counts):
    """Least, most and deviation, where 1 is the mean."""
    share = counts / counts.mean()
    return f"{share.min():.3f} | {share.max():.3f} | {share.std() * 100:.1f} %"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=1_000_000_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print("| instances | images each | least | most | deviation | by requests: least | most | deviation | a death moves | of others |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for nodes in NODES:
        generator = numpy.random.default_rng(arguments.seed)
        counts = images_by_server(arguments.images, nodes)
        assert counts.sum() == arguments.images
        moved, others = moved_by_a_death(nodes, generator)
        cells = [nodes, f"{counts.mean():,.0f}", spread(counts), spread(requests_by_server(nodes, generator))]
        cells += [f"{moved * 100:.2f} %", f"{others * 100:.2f} %"]
        print("|", " | ".join(str(cell) for cell in cells), "|", flush=True)
    print()
    print("| memcached servers | least | most | deviation |")
    print("| ---: | ---: | ---: | ---: |")
    for servers in MEMCACHED:
        counts = answers_by_memcached(servers, numpy.random.default_rng(arguments.seed))
        print(f"| {servers} | {spread(counts)} |", flush=True)


main()
