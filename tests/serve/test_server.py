import http.client
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgpack
import numpy as np
import pytest
from networks import build
from serving import INFO, Toy, frame, serve
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from nitrogen.actions import Actions
from nitrogen.errors import ActionsError, ServeError
from nitrogen.model.inference import ModelPolicy
from nitrogen.policy import BatchPolicy, Policy
from nitrogen.serve import wire
from nitrogen.serve.client import RemoteBatchPolicy, RemotePolicy
from nitrogen.serve.server import PolicyServer, ServeConfig
from nitrogen.serve.wire import Info


def get(server, path, token=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    connection.request("GET", path, headers=headers)
    reply = connection.getresponse()
    content = json.loads(reply.read())
    connection.close()
    return reply.status, content


def test_a_remote_policy_is_a_policy():
    with serve() as server, RemotePolicy(server.url, seed=5) as policy:
        assert isinstance(policy, Policy)
        policy.reset()
        plan = policy.act(frame(255))
        rng = np.random.default_rng(5)
        np.testing.assert_allclose(plan.sticks, rng.uniform(-1, 1, (3, 4)), atol=1e-6)
        assert plan.button("left_trigger")[0] == 1.0
        second = policy.act(frame())
        policy.reset()
        np.testing.assert_array_equal(policy.act(frame()).sticks, plan.sticks)
        assert not np.array_equal(second.sticks, plan.sticks)


def test_a_remote_policy_plays_several_games_in_one_batch():
    toy = Toy()
    with serve(toy, max_wait_ms=500) as server:
        policy = RemoteBatchPolicy(server.url)
        assert isinstance(policy, BatchPolicy)
        rngs = [np.random.default_rng(seed) for seed in (1, 2, 3)]
        policy.act_batch([frame(), frame(), frame()], rngs)
        plans = policy.act_batch([frame(255), frame()], rngs[1:])  # the first game is over
        policy.close()

    assert toy.batches[-2:] == [3, 2]  # what came before is the warm-up
    for seed, plan in zip((2, 3), plans, strict=True):
        noise = np.random.default_rng(int(np.random.default_rng(seed).integers(2**31)))
        noise.uniform(-1, 1, (3, 4))
        np.testing.assert_allclose(plan.sticks, noise.uniform(-1, 1, (3, 4)), atol=1e-6)
    assert plans[0].button("left_trigger")[0] == 1.0
    assert plans[1].button("left_trigger")[0] == 0.0


def test_clients_have_their_own_state():
    with serve() as server, RemotePolicy(server.url) as one, RemotePolicy(server.url) as other:
        first = [one.act(frame()).sticks for _ in range(3)]
        again = [other.act(frame()).sticks for _ in range(3)]
        np.testing.assert_array_equal(first, again)


def test_requests_that_arrive_together_are_planned_together():
    toy = Toy(delay_s=0.02)
    with serve(toy, max_batch=4, max_wait_ms=500.0) as server:
        policies = [RemotePolicy(server.url, seed=i) for i in range(4)]
        toy.batches.clear()

        def play(policy):
            for _ in range(5):
                policy.act(frame())

        threads = [threading.Thread(target=play, args=(policy,)) for policy in policies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for policy in policies:
            policy.close()
    assert sum(toy.batches) == 20
    assert max(toy.batches) == 4
    assert len(toy.batches) < 15


def test_the_history_of_frames_is_kept_per_client():
    seen = []

    class Looker(Toy):
        def act_batch(self, frames, rngs):
            seen.extend(item.copy() for item in frames)
            return super().act_batch(frames, rngs)

    with serve(Looker(), Info(name="two", horizon=3, frames=2), max_batch=1) as server:
        seen.clear()
        with RemotePolicy(server.url) as policy:
            for level in (1, 2):
                policy.act(frame(level))
            policy.reset()
            policy.act(frame(3))
    assert [item[:, 0, 0, 0].tolist() for item in seen] == [[1, 1], [1, 2], [3, 3]]


def test_health_and_metadata():
    with serve() as server:
        assert get(server, "/health") == (200, {"status": "ready"})
        status, described = get(server, "/metadata")
        assert (status, described["horizon"]) == (200, 3)
        assert described["preprocessing_sha256"] == wire.preprocessing_hash()
        assert get(server, "/elsewhere")[0] == 404


def test_health_waits_for_the_warm_up():
    release = threading.Event()

    class Slow(Toy):
        def act_batch(self, frames, rngs):
            release.wait(10)
            return super().act_batch(frames, rngs)

    server = serve(Slow())
    starter = threading.Thread(target=server.start)
    starter.start()
    while not server.port:
        time.sleep(0.01)
    assert get(server, "/health")[0] == 503
    with pytest.raises(ServeError, match="503"):
        RemotePolicy(server.url)
    release.set()
    starter.join()
    assert get(server, "/health")[0] == 200
    server.close()


def test_a_token_is_asked_for():
    with serve(token="open sesame") as server:
        for token in (None, "wrong"):
            assert get(server, "/metadata", token)[0] == 401
            with pytest.raises(ServeError, match="401"):
                RemotePolicy(server.url, token=token)
        assert get(server, "/health")[0] == 200
        assert get(server, "/metadata", "open sesame")[0] == 200
        with RemotePolicy(server.url, token="open sesame") as policy:
            assert len(policy.act(frame())) == 3


def test_too_many_clients_are_refused():
    with (
        serve(max_clients=1) as server,
        RemotePolicy(server.url),
        pytest.raises(ServeError, match="503"),
    ):
        RemotePolicy(server.url)


def test_a_server_that_does_not_fit_is_refused():
    with serve() as server, pytest.raises(ServeError, match="horizon is 3, ours 16"):
        RemotePolicy(server.url, horizon=16)


def test_a_server_that_changed_is_refused_on_reconnecting():
    server = serve().start()
    policy = RemotePolicy(server.url)
    server.close()
    with pytest.raises(ServeError):
        policy.act(frame())
    other = PolicyServer(Toy(), Info(name="other", horizon=3), ServeConfig(port=server.port))
    with other, pytest.raises(ServeError, match="now serves"):
        policy.reset()


def test_a_restarted_server_is_found_again():
    server = serve().start()
    policy = RemotePolicy(server.url)
    first = policy.act(frame())
    server.close()
    with pytest.raises(ServeError):
        policy.act(frame())
    with pytest.raises(ServeError, match="not connected"):
        policy.act(frame())
    with PolicyServer(Toy(), INFO, ServeConfig(port=server.port)):
        policy.reset()
        np.testing.assert_array_equal(policy.act(frame()).sticks, first.sticks)
        policy.close()


def test_no_server():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(ServeError, match="nitrogen serve"):
        RemotePolicy(f"ws://127.0.0.1:{port}")
    with pytest.raises(ServeError):
        RemotePolicy("not an address")


def test_a_port_in_use_is_named():
    with serve() as server, pytest.raises(ServeError, match="another port"):
        PolicyServer(Toy(), INFO, ServeConfig(port=server.port)).start()


def test_a_slow_plan_is_a_named_error_on_both_sides():
    toy = Toy()
    with serve(toy, timeout_s=0.2) as server, RemotePolicy(server.url) as policy:
        toy.delay_s = 0.6
        with pytest.raises(ServeError, match=r"no plan within 0\.2 s"):
            policy.act(frame())
    toy = Toy()
    with serve(toy) as server:
        policy = RemotePolicy(server.url, timeout_s=0.2)
        toy.delay_s = 0.6
        with pytest.raises(ServeError, match="did not answer"):
            policy.act(frame())


def test_a_policy_error_is_told_and_survived():
    class Picky(Toy):
        def act_batch(self, frames, rngs):
            if frames[0].max() == 13:
                raise ActionsError("not this one")
            return super().act_batch(frames, rngs)

    with serve(Picky()) as server, RemotePolicy(server.url) as policy:
        with pytest.raises(ServeError, match="not this one"):
            policy.act(frame(13))
        assert len(policy.act(frame(1))) == 3


def test_a_client_that_vanishes_in_mid_request_harms_nobody():
    toy = Toy()
    with serve(toy) as server, RemotePolicy(server.url) as policy:
        toy.delay_s = 0.2
        act = wire.encode({"v": 1, "op": "act", "frame": wire.encode_array(frame())})
        for _ in range(3):
            with connect(server.url) as other:
                other.send(act)
                other.socket.shutdown(socket.SHUT_RDWR)
        assert len(policy.act(frame())) == 3
        assert get(server, "/health")[0] == 200


def test_what_was_asked_is_answered_before_closing():
    toy = Toy()
    server = serve(toy).start()
    policy = RemotePolicy(server.url)
    toy.delay_s = 0.4
    plans = []
    asking = threading.Thread(target=lambda: plans.append(policy.act(frame())))
    asking.start()
    time.sleep(0.15)
    server.close()
    asking.join()
    assert len(plans) == 1
    server.close()


def test_a_wrong_frame_is_refused_before_it_is_sent():
    with serve() as server, RemotePolicy(server.url) as policy:
        for wrong in (np.zeros((3, 3, 3), np.uint8), frame().astype(np.float32), None):
            with pytest.raises(ActionsError, match="a frame must be"):
                policy.act(wrong)


KILLED = """
import sys, time
sys.path.insert(0, {tests!r})
from serving import Toy, serve
toy = Toy()
server = serve(toy).start()
toy.delay_s = 30
print(server.port, flush=True)
time.sleep(60)
"""


def test_a_server_that_is_killed_is_a_named_error():
    code = KILLED.format(tests=str(Path(__file__).parents[1]))
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as process:
        port = int(process.stdout.readline())
        policy = RemotePolicy(f"ws://127.0.0.1:{port}", timeout_s=10)
        threading.Timer(0.3, process.kill).start()
        start = time.monotonic()
        with pytest.raises(ServeError, match="closed the connection"):
            policy.act(frame())
        assert time.monotonic() - start < 10


def test_the_light_client_needs_no_torch():
    code = (
        "import sys; import nitrogen.serve.client, nitrogen.serve.server;"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_ten_thousand_hostile_messages_leave_the_server_alive():
    """Random bytes, broken requests and valid ones in random order, on several connections."""
    rng = random.Random(0)
    act = wire.encode({"v": 1, "op": "act", "frame": wire.encode_array(frame())})
    with serve(max_wait_ms=0.0) as server:
        memory, count = [], 0
        while count < 10_000:
            with connect(server.url, compression=None) as client:
                while count < 10_000:
                    count += 1
                    try:
                        client.send(_hostile(rng, act))
                        reply = client.recv(timeout=10)
                    except ConnectionClosed:
                        break  # an oversize message ends its connection
                    assert isinstance(wire.decode(reply)["ok"], bool)
                    if count % 1_000 == 999:
                        memory.append(_resident_bytes())
        with RemotePolicy(server.url) as policy:
            assert len(policy.act(frame())) == 3
        assert get(server, "/health")[0] == 200
    assert memory[-1] - memory[2] < 20e6


def _hostile(rng, act):
    kind = rng.randrange(100)
    if kind < 30:
        return rng.randbytes(rng.randrange(200))
    if kind < 60:
        value = rng.choice([None, -1, 2.5, "x", [], {}, b"x", [[]] * 9, {"dtype": "object"}])
        keys = rng.sample(["v", "op", "frame", "seed", "x"], 3)
        message = {key: rng.choice([1, "act", "reset", value]) for key in keys}
        return msgpack.packb(message)
    if kind < 97:
        data = bytearray(act[: rng.randrange(60)] if kind < 90 else act)
        for _ in range(rng.randrange(1, 6)):
            if data:
                data[rng.randrange(min(len(data), 60))] = rng.randrange(256)
        return bytes(data)
    if kind < 98:
        return "text" * rng.randrange(9)
    return act if kind < 99 else bytes(wire.MAX_MESSAGE + rng.randrange(1, 9))


def _resident_bytes():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_a_network_plays_the_same_from_afar():
    policy = ModelPolicy(build(frames=2), seed=3)
    info = Info(name="network", horizon=policy.horizon, frames=policy.config.frames)
    with (
        PolicyServer(policy, info, ServeConfig(port=0, max_batch=2)) as server,
        RemotePolicy(server.url, seed=3, horizon=4) as remote,
    ):
        remote.reset()
        for level in (10, 200, 30):
            far, near = remote.act(frame(level)), policy.act(frame(level))
            np.testing.assert_array_equal(far.buttons, near.buttons)
            np.testing.assert_allclose(far.sticks, near.sticks, atol=1e-5)


def test_plans_join_on_to_committed_actions_from_afar():
    policy = ModelPolicy(build(), seed=3)
    info = Info(name="network", horizon=policy.horizon)
    committed = Actions.of("south", left_x=0.5, length=2)
    with (
        PolicyServer(policy, info, ServeConfig(port=0)) as server,
        RemotePolicy(server.url, seed=3) as remote,
    ):
        remote.reset()
        far, near = (
            remote.continue_plan(frame(10), committed),
            policy.continue_plan(frame(10), committed),
        )
        np.testing.assert_array_equal(far[:2].buttons, committed.buttons)
        np.testing.assert_allclose(far.sticks, near.sticks, atol=1e-5)
        with pytest.raises(ServeError, match="leave nothing to plan; a plan has 4"):
            remote.continue_plan(frame(), Actions.released(4))
        assert len(remote.act(frame())) == 4  # the connection is still good


def test_a_policy_that_cannot_continue_plans_says_so():
    with serve() as server, RemotePolicy(server.url) as policy:
        with pytest.raises(ServeError, match="toy cannot plan on"):
            policy.continue_plan(frame(), Actions.released(1))
        with connect(server.url, compression=None) as raw:
            request = {"frame": wire.encode_array(frame())}
            request["committed"] = wire.encode_actions(Actions.released(1))
            raw.send(wire.encode({"v": 1, "op": "act", **request}))
            with pytest.raises(ServeError, match="cannot plan on"):
                wire.read_reply(raw.recv(timeout=5))
