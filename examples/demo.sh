#!/bin/sh
# The road from a spec to a trained model: compile, certify, train. usage: demo.sh BIN-FOLDER WORK-FOLDER
# The text is this repository's own documentation, its bytes the tokens.
set -eu

bin=$1
work=$2
examples=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(dirname -- "$examples")
module=$work/mamba-tiny.adjm
tokens=2048
mkdir -p "$work"

step() { printf '\n== %s\n' "$*"; }
# run COMMAND...: shows the command with short names, then runs it.
run() {
  printf '$ %s\n' "$*" | sed "s|$bin/||g; s|$work/||g; s|$root/||g"
  "$@"
}
# loss JSON: the number in its "loss" field.
loss() { sed -n 's/.*"loss": *\([-+0-9.eE]*\).*/\1/p' "$1"; }

step "1. Compile a Mamba spec: the exact gradient, one token shard at a time"
run "$bin/adjc" "$examples/mamba-tiny.mlir" -o "$module" --shard=256 --context="$tokens" --budget=256MB --optimizer=adamw
run "$bin/adj-run" info "$module"

step "2. Certify its gradients: against the float64 reference and by finite differences"
run "$bin/adj-run" check "$module" --tokens 600

step "3. Train it on text"
cat "$root"/README.md "$root"/docs/*.md "$root"/LICENSE >"$work/text.txt"
python3 - "$work" "$tokens" <<'PYTHON'
import array, struct, sys
work, count = sys.argv[1], int(sys.argv[2]) + 1
with open(f"{work}/text.txt", "rb") as text:
    tokens = array.array("i", list(text.read(count)))
header = f"{{'descr': '<i4', 'fortran_order': False, 'shape': ({count},), }}".ljust(117) + "\n"
with open(f"{work}/sample.npy", "wb") as sample:
    sample.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + tokens.tobytes())
PYTHON
run "$bin/adj-run" init "$module" --seed 1 --out "$work/start.safetensors"
run "$bin/adj-run" train "$module" --data "$work/text.txt" --params "$work/start.safetensors" --steps 300 --lr 3e-3 --seed 1 \
  --out "$work/trained.safetensors"

step "4. The loss on the text's first $tokens bytes, before and after"
for name in start trained; do
  "$bin/adj-run" grad "$module" --params "$work/$name.safetensors" --tokens "$work/sample.npy" \
    --out "$work/gradient.safetensors" >"$work/$name.json"
  printf '%-8s %s\n' "$name" "$(loss "$work/$name.json")"
done
awk -v before="$(loss "$work/start.json")" -v after="$(loss "$work/trained.json")" 'BEGIN {
  if (before == "" || after == "" || !(after + 0 < before + 0)) { print "the loss did not fall"; exit 1 }
  printf "the loss fell from %.3f to %.3f nats a byte\n", before, after
}'
