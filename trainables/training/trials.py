"""From trial configs to trained models, used by trials on images.

The functions build the inputs of a pre-training, load kept encoders, and write curves and encoders to disk.
"""

import logging
import warnings
from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor

from trainables.config import ImagesTask, Provenance, TrialConfig, trial_keys
from trainables.datasets.datasets import ImageData
from trainables.early_stopping import Rungs, rung_steps
from trainables.encoders.encoders import build_model
from trainables.encoders.model import ContrastiveModel
from trainables.losses import build_loss
from trainables.provenance import code_fingerprint
from trainables.runtime import Runtime
from trainables.store.artefacts import checkpoint_folder
from trainables.streams import Stream, stream_generator
from trainables.training.checkpoint import Checkpoint, CheckpointError
from trainables.training.curves import Curves, write_curves
from trainables.training.kept import keep_model, load_kept
from trainables.training.member import Member, Monitor, PretrainFacts, Report, Score, Streams
from trainables.training.pretrain import pretraining
from trainables.turns import Turns
from trainables.views.batched import Views, build_views

_log = logging.getLogger(__name__)

Trained = list[tuple[ContrastiveModel, PretrainFacts]]

#: Fraction of an accelerator's free memory that the images of a data set may use.
_RESIDENT_SHARE = 0.5

_GIB = 2**30

#: The images on accelerators, as long as a training uses them. Trials that train at the same time share one copy.
_resident: WeakValueDictionary[Any, Tensor] = WeakValueDictionary()


def pretrain_trials(
    configs: Sequence[TrialConfig],
    data: ImageData,
    runtime: Runtime,
    monitor: Monitor,
    report: Report,
    *,
    score: Score | None = None,
    epoch_score: Score | None = None,
) -> Turns[Trained]:
    """Initialise and train the models of `configs` on the training split of `data`; several train as one stack.

    Each step is a turn. If the encoders of all `configs` were kept, they are loaded instead. `monitor` measures the
    points of the learning curves. `score` is the validation score that early stopping uses. `epoch_score` chooses the
    epoch whose weights the models end with; without it, that is the last one.
    """
    members = [build_member(config, data, runtime.device) for config in configs]
    models = [member.model for member in members]
    ids = [pretrain_id(config, data.info.fingerprint) for config in configs] if runtime.artefacts else []
    kept = _take_up(models, ids, runtime)
    if kept is not None:
        return kept
    curves = _curves(configs[0], data, runtime, monitor)
    facts = yield from pretraining(
        members,
        resident(torch_images(data.pretraining), runtime.device),
        views_of(configs[0].task, data),
        build_streams(configs, runtime.device),
        execution=runtime.execution,
        curves=curves,
        checkpoint=_checkpoint(ids, runtime),
        rungs=_rungs(configs, data, runtime, score),
        epoch_score=epoch_score,
        report=report,
    )
    trained = list(zip(models, facts, strict=True))
    _leave(trained, ids, curves, runtime)
    return trained


def pretrain_id(config: TrialConfig, data_fingerprint: str) -> str:
    """The id of the artefacts that do not depend on the probes."""
    origin = Provenance(data_fingerprint=data_fingerprint, code_fingerprint=code_fingerprint(config))
    return trial_keys(config, origin).pretrain_id


def drop_checkpoint(pretrain_ids: Sequence[str], runtime: Runtime) -> None:
    """Delete the checkpoint of trials that were trained as one stack in this order. Their records exist already."""
    if checkpoint := _checkpoint(pretrain_ids, runtime):
        checkpoint.drop()


def build_member(config: TrialConfig, data: ImageData, device: str) -> Member:
    """A member with its initialised model on `device`."""
    model = build_model(
        config.task.encoder,
        channels=data.info.channels,
        size=data.info.size,
        seed_generator=stream_generator(config.seed, Stream.INITIALISATION),
    )
    loss = build_loss(config.loss.name, **config.loss.params)
    return Member(
        model=model.to(device),
        loss=loss,
        config=config.task.training,
        seed=config.seed,
        selection=config.task.selection,
    )


