"""A key that no trial uses is named with what it needs, as the declarations of the settings say."""

import dataclasses

import pytest

from study.errors import StudyError
from study.spec.expand import expand
from study.spec.load import load_spec
from study.spec.source import shipped_studies
from study.spec.without_effect import keys_without_effect
from tests.study.conftest import WriteStudy
from trainables.config import TASKS, ProbeConfig
from trainables.evaluation.probes import PROBES
from trainables.settings import declared_fields

_STEPS, _DRAWS = "steps = 3", "draws = 2"

_TEMPERATURE = (
    "probe.knn_temperature has no effect here, because it needs knn in probe.suite and probe.knn_weights = "
    "exponential"
)

CASES = {
    "nothing": ((), []),
    "lars with sgd": (
        ((_STEPS, "steps = 3\nlars_trust = 0.1"),),
        ["training.lars_trust has no effect here, because it needs training.optimizer = lars"],
    ),
    "lars with lars": (((_STEPS, 'steps = 3\nlars_trust = 0.1\noptimizer = "lars"'),), []),
    "numbers of Adam with sgd": (
        ((_STEPS, "steps = 3\nadam_beta1 = 0.8\nadam_eps = 1e-6"),),
        [
            "training.adam_beta1 has no effect here, because it needs training.optimizer = adam or adamw",
            "training.adam_eps has no effect here, because it needs training.optimizer = adam or adamw",
        ],
    ),
    "momentum with Adam": (
        ((_STEPS, 'steps = 3\noptimizer = "adam"\nmomentum = 0.8'), ("[8, 16]", "[8]\nlr = [0.001]")),
        ["training.momentum has no effect here, because it needs training.optimizer = sgd or lars"],
    ),
    "swept momentum with Adam": (
        ((_STEPS, 'steps = 3\noptimizer = "adam"'), ("[8, 16]", "[8]\nlr = [0.001]\nmomentum = [0.8]")),
        ["axes.momentum has no effect here, because it needs training.optimizer = sgd or lars"],
    ),
    "reference batch": (
        ((_STEPS, 'steps = 3\nlr_rule = "none"\nlr_reference_batch = 64'),),
        [
            "training.lr_reference_batch has no effect here, because it needs training.lr_rule = linear or sqrt"
        ],
    ),
    "neighbours": (
        ((_DRAWS, "knn_k = 5"),),
        ["probe.knn_k has no effect here, because it needs knn in probe.suite"],
    ),
    "neighbours of curves": (((_DRAWS, "knn_k = 5"), ("[axes]", "[keep]\ncurve_epochs = 1\n[axes]")), []),
    "temperature with equal votes": (
        ((_DRAWS, "knn_temperature = 0.2"), ('["probe10"]', '["probe10", "knn"]')),
        [_TEMPERATURE],
    ),
    "temperature with weights": (
        (
            (_DRAWS, 'knn_temperature = 0.2\nknn_weights = "exponential"'),
            ('["probe10"]', '["probe10", "knn"]'),
        ),
        [],
    ),
    "temperature with equal votes of curves": (
        ((_DRAWS, "knn_temperature = 0.2"), ("[axes]", "[keep]\ncurve_epochs = 1\n[axes]")),
        [_TEMPERATURE],
    ),
    "Adam without its probe": (
        ((_DRAWS, "adam_augment = true"),),
        ["probe.adam_augment has no effect here, because it needs probe_adam in probe.suite"],
    ),
    "decayed parameters without a decay": (
        ((_STEPS, 'steps = 3\ndecayed = "all"\nweight_decay = 0'),),
        ["training.decayed has no effect here, because it needs training.weight_decay above 0"],
    ),
    "decayed parameters with a swept decay": (
        ((_STEPS, 'steps = 3\ndecayed = "all"'), ("[8, 16]", "[8]\nweight_decay = [0.0, 0.1]")),
        [],
    ),
    "decayed parameters of lars": (
        ((_STEPS, 'steps = 3\ndecayed = "all"\nweight_decay = 0\noptimizer = "lars"'),),
        [],
    ),
    "new crops of views without crops": (
        (
            ('name = "digits"', 'name = "digits"\nviews = "none"'),
            ('["probe10"]', '["probe10", "probe_sgd", "probe_adam"]'),
            (_DRAWS, "sgd_augment = true\nadam_augment = true"),
        ),
        [
            "probe.sgd_augment has no effect here, because the views have neither crops nor flips",
            "probe.adam_augment has no effect here, because the views have neither crops nor flips",
        ],
    ),
    "new flips of views with flips": (
        (
            ('name = "digits"', 'name = "digits"\nviews = { base = "none", flip_probability = 0.5 }'),
            ('["probe10"]', '["probe10", "probe_sgd"]'),
            (_DRAWS, "sgd_augment = true"),
        ),
        [],
    ),
    "neighbours of the probe": (((_DRAWS, "knn_k = 5"), ('["probe10"]', '["probe10", "knn"]')), []),
}


