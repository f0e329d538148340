"""A two-tower model: one tower for the history, weighted and pooled, and the year; one for movies with genres.

After Yi et al., Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations (RecSys 2019), but the
softmax is over the whole catalogue instead of a batch's movies, because the catalogue is small.
"""

import random

import numpy as np
import torch
from torch import nn

import data
import export

DIM, SLOTS = 64, 50


class UserTower(nn.Module):
    def __init__(self, movies, dim):
        super().__init__()
        # The last row is for padding.
        self.embedding = nn.Embedding(movies + 1, dim, padding_idx=movies)
        self.layers = nn.Sequential(nn.Linear(dim + 1, 2 * dim), nn.GELU(), nn.Dropout(0.3), nn.Linear(2 * dim, dim))

    def forward(self, history, weights, year):
        # Padding has weight 0.
        pooled = (self.embedding(history) * weights.unsqueeze(-1)).sum(1)
        pooled = pooled / weights.sum(1, keepdim=True).clamp(min=1.0).sqrt()
        return self.layers(torch.cat([pooled, (year - 2010.0) / 10.0], dim=1))


class ItemTower(nn.Module):
    def __init__(self, genres, popularity, dim):
        super().__init__()
        self.register_buffer("genres", genres)
        self.embedding = nn.Embedding(len(genres), dim)
        self.of_genres = nn.Linear(genres.shape[1], dim)
        self.bias = nn.Parameter(popularity)
        nn.init.normal_(self.embedding.weight, std=0.05)

    def forward(self):
        return self.embedding.weight + self.of_genres(self.genres)


def batch(users, size, slots, padding, rng):
    """Returns random samples of users' liked movies, each with another movie that the same user liked."""
    histories, years, targets = [], [], []
    for _ in range(size):
        events = rng.sample(user := rng.choice(users), min(len(user), 1 + rng.randrange(slots)))
        row, _, time = events.pop()
        histories.append([row for row, _, _ in events])
        years.append(data.year(time))
        targets.append(row)
    history = export.padded(histories, slots, padding)
    year = torch.tensor(years, dtype=torch.float32).unsqueeze(1)
    return history, (history != padding).float(), year, torch.tensor(targets)


def main():
    args = data.arguments(__doc__.splitlines()[0])
    torch.manual_seed(1)
    rng = random.Random(1)
    movies, ratings = data.load(args)
    training, held_out = data.split(ratings)
    dim, slots, steps = (8, 12, 300) if args.made_up else (DIM, SLOTS, 1200)
    names = sorted({genre for _, _, genres in movies for genre in genres.split("|")})
    genres = torch.tensor([[float(name in genres.split("|")) for name in names] for _, _, genres in movies])
    counts = np.bincount([row for events in training for row, _, _ in events], minlength=len(movies))
    user_tower = UserTower(len(movies), dim)
    item_tower = ItemTower(genres, torch.tensor(np.log(counts + 0.5), dtype=torch.float32), dim)
    liked = [[event for event in events if event[1] >= 4.0] for events in training]
    liked = [events for events in liked if len(events) > 1]
    optimiser = torch.optim.AdamW([*user_tower.parameters(), *item_tower.parameters()], lr=3e-3, weight_decay=0.05)
    for step in range(steps):
        history, weights, year, target = batch(liked, 256, slots, len(movies), rng)
        logits = user_tower(history, weights, year) @ item_tower().T + item_tower.bias
        loss = nn.functional.cross_entropy(logits, target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 100 == 0:
            print(f"step {step}: loss {loss.item():.3f}", flush=True)
    history, weights, year, _ = batch(liked, 15, slots, len(movies), rng)
    # An empty history, as at the start of a visit; and a rated one (a movie without a rating has weight 1).
    history[0], weights[0], weights[1] = len(movies), 0.0, weights[1] * 4.5 / 3.5
    inputs = {"history": history, "weights": weights, "year": year}
    export.write(args.out, user_tower, inputs, item_tower(), item_tower.bias, movies, training, held_out)


if __name__ == "__main__":
    main()
