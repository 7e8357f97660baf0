"""The service on Ray Serve: the same answers, and none is lost when a companion dies or is replaced."""

import asyncio
import contextlib
import os
import signal
import socket
import threading
import time
from collections import Counter
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import openai
import pytest
import yaml
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from ray import serve
from ray.exceptions import ActorDiedError
from ray.serve.exceptions import BackPressureError

from buddy.errors import EnvironmentFault, UserMistake
from buddy.inference.ray_cluster import joined_cluster
from buddy.serving import ray_service
from buddy.serving.gate import Gate
from buddy.serving.ray_service import Companion, Door, Replicas, application, make_application, run_on_ray
from buddy.serving.service_settings import Limits, ServiceSettings
from tests.serving.servers import Served, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def open_service():
    """The same service as that of the other tests, with two companions on a cluster of its own."""
    port = free_port()
    with joined_cluster(None):
        serve.start(http_options={"host": "127.0.0.1", "port": port}, logging_config={"log_level": "ERROR"})
        deploy("US")
        yield Served(f"http://127.0.0.1:{port}", None)
        serve.shutdown()


def deploy(country):
    serve.run(make_application(ServiceSettings(country=country), Replicas(2, 2)), name="buddy", route_prefix="/")


def companions():
    """Name the processes that answer."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cmdline").read_bytes().startswith(b"ray::ServeReplica:buddy:Companion"):
                found.append(int(process.name))
    return found


def both_run():
    """Tell whether two companions are there and ready; it takes the cluster a while to see that one is dead."""
    states = serve.status().applications["buddy"].deployments["Companion"].replica_states
    return len(companions()) == 2 and sum(count for state, count in states.items() if state == "RUNNING") == 2


class Clients(threading.Thread):
    """Clients that ask, one request after the other, until told to stop."""

    def __init__(self, url, ask, clients=4):
        super().__init__()
        self.statuses: Counter[object] = Counter()
        self._url, self._ask, self._stop_asking = url, ask, threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop_asking.set()
        for thread in self._threads:
            thread.join(60)

    def wait_for(self, answers):
        deadline = time.monotonic() + 60
        while self.statuses.total() < answers:
            assert time.monotonic() < deadline, self.statuses
            time.sleep(0.02)

    def _run(self):
        with httpx.Client(base_url=self._url, timeout=60) as client:
            while not self._stop_asking.is_set():
                self.statuses[self._outcome(client)] += 1

    def _outcome(self, client):
        try:
            return self._ask(client)
        except httpx.TransportError as error:
            return type(error).__name__


def ask_for_emotion(client):
    answer = client.post("/v1/emotions", json={"input": "I lost my cat."})
    return answer.status_code if answer.status_code != 200 else answer.json()["data"][0]["label"]


def ask_for_reply(client):
    asked = {"model": "buddy", "messages": [{"role": "user", "content": "I lost my cat."}]}
    return client.post("/v1/chat/completions", json=asked).status_code


class TestAnswers:
    def test_of_openais_client_as_a_whole_and_in_pieces(self, client):
        asked = {"model": "buddy", "messages": [{"role": "user", "content": "I lost my cat."}], "seed": 5}
        whole = client.chat.completions.create(**asked)
        pieces = list(client.chat.completions.create(**asked, stream=True))
        assert len(pieces) > 3
        assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == whole.choices[0].message.content

    def test_of_a_crisis_are_the_fixed_words(self, client):
        asked = [{"role": "user", "content": "I want to kill myself."}]
        answer = client.chat.completions.create(model="buddy", messages=asked)
        assert "988" in answer.choices[0].message.content

    def test_that_refuse_have_the_same_form(self, client, web):
        with pytest.raises(openai.NotFoundError, match="There is no such model"):
            client.chat.completions.create(model="other", messages=[{"role": "user", "content": "Hi"}])
        assert web.post("/v1/emotions", json={"input": ["x"] * 2000}).status_code == 422
        assert web.post("/v1/emotions", content=b"x" * 3_000_000).status_code == 413
        assert web.get("/", headers={"Host": "other.example"}).status_code == 421

    def test_with_the_page(self, web):
        page = web.get("/")
        assert "buddy" in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(("ask", "more"), [(ask_for_emotion, 60), (ask_for_reply, 30)])
def test_a_companion_that_is_killed_under_load_costs_no_answer_and_is_replaced(open_service, ask, more):
    with Clients(open_service.url, ask) as clients:
        clients.wait_for(20)
        killed = companions()[0]
        os.kill(killed, signal.SIGKILL)
        clients.wait_for(clients.statuses.total() + more)
    assert set(clients.statuses) == ({"devastated"} if ask is ask_for_emotion else {200})
    deadline = time.monotonic() + 60
    while not both_run():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_rolling_update_costs_no_answer(open_service):
    with Clients(open_service.url, ask_for_emotion) as clients:
        clients.wait_for(20)
        before = set(companions())
        deploy("GB")
        clients.wait_for(clients.statuses.total() + 20)
    assert set(clients.statuses) == {"devastated"}
    assert not before & set(companions())
    assert httpx.get(f"{open_service.url}/page/settings.json").json()["country"] == "GB"


def test_what_doors_and_companions_count_is_among_the_metrics_of_the_nodes(open_service):
    import ray

    assert httpx.get(f"{open_service.url}/v1/nothing").status_code == 404
    asked = "/v1/emotions"
    assert httpx.post(f"{open_service.url}{asked}", json={"input": "I won."}).status_code == 200
    (node,) = ray.nodes()
    exported = f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics"
    deadline = time.monotonic() + 60
    while not {("Door", asked), ("Door", "other"), ("Companion", None)} <= counted(httpx.get(exported).text):
        assert time.monotonic() < deadline
        time.sleep(1)


def counted(text):
    """Tell which deployments have counted something, and of which route."""
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    return {
        (one.labels["deployment"], one.labels.get("route"))
        for one in samples
        if one.name in ("ray_buddy_requests_total", "ray_buddy_batch_texts_count") and one.value >= 1
    }


def test_a_door_counts_a_request_under_the_route_that_its_companion_found():
    api = FastAPI()
    api.add_api_route("/talks/{name}", lambda name: name)
    answer = partial(Companion.answer, cast(Any, SimpleNamespace(_api=api)))
    handle: Any = SimpleNamespace(options=lambda **_: SimpleNamespace(remote=answer))
    door = Door(ServiceSettings(), handle)
    gate = Gate(door._pass_on, door._settings, door._metrics)

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://localhost") as client:
            return [(await client.get(path)).status_code for path in ("/talks/7", "/nothing")]

    assert asyncio.run(ask()) == [200, 404]
    (family,) = door._metrics.requests.collect()
    found = {one.labels["route"] for one in family.samples if one.name.endswith("_total")}
    assert found == {"/talks/{name}", "other"}


def test_where_others_serve_already_it_does_not_join_them(open_service):
    with pytest.raises(UserMistake, match="runs on this cluster already"):
        run_on_ray(ServiceSettings(), Replicas(), lambda: None)
    assert httpx.get(f"{open_service.url}/ready").status_code == 200


DIED = """The deployment failed to start 3 times in a row. See controller logs for details. Error:
ray::ServeReplica:buddy:Companion.initialize_and_get_metadata()
RuntimeError: Traceback (most recent call last):
buddy.errors.UserMistake: There is no model here.
"""


class TestWhatDoesNotStart:
    @pytest.fixture(autouse=True)
    def cluster(self, monkeypatch):
        """One whose Ray Serve does what a test lets it do, and notes that it was ended."""
        made = SimpleNamespace(deployments={}, is_running=False)
        status = SimpleNamespace(applications={"buddy": made})

        def start(**_):
            made.is_running = True

        monkeypatch.setattr(ray_service, "_is_serving", lambda: False)
        monkeypatch.setattr(serve, "start", start)
        monkeypatch.setattr(serve, "status", lambda: status)
        monkeypatch.setattr(serve, "shutdown", lambda: setattr(made, "is_running", False))
        return made

    def test_a_companion_says_why(self, cluster, monkeypatch):
        cluster.deployments = {"Door": SimpleNamespace(message=""), "Companion": SimpleNamespace(message=DIED)}
        monkeypatch.setattr(serve, "run", raising(RuntimeError("Deploying application buddy failed.")))
        with pytest.raises(EnvironmentFault, match=r"on the cluster: buddy.errors.UserMistake: There is no model here"):
            run_on_ray(ServiceSettings(), Replicas(), lambda: None)
        assert not cluster.is_running

    def test_a_proxy_without_a_port_says_so(self, cluster, monkeypatch):
        def start(**_):
            cluster.is_running = True  # the controller of Ray Serve
            raise RuntimeError("ray::ProxyActor.ready()\nRuntimeError: Failed to bind to address 'localhost:1'.")

        monkeypatch.setattr(serve, "start", start)
        with pytest.raises(EnvironmentFault, match=r"cluster: RuntimeError: Failed to bind to address"):
            run_on_ray(ServiceSettings(), Replicas(), lambda: None)
        assert not cluster.is_running

    def test_a_memory_is_tried_before(self, monkeypatch):
        monkeypatch.setattr(serve, "start", raising(AssertionError()))
        with pytest.raises(UserMistake, match="no URL of a database"):
            run_on_ray(ServiceSettings(memory="foo"), Replicas(), lambda: None)

    def test_a_taken_port_is_told_before_a_cluster_starts(self, buddy, monkeypatch):
        monkeypatch.delenv("RAY_ADDRESS", raising=False)
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            code, _, error = buddy("serve", "--engine", "ray", "--port", other.getsockname()[1])
        assert code == 2
        assert "name another with --port" in error


def raising(error):
    def fail(*_, **__):
        raise error

    return fail


@pytest.mark.parametrize("error", [BackPressureError(1, 1), ActorDiedError()])
def test_who_is_sent_away_gets_the_emergency_number(error):
    class Handle:
        def options(self, **_):
            return self

        async def remote(self, *_):
            pieces: list[bytes] = []  # a stream that ends before it gives anything
            for piece in pieces:
                yield piece
            raise error

    door = Door(ServiceSettings(country="GB"), cast(Any, Handle()))
    answer = asyncio.run(door._ask({"method": "POST", "path": "/v1/chat/completions"}, b"", cast(Any, None)))
    assert answer is not None
    assert answer.status_code == 503
    assert b"If a life is in danger, call 999" in answer.body
    assert answer.headers["retry-after"]


def test_a_configuration_file_needs_keys_unless_it_says_that_everybody_may_ask(monkeypatch):
    monkeypatch.delenv("BUDDY_API_KEYS", raising=False)
    with pytest.raises(UserMistake, match="can be reached from other machines"):
        application({"country": "GB"})
    assert application({"country": "GB", "without_keys": True, "replicas": {"least": 1, "most": 4}})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"cuontry": "GB"}, "ServiceSettings has no field 'cuontry'; it has model, host"),
        ({"country": "XX"}, "XX"),
        ({"candidates": "many"}, "candidates cannot be 'many'"),
        ({"limits": {"batch": "many"}}, "batch cannot be 'many'"),
        ({"limits": {"batches": 1}}, "Limits has no field 'batches'"),
        ({"replicas": 4}, "Replicas cannot be 4"),
        ({"memory": "sqlite:///talks.db"}, "a database that all nodes reach"),
        ({"port": 8000}, "port is no argument of buddy here; it stands in http_options"),
    ],
)
def test_a_configuration_file_with_a_mistake_is_told_which(arguments, said):
    with pytest.raises(UserMistake, match=said):
        application({"without_keys": True, **arguments})


def test_a_configuration_file_has_the_defaults_of_the_command(monkeypatch):
    monkeypatch.setenv("BUDDY_API_KEYS", "a-key-that-is-long-enough")
    ingress = application({"country": "gb", "limits": {"batch": 8}})
    settings = ingress._bound_deployment.init_args[0]
    assert (settings.country, settings.requests_per_minute) == ("GB", 600)
    assert settings.limits == Limits(batch=8)


def test_the_configuration_file_is_one_of_ray_serve_and_of_ours(monkeypatch):
    from ray.serve.schema import ServeDeploySchema

    file = Path(__file__).parents[2] / "deploy" / "ray-serve.yaml"
    (ours,) = ServeDeploySchema.model_validate(yaml.safe_load(file.read_text())).applications
    monkeypatch.setenv("BUDDY_API_KEYS", "a-key-that-is-long-enough")
    assert ours.import_path == "buddy.serving.ray_service:application"
    assert application(ours.args)
