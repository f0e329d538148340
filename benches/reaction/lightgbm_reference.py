"""Measures LightGBM by protocol P3, on exported features: gradient-boosted trees with what the second stage knows.

The input is one CSV file or several. Each row is an event:

    fold    the fold of the cross-validation over users
    part    `train` or `test`: whether the event's user trains this fold's model or tests it
    user    the user's id
    known   1 if the ratings of the history are known, 0 for clicks only
    like    1 if the movie got 4.0 stars or more, else 0
    f_...   the features, computed from the user's earlier events; an empty cell is a missing value

Other columns are ignored. Each fold has two models, one for known ratings and one for clicks only. A fifth of a fold's
training users choose the number of trees; then the model is retrained on all training users. The predictions of all
folds are measured together, as the trainer does it. The output is a Markdown table, or JSON with the trainer's flat
keys.
"""

import argparse
import json
import sys
import time

try:
    import lightgbm
    import numpy
    import pandas
except ModuleNotFoundError as error:
    print(f"this interpreter lacks a package ({error}); install lightgbm, numpy and pandas", file=sys.stderr)
    sys.exit(3)

BINS = 10
LEAST = float(numpy.finfo(numpy.float32).eps)


def arguments():
    parser = argparse.ArgumentParser(description="Measures LightGBM by protocol P3, on exported features.")
    parser.add_argument("events", nargs="+", help="CSV files of events")
    parser.add_argument("--most-trees", type=int, default=2000, help="the most trees of a model")
    parser.add_argument("--learning-rate", type=float, default=0.03)
    parser.add_argument("--leaves", type=int, default=31)
    parser.add_argument("--least-in-leaf", type=int, default=100, help="the fewest events of a leaf")
    parser.add_argument("--threads", type=int, default=0, help="the number of threads; 0 for one a core")
    parser.add_argument("--seed", type=int, default=20250404, help="the seed of the trees and of their number's users")
    parser.add_argument("--resamples", type=int, default=1000, help="the resamples of the bootstrap over users")
    parser.add_argument("--json", action="store_true", help="print the trainer's flat keys instead of a table")
    return parser.parse_args()


def read(paths):
    """Reads all events. It rejects users who both train a model and test it."""
    events = pandas.concat([pandas.read_csv(path) for path in paths], ignore_index=True)
    missing = {"fold", "part", "user", "known", "like"} - set(events.columns)
    features = [column for column in events.columns if column.startswith("f_")]
    if missing or not features:
        sys.exit(f"the events lack the columns {', '.join(sorted(missing) or ['f_...'])}")
    wrong = ~events["part"].isin(["train", "test"]) | ~events["like"].isin([0, 1]) | ~events["known"].isin([0, 1])
    if wrong.any():
        sys.exit(f"{wrong.sum()} rows have a part other than train or test, or a flag that isn't 0 or 1")
    parts = events.groupby(["fold", "user"])["part"].nunique()
    if (parts > 1).any():
        sys.exit("a user both trains and tests the model of a fold")
    if (events[events["part"] == "test"].groupby("user")["fold"].nunique() > 1).any():
        sys.exit("a user tests the models of more than one fold")
    return events, features


