"""A kernel of Jupyter, in which cells are run as a notebook runs them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

LIMIT = 120.0


@dataclass
class Output:
    """What a cell has sent.

    Attributes
    ----------
    shown, updates : list of dict
        The bundles that were displayed, and those that replaced one of them.
    printed : str
        What was written to the two streams.
    traceback : list of str
        What is shown of an error; empty if there was none.
    buttons : dict of str to str
        The buttons that were made, by their labels.
    """

    shown: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    printed: str = ""
    traceback: list[str] = field(default_factory=list)
    buttons: dict[str, str] = field(default_factory=dict)

    @property
    def newest(self) -> str:
        """The HTML that is displayed now."""
        return str([{}, *self.shown, *self.updates][-1].get("text/html", ""))


class Kernel:
    """A kernel that runs cells."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self._manager, self._client = manager, client

    def run(self, code: str, interrupt_when: Callable[[Output], bool] | None = None) -> Output:
        """Run a cell to its end; interrupt it once when `interrupt_when` is true."""
        wanted, output = self._client.execute(code), Output()
        asked, deadline = interrupt_when is None, time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            message = self._client.get_iopub_msg(timeout=LIMIT)
            content, kind = message["content"], message["msg_type"]
            if kind == "update_display_data":
                output.updates.append(content["data"])
            elif message["parent_header"].get("msg_id") != wanted:
                continue
            elif kind == "comm_open" and content["data"]["state"]["_model_name"] == "ButtonModel":
                output.buttons[content["data"]["state"]["description"]] = content["comm_id"]
            elif kind in ("display_data", "execute_result"):
                output.shown.append(content["data"])
            elif kind == "stream":
                output.printed += content["text"]
            elif kind == "error":
                output.traceback = content["traceback"]
            elif kind == "status" and content["execution_state"] == "idle":
                return output
            if not asked and interrupt_when is not None and interrupt_when(output):
                asked = True
                self._manager.interrupt_kernel()
        raise TimeoutError(f"the cell did not end: {code}")

    def click(self, button: str) -> None:
        """Press a button, as a frontend does."""
        pressed = {"method": "custom", "content": {"event": "click"}}
        content = {"comm_id": button, "data": pressed}
        self._client.shell_channel.send(self._client.session.msg("comm_msg", content))


@pytest.fixture(scope="session")
def kernel() -> Iterator[Kernel]:
    """Return a kernel that has imported what the tests use."""
    manager = KernelManager()
    manager.start_kernel()
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=LIMIT)
        found = Kernel(manager, client)
        found.run(SETUP)
        yield found
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


SETUP = """
import time
import numpy as np
from rheojobs import Dataset, InputError, JobEngine
from rheojobs.notebook import fit, progress, sample, watch

t = np.logspace(-1, 1, 40)
data = Dataset(t, 1e5 * np.exp(-t / 2), "relaxation")
engine = JobEngine("threads", max_workers=2)


def slowly(context, steps, pause=0.02):
    for step in range(1, steps + 1):
        context.check()
        context.progress(step, steps, f"step {step} <of> {steps}", stage="work", loss=1.0 / step)
        context.partial(step)
        time.sleep(pause)
    return steps
"""
