"""exits.py CODE COMMAND...: runs the command, copies its output, and succeeds when it exits with CODE (lit's `not` knows only failure)."""
import subprocess
import sys

expected = int(sys.argv[1])
result = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
sys.stdout.write(result.stdout)
if result.returncode != expected:
    sys.exit(f"exit code {result.returncode}, expected {expected}: {' '.join(sys.argv[2:])}")
