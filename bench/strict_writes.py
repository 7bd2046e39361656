#!/usr/bin/env python3
"""What a strict write costs beside a plain UPDATE with the same driver, in the same run.

    bench/strict_writes.py [--build build/release] [--seconds 3] [--rounds 3]

Needs cmake --preset release -DUM_BENCH=ON. Starts PostgreSQL (fsync on) and instances, without Redis, on
free loopback ports, and stops them. The machine's speed changes within seconds, so plain and strict
writes alternate, and the median of the rounds counts.

    alone      the writer's instance is the only one
    three      two more instances are registered and healthy
    bounded    64 writers in mode strict beside mode bounded, with three instances
    stopped    one of three instances is stopped (SIGSTOP): the longest write, and when all is normal again
    restart    each of three instances is restarted in turn: the longest write at those that are ready
"""

import argparse
import http.client
import json
import pathlib
import signal
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

from servers import ROOT, Servers, output

OTHERS = 2


class Stage(Servers):
    def __init__(self, directory, options):
        super().__init__(directory, options.build / "user-manager")
        self.options = options
        self.bench = options.build / "bench/strict_writes_bench"
        self.others = []

    def prepare(self):
        self.start_postgres()
        self.command("migrate")
        self.fill(200)
        self.add_admin()

    def measure(self, clients, what):
        lines = output([self.bench, self.database, str(clients), str(self.options.seconds), str(self.options.rounds),
                        what]).splitlines()
        return [json.loads(line) for line in lines]

    def begin(self, count):
        for _ in range(count):
            port = self.serve()
            self.others.append((port, self.started[-1]))
            self.wait_until_ready(port)

    def end_others(self):
        for _, process in self.others:
            process.terminate()
            process.wait()
        self.others = []

    def wait_until_ready(self, port):
        for _ in range(500):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz").read()
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.02)
        raise SystemExit(f"the instance on port {port} is never ready")


def of(figures, side, name):
    return statistics.median(figure[name] for figure in figures if figure["side"] == side)


def compare(title, figures):
    plain, strict = (of(figures, side, "median_ms") for side in ("plain", "strict"))
    rate = of(figures, "strict", "per_second") / of(figures, "plain", "per_second")
    tail = of(figures, "strict", "p99_ms") - of(figures, "plain", "p99_ms")
    print(f"{title}: median {plain:.2f} ms plain, {strict:.2f} ms strict ({strict / plain:.2f} times, "
          f"{strict - plain:+.2f} ms); 99th percentile {tail:+.2f} ms; {rate:.2f} times the writes per second "
          f"({of(figures, 'plain', 'per_second'):.0f}, {of(figures, 'strict', 'per_second'):.0f})", flush=True)


def beside_plain(stage):
    for title, others in (("alone", 0), ("three", OTHERS)):
        stage.begin(others)
        for clients in (1, 64):
            compare(f"{title}, {clients} writer{'s' if clients > 1 else ''}", stage.measure(clients, "plain"))
    stage.end_others()


def beside_bounded(stage):
    times = {}
    for mode in ("strict", "bounded", "strict", "bounded"):
        stage.command("migrate", "--consistency", mode)
        stage.begin(OTHERS)
        times.setdefault(mode, []).extend(stage.measure(64, "writes"))
        stage.end_others()
    stage.command("migrate", "--consistency", "strict")
    strict, bounded = (statistics.median(f["median_ms"] for f in times[mode]) for mode in ("strict", "bounded"))
    print(f"64 writers, three instances: median {bounded:.2f} ms in mode bounded, {strict:.2f} ms strict "
          f"({strict / bounded:.2f} times)", flush=True)


def with_one_stopped(stage):
    stage.begin(OTHERS)
    writer = subprocess.Popen([stage.bench, stage.database, "1", "30", "1", "watch"], stdout=subprocess.PIPE, text=True)
    time.sleep(3)
    stage.others[1][1].send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    slow, last = [], stopped
    while line := writer.stdout.readline():
        if line.startswith("slow: "):
            slow.append(float(line.split()[1]))
            last = time.monotonic()
    stage.others[1][1].send_signal(signal.SIGCONT)
    if writer.wait() != 0:
        raise SystemExit("the writer failed")
    print(f"one instance stopped: {len(slow)} slow writes, the longest {max(slow, default=0):.0f} ms; the last "
          f"{last - stopped:.1f} s after the stop", flush=True)
    stage.end_others()


def rolling_restart(stage):
    stage.begin(1 + OTHERS)
    token = stage.sign_in(stage.others[0][0])
    target, slowest, ended, count = [0], [0.0], threading.Event(), [0]

    def write():
        connections = {}
        number = 0
        while not ended.is_set():
            port = stage.others[target[0]][0]
            if port not in connections:
                connections[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            number += 1
            began = time.monotonic()
            connections[port].request("PATCH", f"/user/{1 + number % 200}", json.dumps({"first_name": f"R{number}"}),
                                      {"Authorization": f"Bearer {token}",
                                       "Content-Type": "application/merge-patch+json"})
            answer = connections[port].getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"a write was answered with {answer.status}")
            slowest[0] = max(slowest[0], time.monotonic() - began)
            count[0] += 1

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    time.sleep(2)
    calm, slowest[0] = slowest[0], 0.0
    for index in range(1 + OTHERS):
        target[0] = (index + 1) % (1 + OTHERS)
        time.sleep(0.1)
        stage.others[index][1].terminate()
        stage.others[index][1].wait()
        port = stage.serve()
        stage.wait_until_ready(port)
        stage.others[index] = (port, stage.started[-1])
    ended.set()
    writer.join()
    print(f"rolling restart of three: the longest of {count[0]} writes {1000 * slowest[0]:.1f} ms "
          f"(before it {1000 * calm:.1f} ms)", flush=True)
    stage.end_others()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
    parser.add_argument("--seconds", default=3, type=int)
    parser.add_argument("--rounds", default=3, type=int)
    options = parser.parse_args()
    options.build = options.build.resolve()
    with tempfile.TemporaryDirectory(prefix="um-bench-", ignore_cleanup_errors=True) as name:
        stage = Stage(pathlib.Path(name), options)
        try:
            stage.prepare()
            for part in (beside_plain, beside_bounded, with_one_stopped, rolling_restart):
                part(stage)
        finally:
            stage.stop()


if __name__ == "__main__":
    main()
