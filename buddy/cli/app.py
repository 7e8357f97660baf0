"""The `buddy` command: its options that hold for every command, and how it fails."""

import errno
import io
import os
import re
import sys
import traceback
import warnings
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from buddy import __version__
from buddy.errors import BuddyError, UserMistake, explain, install, is_out_of_memory

app = typer.Typer(
    name="buddy",
    help="One small language model that can tell what a person feels and answer with empathy.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

MACHINE_FAULTS = (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EDQUOT, errno.EMFILE)

USAGE_ERROR = cast(type[Exception], typer.BadParameter.__base__)
"""What typer raises for everything that it cannot make sense of; it has no public name there."""

CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
"""Line breaks, and what moves the cursor or changes colours: a sentence may quote what strangers wrote."""

LACK_OF_MEMORY = (
    "Memory ran out; end other programs or take a machine with more, and go on with --resume where the command has it."
)
"""Training says what to try (``buddy.training.run``); the other commands have no choice."""


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"buddy {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback when something fails.")] = False,
) -> None:
    """One small language model that can tell what a person feels and answer with empathy."""


def use_config_file(context: typer.Context, path: Path | None) -> Path | None:
    """Let a YAML file give the defaults of a command's options; what is typed on the command line wins."""
    if path is not None:
        context.default_map = {
            **(context.default_map or {}),
            **_read_config(path, context),
        }
    return path


@contextmanager
def warnings_told() -> Iterator[None]:
    """Print what a block warns of, each a sentence."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        print(f"Warning: {warning.message}", file=sys.stderr)


def is_given(context: typer.Context, name: str, config_too: bool = False) -> bool:
    """Say whether an option was typed, or stands in the configuration file if that counts."""
    source = context.get_parameter_source(name)
    return source is not None and source.name in (("COMMANDLINE", "DEFAULT_MAP") if config_too else ("COMMANDLINE",))


def refuse_options(
    context: typer.Context, names: Container[str | None], because: str, config_too: bool = False
) -> None:
    """Refuse options that would do nothing: one that is quietly ignored deceives.

    Args:
        context: of the command.
        names: of its parameters.
        because: what the sentence says behind the option's name.
        config_too: also those of a configuration file; its lines are for every way to call a command.

    Raises:
        UserMistake: one of them was typed.
    """
    for parameter in context.command.params:
        if parameter.name in names and is_given(context, str(parameter.name), config_too):
            is_off = context.params.get(str(parameter.name)) is False
            typed = (is_off and parameter.secondary_opts) or parameter.opts
            raise UserMistake(f"{typed[0]} {because}.")


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        callback=use_config_file,
        is_eager=True,
        help="A YAML file with any of these options (batch-size: 32); the command line wins over it.",
    ),
]


def _read_config(path: Path, context: typer.Context) -> dict[str, Any]:
    """Give the values of a file's options by the parameters' names; the file has the names that one types."""
    parameters = {
        option.lstrip("-"): parameter
        for parameter in context.command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
        if parameter.name != "config"
    }
    values: dict[str, Any] = {}
    for name, value in _read_yaml(path).items():
        option = name.replace("_", "-")
        if option not in parameters:
            raise UserMistake(f"{path} names the unknown option {name!r}; known are {', '.join(sorted(parameters))}.")
        parameter = parameters[option]
        if parameter.name in values:
            raise UserMistake(f"{path} gives {name!r} twice, in two spellings.")
        if f"--{option}" in parameter.secondary_opts:
            values[str(parameter.name)] = _turned_round(path, name, value)
        elif parameter.multiple or parameter.nargs < 0:
            values[str(parameter.name)] = _each_as_typed(path, name, value)
        else:
            values[str(parameter.name)] = _as_typed(path, name, value)
    return values


def _read_yaml(path: Path) -> dict[str, object]:
    import yaml

    try:
        settings = yaml.safe_load(path.read_text("utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UserMistake(f"{path} is not a YAML file: {_yaml_problem(error)}.") from error
    if not isinstance(settings, dict):
        raise UserMistake(f"{path} must hold 'option: value' lines.")
    return {str(name): value for name, value in settings.items()}


def _yaml_problem(error: Exception) -> str:
    """Say what is wrong and in which line; the library's own text has both, spread over several lines."""
    mark = getattr(error, "problem_mark", None)
    problem = ", ".join(filter(None, (getattr(error, "context", None), getattr(error, "problem", None))))
    problem = problem or str(error).splitlines()[0]
    return f"{problem} (line {mark.line + 1})" if mark else problem


