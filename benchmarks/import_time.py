"""How long `tf-bertembed --help` and `import tf_bertembed` take, each in a fresh Python.

Run: python benchmarks/import_time.py [--runs N]
"""

import argparse
import statistics
import subprocess
import sys
import time

LIMIT = 0.5
CASES = {
    "python -c pass": ["-c", "pass"],
    "import tf_bertembed": ["-c", "import tf_bertembed"],
    "tf-bertembed --help": ["-m", "tf_bertembed", "--help"],
}


def seconds(arguments):
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=11, help="how often each is run (default 11)")
    runs = parser.parse_args().runs
    if runs < 1:
        parser.error(f"--runs must be at least 1. Received: {runs}.")
    for arguments in CASES.values():
        seconds(arguments)
    # In turns, so that other work on the machine falls on all of them alike.
    times = {name: [] for name in CASES}
    for _ in range(runs):
        for name, arguments in CASES.items():
            times[name].append(seconds(arguments))
    print(f"seconds of {runs} runs          median   slowest   (median at most {LIMIT})")
    for name, values in times.items():
        print(f"{name:26s} {statistics.median(values):8.3f} {max(values):9.3f}")
    return int(any(statistics.median(values) > LIMIT for values in times.values()))


if __name__ == "__main__":
    sys.exit(main())
