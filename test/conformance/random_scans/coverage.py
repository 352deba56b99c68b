"""Which operations have a rule in dialects/adj/ScalarRules.td, and which of them specs use."""
import os
import re

RULES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "dialects", "adj", "ScalarRules.td")
# C++ classes whose operation is not named like the class.
NAMES = {"NegFOp": "negf", "MaxNumFOp": "maxnumf", "MinNumFOp": "minnumf", "ExpM1Op": "expm1", "UIToFPOp": "uitofp"}


def rules():
    """The operations with a rule, by their name in the IR."""
    with open(RULES) as file:
        classes = re.findall(r'\bRule<"(\w+)::(\w+)"', file.read())
    assert classes, f"{RULES} has no rules"
    return [f"{dialect}.{NAMES.get(name, name.removesuffix('Op').lower())}" for dialect, name in classes]


def missing_rules(text):
    return [name for name in rules() if not re.search(rf"\b{re.escape(name)}\b", text)]
