# lit: runs test/**/*.mlir and test/**/*.test with FileCheck and our own tools from build/bin.
import os
import subprocess

import lit.formats

config.name = "adjc"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = config.adjc_test_exec_root

config.environment["PATH"] = os.pathsep.join([config.adjc_bin_dir, config.llvm_tools_dir, config.environment["PATH"]])
# glibc overwrites what is freed: an operation used after it was erased then ends the tool, where it mostly seems to work otherwise.
config.environment["MALLOC_PERTURB_"] = "90"
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "LD_LIBRARY_PATH", "TMPDIR"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

config.substitutions += [
    ("%examples", os.path.join(config.adjc_source_dir, "examples")),
    ("%source", config.adjc_source_dir),
    # %exits CODE COMMAND: the command must exit with CODE.
    ("%exits", f"{config.adjc_python} {os.path.join(os.path.dirname(__file__), 'exits.py')}"),
    ("%python", config.adjc_python),
]


def python_imports(module):
    return subprocess.run([config.adjc_python, "-c", f"import {module}"], capture_output=True).returncode == 0


# `REQUIRES: torch` for tests that ask an outside autograd; `REQUIRES: not-root` where a file must be unwritable.
if python_imports("torch"):
    config.available_features.add("torch")
if os.geteuid() != 0:
    config.available_features.add("not-root")


def is_debian_12():
    try:
        with open("/etc/os-release") as file:
            lines = file.read().splitlines()
    except OSError:
        return False
    return "ID=debian" in lines and 'VERSION_ID="12"' in lines


# `REQUIRES: debian-12` for what tools/dev does on the system that it installs packages on.
if is_debian_12():
    config.available_features.add("debian-12")
