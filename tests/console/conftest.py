from tests.live.conftest import archive, broker, desk, write_profile

__all__ = ["archive", "broker", "desk", "write_profile"]
