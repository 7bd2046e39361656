#!/usr/bin/env python3
"""Runs clang-tidy over every source file of src/ that is not a test, in parallel; warnings are errors (.clang-tidy).

A file whose text, headers, flags and configuration did not change since it last passed is skipped: like
ccache, what passed is remembered by a digest in ~/.cache, for all checkouts. With UM_CHECK_UNTIL (seconds since
1970) it stops when that moment has come and says how many files it did not look at.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLANG_TIDY = "clang-tidy-19"
# Tests, and what only they use.
TEST = re.compile(r"(_(|pg|redis)test|_bench)\.cpp$|^(test|fake|fault)_")
UNTIL = float(os.environ.get("UM_CHECK_UNTIL", "inf"))
PASSED = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "user-manager-tidy"


def plain_arguments(entry):
    """The compile command without the compiler cache and g++'s precompiled header."""
    words = shlex.split(entry["command"])
    while not words[0].endswith(("g++", "g++-12", "c++")):
        words.pop(0)
    result, skip = [], False
    for word in words[1:]:
        if skip:
            skip = False
        elif word in ("-include", "-o", "-c"):
            skip = word != "-c"
        elif "cmake_pch" in word or word.startswith(("-Winvalid-pch", "-fpch")) or word == entry["file"]:
            continue
        elif word.startswith("-Wno-"):
            continue
        else:
            result.append(word)
    return result


def digest(entry, arguments):
    command = ["clang++-19", *arguments, "-w", "-M", entry["file"]]
    run = subprocess.run(command, cwd=entry["directory"], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        return None
    files = run.stdout.replace("\\\n", " ").split()[1:]
    sha = hashlib.sha256((ROOT / ".clang-tidy").read_bytes())
    sha.update(" ".join(arguments).replace(str(ROOT), "").encode())
    for name in sorted(files):
        path = pathlib.Path(entry["directory"], name)
        if str(path).startswith(str(ROOT)):
            sha.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return sha.hexdigest()


def check(entry):
    if time.time() > UNTIL:
        return entry["file"], 0, None
    arguments = plain_arguments(entry)
    key = digest(entry, arguments)
    stamp = PASSED / key if key else None
    if stamp and stamp.exists():
        return entry["file"], 0, ""
    command = [CLANG_TIDY, "--quiet", entry["file"], "--", *arguments, "-Wno-everything"]
    run = subprocess.run(command, cwd=entry["directory"], capture_output=True, text=True, check=False)
    if run.returncode == 0 and stamp:
        stamp.touch()
    errors = "" if "error:" not in run.stderr else run.stderr
    return entry["file"], run.returncode, run.stdout + errors


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    PASSED.mkdir(parents=True, exist_ok=True)
    entries = {}
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        path = pathlib.Path(entry["file"])
        if ROOT / "src" in path.parents and path.name != "boost.cpp" and not TEST.search(path.name):
            entries[entry["file"]] = entry
    failed = skipped = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(check, entry) for entry in entries.values()]
        for job in concurrent.futures.as_completed(jobs):
            file, status, output = job.result()
            if output is None:
                skipped += 1
            elif status != 0:
                failed += 1
                print(f"-- {pathlib.Path(file).relative_to(ROOT)}\n{output}", flush=True)
    print(f"clang-tidy: {len(entries)} files, {failed} failed")
    if skipped:
        print(f"== NOT RUN, there was no time: clang-tidy of {skipped} of them")
    return 1 if failed or not entries else 0


if __name__ == "__main__":
    sys.exit(main())
