"""Trains Spark's ALS on ratings and writes the input of `trainer fold-in` and `trainer pack`.

The folder --out gets these files. Their rows are in ascending order of the movies' ids.

    item_factors.npy   [movies, rank] float32, the factors of every rated movie
    items.csv          movieId,title,genres,ratings of the same movies; ratings is their number
    bias.npy           [movies] float32, a little popularity: a visitor without clicks sees the best-known movies
    als.json           the parameters, with Spark's version
    recorded.json      histories of at most 50 ratings, with Spark's own factors and top ten for their users
    recorded.npz       the same histories as the user tower's inputs, with the factors

In each iteration, Spark solves for the items first and for the users last. So a user's factors in the finished model
are the exact solution for that user's ratings and the finished item factors. The fold-in computes the same for a
visitor, so `recorded.json` can compare it with Spark.
"""

import argparse
import csv
import json
import sys
from pathlib import Path

import numpy as np
import pyspark
from pyspark.ml.recommendation import ALS
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

# The number of movies that the user tower sees. Longer histories can't be compared.
HISTORY_LEN = 50

# The number of movies that Spark recommends to each recorded user.
TOP = 10


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    columns = "userId, movieId, rating, timestamp"
    parser.add_argument("--ratings", required=True, help=f"a CSV file or a Parquet folder with {columns}")
    parser.add_argument("--movies", required=True, help="a CSV file with movieId, title, genres")
    parser.add_argument("--out", required=True, type=Path, help="the folder to write to")
    parser.add_argument("--master", help="Spark's master, such as local[2]; the default is spark-submit's, or local[*]")
    parser.add_argument("--explicit", action="store_true", help="predict ratings, instead of which movies are watched")
    parser.add_argument("--rank", type=int, default=32, help="the length of a vector")
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--regularisation", type=float, default=0.1, help="Spark's regParam")
    parser.add_argument("--alpha", type=float, default=1.0, help="how much a rating of 1 adds to a movie's confidence")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--popularity", type=float, default=0.001, help="the best-known movie's bias; 0 for none")
    parser.add_argument("--recorded", type=int, default=200, help="record the histories of at most this many users")
    return parser.parse_args()


def read_ratings(spark, path):
    if path.endswith(".csv"):
        schema = "userId INT, movieId INT, rating FLOAT, timestamp LONG"
        return spark.read.csv(path, header=True, schema=schema, enforceSchema=False, mode="FAILFAST")
    return spark.read.parquet(path)


def write_items(ids, counts, movies, out):
    with open(movies, newline="", encoding="utf-8-sig") as file:
        rows = {int(row["movieId"]): row for row in csv.DictReader(file)}
    missing = [item for item in ids if item not in rows]
    if missing:
        examples = ", ".join(map(str, missing[:3]))
        sys.exit(f"{movies} lacks {len(missing)} rated movies, such as {examples}; add them or remove their ratings")
    with open(out, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["movieId", "title", "genres", "ratings"])
        writer.writerows([item, rows[item]["title"], rows[item]["genres"], counts[item]] for item in ids)


def recorded(model, ratings, count):
    """Returns histories, oldest first, with Spark's factors and top ten.

    They are of the first users by id with at most HISTORY_LEN ratings.
    """
    short = ratings.groupBy("userId").count().where(f.col("count") <= HISTORY_LEN)
    few = short.orderBy("userId").limit(count).select("userId")
    watched = f.sort_array(f.collect_list(f.struct("timestamp", "movieId", "rating"))).alias("watched")
    by_user = ratings.join(few, "userId").groupBy("userId").agg(watched)
    histories = {row.userId: row.watched for row in by_user.collect()}
    factors = {row.id: row.features for row in model.userFactors.join(few, f.col("id") == f.col("userId")).collect()}
    # Spark recommends from all movies, watched ones included.
    top = {row.userId: row.recommendations for row in model.recommendForUserSubset(few, TOP).collect()}
    return [
        {
            "history": [{"movieId": watch.movieId, "rating": watch.rating} for watch in histories[user]],
            "user_vector": list(factors[user]),
            "top": [found.movieId for found in top[user]],
        }
        for user in sorted(histories)
    ]


def tower_inputs(cases, ids):
    """Returns the histories as `trainer pack --recorded` takes them.

    They are padded rows of the catalogue, and ratings divided by the neutral 3.5.
    """
    row = {item: at for at, item in enumerate(ids)}
    history = np.full((len(cases), HISTORY_LEN), len(ids), dtype=np.int64)
    weights = np.zeros((len(cases), HISTORY_LEN), dtype=np.float32)
    for at, case in enumerate(cases):
        for slot, watch in enumerate(case["history"]):
            history[at, slot] = row[watch["movieId"]]
            weights[at, slot] = watch["rating"] / 3.5
    vectors = np.array([case["user_vector"] for case in cases], dtype=np.float32)
    # The contract has the time as an input, but this tower doesn't read it.
    time = np.zeros((len(cases), 50), dtype=np.float32)
    return {"history": history, "weights": weights, "time": time, "user_vector": vectors}


def main():
    args = arguments()
    builder = SparkSession.builder.appName("watchnext")
    for setting in ["spark.ui.enabled", "spark.ui.showConsoleProgress"]:
        builder = builder.config(setting, "false")
    if args.master:
        builder = builder.master(args.master)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    ratings = read_ratings(spark, args.ratings).cache()
    als = ALS(
        userCol="userId",
        itemCol="movieId",
        ratingCol="rating",
        implicitPrefs=not args.explicit,
        rank=args.rank,
        maxIter=args.iterations,
        regParam=args.regularisation,
        alpha=args.alpha,
        seed=args.seed,
    )
    model = als.fit(ratings)
    args.out.mkdir(parents=True, exist_ok=True)
    items = [(row.id, np.asarray(row.features, dtype=np.float32)) for row in model.itemFactors.toLocalIterator()]
    items.sort(key=lambda item: item[0])
    ids = [item for item, _ in items]
    counts = {row.movieId: row["count"] for row in ratings.groupBy("movieId").count().collect()}
    write_items(ids, counts, args.movies, args.out / "items.csv")
    known = np.log1p(np.array([counts[item] for item in ids], dtype=np.float64))
    np.save(args.out / "bias.npy", (args.popularity * known / known.max()).astype(np.float32))
    np.save(args.out / "item_factors.npy", np.stack([factors for _, factors in items]))
    feedback = "explicit" if args.explicit else "implicit"
    parameters = {
        "feedback": feedback,
        "rank": args.rank,
        "iterations": args.iterations,
        "regularisation": args.regularisation,
        "alpha": args.alpha,
        "seed": args.seed,
        "spark": pyspark.__version__,
        "ratings": sum(counts.values()),
    }
    (args.out / "als.json").write_text(json.dumps(parameters, indent=2) + "\n")
    cases = recorded(model, ratings, args.recorded)
    (args.out / "recorded.json").write_text(json.dumps({"cases": cases}) + "\n")
    np.savez(args.out / "recorded.npz", **tower_inputs(cases, ids))
    print(f"{len(ids)} movies of {args.rank} factors and {len(cases)} recorded histories in {args.out}; next:")
    alpha = "" if args.explicit else f" --alpha {args.alpha}"
    print(
        f"  trainer fold-in --items {args.out}/item_factors.npy --als {feedback}"
        f" --regularisation {args.regularisation}{alpha}"
        f" --out {args.out}/user_tower.onnx --recorded {args.out}/recorded.json --catalog {args.out}/items.csv"
    )
    spark.stop()


if __name__ == "__main__":
    main()
