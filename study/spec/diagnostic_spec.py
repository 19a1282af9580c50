"""What a study of task `diagnostic` says beside what every study does."""

from itertools import chain
from typing import Literal

from pydantic import Field, model_validator

from study.spec.schema import DiagnosticSection, Section
from study.spec.study_spec import StudySpec
from trainables.store.schema import DIAGNOSTIC_METRICS


class DiagnosticSpec(StudySpec):
    """Measures of losses on fixed pairs of points on the unit sphere; nothing is trained."""

    task: Literal["diagnostic"] = Field(description="`diagnostic`.")
    metric: Literal[tuple(chain.from_iterable(DIAGNOSTIC_METRICS.values()))] = Field(  # type: ignore[valid-type]
        description="Lower is better; of what `diagnostic.measure` gives."
    )
    training: Section = Section()
    diagnostic: DiagnosticSection

    @model_validator(mode="after")
    def _possible(self) -> "DiagnosticSpec":
        measure = self.diagnostic.measure
        if self.metric not in DIAGNOSTIC_METRICS[measure]:
            allowed = ", ".join(DIAGNOSTIC_METRICS[measure])
            raise ValueError(f"metric: got '{self.metric}'; measure {measure} gives {allowed}")
        if self.search.chosen.adaptive:
            raise ValueError(f"search.design: got {self.search.design}, which is for task images alone")
        if "selection" in self.model_fields_set or "keep" in self.model_fields_set:
            raise ValueError("selection and keep are for tasks that train; task diagnostic trains nothing")
        if self.resources.gpus_per_trial or self.resources.execution != "eager":
            raise ValueError("resources: task diagnostic runs on the CPU, eager")
        return self
