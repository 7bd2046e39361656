#!/usr/bin/env python3
"""Checks that the folders under src/ include only what the architecture allows, and file sizes.

Prints one line for each violation; exits with 1 if there is one.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"

# folder -> folders it may include (itself and base always).
ALLOWED = {
    "base": set(),
    "user": set(),
    "ops": set(),
    "drivers/http": set(),
    "drivers/pg": set(),
    "drivers/redis": set(),
    "drivers/sqlite": set(),
    "storage": {"user"},
    "auth": {"user", "storage"},
    "cache": {"storage", "user"},
    "service": {"storage", "auth", "user"},
    "api": {"service", "storage", "auth", "user", "drivers/http"},
    "app": {"api", "cache", "service", "storage", "auth", "user", "ops", "drivers/http"},
    "cli": {"app", "service", "storage", "auth", "user", "ops"},
    "": {"cli"},  # main.cpp
}
# Files that may reach further than their folder: adapters to one driver, the wiring of one module.
EXTRA = [
    (re.compile(r"storage/sqlite_.*"), {"drivers/sqlite"}),
    (re.compile(r"storage/postgres_.*"), {"drivers/pg"}),
    (re.compile(r"cache/redis_l2_store.*"), {"drivers/redis"}),
    (re.compile(r"auth/redis_.*"), {"drivers/redis"}),
    (re.compile(r"app/shared_memory.*"), {"drivers/redis"}),
]
# Interfaces only: from storage these folders may name the contracts, never an implementation.
CONTRACTS_ONLY = {"auth", "cache", "service", "api"}
MAX_LINES = 400
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def folder_of(path: str) -> str:
    parts = path.split("/")
    if parts[0] == "drivers":
        return "/".join(parts[:2])
    return parts[0] if len(parts) > 1 else ""


def violations(path: pathlib.Path):
    name = path.relative_to(SRC).as_posix()
    folder = folder_of(name)
    is_test = re.search(r"(_((pg|redis)?test|bench)\.cpp|_(test_support|stage|fixture)\.hpp)$", name) is not None
    allowed = {folder, "base"} | ALLOWED.get(folder, set())
    for pattern, more in EXTRA:
        if pattern.fullmatch(name):
            allowed |= more
    if folder not in ALLOWED:
        yield f"{name}: folder '{folder}' is not in tools/check_includes.py"
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        target = match.group(1)
        if is_test and target.startswith(("tests/", "support/", "contract/")):
            continue
        if not (SRC / target).exists():
            if not target.endswith(".inc") and not target.startswith("generated/"):
                yield f"{name}:{number}: \"{target}\" is not a path from src/"
            continue
        used = folder_of(target)
        if used not in allowed:
            yield f"{name}:{number}: {folder or 'main'} may not include {used} (\"{target}\")"
        if folder in CONTRACTS_ONLY and used == "storage" and re.search("/(sqlite|postgres)_", target) and not is_test:
            yield f"{name}:{number}: {folder} may not name an implementation of storage"


def main() -> int:
    problems = []
    for path in sorted(SRC.rglob("*.[ch]pp")):
        problems += violations(path)
    for folder in (SRC, ROOT / "tests", ROOT / "bench"):
        for path in sorted(folder.rglob("*.[ch]pp")):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > MAX_LINES:
                problems.append(f"{path.relative_to(ROOT)}: {lines} lines, at most {MAX_LINES}")
    print("\n".join(problems) if problems else "includes and sizes: fine")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
