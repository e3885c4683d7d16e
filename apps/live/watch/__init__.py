"""The process that follows every order and position to its end: one plain loop, no Celery, one at a time."""
