"""Running the service: one process, or several that share the port and are replaced when one dies."""

import errno
import os
import socket
import sys
import tempfile
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from buddy.errors import BuddyError, EnvironmentFault, UserMistake
from buddy.serving.metrics import FOLDER_VARIABLE
from buddy.serving.service_settings import ServiceSettings, settings_from_environment

KEEP_ALIVE_SECONDS = 20


def run_service(settings: ServiceSettings, log_requests: bool) -> None:
    """Serve until told to stop; what is running then may end within the grace period.

    Args:
        settings: of the service.
        log_requests: write a line for each request, with its path and status, and never what was said.
    """
    with ExitStack() as stack:
        os.environ.update(settings.to_environment())  # for the worker processes
        if settings.workers > 1:  # one alone keeps its counts to itself
            os.environ[FOLDER_VARIABLE] = stack.enter_context(tempfile.TemporaryDirectory(prefix="buddy-metrics-"))
        uvicorn.run(
            "buddy.serving.run_service:make_app",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,  # a WEB_CONCURRENCY would count where nothing is said
            http="buddy.serving.patience:PatientProtocol",
            ws="none",
            lifespan="on",
            access_log=log_requests,
            log_config=_logging(),
            log_level="info" if log_requests else "warning",
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=settings.grace_seconds,
            server_header=False,
            proxy_headers=False,
        )


def refuse_taken_port(host: str, port: int) -> None:
    """Make sure that the service can listen where it shall.

    Raises:
        UserMistake: something else listens there, or it is no address of this machine.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
    except OSError as error:
        is_no_host = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
        reason = f"{error.strerror}; name another with {'--host' if is_no_host else '--port'}"
        raise UserMistake(f"Port {port} of {host} cannot be used: {reason}.") from error


def try_model(folder: Path, guard: bool) -> None:
    """Make sure that workers can use a model, and the guard's: one that could not would end, and be replaced for ever.

    A process of its own tries, so that the one which only watches the workers does not keep the memory for a model.

    Raises:
        BuddyError: what a worker would say.
        EnvironmentFault: the process has died.
    """
    spawn = get_context("spawn")
    outcome, telling = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_ask_once, args=(folder, guard, telling))
    process.start()
    telling.close()
    try:
        error = outcome.recv()
    except EOFError:
        raise EnvironmentFault(f"The process that tried {folder} out has died; is there memory enough?") from None
    finally:
        process.join()
    if error:
        raise error


def _ask_once(folder: Path, guard: bool, telling: Connection) -> None:
    from buddy.companion.safety import Guard
    from buddy.inference.classifier import load_classifier

    try:
        load_classifier(folder).probabilities(["Hello."])
        if guard:
            Guard().get_ready()
    except BuddyError as error:
        telling.send(error)
    except Exception as error:  # libraries raise whatever they like
        telling.send(EnvironmentFault(f"A model cannot be used: {type(error).__name__}: {error}"))
    else:
        telling.send(None)


def make_app() -> object:
    """Make the application in a worker process."""
    from buddy.serving.app import create_app

    return create_app(settings_from_environment())


def _logging() -> dict[str, object]:
    """Give uvicorn's logging with ours beside it."""
    ours = {"handlers": ["default"], "level": "INFO", "propagate": False}
    return {**LOGGING_CONFIG, "loggers": {**LOGGING_CONFIG["loggers"], "buddy.service": ours}}


def say_where(settings: ServiceSettings) -> None:
    """Tell where the service is about to listen, and what it keeps."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    kept = "Conversations are remembered where clients begin them." if settings.memory else "Nothing is remembered."
    who = f"{len(settings.keys)} keys are known." if settings.keys else "No key is needed."
    print(f"buddy is at http://{host}:{settings.port} (the API: /docs). {kept} {who}", file=sys.stderr)
