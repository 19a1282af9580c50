"""Usual names of columns in tables of results, by what such columns mean. All are in lower case.

`exports` knows the columns of certain tools in addition.
"""

import re

from analysis.model.info import RECORD_COLUMNS


def words(text: str) -> tuple[str, ...]:
    """The words of a text between its spaces."""
    return tuple(text.split())


#: Names of columns that name the losses, the seeds, the statuses and the data sets, best first.
LOSSES = words("loss method loss_name loss_fn loss_function loss_type criterion algorithm algo")
SEEDS = words("seed random_seed rng_seed seed_id random_state run_seed")
STATUSES = words("status state run_status trial_status run_state trial_state")
DATA_SETS = words("data dataset data_set dataset_name data_name")

#: Usual names for the number of classes of the data, by which chance is known.
CLASSES = words("classes n_classes num_classes class_count")

#: Usual names for the number of pairs in a step.
BATCH_SIZES = words("batch_size batch batchsize bs train_batch_size bsz mini_batch")

#: Columns that stand in for the axes of a table that varies in only one hyperparameter, or in none.
STAND_INS = ("hp_setting", "hp_constant")

#: Temperatures T, as in exp(u.v / T).
TEMPERATURES = words("temperature tau temp")
#: Scales of kernels, whose meaning depends on the kernel.
KERNEL_SCALES = words("t sigma bandwidth kernel_scale kernel_width kernel_bandwidth scale")

#: The position in a learning curve: a table with several of them for a trial has no row for each trial.
CURVE_STEPS = words(
    "epoch step global_step iteration iter _step training_iteration current_epoch checkpoint ckpt ep epoch_idx "
    "n_iter eval_step round generation snapshot"
)

#: Columns that may be something else than a hyperparameter, by what they may be and the option that says so.
_DOUBTFUL = {
    "may number repetitions; then add --seed {name}": (
        "run fold cv_fold rep reps repeat replicate repetition trial bootstrap subject attempt model_seed data_seed "
        "init_seed split_seed"
    ),
    "may name data sets or parts of the data; then add --data {name}, or keep the rows of one part": (
        "split subset partition phase metric metric_name task benchmark corpus"
    ),
    "may tell which trials failed; then name a column of words such as ok and crashed with --status": (
        "success successful failed failure diverged converged exit_code returncode return_code finished crashed "
        "valid is_valid ok passed collapsed nan_loss early_stopped result outcome job_status job_state oom timed_out"
    ),
}
_QUESTIONS = {name: text for text, names in _DOUBTFUL.items() for name in words(names)}

#: Budgets. Where they change from seed to seed, trials may have stopped early.
BUDGETS = words("epochs steps samples n_epochs num_epochs iterations num_steps")

#: Columns of a trial record that tables may have under the same names, and that are not hyperparameters.
FACTS = words(
    "data_fingerprint probe_id device device_name threads execution_mode git_revision numerics_version "
    "package_version torch_version python_version error_class error_message"
)

#: Prefixes of columns of evaluations, of representation metrics, and of all that measures something.
EVALUATED = ("test_", "val_")
REPRESENTATION = ("z_", "h_")
MEASURED = (*EVALUATED, *REPRESENTATION, "train_", "seconds")

#: Hyperparameters that fairness cards check, under these names or with the prefix `hp_`.
PROTOCOL = words("epochs steps samples optimizer lr_rule weight_decay precision evaluated_epoch")

_OWN = {name.removeprefix("hp_") for name in RECORD_COLUMNS if name.startswith("hp_")} - {"other"}
#: Usual names of hyperparameters.
HYPERPARAMETERS = _OWN.union(
    BATCH_SIZES,
    PROTOCOL,
    words("tau temp temperature t lr learning_rate base_lr eta wd momentum nesterov"),
    words("gamma alpha beta lam lambda lambd margin sigma bandwidth kernel scale eps"),
    words("opt optimizer optimiser scheduler schedule warmup warmup_epochs n_epochs num_epochs"),
    words("dropout width depth layers n_layers num_layers hidden hidden_dim dim embed_dim"),
    words("projection_dim proj_dim head encoder backbone arch architecture model augmentation"),
    words("augment views views_form n_views negatives queue_size queue ema label_smoothing"),
)


def is_hyperparameter(name: str) -> bool:
    """Whether a bare column name is a usual one of a hyperparameter."""
    return plain(name) in HYPERPARAMETERS


def question(name: str) -> str | None:
    """What a column may be besides a hyperparameter, with the option that says so; None for other names."""
    told = _QUESTIONS.get(plain(name))
    return told and told.format(name=name)


def plain(name: str) -> str:
    """A name in lower case with `_` between its words: `learningRate`, `Batch Size` and `batch-size` alike.

    Names that are compared with those of this module are plain ones.
    """
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[\s\-./:]+", "_", apart.strip()).lower().removeprefix("hp_")
