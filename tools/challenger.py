#!/usr/bin/env python3
"""Does a gradient-boosted challenger earn its place beside the online fraud model?

    cargo run --release --workspace --example fraud_report -- challenger ours 4201 120 /tmp/ours.bin
    cargo run --release --workspace --example fraud_report -- challenger handbook 4201 183 /tmp/handbook.bin
    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install scikit-learn
    /tmp/venv/bin/python tools/challenger.py /tmp/ours.bin /tmp/handbook.bin

Both models see the same features of the same swipes, frozen when each swipe came. The challenger is fitted again every four weeks on
every label known by then, and scores the swipes of the four weeks after: prequential, as the online model is. Until its first fit, and
where it is asked for nothing, it says what the online model said.
"""
import sys

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score, roc_auc_score

DAY_MS = 86_400_000
LABEL_DAYS = 8  # a swipe without a chargeback after a week and a day is honest
FITS = [LABEL_DAYS + 3, LABEL_DAYS + 8] + list(range(22, 2_000, 28))
HONEST = 150_000  # honest swipes that one fit takes; their odds are corrected for


def read(path):
    with open(path, "rb") as file:
        features = int(file.readline())
        row = np.dtype(
            [("at", "<i8"), ("charged", "<i8"), ("fraud", "u1"), ("online", "<f4"), ("features", "u1", features)]
        )
        return np.fromfile(file, row)


def challenge(rows, seed=0):
    rng = np.random.default_rng(seed)
    at, charged, said = rows["at"], rows["charged"], rows["online"].astype(float)
    days = (at - at[0]) / DAY_MS
    fits = [day for day in FITS if day < days.max()]
    for day, until in zip(fits, fits[1:] + [np.inf]):
        now = at[0] + day * DAY_MS
        # Both of the same days: frauds are known sooner, and a model would learn to tell the days
        # apart.
        old = days < day - LABEL_DAYS
        fraud = np.flatnonzero(old & (charged > 0) & (charged <= now))
        honest = np.flatnonzero(old & ((charged == 0) | (charged > now)))
        if len(fraud) < 5:
            continue
        some = rng.choice(honest, min(len(honest), HONEST), replace=False)
        enough = len(fraud) > 500
        model = HistGradientBoostingClassifier(
            max_iter=150 if enough else 60,
            learning_rate=0.07,
            max_leaf_nodes=15,
            min_samples_leaf=20 if enough else 8,
            l2_regularization=1.0,
            random_state=seed,
        )
        fit = np.r_[fraud, some]
        model.fit(rows["features"][fit], np.r_[np.ones(len(fraud)), np.zeros(len(some))])
        asked = np.flatnonzero((days >= day) & (days < until))
        p = model.predict_proba(rows["features"][asked])[:, 1]
        said[asked] = p / (p + (1 - p) * len(honest) / len(some))
    return days, said


for path in sys.argv[1:]:
    rows = read(path)
    days, challenger = challenge(rows)
    for name, which in [("after the first week", days >= LABEL_DAYS), ("the last quarter", days >= 0.75 * days.max())]:
        fraud = rows["fraud"][which] > 0
        print(f"{path}, {name}: {len(fraud)} swipes, {fraud.sum()} frauds")
        for model, said in [("online", rows["online"]), ("gradient-boosted", challenger)]:
            p = said[which]
            print(
                f"  {model:17} average precision {average_precision_score(fraud, p):.3f}, AUC {roc_auc_score(fraud, p):.3f},"
                f" expected frauds / true {p.sum() / fraud.sum():.3f}"
            )
