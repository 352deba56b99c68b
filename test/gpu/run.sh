#!/bin/sh
# Every test that needs a GPU, in one command: test/gpu/run.sh [BUILD-FOLDER [PREPARED]]. PREPARED is a folder that test/gpu/prepare.py made, where
# adjc is; this machine needs none. Exits 77, saying why, where there is no GPU. A table comes last.
set -u

build=${1:-build}
prepared=${2:-}
rows=
failed=0

skip() {
  echo "skipped: $*"
  exit 77
}

gpu=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | head -n 1) || gpu=
[ -n "$gpu" ] || skip "no NVIDIA GPU (nvidia-smi lists none)"
for program in adjrt-device-test adjrt-session-test adjrt-gpu-test adjrt-cuda-test; do
  [ -x "$build/test/bin/$program" ] || { echo "test/gpu/run.sh: $build/test/bin/$program is not built" >&2; exit 2; }
done

# cuBLASLt where the system's loader does not find it: beside the toolkit, or in Python's packages.
if [ -z "${ADJRT_CUDA_LIBRARY_PATH:-}" ] && ! ldconfig -p 2>/dev/null | grep -q 'libcublasLt\.so\.1[23]'; then
  for folder in "${CUDA_HOME:-/usr/local/cuda}/lib64" \
    $(python3 -c 'import nvidia; [print(p + "/" + s + "/lib") for p in nvidia.__path__ for s in ("cu13", "cublas")]' 2>/dev/null); do
    if ls "$folder"/libcublasLt.so.1[23] >/dev/null 2>&1; then
      ADJRT_CUDA_LIBRARY_PATH=$folder
      export ADJRT_CUDA_LIBRARY_PATH
      break
    fi
  done
fi
ADJRT_TEST_DEVICE=cuda:0
export ADJRT_TEST_DEVICE

# row NAME COMMAND...: run it, and remember how it ended.
row() {
  name=$1
  shift
  echo "== $name: $*"
  begin=$(date +%s)
  if "$@"; then state=passed; else state=FAILED failed=1; fi
  rows="$rows$(printf '%-44s %-7s %4s s' "$name" "$state" "$(($(date +%s) - begin))")
"
}

bin=$build/test/bin
row "executor, memory, AdamW" "$bin/adjrt-device-test" --gtest_brief=1
row "sessions: shards, streaming, growth" "$bin/adjrt-session-test" --gtest_brief=1
row "products, bits of AdamW, memory figures" "$bin/adjrt-gpu-test" --gtest_brief=1 --gtest_filter='Gpu.*'
row "an error on the GPU, later" "$bin/adjrt-gpu-test" --gtest_brief=1 --gtest_filter='GpuError.*'
row "an error on the GPU, by command" env ADJRT_TEST_SYNCHRONOUS=1 "$bin/adjrt-gpu-test" --gtest_brief=1 --gtest_filter='GpuError.*'
row "declarations and PTX against the toolkit" "$bin/adjrt-cuda-test" --gtest_brief=1 --gtest_filter='Headers.*:Ptx.*'
if command -v compute-sanitizer >/dev/null 2>&1; then
  # Not the driver's own errors: a kernel's parameters are counted by asking until there is none.
  for tool in "memcheck --report-api-errors no" racecheck initcheck; do
    # shellcheck disable=SC2086 # a tool and its options
    row "compute-sanitizer ${tool%% *}" compute-sanitizer --tool $tool --error-exitcode 1 "$bin/adjrt-device-test" \
      --gtest_brief=1 --gtest_filter='Executor.*:AdamW.*'
  done
fi

if [ -n "$prepared" ]; then
  here=$(dirname "$0")
  ADJ_RUN=$build/bin/adj-run
  export ADJ_RUN
  row "compiled modules against the reference" python3 "$here/prepared.py" "$prepared"
  if command -v compute-sanitizer >/dev/null 2>&1; then
    for tool in memcheck racecheck initcheck; do
      row "compiled modules, $tool" python3 "$here/prepared.py" "$prepared" --sanitize "$tool"
    done
  fi
fi

echo
echo "$(date -u +%Y-%m-%d), $gpu"
printf '%s' "$rows"
exit $failed
