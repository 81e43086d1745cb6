"""What a request costs behind nginx by FastCGI, from Tessera and from iipsrv, which is swapped for it.

    apt-get install nginx-light iipimage-server
    cargo build --release
    python3 load-tests/fastcgi.py [--repeats 5] [--iipsrv FILE]

Both are started under iipsrv's name with iipsrv's command line and environment, behind nginx with
deploy/nginx/fastcgi.conf, and asked for the same query strings one after the other over one
connection: iipsrv answers one request at a time, and what is judged is processor time. That is read
from the clock that the kernel keeps for each process, in nanoseconds. Images are those of the bench
in Rust, which makes them on its first run.
"""

import argparse
import http.client
import os
import random
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from served import TESSERA, own_cpu_ms

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "target/load/images"
SITE = ROOT / "deploy/nginx/fastcgi.conf"
SCRIPT = "/fcgi-bin/iipsrv.fcgi?"

# The pyramids of load-tests/src/pyramid.rs.
WIDTH, HEIGHT, TILE, LEVELS = 20_096, 15_104, 256, 8
HOT_TILES = 32
HOT_REQUESTS = 2048
# Of 6270; enough for a median within some percent.
COLD_TILES = 1024
START_S = 20

TRANSPORTS = [("TCP", True), ("TCP", False), ("unix", True), ("unix", False)]


