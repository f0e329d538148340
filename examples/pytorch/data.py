"""Ratings to train on: MovieLens's files, or a small made-up set."""

import argparse
import csv
import datetime
import pathlib
import random

# The users with the lowest ids don't train; they evaluate. `trainer evaluate` splits MovieLens the same way.
HELD_OUT_USERS = 80
GENRES = ["Comedy", "Drama", "Horror", "Sci-Fi"]


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=pathlib.Path, help="a folder with MovieLens's movies.csv and ratings.csv")
    source.add_argument("--made-up", action="store_true", help="a small made-up catalogue, for tests")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the folder to write to")
    return parser.parse_args()


def load(args):
    """Returns the movies as (id, title, genres), by row, and the ratings as (user, row, stars, time)."""
    if args.made_up:
        return made_up()
    with open(args.data / "movies.csv", newline="", encoding="utf-8") as file:
        movies = [(int(row["movieId"]), row["title"], row["genres"]) for row in csv.DictReader(file)]
    rows = {movie: row for row, (movie, _, _) in enumerate(movies)}
    with open(args.data / "ratings.csv", newline="", encoding="utf-8") as file:
        fields = csv.DictReader(file)
        ratings = [(int(r["userId"]), rows[int(r["movieId"])], float(r["rating"]), int(r["timestamp"])) for r in fields]
    return movies, sorted(ratings, key=lambda rating: (rating[0], rating[3]))


def made_up(movies=60, users=160):
    """Makes taste groups by genre: each user likes one group's movies, in order from a random one."""
    rng = random.Random(7)
    catalog = [(10 + 3 * row, f"Movie {row} ({1960 + row})", GENRES[row % 4]) for row in range(movies)]
    ratings = []
    for user in range(1, users + 1):
        start, time = rng.randrange(movies // 4), 1_400_000_000 + rng.randrange(100_000_000)
        for step in range(10):
            row = 4 * ((start + step) % (movies // 4)) + user % 4
            ratings.append((user, row, rng.choice([4.0, 4.5, 5.0]), time + 90_000 * step))
    return catalog, ratings


def split(ratings):
    """Returns the training users' ratings, grouped by user, and the held-out users' ratings."""
    users = sorted({user for user, *_ in ratings})
    held_out = set(users[: min(HELD_OUT_USERS, len(users) // 4)])
    training = {user: [] for user in users if user not in held_out}
    for user, row, stars, time in ratings:
        if user in training:
            training[user].append((row, stars, time))
    return list(training.values()), [rating for rating in ratings if rating[0] in held_out]


def year(time):
    """Returns the year with its elapsed fraction, to the day. The library computes the same for a visitor."""
    day = datetime.datetime.fromtimestamp(time, datetime.timezone.utc)
    return day.year + (day.month - 1 + (day.day - 1) / 31) / 12
