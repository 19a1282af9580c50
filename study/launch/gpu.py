"""Refuses studies for a GPU on a machine whose GPU cannot be used, or lacks the precision of the trials."""

import os
import warnings

from study.errors import StudyError
from study.spec.expand import TrialSet, stand_ins
from study.spec.schema import StudySpec

#: Why torch finds no GPU, by words of its message.
_REASONS = {
    "Found no NVIDIA driver": "there is no NVIDIA driver",
    "driver version is insufficient": "its NVIDIA driver is too old for CUDA {cuda} of this torch",
    "is too old": "its NVIDIA driver is too old for CUDA {cuda} of this torch",
}


def check_gpu(wanted: str) -> None:
    """Raise `StudyError` with the reason if torch can use no GPU of this machine.

    `wanted`: the GPUs of a trial, as the study file writes them.
    """
    import torch  # seconds of start-up, paid only by studies that ask for a GPU

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the driver, in many lines
        if torch.cuda.device_count():
            return
        reason = _why_no_gpu()
    raise StudyError(f"resources.gpus_per_trial: got {wanted}, this machine has 0 usable GPUs ({reason})")


def _why_no_gpu() -> str:
    import torch

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and visible.strip() in ("", "-1"):
        return f"CUDA_VISIBLE_DEVICES is {visible.strip() or 'empty'}"
    if torch.version.cuda is None:
        return "this torch is built without CUDA"
    try:
        torch.cuda.init()
    except RuntimeError as error:
        for words, reason in _REASONS.items():
            if words in str(error):
                return reason.format(cuda=torch.version.cuda)
    return "torch sees none; `nvidia-smi` may say why"


def check_precision(spec: StudySpec, trial_set: TrialSet) -> None:
    """Raise `StudyError` if trials are to train in a precision that the GPU of this machine lacks."""
    if not spec.resources.gpus_per_trial:
        return
    import torch

    from trainables.training.precision import lacks_precision

    device = torch.device("cuda")
    trials = [*trial_set.trials, *stand_ins(spec, trial_set)]
    for precision in sorted({getattr(trial.config.task.training, "precision", "") for trial in trials}):
        if lacks_precision(precision, device):
            raise StudyError(
                f"training.precision: got {precision}, which the GPU of this machine "
                f"({torch.cuda.get_device_name()}) does not have; it needs compute capability 8.0 or higher"
            )
