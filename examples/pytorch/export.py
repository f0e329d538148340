"""Writes the input of `trainer pack`: the user tower, the movies' vectors, the catalogue and PyTorch's own outputs."""

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
    # The metadata of each node names this machine's folders and is larger than a small model.
    model = program.model_proto
    for noted in [model, model.graph, *model.graph.node, *model.graph.value_info]:
        del noted.metadata_props[:]
    onnx.save(model, out / "user_tower.onnx")
    with torch.no_grad():
        recorded = torch.cat([tower(*case) for case in zip(*(value.split(1) for value in inputs.values()))])
    arrays = {name: value.numpy() for name, value in inputs.items()}
    np.savez(out / "recorded.npz", **arrays, user_vector=recorded.numpy())
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
    """Returns each history's last movies, oldest first from slot 0, with padding after them, as the contract says."""
    rows = [history[-slots:] for history in histories]
    return torch.tensor([[*row, *[padding] * (slots - len(row))] for row in rows], dtype=torch.int64)
