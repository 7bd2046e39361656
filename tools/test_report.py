#!/usr/bin/env python3
"""Sums up what tools/run_tests.py kept of a run: test_report.py FOLDER. Prints the slowest tests, the skipped
ones with their reasons, those that needed a second try, those that failed, and last how many there were.
Exits with 1 if a program did not end, or if programs ran without a single test."""
import json
import pathlib
import sys

SLOWEST = 10


def main():
    tests, unfinished = [], []
    programs = sorted(pathlib.Path(sys.argv[1]).glob("*.json"))
    for file in programs:
        outcomes = json.loads(file.read_text(encoding="utf-8"))
        if outcomes is None:
            unfinished.append(file.stem)
            continue
        tests += [(file.stem, name, one) for name, one in outcomes.items()]

    def show(title, rows):
        if rows:
            print(f"{title}: {len(rows)}")
            print("\n".join(f"  {row}" for row in rows))

    by_time = sorted(tests, key=lambda test: -test[2]["seconds"])[:SLOWEST]
    show("slowest tests", [f"{one['seconds']:7.1f} s  {program}  {name}" for program, name, one in by_time])
    skipped = [test for test in tests if test[2]["status"] == "skipped"]
    show("SKIPPED", [f"{program}  {name}: " + " ".join(one["output"].splitlines()[1:3])
                     for program, name, one in skipped])
    again = [test for test in tests if test[2]["tries"] > 1]
    show("NEEDED A SECOND TRY", [f"{program}  {name}" for program, name, _ in again])
    failed = [test for test in tests if test[2]["status"] not in ("passed", "skipped")]
    show("FAILED", [f"{program}  {name} ({one['status']})" for program, name, one in failed])
    show("DID NOT END (the log beside the results has its last lines)", unfinished)
    print(f"{len(tests) - len(failed) - len(skipped)} passed, {len(failed) + len(unfinished)} failed, {len(skipped)} skipped")
    return 1 if unfinished or (programs and not tests) else 0


if __name__ == "__main__":
    sys.exit(main())
