"""Measures FAISS's IndexFlatL2 natively, with one thread, on the same vectors as the bench in the browser.

It shows how far from native speed a page is.

    python faiss_scan.py OUTPUT ROWS...
"""

import json
import sys
import time

import faiss
import numpy as np

DIM = 128
K = 100
QUERIES = 16
BUDGET_SECONDS = 4.0
FEWEST_ROUNDS, MOST_ROUNDS = 7, 200
BLOCK_SECONDS = 0.004


def hashes(numbers: np.ndarray) -> np.ndarray:
    """The same hash as in `kernels/src/vectors.rs`."""
    found = numbers.astype(np.uint32) * np.uint32(0x9E3779B9)
    found = (found ^ (found >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    found = (found ^ (found >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return found ^ (found >> np.uint32(16))


def table(first: int, rows: int) -> np.ndarray:
    codes = (hashes(np.arange(first * DIM, (first + rows) * DIM, dtype=np.uint32)) >> np.uint32(24)).astype(np.uint8)
    codes = codes.view(np.int8).astype(np.float32).reshape(rows, DIM)
    places = hashes(~np.arange(first, first + rows, dtype=np.uint32)) >> np.uint32(8)
    scales = (places.astype(np.float32) / np.float32(1 << 24) + np.float32(0.5)) / np.float32(127)
    return codes * scales[:, None]


def queries() -> np.ndarray:
    places = np.uint32(0xC0000000) + np.arange(QUERIES * DIM, dtype=np.uint32)
    numbers = (hashes(places) >> np.uint32(8)).astype(np.float32) / np.float32(1 << 23) - np.float32(1)
    return numbers.reshape(QUERIES, DIM)


def summary(seconds: list[float]) -> dict:
    times = sorted(1e3 * each for each in seconds)
    at = lambda share: times[min(len(times) - 1, int(len(times) * share))]
    return {"median": at(0.5), "p99": at(0.99), "least": times[0], "rounds": len(times)}


def timed(run, turns: int) -> float:
    start = time.perf_counter()
    for turn in range(turns):
        run(turn)
    return (time.perf_counter() - start) / turns


def measure(rows: int) -> dict:
    index = faiss.IndexFlatL2(DIM)
    for first in range(0, rows, 50_000):
        index.add(table(first, min(50_000, rows - first)))
    asked = queries()
    run = lambda turn: index.search(asked[turn % QUERIES : turn % QUERIES + 1], K)
    once = timed(run, 5)
    block = max(1, int(np.ceil(BLOCK_SECONDS / once)))
    rounds = lambda length: max(FEWEST_ROUNDS, min(MOST_ROUNDS, round(BUDGET_SECONDS / length)))
    hot = []
    for turn in range(rounds(once * (block + 1))):
        run(turn)
        hot.append(timed(run, block))
    # A page's work between two queries: it touches other memory and makes objects.
    other = np.zeros(1 << 20)
    cold = []
    for turn in range(rounds(once + 0.002)):
        other *= 0.5
        other += turn
        ",".join(f"movie {number}" for number in other[:2_000])
        start = time.perf_counter()
        run(turn)
        cold.append(time.perf_counter() - start)
    _, nearest = run(0)
    name = "FAISS IndexFlatL2, native"
    result = {"name": name, "rows": rows, "hot": summary(hot), "cold": summary(cold), "recall": None}
    return {"rows": rows, "result": result, "nearest": nearest[0].tolist()}


def main() -> None:
    output, *sizes = sys.argv[1:]
    faiss.omp_set_num_threads(1)
    scans = [measure(int(rows)) for rows in sizes]
    options = faiss.get_compile_options().strip()
    with open(output, "w", encoding="utf-8") as file:
        json.dump({"version": faiss.__version__, "options": options, "scans": scans}, file, indent=1)


main()
