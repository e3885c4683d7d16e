"""The processes that trade, as the proofs run them: what ended starts again at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.trading import system
from benchmarks.trading.system import TradingSystem
from launch.supervisor import Service

SYMBOLS = 8


class AtOnce:
    """Starts again what ended, as the supervisor does but without its pauses."""

    def __init__(self) -> None:
        self._services: list[Service] = []

    def start(self, *services: Service) -> None:
        for service in services:
            self._services.append(service)
            service.start()

    def tend(self) -> None:
        """Servers before those who need them."""
        for service in self._services:
            if not service.is_alive():
                service.start()

    def stop(self) -> None:
        for service in reversed(self._services):
            service.stop()


@contextmanager
def run_trading_system(var: Path) -> Iterator[TradingSystem]:
    """All of it while the block runs; the exchange arms no attached stop: only `watch` protects."""
    with system.run_trading_system(var, AtOnce(), symbols=SYMBOLS) as trading:
        trading.switch(preset_on_partial="never")
        yield trading
