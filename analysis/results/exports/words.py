"""Words of trackers and tuners: their statuses, their housekeeping columns, and names of outcomes."""

import re

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

#: Lower-case names of columns that say where, when and by whom a trial ran.
HOUSEKEEPING: frozenset[str] = frozenset(
    {
        *(
            "pid",
            "hostname",
            "host",
            "node_ip",
            "node",
            "date",
            "timestamp",
            "time_this_iter_s",
            "time_total_s",
        ),
        *("time_since_restore", "iterations_since_restore", "timesteps_since_restore", "training_iteration"),
        *("timesteps_total", "timesteps_this_iter", "episodes_total", "episodes_this_iter", "done"),
        *("should_checkpoint", "checkpoint_dir_name", "trial_id", "trial_name", "trial_num", "experiment_id"),
        *(
            "experiment_tag",
            "experiment",
            "trainable_name",
            "logdir",
            "log_dir",
            "run_id",
            "run_uuid",
            "run id",
        ),
        *(
            "run_name",
            "run name",
            "artifact_uri",
            "start_time",
            "end_time",
            "start time",
            "end time",
            "number",
        ),
        *("datetime_start", "datetime_complete", "duration", "created", "created_at", "updated", "runtime"),
        *(
            "sweep",
            "agent",
            "name",
            "notes",
            "user",
            "username",
            "tags",
            "group",
            "job type",
            "job_type",
            "id",
        ),
        *("project", "entity", "url", "commit", "git_commit", "source name", "source type", "source_name"),
        *("gpu", "gpus", "gpu count", "gpu type", "gpu_count", "gpu_name", "gpu_type", "gpu_id", "cpu count"),
        *("os", "python version", "command", "started", "ended", "started_at", "ended_at", "end"),
        *("_step", "_runtime", "_timestamp", "_wandb", "global_step", "trainer/global_step"),
        *("index", "unnamed: 0", "level_0", "__index_level_0__", ""),
    }
)

#: Words that name a result wherever they occur in a name.
_RESULTS = frozenset(
    {
        *("acc", "accuracy", "acc1", "acc5", "top1", "top5", "f1", "auc", "auroc", "auprc", "map", "recall"),
        *(
            "bleu",
            "rouge",
            "perplexity",
            "ppl",
            "mse",
            "rmse",
            "mae",
            "nll",
            "error",
            "err",
            "score",
            "reward",
        ),
        *("elapsed", "walltime", "runtime", "throughput", "flops"),
    }
)
#: Words of resources: results, but settings together with `max`.
_RESOURCES = frozenset({"time", "seconds", "secs", "minutes", "hours", "duration", "memory", "mem", "second"})
#: Words that make `loss` the value of a loss.
_OF_VALUES = frozenset(
    {
        *("train", "training", "val", "valid", "validation", "dev", "test", "eval", "evaluation", "holdout"),
        *("best", "final", "last", "min", "mean", "avg", "average", "epoch", "batch", "total", "running"),
        *("value", "values", "std"),
    }
)
#: Words that make a name that of a setting, whatever else it has: `loss_weight`, `acc_steps`, `memory_bank_size`.
_SETTINGS = frozenset(
    {
        *("weight", "weights", "coef", "coefficient", "lambda", "scale", "scaling", "fn", "func", "function"),
        *("type", "name", "kind", "kernel", "margin", "temperature", "threshold", "size", "dim", "bank"),
        *("limit", "budget", "steps", "epochs", "split", "fraction", "frac", "ratio", "smoothing", "every"),
        *("interval", "freq", "frequency", "patience", "warmup", "schedule", "lr", "grad", "gradient"),
        *("embedding", "embed", "mask", "form", "variant"),
    }
)


def is_outcome(name: str) -> bool:
    """Whether a column of that name holds results and cannot be a hyperparameter.

    `loss` alone is the name of a loss function, and `epochs`, `steps` and `lr` are settings.

    >>> [name for name in ("train_acc", "val/loss", "best_epoch", "loss", "loss_weight", "lr") if is_outcome(name)]
    ['train_acc', 'val/loss', 'best_epoch']
    """
    words = re.findall(r"[a-z]+\d*|\d+", re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", name).lower())
    found = set(words)
    if words[:1] == ["best"] or ("top" in found and found & {"1", "5"}):
        return True
    if found & _SETTINGS:
        return False
    if "loss" in found or "losses" in found:
        return bool(found & _OF_VALUES)
    resources = bool(found & _RESOURCES) and words[:1] != ["max"]
    return resources or bool(found & _RESULTS)
