"""A process that computes on one device, both ends."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from side_by_side.child import Child, ChildError, Mouth, serve

__all__ = ["Device", "absent", "devices", "names_of"]


def names_of(settings: Mapping[str, Any]) -> list[str]:
    """Return the names of the devices that are compared."""
    return [name.strip() for name in settings["devices"].split(",")]


def absent(settings: Mapping[str, Any]) -> str:
    """Return in one line which device is missing; nothing if all are there."""
    for name in names_of(settings):
        with Device.process(name) as device:
            try:
                device("gpu_study.device:kind")
            except ChildError as error:
                return str(error).partition(": ")[2]
    return ""


class Device:
    """A process that has one device, until its child is closed.

    Parameters
    ----------
    child : Child
        The process.
    """

    def __init__(self, child: Child) -> None:
        self._child = child

    @staticmethod
    @contextmanager
    def process(name: str) -> Iterator[Device]:
        """Start the process of a device, and end it."""
        with Child("gpu_study.device", {"RHEOJOBS_DEVICE": name}) as child:
            yield Device(child)

    def __call__(self, function: str, **arguments: Any) -> dict[str, Any]:
        """Call ``"module:name"`` there with arguments that JSON can hold; it returns a dict."""
        self._child.ask({"function": function, "arguments": arguments})
        found: dict[str, Any] = self._child.hear(timeout=7200)[1]["found"]
        return found


@contextmanager
def devices(settings: Mapping[str, Any], say: Callable[[str], None]) -> Iterator[dict[str, Device]]:
    """Start a process for each device, and say what each is."""
    with ExitStack() as stack:
        found = {name: stack.enter_context(Device.process(name)) for name in names_of(settings)}
        for name, device in found.items():
            say(f"{name}: {device('gpu_study.device:kind')['kind']}")
        yield found


def kind() -> dict[str, Any]:
    """Return what the device of this process is."""
    from rheojobs.inference.programs.devices import default_device
    from rheojobs.inference.programs.jax_setup import configure_jax

    configure_jax()
    return {"kind": default_device().device_kind}


def _call(request: Mapping[str, Any], mouth: Mouth) -> None:
    module, _, name = request["function"].partition(":")
    mouth.say(
        "result", found=getattr(importlib.import_module(module), name)(**request["arguments"])
    )


if __name__ == "__main__":
    serve(_call)
