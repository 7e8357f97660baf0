"""`buddy serve`: the companion as a web service."""

import os
import signal
import threading
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from buddy.cli.app import ConfigOption, app, refuse_options
from buddy.errors import EnvironmentFault, UserMistake, install

if TYPE_CHECKING:
    from buddy.serving.service_settings import ServiceSettings

EXAMPLES = """Examples:

  buddy serve

  buddy serve --port 8000 --country GB

  BUDDY_API_KEYS=$(openssl rand -hex 24) buddy serve --host 0.0.0.0 --workers 2

  buddy serve --keys-file keys.txt --memory-url postgresql://buddy@db/buddy --forget-after 30

  buddy serve --engine ray --replicas 1-8
"""


class ServiceEngine(str, Enum):
    """Where the models are that answer."""

    local = "local"
    ray = "ray"


@app.command(epilog=EXAMPLES)
def serve(
    context: typer.Context,
    *,
    model: Annotated[
        Path | None,
        typer.Option(
            help="A companion run, a checkpoint of one, or an exported model.",
            show_default="companion, which comes with buddy",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="The address to listen at; beyond this machine keys are needed.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen at.")] = 8080,
    workers: Annotated[
        int,
        typer.Option(min=1, max=64, help="Processes, each with a model; for ray those that take requests."),
    ] = 1,
    engine: Annotated[
        ServiceEngine, typer.Option(help="local: this machine; ray: Ray Serve, with models on a cluster.")
    ] = ServiceEngine.local,
    address: Annotated[
        str | None,
        typer.Option(help="Of the Ray cluster.", show_default="RAY_ADDRESS, or a cluster on this machine"),
    ] = None,
    replicas: Annotated[
        str,
        typer.Option(metavar="N|MIN-MAX", help="Models on the Ray cluster; of two numbers as many as are needed."),
    ] = "1",
    keys_file: Annotated[
        Path | None,
        typer.Option(help="API keys, one a line.", show_default="those in BUDDY_API_KEYS, with commas between them"),
    ] = None,
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="Answer everybody, also beyond this machine.")
    ] = False,
    requests_per_minute: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="From one key, or one address without keys; 0: any number.",
            show_default="600 with keys, else 0",
        ),
    ] = None,
    country: Annotated[
        str | None,
        typer.Option(
            envvar="BUDDY_COUNTRY",
            help="Whose helplines are given in a crisis: two letters, such as GB.",
            show_default="that of the locale",
        ),
    ] = None,
    guard: Annotated[
        bool, typer.Option("--guard/--no-guard", help="Let fixed words and helplines answer in a crisis, or the model.")
    ] = True,
    candidates: Annotated[int, typer.Option(min=1, max=64, help="Of so many replies the best is given.")] = 8,
    memory_url: Annotated[
        str | None,
        typer.Option(
            envvar="BUDDY_MEMORY_URL",
            help="Remember conversations in this database: sqlite:///FILE or postgresql://…",
            show_default="nothing is remembered",
        ),
    ] = None,
    forget_after: Annotated[
        int | None,
        typer.Option(min=1, max=36_500, metavar="DAYS", help="Erase conversations that ended so long ago, every day."),
    ] = None,
    batching: Annotated[
        bool, typer.Option("--batching/--no-batching", help="Classify texts that arrive together in one pass.")
    ] = True,
    grace: Annotated[
        int, typer.Option(min=0, metavar="SECONDS", help="For what is running when the service is told to stop.")
    ] = 20,
    log_requests: Annotated[
        bool, typer.Option("--log-requests", help="Write a line for each request: its path and status, no words.")
    ] = False,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Serve an API that clients of OpenAI can use, and a page to talk with buddy.

    The page is at /, the description of the API at /docs. Messages are never logged, and nothing is remembered unless
    you name a database.
    """
    if engine == ServiceEngine.ray:
        refuse_options(context, ("log_requests",), "is for --engine local; Ray Serve has its own logs")
    else:
        refuse_options(context, ("address", "replicas"), "is about a cluster; it goes with --engine ray")
    if not memory_url:
        refuse_options(context, ("forget_after",), "is about a memory; it goes with --memory-url")
    try:
        from buddy.serving.run_service import refuse_taken_port, run_service, say_where, try_model
        from buddy.serving.service_settings import RATE_WITH_KEYS, ServiceSettings, read_keys, refuse_open_door
    except ModuleNotFoundError as error:
        raise EnvironmentFault(f"A service needs {error.name}: {install('serve')}.") from error

    from buddy.companion.buddy import GUARD_OFF, shipped_model
    from buddy.companion.helplines import country_from_locale, find_country
    from buddy.inference.folder import find_model_folder, read_facts

    keys = read_keys(os.environ, keys_file)
    settings = ServiceSettings(
        model=str(model) if model else None,
        host=host,
        port=port,
        workers=workers,
        keys=keys,
        country=find_country(country).code if country else country_from_locale(os.environ),
        guard=guard,
        candidates=candidates,
        memory=memory_url,
        forget_after_days=forget_after,
        requests_per_minute=(RATE_WITH_KEYS if keys else 0) if requests_per_minute is None else requests_per_minute,
        grace_seconds=grace,
    )
    if not batching:
        settings = replace(settings, limits=replace(settings.limits, batch=1))
    refuse_open_door(settings, without_keys)
    if not guard:
        typer.echo(f"Warning: {GUARD_OFF}", err=True)
    folder = find_model_folder(model) if model else shipped_model()
    read_facts(folder)  # before the first process starts
    if engine == ServiceEngine.ray:
        _serve_on_ray(settings, address, *_range(replicas))
        return
    if memory_url:
        from buddy.companion.memory import open_memory

        open_memory(memory_url).close()  # a mistake in it is told here, and not by a worker
    refuse_taken_port(host, port)
    if workers > 1:
        try_model(folder, guard)
    say_where(settings)
    run_service(settings, log_requests)


def _serve_on_ray(settings: "ServiceSettings", address: str | None, least: int, most: int) -> None:
    from buddy.inference.ray_cluster import NEW_CLUSTER, address_of, joined_cluster
    from buddy.serving.run_service import refuse_taken_port, say_where
    from buddy.serving.service_settings import refuse_file_memory

    refuse_file_memory(settings)
    if settings.model and Path(settings.model).is_dir():
        settings = replace(settings, model=str(Path(settings.model).absolute()))  # workers run in another folder

    if address_of(address) == NEW_CLUSTER:
        refuse_taken_port(settings.host, settings.port)

    def wait() -> None:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        say_where(settings)
        stop.wait()

    with joined_cluster(address) as ray:
        from buddy.serving.ray_service import Replicas, run_on_ray

        cores = int(ray.cluster_resources().get("CPU", 0))
        if least > cores:
            typer.echo(f"{least} models need {least} cores, and the cluster has {cores}: waiting for more.", err=True)
        run_on_ray(settings, Replicas(least, most), wait)


def _range(replicas: str) -> tuple[int, int]:
    """Read a number, or two with a dash between them.

    Example:
        >>> _range("2"), _range("1-8")
        ((2, 2), (1, 8))
    """
    least, _, most = replicas.partition("-")
    if not least.isdecimal() or not (most or least).isdecimal() or not 1 <= int(least) <= int(most or least):
        raise UserMistake(f"--replicas is a number, or two such as 1-8, not {replicas!r}.")
    return int(least), int(most or least)