def build_streams(configs: Sequence[TrialConfig], device: str) -> dict[int, Streams]:
    """New random streams for every seed of `configs`."""
    return {
        seed: Streams(
            order=stream_generator(seed, Stream.BATCH_ORDER),
            views=stream_generator(seed, Stream.VIEWS, device),
            selection_views=stream_generator(seed, Stream.SELECTION_VIEWS, device),
            own_draws=stream_generator(seed, Stream.OWN_DRAWS, device) if device.startswith("cuda") else None,
        )
        for seed in dict.fromkeys(config.seed for config in configs)
    }


def views_of(task: ImagesTask, data: ImageData) -> Views:
    """The views of a task, for images of the shape in `data`."""
    return build_views(task.views, channels=data.info.channels, size=data.info.size, form=task.views_form)


def torch_images(images: np.ndarray) -> Tensor:
    """A tensor that shares the array's memory. No code writes to it, so the memory may be mapped from a file."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(images)


def resident(images: Tensor, device: str) -> Tensor:
    """The images on `device` if they fit in half its free memory, else unchanged; then each batch is copied.

    All trainings of a process share one copy.
    """
    if not device.startswith("cuda"):
        return images
    key = device, images.data_ptr(), images.shape
    if (there := _resident.get(key)) is not None:
        return there
    free, _ = torch.cuda.mem_get_info(device)
    # The allocator hands out again what earlier trials have freed.
    free += torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    if images.nbytes >= _RESIDENT_SHARE * free:
        _log.warning(
            "the images (%.1f GiB) stay in the host's memory, because %s has %.1f GiB free; each batch is copied",
            images.nbytes / _GIB,
            device,
            free / _GIB,
        )
        return images
    copy = images.to(device)
    copy.of = images  # type: ignore[attr-defined]  # other images cannot have this address while the copy exists
    _resident[key] = copy
    return copy


def _checkpoint(pretrain_ids: Sequence[str], runtime: Runtime) -> Checkpoint | None:
    if runtime.artefacts is None:
        return None
    return Checkpoint(
        folder=checkpoint_folder(runtime.artefacts),
        pretrain_ids=tuple(pretrain_ids),
        every_seconds=runtime.checkpoint_seconds,
    )


def _curves(config: TrialConfig, data: ImageData, runtime: Runtime, monitor: Monitor) -> Curves | None:
    if runtime.curve_epochs is None or runtime.artefacts is None:
        return None
    return Curves(
        every_epochs=runtime.curve_epochs,
        images=len(data.pretraining),
        config=config.task.training,
        selection=config.task.selection,
        monitor=monitor,
    )


def _rungs(
    configs: Sequence[TrialConfig], data: ImageData, runtime: Runtime, score: Score | None
) -> Rungs | None:
    """The rungs of early stopping, or None. They need a single trial: a stack has no way to stop one member."""
    rule = runtime.early_stopping
    if rule is None or score is None or len(configs) > 1:
        return None
    steps = rung_steps(configs[0].task, len(data.pretraining), rule)
    return Rungs(rule=rule, seed=configs[0].seed, steps=steps, measure=score)


def _take_up(models: list[ContrastiveModel], ids: list[str], runtime: Runtime) -> Trained | None:
    """Load kept weights into the models if all of them were kept; None otherwise."""
    if runtime.artefacts is None:
        return None
    try:
        facts = [load_kept(model, runtime.artefacts, id_) for model, id_ in zip(models, ids, strict=True)]
    except CheckpointError as error:
        _log.warning("%s; the encoder is trained again", error)
        return None
    found = [(model, each) for model, each in zip(models, facts, strict=True) if each is not None]
    return found if len(found) == len(models) else None


def _leave(trained: Trained, ids: list[str], curves: Curves | None, runtime: Runtime) -> None:
    if runtime.artefacts is None:
        return
    if curves:
        write_curves(curves.rows, ids, runtime.artefacts)
    if runtime.keep_encoders:
        for (model, facts), id_ in zip(trained, ids, strict=True):
            if not facts.diverged and facts.stop is None:
                keep_model(model, facts, runtime.artefacts, id_)
