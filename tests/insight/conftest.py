from tests.live.conftest import archive, broker, write_profile

__all__ = ["archive", "broker", "write_profile"]
