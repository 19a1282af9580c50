"""The command line: `study --help` lists the commands, each a function of the modules beside this one.

Only click is imported here. Each command imports what it needs when it runs, so that `--help` answers at once.
"""

import click

from study.cli import keeping, looking, running, starting, tables


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="contrastive-robustness")
def main() -> None:
    """Hyperparameter robustness studies of contrastive losses.

    STUDY is the name of a shipped study (see `study list studies`) or the path of a study file.
    """


_COMMANDS = (
    running.plan,
    running.run,
    running.retry,
    running.trial,
    running.verify,
    running.bench,
    looking.status,
    looking.watch,
    looking.failures,
    looking.show,
    looking.report,
    looking.compare,
    looking.claims,
    looking.cancel,
    tables.import_,
    keeping.merge,
    keeping.gc,
    keeping.bundle,
    starting.init,
    starting.extend,
    starting.list_,
    starting.data,
    starting.demo,
)
for _command in _COMMANDS:
    main.add_command(_command)
