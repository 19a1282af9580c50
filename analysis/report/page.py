"""The report's page: one self-contained HTML text with sections and figures."""

import base64
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from analysis.data_sets import DataSetsAnalysis
from analysis.model.info import StudyInfo
from analysis.names import visible
from analysis.report.explorer import MOST_BYTES, explorer_data, explorer_json
from analysis.report.plots.draw import COLUMN, DrawnFigure
from analysis.report.sections.content import Content
from analysis.report.sections.groups import grouped
from analysis.report.sections.lacking import shortened, without_results
from analysis.report.verdict import Verdict
from analysis.study_analysis import StudyAnalysis


@dataclass(frozen=True, kw_only=True)
class _Inline:
    """The style or the script of the page. Its policy permits these texts alone, by their hashes."""

    text: str

    @property
    def hash(self) -> str:
        digest = hashlib.sha256(self.text.encode()).digest()
        return f"sha256-{base64.b64encode(digest).decode()}"


def render_page(
    findings: StudyAnalysis,
    verdict: Verdict,
    sections: Mapping[str, Content],
    figures: Mapping[str, DrawnFigure],
) -> str:
    """The page as HTML text with every figure inside it, and with an explorer where there are surfaces."""
    return _render(
        _heading(findings.info),
        findings.info,
        findings.hidden,
        verdict,
        sections,
        figures,
        {"surfaces": findings},
    )


def render_environments(
    environments: DataSetsAnalysis,
    verdict: Verdict,
    sections: Mapping[str, Content],
    figures: Mapping[str, DrawnFigure],
) -> str:
    """The page of several data sets, with an explorer for each."""
    explored = {
        f"{environments.anchors[name]}_surfaces": findings for name, findings in environments.findings.items()
    }
    return _render(
        _heading(environments.info),
        environments.info,
        environments.hidden,
        verdict,
        sections,
        figures,
        explored,
    )


def render_claims(
    verdict: Verdict, sections: Mapping[str, Content], figures: Mapping[str, DrawnFigure]
) -> str:
    """The page on the claims of several studies."""
    return _render("Do the papers' claims hold?", None, (), verdict, sections, figures, {})


def _heading(info: StudyInfo) -> str:
    question = "which loss is robust to its hyperparameters?" if info.ranks_losses else "do the claims hold?"
    return f"{info.name}: {question}"


def _render(
    heading: str,
    info: StudyInfo | None,
    hidden: Collection[str],
    verdict: Verdict,
    sections: Mapping[str, Content],
    figures: Mapping[str, DrawnFigure],
    explored: Mapping[str, StudyAnalysis],
) -> str:
    """`explored` maps the anchor of a section to the analysis for the explorer in it."""
    loss = info.loss_words if info else "loss"
    short = shortened(sections, loss=loss, hidden=hidden)
    lacking = without_results(short, figures)
    picture = figures.get(f"verdict{COLUMN}")
    environment = Environment(
        loader=PackageLoader("analysis.report", "templates"),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        style=_inline("report.css", "explorer.css"),
        script=_inline("explorer.js", "report.js"),
        heading=heading,
        info=info,
        verdict=verdict,
        picture=_data_uri(picture) if picture else "",
        groups=grouped(short, lacking),
        lacking=list(lacking.values()),
        figures={name: _data_uri(figure) for name, figure in figures.items() if not name.endswith(COLUMN)},
        explorers={
            anchor: _explorer(findings, MOST_BYTES // len(explored))
            for anchor, findings in explored.items()
            if findings.surfaces
        },
    )


def _inline(*names: str) -> _Inline:
    folder = files("analysis.report") / "templates"
    return _Inline(text="\n".join((folder / name).read_text(encoding="utf-8") for name in names))


def _visible(value: object) -> object:
    """A text of the page without control characters; markup and other values unchanged."""
    return visible(value, lines=True) if type(value) is str else value


def _explorer(findings: StudyAnalysis, most: int) -> str:
    """The data of one explorer; empty where they are too large for a page."""
    data = explorer_data(
        findings.info, findings.cells, most=most, table=findings.table, command=findings.trial_command
    )
    return explorer_json(data) if data else ""


def _data_uri(figure: DrawnFigure) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(figure.svg).decode()
