#!/usr/bin/env python3
"""Sums up what tools/run_tests.py kept of a run: test_report.py FOLDER. Prints the slowest tests, the skipped
ones with their reasons, those that needed a second try, those that failed, and last how many there were."""
import json
import pathlib
import sys

SLOWEST = 10


def main():
    tests = []
    for file in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
        for name, one in json.loads(file.read_text(encoding="utf-8")).items():
            tests.append((file.stem, name, one))

    def show(title, rows):
        if rows:
            print(f"{title}: {len(rows)}")
            print("\n".join(f"  {row}" for row in rows))

    by_time = sorted(tests, key=lambda test: -test[2]["seconds"])[:SLOWEST]
    show("slowest tests", [f"{one['seconds']:7.1f} s  {program}  {name}" for program, name, one in by_time])
    skipped = [test for test in tests if test[2]["status"] == "skipped"]
    reasons = [line.strip() for _, _, one in skipped for line in one["output"].splitlines()[1:2]]
    show("SKIPPED", [f"{program}  {name}: {reason}" for (program, name, _), reason in zip(skipped, reasons)])
    again = [test for test in tests if test[2]["tries"] > 1]
    show("NEEDED A SECOND TRY", [f"{program}  {name}" for program, name, _ in again])
    failed = [test for test in tests if test[2]["status"] in ("failed", "crashed")]
    show("FAILED", [f"{program}  {name} ({one['status']})" for program, name, one in failed])
    print(f"{len(tests) - len(failed) - len(skipped)} passed, {len(failed)} failed, {len(skipped)} skipped")


if __name__ == "__main__":
    main()
