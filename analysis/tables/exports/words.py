"""Words of trackers and tuners: their statuses and their housekeeping columns."""

from analysis.tables.usual_names import plain, words

#: Our status by the lower-case word of any tool. A run without an end counts as not run yet, a stop as pruned.
STATUS_WORDS: dict[str, str] = {
    **dict.fromkeys(("ok", "finished", "finish", "complete", "completed", "terminated"), "ok"),
    **dict.fromkeys(("success", "succeeded", "successful", "done", "passed"), "ok"),
    **dict.fromkeys(("crashed", "crash", "failed", "fail", "failure", "error", "errored"), "crashed"),
    **dict.fromkeys(("exception", "preempted", "node_fail", "aborted"), "crashed"),
    **dict.fromkeys(("pruned", "killed", "stopped", "early_stopped", "early-stopped"), "pruned"),
    **dict.fromkeys(("early stopped", "stopping", "cancelled", "canceled", "interrupted"), "pruned"),
    **dict.fromkeys(("missing", "running", "pending", "waiting", "queued", "scheduled"), "missing"),
    **dict.fromkeys(("unfinished", "planned", "paused", "preempting", "created", "not_started"), "missing"),
    **dict.fromkeys(("diverged", "divergence"), "diverged"),
    **dict.fromkeys(("oom", "out_of_memory", "out of memory", "outofmemory"), "oom"),
    **dict.fromkeys(("timeout", "timed_out", "timed out", "timedout"), "timeout"),
}

#: Plain names (`usual_names.plain`) of columns that say where, when and by whom a trial ran.
HOUSEKEEPING: frozenset[str] = frozenset(
    (
        "",
        *words(
            "pid hostname host node_ip node date timestamp time_this_iter_s time_total_s time_since_restore "
            "iterations_since_restore timesteps_since_restore training_iteration timesteps_total timesteps_this_iter"
            " episodes_total episodes_this_iter done should_checkpoint checkpoint_dir_name trial_id trial_name "
            "trial_num experiment_id experiment_tag experiment trainable_name logdir log_dir run_id run_uuid "
            "run_name artifact_uri start_time end_time number datetime_start datetime_complete duration created "
            "created_at updated runtime sweep agent name notes user username tags group job_type id project "
            "entity url commit git_commit source_name source_type gpu gpus gpu_count gpu_name gpu_type gpu_id "
            "cpu_count os python_version command started ended started_at ended_at end _step _runtime "
            "_timestamp _wandb global_step trainer_global_step index unnamed_0 level_0 __index_level_0__"
        ),
    )
)


def is_housekeeping(name: str) -> bool:
    """Whether a column of that name says where, when or by whom a trial ran.

    >>> [is_housekeeping(name) for name in ("Unnamed: 0", "CPU Count", "trainer/global_step", "lr")]
    [True, True, True, False]
    """
    return plain(name) in HOUSEKEEPING
