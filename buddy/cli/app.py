"""The `buddy` command: its options that hold for every command, and how it fails."""

import errno
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

from buddy import __version__
from buddy.errors import BuddyError, UserMistake

app = typer.Typer(
    name="buddy",
    help="One small language model that can tell what a person feels and answer with empathy.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

MACHINE_FAULTS = (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EDQUOT, errno.EMFILE)


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
            **_read_config(path, {str(p.name) for p in context.command.params} - {"config"}),
        }
    return path


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        callback=use_config_file,
        is_eager=True,
        help="A YAML file with any of these options (batch_size: 32); the command line wins over it.",
    ),
]


def _read_config(path: Path, known: set[str]) -> dict[str, Any]:
    import yaml

    try:
        settings = yaml.safe_load(path.read_text("utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserMistake(f"{path} is not a YAML file: {str(error).splitlines()[0]}.") from error
    if not isinstance(settings, dict):
        raise UserMistake(f"{path} must hold 'option: value' lines.")
    settings = {str(name).replace("-", "_"): value for name, value in settings.items()}
    unknown = sorted(set(settings) - known)
    if unknown:
        raise UserMistake(f"{path} names the unknown option {unknown[0]!r}; known are {', '.join(sorted(known))}.")
    return settings


def main() -> None:
    """Run the command line; every expected failure ends in one sentence and an exit code."""
    from buddy.cli import commands  # noqa: F401  (registers the commands with `app`)

    debug = "--debug" in sys.argv
    try:
        app()
    except BuddyError as error:
        _fail(str(error), error.exit_code, debug)
    except KeyboardInterrupt:
        _fail("Stopped.", 130, debug)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        _fail(_explain(error), 1 if error.errno in MACHINE_FAULTS else 2, debug)


def _explain(error: OSError) -> str:
    where = f": {error.filename}" if error.filename else ""
    return f"{error.strerror or error}{where}."


def _fail(sentence: str, exit_code: int, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    print(f"buddy: {sentence}", file=sys.stderr)
    sys.exit(exit_code)
