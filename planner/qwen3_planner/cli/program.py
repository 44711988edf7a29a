"""The program: its commands, and the one place where failures become messages and exit codes."""

from __future__ import annotations

import os
import sys
import textwrap
from importlib import import_module
from typing import TYPE_CHECKING

import click

from qwen3_planner.cli.exit_codes import ExitCode
from qwen3_planner.cli.plugins import command_names, find_command, is_kubectl_plugin
from qwen3_planner.cli.writing import ReaderLeftError
from qwen3_planner.errors import SpecError, UnreachableError, nearest_first

if TYPE_CHECKING:
    from collections.abc import Sequence

DEBUG_VARIABLE = "QWEN3_DEBUG"
_MESSAGE_WIDTH = 100


COMMANDS = {
    "plan": "plan_command:plan",
    "recommend": "recommend_command:recommend",
    "compare-api": "compare_api_command:compare_api",
    "sweep": "sweep_command:sweep",
    "calibrate": "calibrate_command:calibrate",
    "upgrade-check": "upgrade_command:upgrade_check",
    "check-claims": "check_claims_command:check_claims",
    "catalog": "catalog_command:catalog",
}
"""Module and name of every command, in the order of the help."""


class Commands(click.Group):
    """Imports a command when it is asked for: a plan does not pay for the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help; what others bring comes last."""
        del ctx
        return [*COMMANDS, *command_names()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; None where there is none of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return find_command(cmd_name)
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"{__package__}.{module}"), name)
        return command


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's signature
    if wanted and not context.resilient_parsing:
        from importlib.metadata import version  # noqa: PLC0415 - costs 20 ms, needed here only

        click.echo(f"qwen3 {version('qwen3-operator')}")
        context.exit()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=True,
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
@click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    help=f"Print the traceback of a defect (also {DEBUG_VARIABLE}=1).",
)
def qwen3() -> None:
    """Plan Qwen3 models on GPUs: will it fit, on what, and if not, why not and what would?

    \b
    qwen3 plan Qwen3-32B --hardware 2xH100-SXM-80GB
    qwen3 plan Qwen/Qwen3-8B-AWQ --hardware RTX-4090 -o json
    qwen3 plan -f resource.yaml --hardware inventory.yaml
    qwen3 upgrade-check -f resource.yaml --hardware inventory.yaml --to 0.32.0
    qwen3 recommend --need coding --hardware 2xH100-SXM-80GB
    qwen3 compare-api Qwen3-32B --hardware 2xH100-SXM-80GB
    qwen3 catalog accelerators

    As kubectl qwen3, with the operator's extra, also about the cluster:

    \b
    kubectl qwen3 plan Qwen3-32B --cluster
    kubectl qwen3 status
    kubectl qwen3 why qwen3-32b
    kubectl qwen3 top
    kubectl qwen3 whatif --drain gpu-node-3

    Exit status: 0 a plan, 3 no feasible plan, 2 bad input, 4 no cluster answers, 1 a defect.
    """  # noqa: D301 - \b is click's mark for lines to keep


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status; nothing but the document goes to stdout."""
    try:
        status = qwen3.main(
            list(arguments),
            prog_name=_program_name(),
            standalone_mode=False,
            obj=tuple(arguments),  # pages show the command line that made them
        )
    except (SpecError, click.UsageError) as error:
        return _bad_input(error)
    except UnreachableError as error:
        return _fail(ExitCode.NO_CLUSTER, str(error))
    except (click.Abort, KeyboardInterrupt):
        return _fail(ExitCode.INTERRUPTED, "interrupted")
    except ReaderLeftError:
        return _leave_quietly()
    except Exception as error:  # noqa: BLE001 - whatever is left is a defect, told as one
        return _defect(error, arguments)
    return status if isinstance(status, int) else ExitCode.PLAN


def _program_name() -> str:
    return "kubectl qwen3" if is_kubectl_plugin() else "qwen3"


def _fail(code: ExitCode, message: str) -> int:
    click.echo(f"error: {message}", err=True)
    return code


def _bad_input(error: SpecError | click.UsageError) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return ExitCode.BAD_INPUT
    said = _said(error) if isinstance(error, SpecError) else _usage(error)
    return _fail(ExitCode.BAD_INPUT, said)


def _said(error: SpecError) -> str:
    """Say what is wrong, then what may stand there, nearest first."""
    message = f"{error.field}: {error.value!s}: {error.reason}"
    if not error.choices:
        return message
    choices = textwrap.fill(
        ", ".join(error.choices),
        _MESSAGE_WIDTH,
        initial_indent="  choices: ",
        subsequent_indent="           ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"{message}\n{choices}"


def _usage(error: click.UsageError) -> str:
    """Say click's own complaints in the form of ours."""
    if isinstance(error, click.NoSuchOption):
        names = [name for p in _parameters(error) for name in p.opts if name.startswith("--")]
        choices = nearest_first(error.option_name, names)[:3]
        return f"{error.option_name}: there is no such option\n  choices: {', '.join(choices)}"
    if isinstance(error, click.BadOptionUsage):
        return f"{error.option_name}: (missing): it needs a value"
    if isinstance(error, click.exceptions.NoSuchCommand):
        choices = nearest_first(error.command_name, [*COMMANDS, *command_names()])
        return f"{error.command_name}: there is no such command\n  choices: {', '.join(choices)}"
    command = error.ctx.command_path if error.ctx else "qwen3"
    return f"{error.format_message()}\n  help: {command} --help"


def _parameters(error: click.UsageError) -> list[click.Parameter]:
    return error.ctx.command.get_params(error.ctx) if error.ctx else []


def _leave_quietly() -> int:
    """Stop writing without a traceback from the interpreter's own flush at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.NO_READER


def _defect(error: Exception, arguments: Sequence[str]) -> int:
    if "--debug" in arguments or os.environ.get(DEBUG_VARIABLE, "0") not in ("", "0"):
        import traceback  # noqa: PLC0415 - only once something is broken

        traceback.print_exception(error, file=sys.stderr)
    return _fail(
        ExitCode.DEFECT,
        f"{type(error).__name__}: {error}\n"
        "  This is a defect of qwen3, not of what you typed. Please report it with this command\n"
        f"  line and what it prints with {DEBUG_VARIABLE}=1 set.",
    )
