"""All sections of a report, in order."""

import dataclasses
from collections.abc import Callable, Iterable

from analysis.data_sets import DataSetsAnalysis
from analysis.model.metric import Metric
from analysis.names import visible
from analysis.report.sections.content import Content
from analysis.report.sections.data_sets.overview import overview_section
from analysis.report.sections.data_sets.studies import studies_section
from analysis.report.sections.hyperparameters.correlations import correlations_section
from analysis.report.sections.hyperparameters.hyperparameters import hyperparameters_section
from analysis.report.sections.hyperparameters.sensitivity import sensitivity_section
from analysis.report.sections.hyperparameters.stability import stability_section
from analysis.report.sections.laboratory.claims import claims_section
from analysis.report.sections.laboratory.diagnostics import diagnostics_section
from analysis.report.sections.laboratory.laboratory import optima_section, selection_section
from analysis.report.sections.space.differences import differences_section
from analysis.report.sections.space.good_space import good_space_section
from analysis.report.sections.space.places import (
    curves_section,
    places_section,
    rank_section,
    surfaces_section,
)
from analysis.report.sections.space.scores import scores_section
from analysis.report.sections.space.steps import steps_section
from analysis.report.sections.trials.beside import beside_section
from analysis.report.sections.trials.columns import columns_section
from analysis.report.sections.trials.failures import failures_section
from analysis.report.sections.trials.figure_names import data_names_section, names_section
from analysis.report.sections.trials.methods import methods_section
from analysis.report.sections.trials.provenance import environment_section, fairness_section, study_section
from analysis.report.sections.tuning.transfer import data_transfer_section, transfer_section
from analysis.report.sections.tuning.tuning import tuning_section
from analysis.study_analysis import StudyAnalysis

#: Builders by the section's anchor. A builder returns None where the study has no data for its section.
SECTIONS: dict[str, Callable[[StudyAnalysis], Content | None]] = {
    "claims": claims_section,
    "optima": optima_section,
    "selection": selection_section,
    "diagnostics": diagnostics_section,
    "scores": scores_section,
    "studies": studies_section,
    "surfaces": surfaces_section,
    "places": places_section,
    "differences": differences_section,
    "good_space": good_space_section,
    "tuning": tuning_section,
    "curves": curves_section,
    "steps": steps_section,
    "transfer": transfer_section,
    "hyperparameters": hyperparameters_section,
    "correlations": correlations_section,
    "stability": stability_section,
    "rank": rank_section,
    "failures": failures_section,
    "beside": beside_section,
    "fairness": fairness_section,
    "names": names_section,
    "methods": methods_section,
    "columns": columns_section,
    "environment": environment_section,
    "study": study_section,
}


#: Sections of a study that does not compare losses: one of claims, or one with too many arms for surfaces and scores.
_UNRANKED = ("claims", "optima", "selection", "diagnostics", "failures", "names", "environment", "study")

#: Sections on chosen configurations, which a study without validation data has not.
_CHOSEN = ("tuning", "steps", "transfer", "sensitivity")


def build_sections(findings: StudyAnalysis) -> dict[str, Content]:
    """The sections for which the analysis has data, by anchor."""
    names = _possible(SECTIONS if findings.ranks_losses else _UNRANKED, findings.info.metric)
    built = {name: SECTIONS[name](findings) for name in names}
    return {name: content for name, content in built.items() if content is not None}


def _possible(names: Iterable[str], metric: Metric) -> list[str]:
    """The names; where nothing may be chosen, without sections on chosen configurations."""
    return [name for name in names if not (metric.no_choice and name in _CHOSEN)]


#: Builders of sections that compare several data sets.
RELATING: dict[str, Callable[[DataSetsAnalysis], Content]] = {
    "overview": overview_section,
    "transfer": data_transfer_section,
    "sensitivity": sensitivity_section,
}

#: Up to this number of data sets, a report shows all sections of each; for more, those of `_SHORT`, without figures.
_FEW = 8
_SHORT = ("scores", "failures", "fairness")


def build_parts(environments: DataSetsAnalysis) -> dict[str, dict[str, Content]]:
    """The sections that compare the data sets under "", and those of each data set under its anchor."""
    metric = environments.info.metric
    parts = {"": {name: RELATING[name](environments) for name in _possible(RELATING, metric)}}
    if names := data_names_section(environments):
        parts[""]["names"] = names
    short = len(environments.findings) > _FEW
    for name, findings in environments.findings.items():
        parts[environments.anchors[name]] = _short_sections(findings) if short else build_sections(findings)
    return parts


def _short_sections(findings: StudyAnalysis) -> dict[str, Content]:
    built = {name: SECTIONS[name](findings) for name in _SHORT}
    return {name: dataclasses.replace(item, figures={}) for name, item in built.items() if item is not None}


def on_one_page(environments: DataSetsAnalysis, parts: dict[str, dict[str, Content]]) -> dict[str, Content]:
    """The sections of all parts. Titles name the data set; anchors and files start with the data set's anchor."""
    names = {anchor: name for name, anchor in environments.anchors.items()}
    return {
        f"{anchor}_{name}" if anchor else name: placed(content, anchor, names[anchor]) if anchor else content
        for anchor, sections in parts.items()
        for name, content in sections.items()
    }


def placed(content: Content, anchor: str, name: str) -> Content:
    """A section of one data set or study for a page of several: figures and files are under its anchor."""
    figures = {
        f"{anchor}/{key}": dataclasses.replace(figure, data=f"{anchor}/{figure.data}" if figure.data else "")
        for key, figure in content.figures.items()
    }
    data = {f"{anchor}/{key}": frame for key, frame in content.data.items()}
    return dataclasses.replace(content, data_set=visible(name), figures=figures, data=data)
