"""The encoder and the training of a study on images, in words for the report."""

from study.spec.schema import EncoderSection, TrainingSection

_OPTIMIZERS = {"sgd": "SGD", "lars": "LARS", "adam": "Adam", "adamw": "AdamW"}


def encoder_words(encoder: EncoderSection) -> str:
    """The network and its projection head, such as "small_conv, projection to 128 dimensions"."""
    words = f"{encoder.name}, projection to {encoder.projection_dim} dimensions"
    if encoder.head_hidden == ():
        words += " by a linear layer"
    elif encoder.head_hidden is not None:
        words += f" over hidden layers of {', '.join(map(str, encoder.head_hidden))}"
    if encoder.head_hidden != () and not encoder.head_hidden_batch_norm:
        words += " without batch norm"
    return words


def training_words(training: TrainingSection, budget: str) -> str:
    """The optimiser, the rates and the arithmetic of a training with this budget."""
    return (
        f"{budget}, {_optimizer(training)}, learning rate by the {training.lr_rule} rule over batch size / "
        f"{training.lr_reference_batch}, {_schedule(training)}; {training.precision}"
    )


def _optimizer(training: TrainingSection) -> str:
    name = _OPTIMIZERS[training.optimizer]
    if training.optimizer in ("sgd", "lars"):
        words = f"{name} with momentum {training.momentum:g}"
    else:
        words = f"{name} with betas {training.adam_beta1:g} and {training.adam_beta2:g}"
    return f"{words}, weight decay of all parameters" if training.decayed == "all" else words


def _schedule(training: TrainingSection) -> str:
    unit = "steps" if training.schedule_by == "step" else "epochs"
    if training.warmup_epochs is None:
        warmup = f"warm-up over {100 * training.warmup_fraction:g} % of the {unit}, then"
    else:
        warmup = f"warm-up over {training.warmup_epochs} epochs, then"
    by_epoch = ", one rate in each epoch" if training.schedule_by == "epoch" else ""
    return f"{warmup} {training.lr_schedule}{by_epoch}"
