"""A server of the release build, and what it and all that it starts cost."""

import os
import re
import subprocess
import time
import urllib.request
from pathlib import Path

TESSERA = Path(__file__).resolve().parent.parent / "target/release/tessera"
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def family(pid):
    """A process and all that it started and that still runs."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents.setdefault(int(stat.read_text().rsplit(")", 1)[1].split()[1]), []).append(int(stat.parent.name))
        except FileNotFoundError:
            continue
    found = [pid]
    for parent in found:
        found += parents.get(parent, [])
    return found


def cpu_ms(pid):
    """Of processes that run and of those that ended."""
    fields = [Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split() for each in family(pid)]
    return sum(sum(map(int, field[11:15])) for field in fields) * 1000 / TICKS_A_SECOND


def own_cpu_ms(pid):
    """Of one process and its threads, those that ended included, by the clock that the kernel keeps for it."""
    return time.clock_gettime(~pid << 3 | 2) * 1000


def peak_mib(pid):
    status = [Path(f"/proc/{each}/status").read_text() for each in family(pid)]
    return sum(int(re.search(r"VmHWM:\s+(\d+)", each).group(1)) for each in status) / 1024


class Tessera:
    def __init__(self, folder, *settings):
        command = [TESSERA, "serve", folder, "--bind", "127.0.0.1:0", "--admin", "none", "--log-access", "off", *settings]
        self.process = subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, text=True)
        line = next(line for line in self.process.stderr if "http://" in line)
        self.base = re.search(r"http://127\.0\.0\.1:\d+", line).group()

    def get(self, path):
        with urllib.request.urlopen(self.base + path) as answer:
            return answer.read()

    def stop(self):
        self.process.terminate()
        self.process.wait()
