"""Commands that read what a store holds, and stop what runs."""

import sys

import click

from study.cli.options import DATA_ROOT, JSON, STORE, guarded


@click.command()
@click.argument("study")
@STORE
@DATA_ROOT
@click.option("--watch", is_flag=True, help="Show it again and again, until nothing is missing.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="From one look to the next, under --watch.",
)
@JSON
@guarded
def status(study: str, store: str, data_root: str | None, watch: bool, every: float, as_json: bool) -> None:
    """Show how far STUDY is: trials done, failed and missing.

    And how many launches of it run now.
    """
    from study.commands.status import show_status

    show_status(study, store, data_root, as_json=as_json, watch=watch, every=every)


@click.command()
@click.argument("study")
@STORE
@DATA_ROOT
@JSON
@guarded
def failures(study: str, store: str, data_root: str | None, as_json: bool) -> None:
    """Show failed trials of STUDY by error, with one traceback each."""
    from study.commands.failures import show_failures

    show_failures(study, store, data_root, as_json=as_json)


@click.command()
@click.argument("trial_id")
@STORE
@JSON
@guarded
def show(trial_id: str, store: str, as_json: bool) -> None:
    """Show everything that the store knows of one trial.

    Its config, attempts, latest record and files, and how to run it again. TRIAL_ID may be shortened.
    """
    from study.commands.show import show_trial

    show_trial(trial_id, store, as_json=as_json)


@click.command()
@click.argument("study")
@STORE
@DATA_ROOT
@guarded
def report(study: str, store: str, data_root: str | None) -> None:
    """Write the report of what the store holds of STUDY now."""
    from study.commands.run import report_study

    report_study(study, store, data_root)


@click.command()
@click.argument("study")
@STORE
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the end.",
)
@guarded
def cancel(study: str, store: str, wait: float) -> None:
    """Stop the running launches of STUDY, as Ctrl-C does.

    On this machine, or on any other that shares the store. Finished trials are kept, and the command that was
    stopped continues when it is given again.
    """
    from study.commands.cancel import cancel_study

    sys.exit(cancel_study(study, store, wait=wait))