def _as_typed(path: Path, name: str, value: object) -> str | None:
    """Give a value as one would type it, so that it is understood, or refused, as on the command line; "" is none."""
    if isinstance(value, list | dict | set | bytes):
        raise UserMistake(f"{path} gives {name!r} several values; an option takes one.")
    if isinstance(value, bool):
        return str(value).lower()
    return None if value in (None, "") else str(value)


def _turned_round(path: Path, name: str, value: object) -> str | None:
    """Give the value of ``memory`` that goes with one of ``no-memory``."""
    if value in (None, ""):
        return None
    if not isinstance(value, bool):
        raise UserMistake(f"{path} must say true or false behind {name!r}.")
    return _as_typed(path, name, not value)


def _each_as_typed(path: Path, name: str, value: object) -> list[str] | None:
    """Give what may be typed several times; one value needs no list."""
    typed = [_as_typed(path, name, one) for one in (value if isinstance(value, list) else [value])]
    return [one for one in typed if one is not None] or None


def main() -> None:
    """Run the command line; every expected failure ends in one sentence and an exit code."""
    from buddy.cli import commands  # noqa: F401  (registers the commands with `app`)

    debug = "--debug" in sys.argv
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that cannot show a label still shows the rest
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # half a letter in a text is no reason to stop reading
    try:
        _refuse_undecodable(sys.argv)
        sys.exit(app(standalone_mode=False) or 0)
    except BuddyError as error:
        _fail(str(error), error.exit_code, debug)
    except USAGE_ERROR as error:
        _fail_for_usage(error, debug)
    except (KeyboardInterrupt, typer.Abort):
        _fail("Stopped.", 130, debug)
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] == "buddy":
            raise
        _fail(f"This needs {error.name}, which is not installed: {install('train')}.", 1, debug)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, MemoryError, RuntimeError) as error:
        _fail_for_the_machine(error, debug)


def _refuse_undecodable(arguments: list[str]) -> None:
    for argument in arguments:
        if not argument.isascii() and argument.encode("utf-8", "replace").decode() != argument:
            raise UserMistake(f"The argument {argument!r} is not UTF-8; rename the file, or type it otherwise.")


def _fail_for_usage(error: Any, debug: bool) -> None:
    message: str = error.format_message()
    if message.startswith("Usage:"):  # nothing was asked, and the help is the answer
        print(message, file=sys.stderr)
        sys.exit(error.exit_code)
    command = error.ctx.command_path if error.ctx else "buddy"
    message = message.replace("Value error, ", "").rstrip(".")
    see = " See" if message.endswith("?") else "; see"
    _fail(f"{message}{see} `{command} --help`.", error.exit_code, debug)


def _fail_for_the_machine(error: Exception, debug: bool) -> None:
    """Say what the machine refused; a defect of ours is none of its."""
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{explain(error)}.", 1 if error.errno in MACHINE_FAULTS else 2, debug)
    if not is_out_of_memory(error):
        raise error
    _fail(LACK_OF_MEMORY, 1, debug)


def _fail(sentence: str, exit_code: int, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    print(f"buddy: {CONTROL_CHARACTERS.sub(' ', sentence)}", file=sys.stderr)
    sys.exit(exit_code)