def predict(train, test, features, options):
    """Returns the probabilities of likes in `test`, and the number of trees."""
    settings = {
        "objective": "binary",
        "learning_rate": options.learning_rate,
        "num_leaves": options.leaves,
        "min_child_samples": options.least_in_leaf,
        "feature_fraction": 0.8,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "num_threads": options.threads,
        "seed": options.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    users = numpy.random.default_rng(options.seed).permutation(train["user"].unique())
    choosing = train["user"].isin(users[: max(1, len(users) // 5)])
    inner = lightgbm.Dataset(train.loc[~choosing, features], train.loc[~choosing, "like"])
    judged = lightgbm.Dataset(train.loc[choosing, features], train.loc[choosing, "like"], reference=inner)
    stop = lightgbm.early_stopping(100, verbose=False)
    chosen = lightgbm.train(settings, inner, options.most_trees, valid_sets=[judged], callbacks=[stop])
    trees = max(1, chosen.best_iteration)
    model = lightgbm.train(settings, lightgbm.Dataset(train[features], train["like"]), trees)
    return model.predict(test[features]), trees


def area(order, starts, like, weights):
    """The area under the curve with weighted events. Ties count half. None if likes or others have no weight."""
    weighted = weights[order]
    likes = numpy.add.reduceat(weighted * like[order], starts)
    others = numpy.add.reduceat(weighted * (1 - like[order]), starts)
    below = numpy.cumsum(others) - others
    pairs = likes.sum() * others.sum()
    return float((likes * (below + others / 2)).sum() / pairs) if pairs > 0 else None


def ranked(probabilities):
    """The ascending order of the probabilities, and where each distinct one starts in it."""
    order = numpy.argsort(probabilities, kind="stable")
    ascending = probabilities[order]
    return order, numpy.flatnonzero(numpy.r_[True, ascending[1:] != ascending[:-1]])


def interval(values):
    low, high = numpy.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def measure(events, probabilities, resamples):
    """The metrics of some events, with 95 % intervals over users."""
    like = events["like"].to_numpy(dtype=float)
    codes, users = pandas.factorize(events["user"])
    order, starts = ranked(probabilities)
    auc = area(order, starts, like, numpy.ones(len(like)))
    if auc is None:
        sys.exit("all events are likes, or none is: there is nothing to tell apart")
    within = []
    for user in range(len(users)):
        own = codes == user
        of_user = area(*ranked(probabilities[own]), like[own], numpy.ones(own.sum()))
        within += [] if of_user is None else [of_user]
    within = numpy.array(within)
    clipped = numpy.clip(probabilities, LEAST, 1 - LEAST)
    losses = -numpy.where(like == 1, numpy.log(clipped), numpy.log(1 - clipped))
    sums, counts = numpy.bincount(codes, losses), numpy.bincount(codes)
    rng = numpy.random.default_rng(20161001)
    areas, means, of_within = [], [], []
    for _ in range(resamples):
        times = numpy.bincount(rng.integers(0, len(users), len(users)), minlength=len(users))
        again = area(order, starts, like, times[codes].astype(float))
        areas.append(auc if again is None else again)
        means.append((sums * times).sum() / (counts * times).sum())
        if len(within):
            of_within.append(rng.choice(within, len(within)).mean())
    bins = numpy.minimum((probabilities * BINS).astype(int), BINS - 1)
    filled = numpy.bincount(bins, minlength=BINS)
    gaps = numpy.abs(numpy.bincount(bins, probabilities, BINS) - numpy.bincount(bins, like, BINS))
    table = [
        {
            "predicted": float(probabilities[bins == place].mean()),
            "liked": float(like[bins == place].mean()),
            "events": int(filled[place]),
        }
        for place in range(BINS)
        if filled[place]
    ]
    return {
        "auc": (auc, *interval(areas)),
        "auc_within": (float(within.mean()), *interval(of_within)) if len(within) else (0.0, 0.0, 0.0),
        "logloss": (float(losses.mean()), *interval(means)),
        "ece": (float(gaps.sum() / len(like)),),
        "reliability": table,
        "users_within": len(within),
    }


def formatted(figure):
    return f"{figure[0]:.3f}" + (f" [{figure[1]:.3f}, {figure[2]:.3f}]" if len(figure) > 1 else "")


def main():
    options = arguments()
    events, features = read(options.events)
    flat, rows = {}, []
    for known in sorted(events["known"].unique(), reverse=True):
        of_kind = events[events["known"] == known]
        measured, probabilities, trees = [], [], []
        started = time.perf_counter()
        for fold, of_fold in of_kind.groupby("fold"):
            train, test = of_fold[of_fold["part"] == "train"], of_fold[of_fold["part"] == "test"]
            if train.empty or test.empty:
                sys.exit(f"fold {fold} lacks events to train or to test")
            predicted, grown = predict(train, test, features, options)
            measured.append(test[["user", "like"]])
            probabilities.append(predicted)
            trees.append(grown)
        test_events = pandas.concat(measured, ignore_index=True)
        figures = measure(test_events, numpy.concatenate(probabilities), options.resamples)
        ending, name = ("", "ratings known") if known == 1 else ("_clicks", "clicks only")
        for key in ("auc", "auc_within", "logloss", "ece"):
            flat[f"p3.{key}{ending}"] = figures[key][0]
        flat[f"reliability{ending}"] = figures["reliability"]
        cells = [formatted(figures[key]) for key in ("auc", "auc_within", "logloss", "ece")]
        count = sum(len(part) for part in measured)
        grown = ", ".join(map(str, trees))
        rows.append(f"| {name} | {count} | {' | '.join(cells)} | {grown} |")
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    if options.json:
        print(json.dumps(flat, indent=2))
        return
    print(f"LightGBM {lightgbm.__version__}, {len(features)} features\n")
    print("| history | events | AUC | AUC within users | log loss | calibration error | trees of each fold |")
    print("|---|---:|---|---|---|---:|---|")
    print("\n".join(rows))


main()
