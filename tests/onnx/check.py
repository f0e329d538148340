"""Checks the exported models with ONNX's own checker and with ONNX Runtime.

    python check.py FOLDER...

Each folder is a bundle. Every .onnx file in it must satisfy the checker, with the strict inference of shapes. Where the
trainer left a parity.json beside them, ONNX Runtime must compute from its inputs what the trainer computed:

    {"cases": [{"inputs": {"name of an input": nested list}, "user_vector": [...]}, ...]}

tract runs the models in the product and in the other tests, and the trainer wrote them; this is the check by programs
that are not ours.
"""

import json
import sys
from pathlib import Path

import numpy
import onnx
import onnxruntime

# The models compute in single precision, and each program adds up in its own order.
TOLERANCE = 1e-4

MODEL = "user_tower.onnx"
PARITY = "parity.json"

# The types of inputs as ONNX Runtime names them.
TYPES = {
    "tensor(float)": numpy.float32,
    "tensor(double)": numpy.float64,
    "tensor(int32)": numpy.int32,
    "tensor(int64)": numpy.int64,
    "tensor(bool)": numpy.bool_,
}


def check_model(path):
    """Raises an exception if the checker finds a fault."""
    onnx.checker.check_model(str(path), full_check=True)


def run_case(session, case):
    """Returns the largest difference between what ONNX Runtime computes and what the trainer computed."""
    wanted = {put.name: TYPES[put.type] for put in session.get_inputs()}
    given = case["inputs"]
    if set(wanted) != set(given):
        raise ValueError(f"the model takes {sorted(wanted)}, the case gives {sorted(given)}")
    inputs = {name: numpy.array(given[name], dtype=kind) for name, kind in wanted.items()}
    output = session.run(None, inputs)[0].ravel()
    expected = numpy.array(case["user_vector"], dtype=numpy.float32).ravel()
    if output.shape != expected.shape:
        raise ValueError(f"the model gives {output.size} numbers, the case expects {expected.size}")
    if output.size == 0 or not numpy.isfinite(output).all():
        raise ValueError("the model gives no numbers, or some that are not finite")
    return float(numpy.abs(output - expected).max())


def checks(folder):
    """Yields the name of each check of a folder with a function that runs it and returns what it has to say."""
    models = sorted(folder.glob("*.onnx"))
    if folder / MODEL not in models:
        raise FileNotFoundError(f"there is no {MODEL}")
    for path in models:
        yield f"{folder.name}/{path.name}: checker", lambda path=path: check_model(path) or "well formed"
    parity = folder / PARITY
    if not parity.is_file():
        print(f"    {folder.name} has no {PARITY}; only the checker looks at it")
        return
    session = onnxruntime.InferenceSession(str(folder / MODEL), providers=["CPUExecutionProvider"])
    cases = json.loads(parity.read_text(encoding="utf-8"))["cases"]
    if not cases:
        raise ValueError(f"{parity} holds no cases")

    def compare(case):
        difference = run_case(session, case)
        if not difference <= TOLERANCE:
            raise ValueError(f"differs by {difference:.2e}, more than {TOLERANCE:.0e}")
        return f"differs by {difference:.1e}"

    for number, case in enumerate(cases, 1):
        yield f"{folder.name}/{MODEL}: case {number} of {len(cases)}", lambda case=case: compare(case)


def main(folders):
    passed = failed = 0
    for folder in map(Path, folders):
        # Whatever goes wrong in one check is that check's failure, and the others still run.
        try:
            for name, check in checks(folder):
                try:
                    print(f"    passed  {name}: {check()}")
                    passed += 1
                except Exception as error:  # noqa: BLE001
                    print(f"    failed  {name}: {error}")
                    failed += 1
        except Exception as error:  # noqa: BLE001
            print(f"    failed  {folder.name}: {error}")
            failed += 1
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
