"""Larger budgets: never slower, never beyond the budget, and the sums of what is predicted agree."""
import json
import subprocess
import sys

budgets, command = sys.argv[1].split(","), sys.argv[2:]
last = float("inf")
for budget in budgets:
    plan = json.loads(subprocess.run([*command, "--emit=plan", f"--budget={budget}"], capture_output=True, text=True, check=True).stdout)
    predicted = plan["predicted"]
    assert plan["predicted_peak_bytes"] <= plan["budget"], budget
    assert predicted["seconds"] <= last, f"{budget}: {predicted['seconds']} s, with less memory {last} s"
    last = predicted["seconds"]
    assert sum(plan["holdings"].values()) == plan["predicted_peak_bytes"]
    assert abs(sum(kind["seconds"] for kind in predicted["by_kind"]) - sum(predicted["by_op"].values())) < 1e-9 * last
    assert abs(predicted["tokens"] / predicted["tokens_per_second"] - predicted["seconds"]) < 1e-9 * last
    # Seen from this plan: no budget is slower than a smaller one, and the chosen alternatives are this plan.
    seconds = [entry["seconds"] for entry in plan["budgets"] if entry["works"]]
    assert seconds == sorted(seconds, reverse=True), seconds
    chosen = [entry for entry in plan["alternatives"] if entry["chosen"]]
    assert {entry["choice"] for entry in chosen} >= {"shard", "mini-sequence"}, chosen
    for entry in chosen:
        assert entry["peak_bytes"] == plan["predicted_peak_bytes"], entry
        assert abs(entry["seconds"] / last - 1) < 1e-9, (entry, last)
        assert entry["fits"]
print(len(budgets), "budgets")
