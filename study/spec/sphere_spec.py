"""What a study of task `sphere` says beside what every study does."""

from typing import Literal

from pydantic import Field, model_validator

from study.spec.schema import SphereSection, SphereTrainingSection
from study.spec.study_spec import StudySpec
from trainables.store.schema import SPHERE_METRICS


class SphereSpec(StudySpec):
    """Free embeddings on the unit sphere, trained by a loss without data: what it optimises for."""

    task: Literal["sphere"] = Field(description="`sphere`.")
    metric: Literal[SPHERE_METRICS] = Field(  # type: ignore[valid-type]
        default="gram_distance",
        description="Lower is better; there is no validation: it selects and reports.",
    )
    sphere: SphereSection = SphereSection()
    training: SphereTrainingSection

    @model_validator(mode="after")
    def _possible(self) -> "SphereSpec":
        if self.search.chosen.adaptive:
            raise ValueError(f"search.design: got {self.search.design}, which is for task images alone")
        if self.keep.encoders != "none" or self.keep.curve_epochs:
            raise ValueError(
                "keep: encoders and curve_epochs are for task images alone; a sphere trial has no encoder and no "
                "epochs"
            )
        if self.resources.execution != "eager":
            raise ValueError(
                f"resources.execution: got {self.resources.execution}; task sphere has eager alone"
            )
        return self
