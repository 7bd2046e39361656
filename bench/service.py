#!/usr/bin/env python3
"""What the whole service does in a second, as a ratio to something known in the same run.

    bench/service.py [--program build/release/user-manager] [--seconds 4] [--rounds 3] [--users 20000]

Starts PostgreSQL (fsync on), Redis and nginx on free loopback ports in a directory of its own, and
stops them. Each comparison alternates between the two sides; the median of the rounds' ratios counts,
because a machine that others use as well changes its speed within seconds. All sides run with 64
clients; the service and nginx with one thread each.

    hit        GET of a user from memory                      nginx returning the same bytes
    redis      GET of a user that only Redis knows            redis-benchmark GET of as many bytes
    primary    GET with Cache-Control: no-cache               pgbench, the same row by its id
    write      PATCH of a first name                          pgbench, the same UPDATE with the same triggers
"""

import argparse
import json
import pathlib
import re
import statistics
import tempfile
import urllib.request

from servers import POSTGRES, ROOT, Servers, free_port, output

CLIENTS = 64


class Stage(Servers):
    """The servers, and what is needed to ask them."""

    def __init__(self, directory, options):
        super().__init__(directory, options.program)
        self.options = options
        self.start_postgres()
        self.redis_port = free_port()
        self.start(["redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "",
                    "--dir", str(directory)], self.redis_port)
        self.environment["USER_MANAGER_REDIS"] = f"redis://127.0.0.1:{self.redis_port}"
        self.command("migrate")
        self.fill(self.options.users)
        self.add_admin()
        self.service = self.serve()
        self.small = self.serve("--cache-capacity", "1MiB")
        self.token = self.sign_in(self.service)
        self.start_nginx()

    def start_nginx(self):
        body = self.get(self.service, "/user/1").decode()
        self.nginx_port = free_port()
        prefix = self.directory / "nginx"
        prefix.mkdir()
        (prefix / "conf").write_text(f"""
daemon off; worker_processes 1; error_log stderr; pid nginx.pid;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 100000000;
  server {{ listen 127.0.0.1:{self.nginx_port};
    location / {{ default_type application/json; return 200 '{body}'; }} }} }}""")
        self.start(["nginx", "-p", prefix, "-c", prefix / "conf"], self.nginx_port)

    def get(self, port, target):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{target}",
                                         headers={"Authorization": f"Bearer {self.token}"})
        return urllib.request.urlopen(request).read()

    def wrk(self, port, lua):
        """Requests per second; anything but 2xx is an error of the measurement."""
        script = self.directory / "requests.lua"
        script.write_text(f"local users, token = {self.options.users}, 'Bearer {self.token}'\n{lua}")
        text = output(["wrk", "-t1", f"-c{CLIENTS}", f"-d{self.options.seconds}s", "-s", script,
                       f"http://127.0.0.1:{port}/user/1"])
        if "Non-2xx" in text or "Socket errors" in text:
            raise SystemExit(text)
        return float(re.search(r"Requests/sec:\s+([0-9.]+)", text)[1])

    def pgbench(self, sql):
        script = self.directory / "script.sql"
        script.write_text(f"\\set id random(1, {self.options.users})\n{sql};\n")
        text = output([POSTGRES / "pgbench", "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "1",
                       "-T", str(self.options.seconds), "-f", script, self.database])
        return float(re.search(r"tps = ([0-9.]+)", text)[1])

    def redis_benchmark(self):
        text = output(["redis-benchmark", "-p", str(self.redis_port), "-c", str(CLIENTS), "-t", "get", "-d", "500",
                       "-r", str(self.options.users), "-n", str(50_000 * self.options.seconds), "-q", "--csv"])
        return float(text.splitlines()[-1].split(",")[1].strip('"'))


ONE = "wrk.headers['Authorization'] = token"
ANY = ONE + """
request = function() return wrk.format('GET', '/user/' .. math.random(users)) end"""
FRESH = ONE + "\nwrk.headers['Cache-Control'] = 'no-cache'" + ANY[len(ONE):]
PATCH = ONE + """
wrk.headers['Content-Type'] = 'application/merge-patch+json'
request = function()
  local body = '{"first_name":"N' .. math.random(1000000) .. '"}'
  return wrk.format('PATCH', '/user/' .. math.random(users), nil, body)
end"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / "build/release/user-manager", type=pathlib.Path)
    parser.add_argument("--seconds", default=4, type=int)
    parser.add_argument("--rounds", default=3, type=int)
    parser.add_argument("--users", default=20_000, type=int)
    options = parser.parse_args()
    options.program = options.program.resolve()
    with tempfile.TemporaryDirectory(prefix="um-bench-", ignore_cleanup_errors=True) as name:
        stage = None
        try:
            stage = Stage.__new__(Stage)
            stage.__init__(pathlib.Path(name), options)
            pairs = {
                "hit": (lambda: stage.wrk(stage.service, ONE), lambda: stage.wrk(stage.nginx_port, ONE)),
                "redis": (lambda: stage.wrk(stage.small, ANY), stage.redis_benchmark),
                "primary": (lambda: stage.wrk(stage.service, FRESH),
                            lambda: stage.pgbench("SELECT * FROM users WHERE id = :id")),
                "write": (lambda: stage.wrk(stage.service, PATCH),
                          lambda: stage.pgbench("UPDATE users SET first_name = 'N' || random() WHERE id = :id")),
            }
            stage.wrk(stage.service, ANY)  # warms Redis up, too
            for title, (ours, theirs) in pairs.items():
                figures = [(ours(), theirs()) for _ in range(options.rounds)]
                ratio = statistics.median(a / b for a, b in figures)
                shown = "  ".join(f"{a:.0f}/{b:.0f}" for a, b in figures)
                print(f"{title:8} {ratio:5.2f}   per second, ours/theirs: {shown}", flush=True)
            print(json.dumps(json.loads(stage.get(stage.small, "/cache/stats")).get("hits")))
        finally:
            if stage:
                stage.stop()


if __name__ == "__main__":
    main()