@pytest.mark.parametrize("case", CASES)
def test_keys_that_no_trial_uses(case: str, write_study: WriteStudy) -> None:
    replacements, said = CASES[case]
    spec = load_spec(str(write_study(*replacements))).spec
    tasks = [trial.config.task for trial in expand(spec, None).trials]
    assert keys_without_effect(spec, tasks) == said


@pytest.mark.parametrize(
    ("replacements", "place"),
    [
        ((("[8, 16]", "[8]\nlr = [0.001]\nmomentum = [0.1, 0.9]"),), "axes.momentum"),
        (
            (
                ("[8, 16]", "[8]\nlr = { log = [0.001, 0.1] }\nmomentum = { linear = [0.1, 0.9] }"),
                ("[axes]", '[search]\ndesign = "optuna"\ntrials = 4\n[axes]'),
            ),
            "axes.momentum",
        ),
        (
            (
                (
                    "temperature = [0.1, 0.5]",
                    "points = [{ batch_size = 8, lr = 0.1, momentum = 0.1 }, { batch_size = 8, lr = 0.1 }]",
                ),
                ("t = [2.0]", "points = [{ batch_size = 8, lr = 0.1 }]"),
                ("[axes]\nbatch_size = [8, 16]", '[search]\ndesign = "list"'),
            ),
            "losses.ntxent.points",
        ),
    ],
)
def test_values_that_train_in_the_same_way_are_refused(
    replacements: tuple[tuple[str, str], ...], place: str, write_study: WriteStudy
) -> None:
    spec = load_spec(str(write_study((_STEPS, 'steps = 3\noptimizer = "adam"'), *replacements))).spec
    line = rf"^{place}: has \d values and no effect here, because it needs training.optimizer = sgd or lars$"
    with pytest.raises(StudyError, match=line):
        expand(spec, None)


def test_severity_needs_a_probe_under_corruption(write_study: WriteStudy) -> None:
    spec = load_spec(str(write_study((_DRAWS, "severity = 4")))).spec
    [line] = keys_without_effect(spec, [trial.config.task for trial in expand(spec, None).trials])
    assert line.startswith("probe.severity has no effect here, because it needs retrieval_corrupted, ")
    assert line.endswith(" in probe.suite")


def test_a_level_needs_a_defect() -> None:
    spec = load_spec("batch_independence").spec
    tasks = [trial.config.task for trial in expand(spec, None).trials]
    assert keys_without_effect(spec, tasks) == []
    none = [dataclasses.replace(task, defect="none") for task in tasks]
    [line] = keys_without_effect(spec, none)
    assert line.startswith(
        "diagnostic.defect_level has no effect here, because it needs diagnostic.defect = coll"
    )


@pytest.mark.parametrize("name", [name for name in shipped_studies() if "cifar" not in name])
def test_shipped_studies_have_no_such_key(name: str) -> None:
    spec = load_spec(name).spec
    assert keys_without_effect(spec, [trial.config.task for trial in expand(spec, None).trials]) == []


def test_what_a_setting_needs_exists() -> None:
    for task in TASKS.values():
        settings = {each.name: each.setting for each in declared_fields(task)}
        for setting in settings.values():
            for name, allowed in setting.needs.items():
                assert allowed
                assert not settings[name].choices or set(allowed) <= set(settings[name].choices)


def test_the_settings_of_probes_are_those_of_the_configuration() -> None:
    """A new one is declared by the probe that uses it; otherwise a difference in it would count as harmless."""
    used = {name for probe in PROBES.values() for name in probe.settings}
    assert used == {field.name for field in dataclasses.fields(ProbeConfig)} - {"suite"}
