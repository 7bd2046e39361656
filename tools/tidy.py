#!/usr/bin/env python3
"""Runs clang-tidy over the sources of the program, in the batches of the unity build, so that headers are read
once for a batch; warnings are errors (.clang-tidy). tidy.py BUILD-FOLDER"""
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

CLANG_TIDY = "clang-tidy-19"
# The libraries of src/, but for what only tests use; Boost's own sources are nobody's to tidy.
OURS = re.compile(r" -o src/CMakeFiles/(um_(?!\w+_testing)\w+|user-manager)\.dir/(?!\S*boost\.cpp)")


def plain_arguments(entry):
    """The compile command without the compiler cache and g++'s precompiled header."""
    words = shlex.split(entry["command"])
    while not words[0].endswith(("g++", "g++-12", "c++")):
        words.pop(0)
    result, skip = [], False
    for word in words[1:]:
        if skip:
            skip = False
        elif word in ("-include", "-o", "-c", "-MF", "-MT"):
            skip = word != "-c"
        elif "cmake_pch" not in word and not word.startswith(("-Winvalid-pch", "-fpch", "-Wno-", "-MD")) and word != entry["file"]:
            result.append(word)
    return result


def check(entry):
    command = [CLANG_TIDY, "--quiet", entry["file"], "--", *plain_arguments(entry), "-Wno-everything"]
    run = subprocess.run(command, cwd=entry["directory"], capture_output=True, text=True, check=False)
    errors = run.stderr if "error:" in run.stderr else ""
    return run.returncode, run.stdout + errors


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    entries = [entry for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
               if OURS.search(entry["command"]) and "cmake_pch" not in entry["file"]]
    entries.sort(key=lambda entry: -pathlib.Path(entry["file"]).stat().st_size)  # the longest first
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for status, output in pool.map(check, entries):
            if status != 0:
                failed += 1
                print(output, flush=True)
    print(f"clang-tidy: {len(entries)} batches, {failed} failed")
    return 1 if failed or not entries else 0


if __name__ == "__main__":
    sys.exit(main())
