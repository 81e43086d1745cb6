"""What memcached costs for each tile: operations, bytes, and processor time of memcached and of Tessera.

    cargo build --release
    python3 load-tests/memcached.py     (needs memcached)

Two instances share one memcached. The first is asked for tiles of a Deflate pyramid that nobody has made
(misses), the second for the same ones (hits), then both for others at the same moment (leases: one makes
each, the other waits for it). An instance without memcached is asked for the first tiles too. The pyramid is
that of the bench in Rust, which makes it on its first run.
"""

import socket
import subprocess
import threading
import time

from fastcgi import IMAGES, free_port, iip, shuffled_tiles
from served import Tessera, own_cpu_ms

TILES = 512
# Patient, so that a slow machine is not taken for a dead server.
PATIENCE = ["--memcached-budget-ms", "20000", "--memcached-wait-ms", "20000"]
# Of memcached's statistics, with the digits that they are shown with.
COUNTED = {"cmd_get": 2, "cmd_set": 2, "bytes_read": 0, "bytes_written": 0}
START_S = 20


class Memcached:
    def __init__(self):
        self.port = free_port()
        command = ["memcached", "-l", "127.0.0.1", "-p", str(self.port), "-m", "512", "-u", "root"]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        end = time.monotonic() + START_S
        while True:
            try:
                self.stats()
                return
            except OSError:
                if end < time.monotonic():
                    raise
                time.sleep(0.01)

    def stats(self):
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"stats\r\n")
            text = b""
            while not text.endswith(b"END\r\n"):
                text += connection.recv(65536)
        found = dict(line.split()[1:3] for line in text.decode().splitlines() if line.startswith("STAT"))
        return {name: int(found[name]) for name in [*COUNTED, "curr_items"]}

    def stop(self):
        self.process.terminate()
        self.process.wait()


def ask(server, addresses):
    return sum(len(server.get(address)) for address in addresses)


def at_once(servers, addresses):
    threads = [threading.Thread(target=ask, args=(server, addresses)) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def settled(memcached, items):
    """Until everything is stored, which happens behind the answers."""
    end = time.monotonic() + START_S
    while memcached.stats()["curr_items"] < items:
        if end < time.monotonic():
            raise TimeoutError("tiles are not stored")
        time.sleep(0.05)
    # The last one may be a placeholder yet.
    time.sleep(0.5)


def measured(memcached, servers, work, items):
    """What each tile costs, and how many operations: a row of the table."""
    pids = [server.process.pid for server in servers]
    stats, cpu = memcached.stats(), [own_cpu_ms(pid) for pid in [memcached.process.pid, *pids]]
    work()
    settled(memcached, items)
    spent = [own_cpu_ms(pid) - early for pid, early in zip([memcached.process.pid, *pids], cpu)]
    now = memcached.stats()
    changed = {name: (now[name] - stats[name]) / TILES for name in COUNTED}
    return changed, spent[0] / TILES, sum(spent[1:]) / TILES


def main():
    tiles = [f"/iip?{iip('deflate.tif', tile)}" for tile in shuffled_tiles()]
    first, second = tiles[:TILES], tiles[TILES : 2 * TILES]
    memcached = Memcached()
    shared = ["--memcached-servers", f"127.0.0.1:{memcached.port}", *PATIENCE]
    here, there = Tessera(IMAGES, *shared), Tessera(IMAGES, *shared)
    alone = Tessera(IMAGES)
    try:
        early = own_cpu_ms(alone.process.pid)
        size = ask(alone, first) / TILES
        made = (own_cpu_ms(alone.process.pid) - early) / TILES
        rows = {
            "made and stored (miss)": measured(memcached, [here], lambda: ask(here, first), TILES),
            "found (hit)": measured(memcached, [there], lambda: ask(there, first), TILES),
            "wanted by two at once (lease)": measured(
                memcached, [here, there], lambda: at_once([here, there], second), 2 * TILES
            ),
        }
    finally:
        for server in (here, there, alone, memcached):
            server.stop()
    print(f"{TILES} tiles of {size:.0f} bytes; {made:.3f} ms of CPU each without memcached\n")
    print("| a tile | looks | stored | bytes to memcached | bytes from it | memcached's CPU ms | Tessera's CPU ms |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, (changed, theirs, ours) in rows.items():
        figures = " | ".join(f"{changed[name]:.{digits}f}" for name, digits in COUNTED.items())
        print(f"| {name} | {figures} | {theirs:.3f} | {ours:.3f} |")


main()
