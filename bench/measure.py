"""Runs all programs, ours and the peers', round by round, and keeps what they tell.

    python3 bench/measure.py --build DIR [--rounds N] [--only PATTERN]

In each round each program runs once, and each round begins with another one, so that what else
goes on on the machine falls upon all of them. A program that fails, or is not there, or takes too
long is named in the report and ends nothing. DIR/samples.json has all the numbers; report.py makes a
page of it.

A sample's name is that of the benchmark, with what it was run with behind a dot: `.awake`, while
something else keeps the processors from sleeping, and gives way to anyone; `.when_waiting`. A peer's
has its language in front: `ghc.mask`. Where a latency is meant, `:p99` and `:send` are told too. All
are nanoseconds, but `:bytes`.
"""
import argparse
import datetime
import json
import multiprocessing
import os
import pathlib
import re
import shutil
import subprocess
import sys

import report

HERE = pathlib.Path(__file__).resolve().parent
TOO_LONG = 180  # seconds, for one run of one program
BLOCKED = ["caught_read", "caught_condition", "caught_sleep"]


class Program:
    """Something to run. `parse` makes (name, value) pairs of its output."""

    def __init__(self, name, command, parse, suffix="", keeps_awake=False):
        self.name = name
        self.command = command
        self.parse = parse
        self.suffix = suffix
        self.keeps_awake = keeps_awake

    def run(self):
        spinners = spin_on_all_processors() if self.keeps_awake else []
        try:
            done = subprocess.run(self.command, capture_output=True, text=True, timeout=TOO_LONG)
        finally:
            for one in spinners:
                one.terminate()
        if done.returncode != 0:
            raise RuntimeError(f"ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        return [(self.name_of(name), value) for name, value in self.parse(done.stdout)]

    def name_of(self, name):
        base, colon, counter = name.partition(":")
        return base + self.suffix + colon + counter


def spin(processor, parent):
    os.sched_setaffinity(0, {processor})
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    while os.getppid() == parent:
        for _ in range(10_000):
            pass


def spin_on_all_processors():
    spinners = [multiprocessing.Process(target=spin, args=(i, os.getpid()), daemon=True)
                for i in os.sched_getaffinity(0)]
    for one in spinners:
        one.start()
    return spinners


def parse_google(output):
    """JSON of Google Benchmark: the time of one iteration, or what the program says it is."""
    to_nanoseconds = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
    for one in json.loads(output)["benchmarks"]:
        name = re.sub(r"/(iterations:\d+|manual_time|real_time)", "", one["name"])
        if one.get("error_occurred"):
            raise RuntimeError(f"{name}: {one['error_message']}")
        for counter in ("p99", "send", "bytes"):
            if counter in one:
                yield f"{name}:{counter}", one[counter]
        if "p50" in one:
            yield name, one["p50"]
        elif "each" in one:
            yield name, one["each"] * 1e9
        else:
            is_real = re.search("/(manual_time|real_time)", one["name"])
            time = one["real_time" if is_real else "cpu_time"]
            yield name, time * to_nanoseconds[one["time_unit"]]


def parse_peer(language):
    def parse(output):
        for line in output.splitlines():
            name, median, p99 = line.split()
            yield f"{language}.{name}", float(median)
            if name.startswith("caught_"):
                yield f"{language}.{name}:p99", float(p99)
    return parse


def google(build, name, *arguments, only=".", label="", **options):
    command = [build / "bench" / name, *arguments, f"--benchmark_filter={only}",
               "--benchmark_format=json", "--benchmark_min_time=0.1",
               "--benchmark_enable_random_interleaving=true"]
    return Program(name + (label or options.get("suffix", "")), command, parse_google, **options)


def ours(build):
    return [
        google(build, "bench_poll"),
        google(build, "bench_send", only="running_", label=".running"),
        google(build, "bench_send", only="storm_", label=".storm"),
        google(build, "bench_send", only="targets_", label=".targets"),
        google(build, "bench_send", "--when_waiting", only="running_sigexc",
               suffix=".when_waiting"),
        google(build, "bench_wait"),
        google(build, "bench_wait", only="interrupt_", suffix=".awake", keeps_awake=True),
        google(build, "bench_raise"),
        google(build, "bench_structured"),
        google(build, "bench_context"),
        google(build, "bench_thread"),
        google(build, "bench_work"),
    ]


# How each peer's program is built from `source` in `there`, if it has to be, and how it is run.
PEERS = {
    "ghc": lambda source, there: (
        ["ghc", "-v0", "-O2", "-threaded", "-with-rtsopts=-N2", "-outputdir", there,
         "-o", there / "peer", source / "Peer.hs"],
        [there / "peer"]),
    "java": lambda source, there: (
        ["javac", "-d", there, source / "Peer.java"], ["java", "-cp", there, "Peer"]),
    "ruby": lambda source, there: (None, ["ruby", source / "peer.rb"]),
    "racket": lambda source, there: (None, ["racket", source / "peer.rkt"]),
    "cpython": lambda source, there: (None, [sys.executable, source / "peer.py"]),
}


def peers(build, failed):
    found = []
    for language, how in PEERS.items():
        there = build / "peers" / language
        there.mkdir(parents=True, exist_ok=True)
        prepare, run = how(HERE / "peers", there)
        try:
            if prepare:
                subprocess.run(prepare, check=True, capture_output=True, text=True, timeout=300)
        except (OSError, subprocess.SubprocessError) as error:
            note(failed, f"peer_{language}", f"cannot be built: {error}")
            continue
        parse = parse_peer(language)
        found.append(Program(f"peer_{language}", run, parse))
        if language != "cpython":  # which has none of these
            found.append(Program(f"peer_{language}.awake", run + BLOCKED, parse, suffix=".awake",
                                 keeps_awake=True))
    return found


def note(failed, name, why):
    print(f"{name}: {why}", file=sys.stderr)
    failed.setdefault(name, why)


def version(*command):
    """The first number with a dot that the command prints."""
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    found = re.search(r"\d+\.[\d.]*\d", done.stdout)
    return found.group(0) if found else None


def package_version(name):
    return version("dpkg-query", "-W", "-f", "${Version}", name)


def machine():
    """What the numbers depend on, but nothing that names the machine."""
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.*)$", cpuinfo, re.MULTILINE)
    return {
        "date": datetime.date.today().isoformat(),
        "processor": model.group(1) if model else os.uname().machine,
        "processors": len(os.sched_getaffinity(0)),
        "is_virtual": bool(re.search(r"\bhypervisor\b", cpuinfo)),
        "kernel": re.match(r"[\d.]*\d", os.uname().release).group(0),
        "load": os.getloadavg()[0],
        "versions": {
            "g++": version("g++", "--version"),
            "glibc": package_version("libc6"),
            "Boost": package_version("libboost-thread1.74.0"),
            "Google Benchmark": package_version("libbenchmark-dev"),
            "SQLite": package_version("libsqlite3-0"),
            "GHC": version("ghc", "--numeric-version"),
            "Java": version("java", "--version"),
            "Ruby": version("ruby", "--version"),
            "Racket": version("racket", "--version"),
            "CPython": version(sys.executable, "--version"),
        },
    }


def measure(programs, rounds, failed):
    samples = {}
    for number in range(rounds):
        first = number * len(programs) // rounds
        for program in programs[first:] + programs[:first]:
            print(f"round {number + 1} of {rounds}: {program.name}", flush=True)
            try:
                for name, value in program.run():
                    samples.setdefault(name, []).append(value)
            except subprocess.TimeoutExpired:
                note(failed, program.name, f"took more than {TOO_LONG} seconds")
            except (OSError, RuntimeError, ValueError) as error:
                note(failed, program.name, str(error))
    return samples


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--build", type=pathlib.Path, required=True)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--only", default="")
    chosen = options.parse_args()

    build = chosen.build.resolve()
    failed = {}
    about = machine()
    programs = [one for one in ours(build) + peers(build, failed)
                if re.search(chosen.only, one.name)]
    samples = measure(programs, chosen.rounds, failed)
    about["rounds"] = chosen.rounds
    about["failed"] = {name: why.replace(str(build), "").replace(str(HERE), "")
                       for name, why in failed.items()}
    data = {"about": about, "samples": samples}
    if chosen.only:
        report.show(data)
        return
    (build / "samples.json").write_text(json.dumps(data, indent=1))
    report.write(data, HERE)


if __name__ == "__main__":
    main()
