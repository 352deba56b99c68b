"""Every example's PTX for one target through ptxas: it assembles, and no kernel spills registers beyond what is KNOWN. Exits 77, saying why, where there is no ptxas.

    ADJC_BIN=build/bin python3 test/gpu/assembles.py TARGET [EXAMPLE...]
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(HERE, "..", "..", "examples")
# Kernels by the end of their names: bytes that may be spilled. A tiled adjoint is held to as many registers as let two blocks of 256 threads share a processor,
# which is worth more than a hundred bytes outside of its inner loop; ptxas holds the others to 64 by its own guess.
KNOWN = {"_gradients": 136, "_states": 16, "_outputs": 24, "scan_adjoint_0": 16, "conv1d_0": 32, "conv1d_1": 32}


def allowed(name):
    return max((size for end, size in KNOWN.items() if name.endswith(end)), default=0)


def find_ptxas():
    """ptxas of PATH, or of the toolkit's usual places."""
    folders = [os.path.join(folder, "bin") for folder in (os.environ.get("CUDA_HOME"), "/usr/local/cuda") if folder]
    return shutil.which("ptxas") or shutil.which("ptxas", path=os.pathsep.join(folders))


def knows(ptxas, target):
    return target in subprocess.run([ptxas, "--help"], capture_output=True, text=True).stdout


def assemble(ptxas, target, example, folder):
    """What is wrong with the example's kernels, or None; and their number."""
    text = os.path.join(folder, f"{example}.ptx")
    compiled = subprocess.run([os.path.join(os.environ["ADJC_BIN"], "adjc"), os.path.join(EXAMPLES, f"{example}.mlir"), f"--target={target}",
                               "--emit=ptx", "-o", text], capture_output=True, text=True)
    if compiled.returncode != 0:
        return compiled.stderr, 0
    with open(text) as file:
        entries = re.findall(r"\.entry (\w+)\(", file.read())
    done = subprocess.run([ptxas, "-v", f"-arch={target}", text, "-o", os.path.join(folder, "cubin")], capture_output=True, text=True)
    report = done.stdout + done.stderr
    spills = re.findall(r"Function properties for (\w+)\n.*?(\d+) bytes spill stores, (\d+) bytes spill loads", report)
    if done.returncode != 0:
        return report, 0
    if sorted(name for name, *_ in spills) != sorted(entries):
        return f"ptxas reports on {len(spills)} kernels, and there are {len(entries)}", 0
    spilling = [f"{name} ({stores} bytes stored, {loads} loaded)" for name, stores, loads in spills if max(int(stores), int(loads)) > allowed(name)]
    return ("spills: " + ", ".join(spilling) if spilling else None), len(entries)


def main(target, examples):
    ptxas = find_ptxas()
    if not ptxas or not knows(ptxas, target):
        print(f"skipped: {'this ptxas does not know ' + target if ptxas else 'no ptxas (it comes with the CUDA toolkit)'}")
        return 77
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for example in examples or sorted(name[:-5] for name in os.listdir(EXAMPLES) if name.endswith(".mlir")):
            problem, kernels = assemble(ptxas, target, example, folder)
            failed += problem is not None
            print(f"{'FAIL' if problem else 'ok  '} {example}: {problem or f'{kernels} kernels'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
