#!/usr/bin/env python3
"""How much of a gradient's time a GPU is at work: CUPTI's records of kernels, copies and fills, in `adj-run bench`.

    gpu_busy.py BIN MODULE [--tokens N] [--device cuda:0]      where the GPU, a C++ compiler and CUPTI (the CUDA toolkit's, or a Python package's) are

Prints the busy share of the last gradient: the time that at least one record covers, over the time from the end of the gradient before it (its own
wall time, as adj-run measures it, back from the end of the last record). CUPTI's own work makes the process a little slower; the share is of that time.
"""
import argparse
import array
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# Where headers and libraries may be, beside the compiler's own places.
TOOLKITS = [pathlib.Path(os.environ.get("CUDA_HOME", "/usr/local/cuda"))]


def find(pattern):
    places = TOOLKITS + [pathlib.Path(place) / "nvidia" for place in sys.path if place]
    for place in places:
        for path in sorted(place.rglob(pattern)) if place.is_dir() else []:
            return path
    sys.exit(f"gpu_busy.py: no {pattern} in {', '.join(map(str, places))}; set CUDA_HOME")


def newest(header, name):
    """The record type of a kind that this CUPTI writes: the highest number that its header has."""
    numbers = [int(number) for number in re.findall(rf"\b{name}(\d+);", header)]
    return f"{name}{max(numbers)}"


def build(folder):
    include, library, cuda = find("cupti.h").parent, find("libcupti.so*"), find("cuda.h").parent
    header = (include / "cupti_activity.h").read_text()
    records = {"KERNEL": "CUpti_ActivityKernel", "COPY": "CUpti_ActivityMemcpy", "FILL": "CUpti_ActivityMemset"}
    out = folder / "libgpuintervals.so"
    subprocess.run(["g++", "-std=c++20", "-O1", "-shared", "-fPIC", f"-I{include}", f"-I{cuda}",
                    *(f"-DADJ_{key}_RECORD={newest(header, name)}" for key, name in records.items()),
                    HERE / "GpuIntervals.cpp", library, f"-Wl,-rpath,{library.parent}", "-o", out], check=True)
    return out


def covered(intervals, begin, end):
    """Nanoseconds of [begin, end] in at least one interval."""
    total, reached = 0, begin
    for first, last in sorted(intervals):
        first, last = max(first, reached), min(last, end)
        if last > first:
            total += last - first
            reached = last
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("module", type=pathlib.Path)
    parser.add_argument("--tokens", type=int)
    parser.add_argument("--device", default="cuda:0")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        command = [options.bin / "adj-run", "bench", options.module, "--device", options.device, "--runs", "2"]
        command += ["--tokens", str(options.tokens)] if options.tokens else []
        plain = json.loads(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout)
        watched = os.environ | {"CUDA_INJECTION64_PATH": str(build(folder)), "ADJ_INTERVALS": str(folder / "intervals")}
        report = json.loads(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, env=watched).stdout)
        times = array.array("Q", (folder / "intervals").read_bytes())
    intervals = list(zip(times[::2], times[1::2]))
    if not intervals:
        sys.exit("gpu_busy.py: CUPTI recorded nothing")
    end = max(last for _, last in intervals)
    begin = end - int(report["seconds"] * 1e9)
    busy = covered(intervals, begin, end)
    inside = sum(first >= begin for first, _ in intervals)
    print(f"{options.module.name}: busy {100 * busy / (end - begin):.2f} % of {report['seconds']:.4f} s ({inside} kernels, copies and fills; "
          f"{plain['seconds']:.4f} s unwatched), {report['tokens']} tokens, {report['device']}")


if __name__ == "__main__":
    main()
