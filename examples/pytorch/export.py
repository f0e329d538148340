"""Writes what `trainer pack` takes: the user tower, the movies' vectors, the catalogue, and what PyTorch itself computes."""

import csv

import numpy as np
import onnx
import torch


def write(out, tower, inputs, vectors, bias, movies, training, held_out):
    """Writes all files into the folder `out`.

    `inputs` are recorded inputs by name, [cases, ...], in the order in which `tower` takes them.
    """
    out.mkdir(parents=True, exist_ok=True)
    tower.eval()
    program = torch.onnx.export(
        tower,
        tuple(value[:1] for value in inputs.values()),
        input_names=list(inputs),
        output_names=["user_vector"],
        dynamo=True,
        verbose=False,
    )
    # The notes beside each node name this machine's folders and are larger than a small model.
    model = program.model_proto
    for noted in [model, model.graph, *model.graph.node, *model.graph.value_info]:
        del noted.metadata_props[:]
    onnx.save(model, out / "user_tower.onnx")
    with torch.no_grad():
        recorded = torch.cat([tower(*case) for case in zip(*(value.split(1) for value in inputs.values()))])
    np.savez(out / "recorded.npz", **{name: value.numpy() for name, value in inputs.items()}, user_vector=recorded.numpy())
    np.save(out / "vectors.npy", vectors.detach().numpy().astype(np.float32))
    if bias is not None:
        np.save(out / "bias.npy", bias.detach().numpy().astype(np.float32))
    counts = np.bincount([row for events in training for row, _, _ in events], minlength=len(movies))
    with open(out / "items.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["itemId", "title", "genres", "ratings"])
        writer.writerows([*movie, count] for movie, count in zip(movies, counts))
    with open(out / "held_out.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["userId", "movieId", "rating", "timestamp"])
        writer.writerows((user, movies[row][0], stars, time) for user, row, stars, time in held_out)


def padded(histories, slots, padding):
    """The last movies of each history, oldest first from slot 0, and the padding after them, as the contract has it."""
    rows = [history[-slots:] for history in histories]
    return torch.tensor([[*row, *[padding] * (slots - len(row))] for row in rows], dtype=torch.int64)
