#!/usr/bin/env python3
"""Checks the rooms of the house: which folder may include which, and how long files are.

Fails on an include that the table does not allow, on a file over 600 lines, and on a crumb: a header under
40 lines that only one file includes and that belongs into it (an interface with its own .cpp or a second
user is no crumb). Prints one line for each finding, then the sizes.
"""
import pathlib
import re
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"

# folder: the folders it may include, besides itself and base.
ALLOWED = {
    "base": "",
    "async": "",
    "user": "",
    "user/transfer": "user",
    "config": "async",
    "telemetry": "async",
    "drivers/http": "async",
    "drivers/http_client": "",
    "drivers/pg": "async",
    "drivers/redis": "async",
    "drivers/sqlite": "async",
    "storage": "async user",
    "storage/postgres": "async user storage drivers/pg",
    "storage/sqlite": "async user storage drivers/sqlite",
    "cache": "async user storage",
    "auth/passwords": "async user",
    "auth/tokens": "async user storage",
    "auth/attempts": "async user storage",
    "service": "async user storage auth/passwords auth/tokens auth/attempts",
    "api": "async user service auth/passwords auth/tokens auth/attempts storage drivers/http",
    "monitor": "async user telemetry drivers/http drivers/http_client",
    "app": "*",
    "cli": "async user user/transfer storage auth/attempts auth/passwords auth/tokens service config telemetry app monitor",
    ".": "cli",  # main.cpp
}
# The files that may name more than their folder.
MORE = {
    "cache/redis_l2_store": "drivers/redis",
    "drivers/http_client/client": "drivers/http",  # its test has a server
    "cli/cli_main": "storage/postgres storage/sqlite",
    "cli/testing/cli_harness": "storage/sqlite",
}
MOST_LINES = 600
CRUMB_LINES = 40
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
TEST = re.compile(r"_(test|pgtest|redistest|bench)\.cpp$")


def folder_of(path):
    return pathlib.PurePosixPath(path).parent.as_posix().removesuffix("/testing")


def is_test(path):
    return TEST.search(path) is not None or "/testing/" in path


def includes_of(texts):
    """For each file: the files under src/ that it includes."""
    return {name: [target for target in INCLUDE.findall(text) if target in texts] for name, text in texts.items()}


def forbidden(includes):
    for name, targets in includes.items():
        folder = folder_of(name)
        if folder not in ALLOWED:
            yield f"{name}: the folder '{folder}' is not in the table of tools/check_includes.py"
            continue
        allowed = ALLOWED[folder] + " " + MORE.get(name.rsplit(".", 1)[0].removesuffix("_test").removesuffix("_redistest"), "")
        for target in targets:
            used = folder_of(target)
            if "/testing/" in target and not is_test(name):
                yield f"{name}: \"{target}\" is for tests only"
            elif used not in (folder, "base") and "*" not in allowed and used not in allowed.split():
                yield f"{name}: {folder} may not include {used} (\"{target}\")"


def crumbs(texts, includes):
    users = {}
    for name, targets in includes.items():
        for target in targets:
            users.setdefault(target, set()).add(name)
    for name, text in texts.items():
        if name == "base/precompiled.hpp" or not name.endswith(".hpp") or is_test(name) or text.count("\n") >= CRUMB_LINES:
            continue
        own = name.removesuffix(".hpp") + ".cpp"
        others = {user for user in users.get(name, set()) if user != own and not is_test(user)}
        if own not in texts and len(others) <= 1 and folder_of(name) == folder_of(next(iter(others), name)):
            yield f"{name}: {text.count(chr(10))} lines that only {', '.join(others) or 'tests'} includes"


def main():
    texts = {path.relative_to(SRC).as_posix(): path.read_text(encoding="utf-8") for path in sorted(SRC.rglob("*.[ch]pp"))}
    includes = includes_of(texts)
    findings = [*forbidden(includes), *crumbs(texts, includes)]
    for folder in ("src", "tests", "bench", "tools"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".cpp", ".hpp", ".py") and path.read_text(encoding="utf-8").count("\n") > MOST_LINES:
                findings.append(f"{path.relative_to(ROOT)}: over {MOST_LINES} lines")
    print("\n".join(findings))
    sizes = sorted(text.count("\n") for name, text in texts.items() if not is_test(name))
    share = 100 * sum(size < 50 for size in sizes) // len(sizes)
    print(f"{len(sizes)} production files: median {statistics.median(sizes):.0f} lines, 90 % below {sizes[len(sizes) * 9 // 10]}, "
          f"longest {sizes[-1]}, {share} % under 50; {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
