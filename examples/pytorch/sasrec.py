"""SASRec: a causal transformer over the history, whose last state is the user's vector.

After Kang and McAuley, Self-Attentive Sequential Recommendation (ICDM 2018), but trained with the softmax over the
whole catalogue.
"""

import random

import torch
from torch import nn

import data
import export

DIM, SLOTS = 64, 50


class SasRec(nn.Module):
    def __init__(self, movies, slots, dim, heads=2, blocks=2):
        super().__init__()
        # The last row is for padding. The scores use the same rows as the history.
        self.embedding = nn.Embedding(movies + 1, dim, padding_idx=movies)
        self.position = nn.Parameter(torch.randn(slots + 1, dim) * 0.02)
        # Goes before the first movie, so that an empty history has a vector too.
        self.start = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        block = nn.TransformerEncoderLayer(
            dim, heads, 4 * dim, dropout=0.2, activation="gelu", batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(block, blocks, nn.LayerNorm(dim), enable_nested_tensor=False)
        self.register_buffer("future", torch.full((slots + 1, slots + 1), float("-inf")).triu(1))
        self.padding = movies
        nn.init.normal_(self.embedding.weight, std=0.05)

    def states(self, history):
        """Returns the states before the first movie and after each movie, [batch, slots + 1, dim]."""
        start = self.start.expand(history.shape[0], 1, -1)
        # Padding comes after the movies, and no state sees later rows.
        rows = torch.cat([start, self.embedding(history)], dim=1) + self.position
        return self.blocks(rows, mask=self.future, is_causal=True)

    def forward(self, history):
        watched = (history != self.padding).float()
        one, none = torch.ones_like(watched[:, :1]), torch.zeros_like(watched[:, :1])
        # 1 at the last movie, or at the start of an empty history.
        last = torch.cat([one, watched], dim=1) - torch.cat([watched, none], dim=1)
        return (self.states(history) * last.unsqueeze(-1)).sum(1)

    def items(self):
        return self.embedding.weight[:-1]


def batch(users, size, slots, padding, rng):
    """Returns random parts of histories, and the next movie at each place."""
    stretches = []
    for _ in range(size):
        events = rng.choice(users)
        first = rng.randrange(max(1, len(events) - slots))
        stretches.append([row for row, _, _ in events[first : first + slots + 1]])
    history = export.padded([stretch[:-1] for stretch in stretches], slots, padding)
    return history, export.padded(stretches, slots + 1, padding)


def main():
    args = data.arguments(__doc__.splitlines()[0])
    torch.manual_seed(1)
    rng = random.Random(1)
    movies, ratings = data.load(args)
    training, held_out = data.split(ratings)
    dim, slots, steps, size = (8, 9, 300, 32) if args.made_up else (DIM, SLOTS, 400, 16)
    model = SasRec(len(movies), slots, dim)
    bias = nn.Parameter(torch.zeros(len(movies)))
    optimiser = torch.optim.AdamW([*model.parameters(), bias], lr=3e-3, weight_decay=0.05)
    for step in range(steps):
        history, target = batch(training, size, slots, len(movies), rng)
        logits = model.states(history) @ model.items().T + bias
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=len(movies))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 100 == 0:
            print(f"step {step}: loss {loss.item():.3f}", flush=True)
    history, _ = batch(training, 15, slots, len(movies), rng)
    # An empty history, as at the start of a visit, and one of a single movie.
    history[0], history[1, 1:] = len(movies), len(movies)
    export.write(args.out, model, {"history": history}, model.items(), bias, movies, training, held_out)


if __name__ == "__main__":
    main()