def tiles():
    """Every whole tile of every level: level 0 is the full image."""
    for level in range(LEVELS):
        for row in range((HEIGHT >> level) // TILE):
            for column in range((WIDTH >> level) // TILE):
                yield level, column, row


def shuffled_tiles():
    """The same order each time."""
    shuffled = list(tiles())
    random.Random(1).shuffle(shuffled)
    return shuffled


def iip(image, tile):
    level, column, row = tile
    columns = -(-(WIDTH >> level) // TILE)
    return f"FIF={image}&JTL={LEVELS - 1 - level},{row * columns + column}"


def iiif(image, tile):
    level, column, row = tile
    step = TILE << level
    return f"IIIF={image}/{column * step},{row * step},{step},{step}/{TILE},/0/default.jpg"


def scenarios():
    """Name, requests before the clock starts, requests that count."""
    shuffled = shuffled_tiles()
    hot, cold = shuffled[:HOT_TILES], shuffled[:COLD_TILES]
    for image in ("jpeg.tif", "deflate.tif"):
        for protocol, word in (("IIP", iip), ("IIIF", iiif)):
            kind = f"{protocol} tile, {image.removesuffix('.tif')}"
            again = [word(image, tile) for tile in hot]
            yield f"{kind}, hot", again, again * (HOT_REQUESTS // HOT_TILES)
            yield f"{kind}, cold", [], [word(image, tile) for tile in cold]
    description = ["IIIF=jpeg.tif/info.json"]
    yield "info.json, hot", description, description * HOT_REQUESTS


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Front:
    """nginx with one worker, and a FastCGI server behind it."""

    def __init__(self, program, transport, kept):
        self.folder = tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        under_its_name = folder / "iipsrv.fcgi"
        under_its_name.symlink_to(program)
        bind = f"127.0.0.1:{free_port()}" if transport == "TCP" else str(folder / "socket")
        environment = {
            "PATH": os.environ["PATH"],
            "FILESYSTEM_PREFIX": f"{IMAGES}/",
            "MAX_IMAGE_CACHE_SIZE": "128",
            "JPEG_QUALITY": "75",
            "VERBOSITY": "1",
            "LOGFILE": str(folder / "iipsrv.log"),
            "OMP_NUM_THREADS": "1",
        }
        command = [under_its_name, "--bind", bind, "--backlog", "2048"]
        self.server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.port = free_port()
        self.nginx = self.start_nginx(folder, bind if transport == "TCP" else f"unix:{bind}", kept)
        self.worker = self.wait()

    def start_nginx(self, folder, upstream, kept):
        changes = {"listen 80;": f"listen 127.0.0.1:{self.port};", "server 127.0.0.1:9000;": f"server {upstream};"}
        if not kept:
            changes |= {"keepalive 16;": "", "fastcgi_keep_conn on;": ""}
        site = SITE.read_text()
        for old, new in changes.items():
            assert old in site, f"{SITE} holds no {old}"
            site = site.replace(old, new)
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "fastcgi", "proxy", "scgi", "uwsgi")
        )
        user = "user root root;" if os.geteuid() == 0 else ""
        (folder / "fastcgi_params").write_text(Path("/etc/nginx/fastcgi_params").read_text())
        (folder / "site.conf").write_text(site)
        (folder / "nginx.conf").write_text(
            f"{user} daemon off; worker_processes 1; pid nginx.pid; events {{}}\n"
            f"http {{ access_log off; keepalive_requests 1000000; {temporary} include site.conf; }}\n"
        )
        command = ["nginx", "-p", folder, "-c", "nginx.conf", "-e", "error.log"]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def wait(self):
        """Until a request is answered; the process id of nginx' worker."""
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port)
                connection.request("GET", SCRIPT)
                if connection.getresponse().status != 502:
                    children = Path(f"/proc/{self.nginx.pid}/task/{self.nginx.pid}/children").read_text()
                    return int(children.split()[0])
            except OSError:
                pass
            finally:
                connection.close()
            time.sleep(0.01)
        raise TimeoutError("nothing is answered")

    def cost_ms(self, before, counted):
        """Milliseconds a request of the server and of nginx."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        for query in before:
            ask(connection, query)
        start = own_cpu_ms(self.server.pid), own_cpu_ms(self.worker)
        for query in counted:
            ask(connection, query)
        end = own_cpu_ms(self.server.pid), own_cpu_ms(self.worker)
        connection.close()
        return [(late - early) / len(counted) for early, late in zip(start, end)]

    def stop(self):
        for process in (self.nginx, self.server):
            process.send_signal(signal.SIGTERM)
        for process in (self.nginx, self.server):
            try:
                process.wait(START_S)
            except subprocess.TimeoutExpired:
                process.kill()
        self.folder.cleanup()


def ask(connection, query):
    connection.request("GET", SCRIPT + query)
    answer = connection.getresponse()
    body = answer.read()
    picture = body.startswith(b"\xff\xd8") and body.endswith(b"\xff\xd9")
    if answer.status != 200 or not (picture or body.lstrip().startswith(b"{")):
        raise ValueError(f"{query}: status {answer.status}, {len(body)} bytes")


def measure(program, transport, kept, before, counted):
    front = Front(program, transport, kept)
    try:
        return front.cost_ms(before, counted)
    finally:
        front.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--iipsrv", type=Path, default=Path("/usr/lib/iipimage-server/iipsrv.fcgi"))
    arguments = parser.parse_args()
    programs = [TESSERA, arguments.iipsrv]
    print("| request | connection | Tessera, ms | nginx before it | iipsrv, ms | nginx before it | both, to iipsrv |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for name, before, counted in scenarios():
        for transport, kept in TRANSPORTS:
            runs = {program: [] for program in programs}
            for repeat in range(arguments.repeats):
                # Each is first in turn: what a machine does meanwhile meets both.
                for program in programs if repeat % 2 == 0 else reversed(programs):
                    runs[program].append(measure(program, transport, kept, before, counted))
            cells = [statistics.median(run[part] for run in runs[program]) for program in programs for part in (0, 1)]
            pairs = zip(runs[TESSERA], runs[arguments.iipsrv])
            ratio = statistics.median(sum(ours) / sum(theirs) for ours, theirs in pairs)
            figures = " | ".join(f"{cell:.3f}" for cell in cells)
            print(f"| {name} | {transport}, {'kept' if kept else 'new'} | {figures} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
