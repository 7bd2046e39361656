#!/usr/bin/env python3
"""Tests of run_tests.py and test_report.py, with programs that only pretend to be tests of GoogleTest."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent

# What a fake program does for each of its tests, and at its end; `first` is true in its first process.
FAKE = '''#!{python}
import os, pathlib, sys, time
tests = {tests!r}
if "--gtest_list_tests" in sys.argv:
    print("S.")
    print("\\n".join("  " + name for name in tests))
    sys.exit(0)
flags = next(word for word in sys.argv if word.startswith("--gtest_flagfile=")).split("=", 1)[1]
wanted = pathlib.Path(flags).read_text().strip().split("=", 1)[1].split(":")
counter = pathlib.Path(__file__ + ".runs")
first = not counter.exists()
counter.touch()
status = 0
def end(name, word):
    print(f"[ {{word:>8}} ] S.{{name}} (1 ms)", flush=True)
for name, deed in tests.items():
    if "S." + name not in wanted:
        continue
    print(f"[ RUN      ] S.{{name}}", flush=True)
    if deed == "pass" or (deed == "flake" and not first):
        end(name, "OK")
    elif deed in ("fail", "flake"):
        status = 1
        end(name, "FAILED")
    elif deed == "broken promise" and first:
        print("PROMISE BROKEN", flush=True)
        status = 1
        end(name, "FAILED")
    elif deed == "broken promise":
        end(name, "OK")
    elif deed == "skip":
        print("file:1: Skipped\\nthere is no data")
        end(name, "SKIPPED")
    elif deed == "crash":
        os._exit(139)
    elif deed == "hang":
        time.sleep(60)
    elif deed == "hang with a child":
        os.fork()
        time.sleep(60)
    elif deed == "unfinished line":
        print("no end", end="")
        end(name, "OK")
{last}
sys.exit(status)
'''


class RunTests(unittest.TestCase):
    def run_fake(self, tests, last="", **environment):
        """The exit code, what was printed and the outcomes."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            program = folder / "fake"
            program.write_text(FAKE.format(python=sys.executable, tests=tests, last=textwrap.dedent(last)))
            program.chmod(0o755)
            command = [sys.executable, TOOLS / "run_tests.py", "--name", "fake", "--results", folder / "results", program]
            clean = {key: value for key, value in os.environ.items() if not key.startswith(("UM_", "GTEST_"))}
            run = subprocess.run(command, capture_output=True, text=True, check=False, env={**clean, **environment})
            report = subprocess.run([sys.executable, TOOLS / "test_report.py", folder / "results"],
                                    capture_output=True, text=True, check=False)
            self.report, self.report_code = report.stdout, report.returncode
            return run.returncode, run.stdout, json.loads((folder / "results" / "fake.json").read_text())

    def test_passing_tests_pass(self):
        code, text, outcomes = self.run_fake({"A": "pass", "B": "pass"})
        self.assertEqual(code, 0)
        self.assertIn("2 passed, 0 failed, 0 skipped", text)
        self.assertEqual(outcomes["S.A"]["status"], "passed")

    def test_a_failure_fails_and_shows_the_output(self):
        code, text, _ = self.run_fake({"A": "fail", "B": "pass"})
        self.assertEqual(code, 1)
        self.assertIn("---- S.A", text)

    def test_a_flake_passes_at_the_second_try_and_is_listed(self):
        code, _, outcomes = self.run_fake({"A": "flake", "B": "pass"}, UM_SECOND_TRY="1")
        self.assertEqual(code, 0)
        self.assertEqual(outcomes["S.A"]["tries"], 2)
        self.assertIn("NEEDED A SECOND TRY: 1", self.report)

    def test_without_second_tries_a_flake_fails(self):
        self.assertEqual(self.run_fake({"A": "flake"})[0], 1)

    def test_a_broken_promise_gets_no_second_try(self):
        self.assertEqual(self.run_fake({"A": "broken promise"}, UM_SECOND_TRY="1")[0], 1)

    def test_a_crash_fails_its_test_and_the_others_still_run(self):
        code, _, outcomes = self.run_fake({"A": "pass", "B": "crash", "C": "pass"})
        self.assertEqual(code, 1)
        self.assertEqual([outcomes[name]["status"] for name in ("S.A", "S.B", "S.C")], ["passed", "crashed", "passed"])

    def test_a_hanging_test_is_ended_and_named(self):
        code, _, outcomes = self.run_fake({"A": "hang", "B": "pass"}, UM_TEST_SECONDS="0.5")
        self.assertEqual(code, 1)
        self.assertEqual(outcomes["S.A"]["status"], "timed out")
        self.assertEqual(outcomes["S.B"]["status"], "passed")

    def test_a_hanging_child_of_a_test_is_ended_too(self):
        began = time.monotonic()
        self.assertEqual(self.run_fake({"A": "hang with a child"}, UM_TEST_SECONDS="0.5")[0], 1)
        self.assertLess(time.monotonic() - began, 30)

    def test_a_test_may_leave_a_line_unfinished(self):
        self.assertEqual(self.run_fake({"A": "unfinished line"})[0], 0)

    def test_an_assertion_outside_of_the_tests_fails_even_beside_a_flake(self):
        last = "print('file.cpp:1: Failure') if first else None; status = 1 if first else 0"
        self.assertEqual(self.run_fake({"A": "pass"}, last=last, UM_SECOND_TRY="1")[0], 1)
        self.assertEqual(self.run_fake({"A": "flake"}, last=last, UM_SECOND_TRY="1")[0], 1)
        thrown = last.replace("file.cpp:1", "unknown file")
        self.assertEqual(self.run_fake({"A": "flake"}, last=thrown, UM_SECOND_TRY="1")[0], 1)

    def test_ending_the_runner_ends_the_program(self):
        with tempfile.TemporaryDirectory() as name:
            program = pathlib.Path(name) / "fake"
            program.write_text(FAKE.format(python=sys.executable, tests={"A": "hang"}, last=""))
            program.chmod(0o755)
            command = [sys.executable, TOOLS / "run_tests.py", "--name", "fake", "--results", name, program]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as runner:
                log = pathlib.Path(name) / "fake.log"
                until = time.monotonic() + 60
                while time.monotonic() < until and not (log.exists() and "S.A" in log.read_text()):
                    time.sleep(0.01)
                runner.terminate()
                self.assertEqual(runner.wait(timeout=60), 128 + 15)
            running = subprocess.run(["pgrep", "-f", program], stdout=subprocess.PIPE, check=False)
            self.assertEqual(running.stdout, b"")

    def test_a_bad_end_fails_even_beside_a_flake(self):
        self.assertEqual(self.run_fake({"A": "pass"}, last="status = 23", UM_SECOND_TRY="1")[0], 1)
        self.assertEqual(self.run_fake({"A": "flake"}, last="status = 23", UM_SECOND_TRY="1")[0], 1)

    def test_a_suite_whose_set_up_or_end_fails_fails_even_beside_a_flake(self):
        last = "print('[  FAILED  ] S: SetUpTestSuite or TearDownTestSuite'); status = 1"
        self.assertEqual(self.run_fake({"A": "pass"}, last=last, UM_SECOND_TRY="1")[0], 1)
        self.assertEqual(self.run_fake({"A": "flake"}, last=last, UM_SECOND_TRY="1")[0], 1)

    def test_disabled_tests_are_left_out(self):
        code, text, _ = self.run_fake({"A": "pass", "DISABLED_B": "pass"})
        self.assertEqual(code, 0)
        self.assertIn("1 passed", text)

    def test_a_program_without_tests_fails(self):
        self.assertEqual(self.run_fake({"DISABLED_A": "pass"})[0], 1)
        self.assertEqual(self.report_code, 1)

    def test_a_skipped_test_is_listed_with_its_reason(self):
        self.run_fake({"A": "skip"})
        self.assertIn("there is no data", self.report)


if __name__ == "__main__":
    unittest.main()
