"""The live desk's own tables: runs, and what the watch process last found out."""

from apps.live.admin import run, watch

__all__ = ["run", "watch"]
