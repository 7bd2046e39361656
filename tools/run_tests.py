#!/usr/bin/env python3
"""Runs one GoogleTest program for ctest, in one process, and prints what a reader needs of its output.

    run_tests.py --name NAME --results FOLDER PROGRAM [--gtest_filter=FILTER]

A test that fails is shown with its own output. With UM_SECOND_TRY=1 each failed test is run once more; one that
passes then is listed by tools/test_report.py. No second try gets a broken promise ("PROMISE BROKEN"), a
failure outside of all tests (the set-up or end of a suite), and a program that ends badly after its tests (a leak,
a crash at exit). A program that crashes within a test is started again for the tests that have not run; a
test that takes longer than UM_TEST_SECONDS (180) is ended. UM_TEST_ONLY is one more filter.
FOLDER/NAME.json keeps the outcome of every test.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading

BEGIN = re.compile(r"^\[ RUN      \] (\S+)$")
# A test may leave a line of its own unfinished before the line that ends it.
END = re.compile(r"\[ *(OK|FAILED|SKIPPED) *\] (\S+?)(?:,|\s|$)(.*)")
OUTSIDE_FAILURE = re.compile(r"^\[\s*FAILED\s*\] (\S+): SetUpTestSuite or TearDownTestSuite")
FAILURE = re.compile(r"^(\S+:\d+|unknown file): Failure$")
MILLISECONDS = re.compile(r"\((\d+) ms\)")
SECONDS = float(os.environ.get("UM_TEST_SECONDS", "180"))


class Outcome:
    """What became of one test."""

    def __init__(self):
        self.status, self.seconds, self.output, self.tries = "crashed", 0.0, [], 1

    def failed(self):
        return self.status not in ("passed", "skipped")


def end_session(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class Run:
    """One process of the program: the outcomes of the tests that began, the lines outside of all tests."""

    def __init__(self, program, flag_file, names, log):
        self.outcomes, self.outside, self.bad_end = {}, [], ""
        flag_file.write_text("--gtest_filter=" + ":".join(names) + "\n", encoding="utf-8")
        command = [program, f"--gtest_flagfile={flag_file}", "--gtest_color=no"]
        # A session of its own: a test that takes too long is ended with what it started in its process group.
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", start_new_session=True) as process:
            try:
                current = self.read(process, log)
            except BaseException:
                end_session(process)
                raise
        failed = any(one.failed() for one in self.outcomes.values())
        if current is None and process.returncode not in (0, 1):
            self.bad_end = f"the program ended with {process.returncode} after its tests"
        elif current is None and process.returncode == 1 and not failed:
            self.bad_end = "the program failed outside of its tests"
        elif any(FAILURE.search(line) for line in self.outside):
            self.bad_end = self.bad_end or "an assertion failed outside of the tests"

    def read(self, process, log):
        """Reads the output; returns the test that was under way when it ended."""
        current, timer = None, None

        def end(test):
            test.status = "timed out"
            end_session(process)

        for line in process.stdout:
            log.write(line)
            begin, event, outside = BEGIN.match(line), END.search(line), OUTSIDE_FAILURE.match(line)
            if outside:
                self.bad_end = f"the set-up or the end of {outside.group(1)} failed"
            if begin:
                current = self.outcomes.setdefault(begin.group(1), Outcome())
                timer = threading.Timer(SECONDS, end, [current])
                timer.daemon = True  # it does not keep an interrupted runner alive
                timer.start()
            (self.outside if current is None else current.output).append(line)
            if event and self.outcomes.get(event.group(2)) is current is not None:
                timer.cancel()
                took = MILLISECONDS.search(event.group(3))
                current.seconds = int(took.group(1)) / 1000 if took else 0.0
                current.status = {"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}[event.group(1)]
                current = None
        if timer:
            timer.cancel()
        return current


def run_all(program, flag_file, names, log):
    """Runs every test, starting the program again after a crash; (outcomes, what went wrong outside of tests)."""
    outcomes, wrong, left = {}, [], list(names)
    while left:
        run = Run(program, flag_file, left, log)
        outcomes.update(run.outcomes)
        if run.bad_end:
            wrong.append(run.bad_end + "\n" + "".join(run.outside))
        rest = [name for name in left if name not in run.outcomes]
        if len(rest) == len(left):
            wrong.append(f"{len(rest)} tests did not run\n" + "".join(run.outside))
            break
        left = rest
    return outcomes, wrong


def listed(program, gtest_filter):
    command = [program, "--gtest_list_tests", f"--gtest_filter={gtest_filter}"]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    names, suite = [], ""
    for line in run.stdout.splitlines():
        word = line.split("#")[0].strip()
        if line.startswith(" "):
            names.append(suite + word)
        elif word.endswith("."):
            suite = word
    return [name for name in names if "DISABLED_" not in name]


def chosen(options, own_filter):
    """The tests of this process: whole suites of the shard, because the tests of a suite may share a server."""
    wanted = set(listed(options.program, os.environ.get("UM_TEST_ONLY") or "*"))
    every = listed(options.program, own_filter)
    shard, shards = int(os.environ.pop("GTEST_SHARD_INDEX", "0")), int(os.environ.pop("GTEST_TOTAL_SHARDS", "1"))
    suites = {}
    for name in every:
        suites.setdefault(name.rsplit(".", 1)[0], []).append(name)
    mine = [name for i, suite in enumerate(suites.values()) if i % shards == shard for name in suite]
    if not mine:
        sys.exit(f"{options.name}: no test matches {own_filter}")
    return [name for name in mine if name in wanted]


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the program ends too
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--results", type=pathlib.Path, required=True)
    parser.add_argument("--gtest_filter", default="")
    parser.add_argument("program")
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    result_file = options.results / f"{options.name}.json"
    result_file.write_text("null", encoding="utf-8")  # a report without the rest says that this did not end
    flag_file = options.results / f"{options.name}.flags"

    names = chosen(options, options.gtest_filter or "*")
    with open(options.results / f"{options.name}.log", "w", encoding="utf-8", buffering=1) as log:
        outcomes, wrong = run_all(options.program, flag_file, names, log)
        failed = {name for name, one in outcomes.items() if one.failed()}
        for name in sorted(failed):
            print(f"---- {name}: {outcomes[name].status}\n{''.join(outcomes[name].output)}")
        again = sorted(name for name in failed if not any("PROMISE BROKEN" in line for line in outcomes[name].output))
        if again and os.environ.get("UM_SECOND_TRY") == "1":
            second, more = run_all(options.program, flag_file, again, log)
            wrong += more
            for name in again:
                if name in second and second[name].status == "passed":
                    failed.discard(name)
                    outcomes[name].status, outcomes[name].tries = "passed", 2
                    print(f"---- {name}: passed at the second try")
    flag_file.unlink(missing_ok=True)
    if wrong:
        print("\n".join(wrong))
        outcomes["(outside of the tests)"] = Outcome()
        failed.add("(outside of the tests)")
    skipped = {name for name, one in outcomes.items() if one.status == "skipped"}
    result_file.write_text(json.dumps({
        name: {"status": one.status, "seconds": one.seconds, "tries": one.tries,
               "output": "".join(one.output) if one.status == "skipped" else ""}
        for name, one in outcomes.items()}), encoding="utf-8")
    print(f"{options.name}: {len(outcomes) - len(failed) - len(skipped)} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
