"""Times training steps of the notebook's network in PyTorch. `main.rs` starts this script and writes to its input.

The input is a line of JSON with the sizes, then the batch and the initial parameters as raw little-endian numbers. So
PyTorch trains on the same data as the other contenders. The output is a line of JSON with the milliseconds and losses.
"""

import json
import sys
import time
import warnings

# NumPy isn't needed, and its absence must not look like an error.
warnings.filterwarnings("ignore", message="Failed to initialize NumPy")

try:
    import torch
except ModuleNotFoundError as error:
    # The caller knows this status and skips PyTorch instead of failing.
    print(f"this interpreter has no PyTorch ({error})", file=sys.stderr)
    sys.exit(3)

from torch import nn


def read(count, dtype):
    """Returns the next `count` numbers of the input, as a copy that may be written to."""
    size = count * torch.empty(0, dtype=dtype).element_size()
    return torch.frombuffer(bytearray(sys.stdin.buffer.read(size)), dtype=dtype)


class Network(nn.Module):
    """The notebook's network, which finds candidates."""

    def __init__(self, plan):
        super().__init__()
        self.embedding = nn.Embedding(plan["movies"] + 1, plan["embedding"], padding_idx=plan["movies"])
        self.hidden = nn.Linear(plan["time"] + plan["embedding"], plan["hidden"])
        self.state = nn.Linear(plan["hidden"], plan["state"])
        self.movies = nn.Linear(plan["state"], plan["movies"])
        self.activation = nn.LeakyReLU(plan["slope"])
        self.dropout = nn.Dropout(plan["dropout"])

    def forward(self, history, moment):
        inputs = torch.cat([moment, self.embedding(history).mean(1)], 1)
        hidden = self.dropout(self.activation(self.hidden(inputs)))
        return self.movies(self.dropout(self.activation(self.state(hidden))))


def main():
    plan = json.loads(sys.stdin.buffer.readline())
    torch.set_num_threads(plan["threads"])
    torch.manual_seed(plan["seed"])
    rows = plan["rows"]
    history = read(rows * plan["slots"], torch.int64).view(rows, plan["slots"])
    moment = read(rows * plan["time"], torch.float32).view(rows, plan["time"])
    target = read(rows, torch.int64)
    network = Network(plan)
    with torch.no_grad():
        # The input's table has no padding row. The last row keeps the zeros that PyTorch put there.
        table = network.embedding.weight[: plan["movies"]]
        layers = (network.hidden, network.state, network.movies)
        for parameter in [table] + [part for layer in layers for part in (layer.weight, layer.bias)]:
            parameter.copy_(read(parameter.numel(), torch.float32).view_as(parameter))
    adam = torch.optim.Adam(network.parameters(), lr=plan["learning_rate"])
    entropy = nn.CrossEntropyLoss()
    milliseconds, losses = [], []
    for _ in range(plan["warm_up"] + plan["steps"]):
        start = time.perf_counter()
        adam.zero_grad()
        loss = entropy(network(history, moment), target)
        loss.backward()
        adam.step()
        losses.append(loss.item())
        milliseconds.append((time.perf_counter() - start) * 1e3)
    report = {
        "version": torch.__version__,
        "threads": torch.get_num_threads(),
        "milliseconds": milliseconds[plan["warm_up"] :],
        "losses": losses,
    }
    print(json.dumps(report))


main()
