"""Servers for measurements: PostgreSQL, instances of user-manager and whatever else is started, on free
loopback ports, with their data in one directory. stop() ends all of them."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port):
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing answers on port {port}")


def output(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


class Servers:
    def __init__(self, directory, program):
        self.directory = directory
        self.program = program
        self.started = []
        self.environment = dict(os.environ)

    def start(self, command, port, **more):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
        self.started.append(process)
        wait_for_port(port)

    def start_postgres(self):
        # initdb refuses root.
        as_server = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        data = self.directory / "postgres"
        data.mkdir()
        if as_server:
            os.chmod(self.directory, 0o755)
            shutil.chown(data, "postgres")
        output([*as_server, POSTGRES / "initdb", "-D", data, "-U", "um", "--auth=trust", "--encoding=UTF8",
                "--locale=C.UTF-8"], cwd="/")
        self.postgres_port = free_port()
        self.start([*as_server, POSTGRES / "postgres", "-D", data, "-p", str(self.postgres_port), "-k", data,
                    "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"],
                   self.postgres_port, cwd="/")
        while subprocess.run([POSTGRES / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.postgres_port)]).returncode:
            time.sleep(0.05)
        self.database = f"postgresql://um@127.0.0.1:{self.postgres_port}/postgres"
        self.environment["USER_MANAGER_DATABASE"] = self.database

    def command(self, *arguments, **more):
        return output([self.program, *arguments], env=self.environment, cwd=self.directory, **more)

    def fill(self, users):
        rows = ["email,first_name,last_name"]
        rows += [f"user{i}@example.org,First{i},Last{i}" for i in range(1, users + 1)]
        (self.directory / "users.csv").write_text("\n".join(rows) + "\n")
        self.command("import", "users.csv")

    def add_admin(self):
        self.command("user", "create", "--role", "admin", "--email", "admin@example.org", "--password-stdin",
                     input="a password for the bench\n")

    def sign_in(self, port):
        body = json.dumps({"email": "admin@example.org", "password": "a password for the bench"}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}/auth/login", body,
                                         {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request))["token"]

    def serve(self, *arguments):
        port = free_port()
        self.start([self.program, "serve", "--threads", "1", "--listen", f"127.0.0.1:{port}", *arguments],
                   port, env=self.environment, cwd=self.directory)
        return port

    def stop(self):
        for process in reversed(self.started):
            process.terminate()
        for process in self.started:
            process.wait()
