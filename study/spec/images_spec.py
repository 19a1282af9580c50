"""What a study of task `images` says beside what every study does."""

from typing import Literal

from pydantic import Field, model_validator

from search_spaces.loss_params import BUDGETS
from study.spec.schema import DataSection, EncoderSection, ProbeSection, TrainingSection
from study.spec.study_spec import StudySpec
from trainables.store.schema import METRICS


class ImagesSpec(StudySpec):
    """Contrastive pre-training on images, then evaluation of the frozen encoder."""

    task: Literal["images"] = Field(default="images", description="What a trial does: `images` or `sphere`.")
    metric: Literal[METRICS] = Field(  # type: ignore[valid-type]
        default="probe10_accuracy",
        description="Validation selects, test reports; of a probe in `probe.suite`.",
    )
    data: DataSection
    encoder: EncoderSection
    training: TrainingSection
    probe: ProbeSection = ProbeSection()

    @model_validator(mode="after")
    def _measured(self) -> "ImagesSpec":
        if self.metric.removesuffix("_accuracy") not in self.probe.suite:
            raise ValueError(
                f"metric: got '{self.metric}', which probe.suite {list(self.probe.suite)} does not measure"
            )
        if self.keep.curve_points or self.keep.embeddings:
            raise ValueError("keep: curve_points and embeddings are for task sphere alone")
        if self.search.early_stopping:
            self._check_rungs(self.search.early_stopping.min_resource)
        return self

    def _check_rungs(self, first: int) -> None:
        """Rungs are shares of one budget: at a swept one, scores at a rung are of rates that fell differently far."""
        where = "search.early_stopping"
        for swept in (self.axes, *self.losses.values()):
            if budgets := [name for name in BUDGETS if name in swept]:
                raise ValueError(
                    f"{where}: needs one budget, in [training], and {budgets[0]} stands among the axes"
                )
        unit = next(name for name in BUDGETS if getattr(self.training, name) is not None)
        budget = getattr(self.training, unit)
        if first >= budget:
            raise ValueError(
                f"{where}.min_resource: got {first}, must be below the budget, training.{unit} = {budget}"
            )
