"""Debian's iipsrv, one process of it, spoken to by FastCGI without a web server, which would only add to it."""

import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path

IIPSRV = "/usr/lib/iipimage-server/iipsrv.fcgi"


class Iipsrv:
    def __init__(self, folder):
        self.address = Path(tempfile.mkdtemp()) / "socket"
        settings = {"FILESYSTEM_PREFIX": f"{folder}/", "MAX_LAYERS": "-1", "VERBOSITY": "0", "OMP_NUM_THREADS": "1"}
        settings["LOGFILE"] = "/dev/null"
        self.process = subprocess.Popen([IIPSRV, "--bind", self.address], env=settings)
        while not self.address.exists():
            assert self.process.poll() is None, f"{IIPSRV} does not start"
            time.sleep(0.01)

    def get(self, path):
        parameters = b""
        for name, value in {"REQUEST_METHOD": "GET", "QUERY_STRING": path.replace("/iiif/3/", "IIIF=", 1)}.items():
            parameters += struct.pack(">BL", len(name), len(value) | 1 << 31) + f"{name}{value}".encode()
        record = lambda kind, body: struct.pack(">BBHHBB", 1, kind, 1, len(body), 0, 0) + body
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(self.address))
            peer.sendall(record(1, b"\0\1\0\0\0\0\0\0") + record(4, parameters) + record(4, b"") + record(5, b""))
            stream, body = peer.makefile("rb"), b""
            while head := stream.read(8):
                _, kind, _, length, padding, _ = struct.unpack(">BBHHBB", head)
                content = stream.read(length + padding)[:length]
                body += content if kind == 6 else b""
        return body.split(b"\r\n\r\n", 1)[1]

    def stop(self):
        self.process.terminate()
        self.process.wait()
