"""The batch lane as a data engineer would run it: Airflow decides when, freshet does what.

Each task is one freshet command. Between the tasks stand files, one folder a run, so a task that failed is repeated by itself
(`airflow tasks clear`), and a window that is run again changes nothing: rows have keys, answers are counted.

    extract   the window's records, by offset range, from the log to files     needs the broker and the run log
    transform records to rows and answers, by the same logic as the stream     needs nothing but the files
    load      rows into the database, one transaction a window                 needs the database
    publish   answers back to their topics                                     needs the broker and the run log

What the tasks need is in the environment of the workers:

    FRESHET                    the program [freshet, on the path]
    FRESHET_BOOTSTRAP_SERVERS  the broker [127.0.0.1:9092]
    FRESHET_DATABASE           a file for SQLite, or postgres://user@host:5432/name
    FRESHET_RUNS               a folder that all workers share [/tmp/freshet-runs]
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG
from airflow.timetables.interval import CronDataIntervalTimetable

FRESHET = os.environ.get("FRESHET", "freshet")
RUNS = os.environ.get("FRESHET_RUNS", "/tmp/freshet-runs")

# An interval is run when it is over, and late records get their grace before that (--grace, half a
# minute unless told otherwise): a task that comes too early fails with a sentence, and is tried
# again.
RETRIES = {"retries": 5, "retry_delay": timedelta(seconds=30), "retry_exponential_backoff": True}


def batch_job(job: str) -> DAG:
    """The hourly job `job`: eta, fraud or recommendations."""
    with DAG(
        dag_id=f"freshet_{job}",
        description=f"freshet batch {job}, once an hour",
        schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
        start_date=datetime(2026, 3, 3, tzinfo=timezone.utc),
        # Hours that were missed are run one after the other, the oldest first: what freshet does by
        # itself with `freshet batch fraud`.
        catchup=True,
        max_active_runs=1,
        default_args=RETRIES,
        tags=["freshet"],
    ) as dag:

        def stage(name: str) -> BashOperator:
            window = "{{ data_interval_start.isoformat() }}..{{ data_interval_end.isoformat() }}"
            return BashOperator(
                task_id=name,
                bash_command=f"exec {FRESHET} batch {job} --period 1h --window '{window}' --stage {name} --files '{RUNS}'",
                append_env=True,
            )

        stage("extract") >> stage("transform") >> stage("load") >> stage("publish")
    return dag


for each in ("eta", "fraud", "recommendations"):
    globals()[f"freshet_{each}"] = batch_job(each)
