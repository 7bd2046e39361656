#!/usr/bin/env python3
"""Runs one GoogleTest program for ctest, in one process, and prints what a reader needs of its output.

    run_tests.py --name NAME --results FOLDER PROGRAM [gtest arguments]

A test that fails is shown with its own output. With UM_SECOND_TRY=1 each failed test is run once more; one
that passes then is listed by tools/test_report.py. A broken promise ("PROMISE BROKEN") gets no second try.
A program that crashes is started again without the tests that have ended. UM_TEST_ONLY is a gtest filter.
FOLDER/NAME.json keeps the outcome of every test.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import time

EVENT = re.compile(r"^\[\s*(RUN|OK|FAILED|SKIPPED)\s*\] (\S+?)(?:,|\s|$)(.*)")
MILLISECONDS = re.compile(r"\((\d+) ms\)")


class Outcome:
    """What became of one test."""

    def __init__(self):
        self.status, self.seconds, self.output, self.tries = "crashed", 0.0, [], 1


def listed(program, gtest_filter):
    command = [program, "--gtest_list_tests", f"--gtest_filter={gtest_filter}"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    names, suite = [], ""
    for line in run.stdout.splitlines():
        word = line.split("#")[0].strip()
        if not word or (not line.startswith(" ") and not word.endswith(".")):
            continue
        if line.startswith(" "):
            names.append(suite + word)
        else:
            suite = word
    return names


def run_once(program, flag_file, names, log):
    """Runs these tests; the outcomes of those that began, what stands outside of all tests, the exit code."""
    flag_file.write_text("--gtest_filter=" + ":".join(names) + "\n", encoding="utf-8")
    outcomes, outside, current = {}, [], None
    command = [program, f"--gtest_flagfile={flag_file}", "--gtest_color=no"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace") as process:
        for line in process.stdout:
            log.write(line)
            event = EVENT.match(line)
            name = event.group(2) if event else None
            if event and event.group(1) == "RUN":
                current, began = outcomes.setdefault(name, Outcome()), time.monotonic()
            elif current is None:
                outside.append(line)
            current and current.output.append(line)
            if event and event.group(1) != "RUN" and current is not None and outcomes.get(name) is current:
                took = MILLISECONDS.search(event.group(3))
                current.seconds = int(took.group(1)) / 1000 if took else time.monotonic() - began
                current.status = {"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}[event.group(1)]
                current = None
    return outcomes, outside, process.returncode


def run_all(program, flag_file, names, log):
    """Runs every test, starting again after a crash."""
    outcomes, outside, left = {}, [], list(names)
    while left:
        ended, text, status = run_once(program, flag_file, left, log)
        outcomes.update(ended)
        began = [name for name in left if name in ended]
        left = [name for name in left if name not in ended]
        failures = [name for name in began if ended[name].status in ("failed", "crashed")]
        if status != 0 and (not failures or not began):
            return outcomes, outside + text, status  # not the failure of one test: leaks, a broken set-up
    return outcomes, outside, 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--results", type=pathlib.Path, required=True)
    parser.add_argument("program")
    options, rest = parser.parse_known_args()
    own = next((word.removeprefix("--gtest_filter=") for word in rest if word.startswith("--gtest_filter=")), "") or "*"
    options.results.mkdir(parents=True, exist_ok=True)
    result_file = options.results / f"{options.name}.json"
    result_file.unlink(missing_ok=True)
    flag_file = options.results / f"{options.name}.flags"

    wanted = set(listed(options.program, os.environ.get("UM_TEST_ONLY") or "*"))
    names = [name for name in listed(options.program, own) if name in wanted]
    shard = int(os.environ.pop("GTEST_SHARD_INDEX", "0"))
    shards = int(os.environ.pop("GTEST_TOTAL_SHARDS", "1"))
    suites = {}
    for name in names:  # whole suites, because their tests share a server
        suites.setdefault(name.rsplit(".", 1)[0], []).append(name)
    names = [name for i, suite in enumerate(suites.values()) if i % shards == shard for name in suite]

    with open(options.results / f"{options.name}.log", "w", encoding="utf-8") as log:
        outcomes, outside, status = run_all(options.program, flag_file, names, log)
        failed = {name for name, one in outcomes.items() if one.status in ("failed", "crashed")}
        broken = {name for name in failed if any("PROMISE BROKEN" in line for line in outcomes[name].output)}
        for name in sorted(failed):
            print(f"---- {name}\n{''.join(outcomes[name].output)}")
        again = sorted(failed - broken)
        if again and os.environ.get("UM_SECOND_TRY") == "1":
            second, more, _ = run_all(options.program, flag_file, again, log)
            outside += more
            for name in again:
                if name in second and second[name].status == "passed":
                    failed.discard(name)
                    outcomes[name].status, outcomes[name].tries = "passed", 2
                    print(f"---- {name}: passed at the second try")
    flag_file.unlink(missing_ok=True)
    missing = [name for name in names if name not in outcomes]
    if status != 0 or missing:
        print("".join(outside))
        print(f"{options.name}: exit code {status}; {len(missing)} tests did not run")

    skipped = {name: one for name, one in outcomes.items() if one.status == "skipped"}
    result_file.write_text(json.dumps({
        name: {"status": one.status, "seconds": one.seconds, "tries": one.tries,
               "output": "".join(one.output) if one.status == "skipped" else ""}
        for name, one in outcomes.items()}), encoding="utf-8")
    print(f"{options.name}: {len(outcomes) - len(failed) - len(skipped)} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed or missing or status != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
