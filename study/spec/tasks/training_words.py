"""The encoder and the training of a study on images, in words for the report."""

from collections.abc import Collection

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


def training_words(training: TrainingSection, budget: str, swept: Collection[str] = ()) -> str:
    """The optimiser, the rates and the arithmetic of a training with this budget. `swept` are the axes."""
    return (
        f"{budget}, {_optimizer(training, swept)}, learning rate by the {training.lr_rule} rule over batch size / "
        f"{training.lr_reference_batch}, {_schedule(training)}; {training.precision}"
    )


def _optimizer(training: TrainingSection, swept: Collection[str]) -> str:
    name = _OPTIMIZERS[training.optimizer]
    momentum, decay = (
        f"swept {words}" if each in swept else f"{words} {getattr(training, each):g}"
        for each, words in (("momentum", "momentum"), ("weight_decay", "weight decay"))
    )
    if training.optimizer in ("sgd", "lars"):
        words = f"{name} with {momentum}"
    else:
        betas = f"{training.adam_beta1:g} and {training.adam_beta2:g}"
        words = f"{name} with betas {betas}, and eps {training.adam_eps:g}"
    decayed = "all parameters" if training.decayed == "all" else "the weights"
    return f"{words}, {decay} of {decayed}"


def _schedule(training: TrainingSection) -> str:
    from analysis.wording import counted  # imports pandas

    epochs = training.warmup_epochs
    length = (
        f"{100 * training.warmup_fraction:g} % of the steps" if epochs is None else counted(epochs, "epoch")
    )
    by_epoch = ", one rate in each epoch" if training.schedule_by == "epoch" else ""
    return f"warm-up over {length}, then {training.lr_schedule}{by_epoch}"
