"""`python -m tests.launch.fake_system …`: the real demo with stand-ins for our own processes.

PostgreSQL, Valkey, lock, pid files and supervision are the real ones. The stand-ins wait to be ended; web
and simulator answer their health checks; FAKE_MIGRATE_S (seconds) makes the set-up slow. FAKE_REFUSAL
("simulator: why") is what a stand-in says before it ends with an error.
"""

from __future__ import annotations

import http.server
import os
import sys
import time

from launch import demo, program

STAND_IN = (sys.executable, "-m", "tests.launch.fake_system")


class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def stand_in(word: str, arguments: list[str]) -> None:
    refuses, _, why = os.environ.get("FAKE_REFUSAL", "").partition(": ")
    if word == refuses:
        print("something before", file=sys.stderr)
        sys.exit(f"CommandError: {why}")
    if word in ("web", "simulator"):
        port = int(arguments[arguments.index("--port") + 1])
        http.server.HTTPServer(("127.0.0.1", port), Healthy).serve_forever()
    elif word in ("migrate", "shell"):
        time.sleep(float(os.environ.get("FAKE_MIGRATE_S", "0")))
    elif word in ("mtf_run", "runs"):
        print(f"follower {word}", flush=True)
    else:
        time.sleep(600)


def main(arguments: list[str]) -> int:
    program.MANAGE = STAND_IN
    program.CELERY = STAND_IN
    program.WEB = (*STAND_IN, "web")
    return demo.main(arguments)


if __name__ == "__main__":
    if os.environ.get("FAKE_SYSTEM"):
        stand_in(sys.argv[1], sys.argv[2:])
    else:
        os.environ["FAKE_SYSTEM"] = "1"
        sys.exit(main(sys.argv[1:]))
