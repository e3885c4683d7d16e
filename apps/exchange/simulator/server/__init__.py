"""The exchange over HTTP and WebSocket, in one process and one thread."""

from apps.exchange.simulator.server.connection import Patience
from apps.exchange.simulator.server.private.keys import PLAY_KEYS, Key
from apps.exchange.simulator.server.process import AddressTaken, address_of, listen, running, serve

__all__ = ["PLAY_KEYS", "AddressTaken", "Key", "Patience", "address_of", "listen", "running", "serve"]
