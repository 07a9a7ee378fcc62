"""The server starts, says where it is, and stops."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from crypto_pipeline.errors import PortInUse, UsageError
from crypto_pipeline.sandbox.server import running, serve
from crypto_pipeline.sandbox.settings import SandboxSettings

REPOSITORY = Path(__file__).parents[2]


def test_a_taken_port_is_named() -> None:
    """Both ways to serve say which port it is, and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(PortInUse, match=f"port {port} on 127.0.0.1 is taken"):
            serve(SandboxSettings(), port=port)
        with pytest.raises(PortInUse), running(port=port):
            pass


def test_an_address_that_is_not_ours_is_refused() -> None:
    """It is the request that is wrong, not another program."""
    with (
        pytest.raises(UsageError, match=r"cannot listen on 192\.0\.2\.1"),
        running(host="192.0.2.1"),
    ):
        pass


def test_wrong_recordings_stop_the_start(tmp_path: Path) -> None:
    """Before a port is taken."""
    with pytest.raises(UsageError, match="no recorded candles"):
        serve(SandboxSettings(recorded=tmp_path))


def test_two_sandboxes_with_one_seed_are_the_same_market() -> None:
    """The same question gets the same bytes; another seed is another market."""
    query = "/api/v3/klines?symbol=BTCUSDT&interval=5m&startTime=1700000000000&limit=50"
    bodies = []
    for seed in (7, 7, 8):
        with running(SandboxSettings(seed=seed)) as sandbox:
            bodies.append(httpx.get(sandbox.base_url() + query).content)

    assert bodies[0] == bodies[1] != bodies[2]


def test_after_the_block_nobody_listens() -> None:
    """The port is free again."""
    with running() as sandbox:
        url = sandbox.base_url()
        assert httpx.get(f"{url}/api/v3/ping").status_code == 200

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/api/v3/ping")


def test_serving_is_quiet_and_ends_on_a_signal() -> None:
    """A demo's terminal belongs to the demo."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = (
        "from crypto_pipeline.sandbox.server import serve\n"
        "from crypto_pipeline.sandbox.settings import SandboxSettings\n"
        f"serve(SandboxSettings(), port={port})"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        url = f"http://127.0.0.1:{port}/binance/api/v3/ping"
        assert _answers(url)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=10)

    assert output == b""
    assert process.returncode == -signal.SIGTERM


def _answers(url: str) -> bool:
    """Whether the address is served within ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            return httpx.get(url).is_success
        except httpx.TransportError:
            time.sleep(0.05)
    return False
