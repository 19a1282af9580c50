"""The state of trials in training. `pretrain` advances it step by step, saves it and restores it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trainables.copies import copy_ahead
from trainables.selection.kinds import LOOKING_METHODS
from trainables.selection.methods import build_selection
from trainables.selection.rounds import check_image_selection, resolve_round, step_count
from trainables.training.batches import BatchOrder
from trainables.training.execution import prepare_network, prepare_step, views_function
from trainables.training.member import Member, PretrainFacts, Streams
from trainables.training.optimizer import StackedOptimizer
from trainables.training.own_draws import default_generator
from trainables.training.precision import network_autocast
from trainables.training.schedule import scheduled_factor
from trainables.training.selected_batches import CandidateEmbeddings, SelectedBatches
from trainables.training.stacked_model import stack_models, unstack_model
from trainables.training.step import TrainingStep, group_losses
from trainables.training.twin import twin_on
from trainables.trial_clock import trial_seconds
from trainables.views.batched import Views


class Trainer:
    """A pre-training that can be advanced step by step, saved and restored."""

    def __init__(
        self,
        members: Sequence[Member],
        images: Tensor,
        views: Views,
        streams: Mapping[int, Streams],
        device: torch.device,
        execution: str,
    ) -> None:
        config = members[0].config
        seeds = _seeds_of(members)
        self.members, self.done, self.seconds = members, 0, 0.0
        self.total = step_count(config, members[0].selection, len(images))
        self.losses = torch.zeros(len(members), self.total, device=device)
        self._images, self._batch_size, self._started = images, config.batch_size, trial_seconds()
        self._generators = [streams[seed].views for seed in seeds]
        self._selection_generators = [streams[seed].selection_views for seed in seeds]
        self._factors = torch.tensor(
            [scheduled_factor(config, step, self.total, len(images)) for step in range(self.total)]
        ).to(device)
        self._network = network_of(members)
        self._orders = [self._order(streams[seed], views, device) for seed in seeds]
        step = build_step(members, self._network, views, streams, device, execution)
        self._optimizer = step.optimizer
        self._step = prepare_step(step, device, execution)

    def _order(self, streams: Streams, views: Views, device: torch.device) -> BatchOrder | SelectedBatches:
        """The sequence of batches for one seed. Members with the same seed share it."""
        member, images = self.members[0], self._images
        if member.selection.method == "shuffle":
            return BatchOrder(len(images), self._batch_size, streams.order, images.device)
        check_image_selection(member.selection, len(images), self._batch_size)
        if member.selection.method in LOOKING_METHODS and len(self.members) > 1:
            raise ValueError(
                f"selection {member.selection.method}: got {len(self.members)} trials in one stack, must be one trial"
            )
        embed = CandidateEmbeddings(
            network=self._network,
            images=images,
            views=views,
            generator=streams.selection_views,
            device=device,
            autocast=network_autocast(member.config.precision, device),
        )
        return SelectedBatches(
            build_selection(member.selection, len(images), self._batch_size, member.loss),
            streams.order,
            embed,
            refresh=resolve_round(member.selection, len(images), self._batch_size).refresh,
            device=images.device,
        )

    @property
    def device(self) -> torch.device:
        return self.losses.device

    def advance(self) -> None:
        """Perform one optimiser step for every member."""
        self.losses[:, self.done] = self._step(self.next_images(), self._factors[self.done])
        self.done += 1

    def next_images(self) -> Tensor:
        """The next batch for every seed, uint8 `(U, M, C, H, W)`."""
        rows = torch.stack([order.next() for order in self._orders])
        return copy_ahead(self._images[rows], self.device)

    def state(self) -> dict[str, Any]:
        """All state that the next steps depend on."""
        return {
            "network": self._network.state_dict(),
            "momenta": self._optimizer.state(),  # of every kind; earlier checkpoints have this name
            "orders": [order.state() for order in self._orders],
            "views": [generator.get_state() for generator in self._generators],
            "selection_views": [generator.get_state() for generator in self._selection_generators],
            "losses": self.losses[:, : self.done],
            "seconds": self.seconds_so_far(),
            **self._own_draws(),
        }

    def _own_draws(self) -> dict[str, Any]:
        """The state of the default generator on CUDA, which is the trial's own during its training."""
        return {"own_draws": default_generator(self.device).get_state()} if self.device.type == "cuda" else {}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a saved `state`."""
        self._network.load_state_dict(state["network"])
        self._optimizer.restore(state["momenta"])
        for order, saved in zip(self._orders, state["orders"], strict=True):
            order.restore(saved)
        for generator, saved in zip(self._generators, state["views"], strict=True):
            generator.set_state(saved)
        for generator, saved in zip(self._selection_generators, state["selection_views"], strict=True):
            generator.set_state(saved)
        if self.device.type == "cuda":
            default_generator(self.device).set_state(state["own_draws"])
        self.done = state["losses"].shape[1]
        self.losses[:, : self.done] = state["losses"]
        self.seconds, self._started = state["seconds"], trial_seconds()

    def seconds_so_far(self) -> float:
        """Seconds of all members together, including the time before an interruption."""
        return self.seconds + trial_seconds() - self._started

    def bring_models_up_to_date(self) -> None:
        """Copy the stacked weights to every member's model. A single member is trained in place."""
        if len(self.members) > 1:
            unstack_model(self._network, [member.model for member in self.members])

    def finish(self) -> None:
        """Copy the trained weights to the members' models and stop the clock."""
        self.bring_models_up_to_date()
        self.seconds = self.seconds_so_far()

    def facts(self, member: int) -> PretrainFacts:
        """The results of one member's training."""
        losses = self.losses[member, : self.done].double().cpu().numpy()
        finite = int(np.argmin(np.isfinite(losses))) if not np.isfinite(losses).all() else len(losses)
        tail = losses[:finite][-max(1, self.total // 10) :]
        return PretrainFacts(
            train_loss_first=float(losses[0]) if finite else None,
            train_loss_last=float(np.mean(tail)) if finite else None,
            steps_planned=self.total,
            steps_done=finite,
            samples_seen=finite * self._batch_size,
            samples_selection=self._orders[0].samples,
            seconds_pretrain=self.seconds / len(self.members),
            seconds_selection=self._orders[0].seconds,
            diverged=finite < self.done,
        )


def network_of(members: Sequence[Member]) -> nn.Module:
    """The network that trains: the model of a single member, or the stack of the models. It is in training mode."""
    models = [member.model.train() for member in members]
    return models[0] if len(models) == 1 else stack_models(models).train()


def build_step(
    members: Sequence[Member],
    network: nn.Module,
    views: Views,
    streams: Mapping[int, Streams],
    device: torch.device,
    execution: str,
    *,
    wrap: Callable[[nn.Module], nn.Module] = lambda network: network,
    optimizer: Callable[..., StackedOptimizer] = StackedOptimizer,
) -> TrainingStep:
    """The step that trains `network`, before `prepare_step`.

    The bench measures its stages: `wrap` changes the network that the step calls, and `optimizer` gets the arguments
    of `StackedOptimizer`. Raises `ValueError` for an unknown execution mode.
    """
    configs, seeds = [member.config for member in members], _seeds_of(members)
    twin = twin_on(device, network, configs[0].precision)
    return TrainingStep(
        network=wrap(prepare_network(twin.network, execution)),
        losses=group_losses([member.loss for member in members], device),
        optimizer=optimizer(network.parameters(), configs, twin.copies),
        views=views,
        generators=[streams[seed].views for seed in seeds],
        seed_of=torch.tensor([seeds.index(member.seed) for member in members], device=device),
        autocast=network_autocast(configs[0].precision, device),
        input_dtype=twin.input_dtype,
        make_views=views_function(views, execution, device),
    )


def _seeds_of(members: Sequence[Member]) -> list[int]:
    return list(dict.fromkeys(member.seed for member in members))
