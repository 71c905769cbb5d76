#!/usr/bin/python3
"""Nothing reads a clock, sleeps or draws a random number behind the back of core/base: a test could not move it.

Run by ctest; prints each offence.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])

FORBIDDEN = {
    r"absl::Now\s*\(": "ask Clock",
    r"(system_clock|steady_clock|high_resolution_clock)::now": "ask Clock",
    r"\b(time|gettimeofday|clock_gettime|ftime)\s*\((NULL|nullptr|0|&|CLOCK)": "ask Clock",
    r"absl::SleepFor|std::this_thread::sleep|\b(usleep|nanosleep|sleep)\s*\(": "wait with Sleeper",
    r"\b(rand|srand|random|drand48)\s*\(\)|std::random_device|std::mt19937": "ask RandomSource",
}
# The one room that wraps them, and tools of the tests that are processes of their own.
ALLOWED = ("core/base/clock.cc", "core/base/random_source.cc")
# Tests may draw from a fixed seed, and processes of the outside world have real clocks.
TESTS_MAY = ("std::mt19937",)


def offences_in(path, text):
    for number, line in enumerate(text.splitlines(), start=1):
        code = line.split("//", 1)[0]
        for pattern, advice in FORBIDDEN.items():
            if not re.search(pattern, code):
                continue
            if path.startswith("tests/") and any(word in code for word in TESTS_MAY):
                continue
            if "lint:allow-clock" in line:  # with a reason behind it
                continue
            yield f"{path}:{number}: {advice}: {line.strip()}"


def main():
    found, files = [], 0
    for top in ("core", "server", "client", "tests"):
        for file in sorted((ROOT / top).rglob("*")):
            path = str(file.relative_to(ROOT))
            if file.suffix in (".h", ".cc") and path not in ALLOWED:
                files += 1
                found += offences_in(path, file.read_text(encoding="utf-8"))
    for offence in found:
        print(offence)
    print(f"{files} files, {len(found)} offences")
    return 1 if found or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
