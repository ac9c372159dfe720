"""The Celery application. A message is a bell: it names a lane, and nothing else."""

from __future__ import annotations

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django
from celery import Celery
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from labs.lab import LANES
from workers import broker

if not apps.ready:
    try:
        django.setup(set_prefix=False)
    except ImproperlyConfigured as fault:
        sys.exit(f"{fault}")

HARD_LIMIT = 1_000
"""Seconds after which Celery itself ends a child: behind the watchdog, for what it cannot end."""

broker.use()
app = Celery("convolab", broker=settings.REDIS_URL, set_as_default=True)
app.conf.update(
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_acks_on_failure_or_timeout=True,
    task_time_limit=HARD_LIMIT,
    task_default_queue=LANES[0],
    task_create_missing_queues=True,
    worker_prefetch_multiplier=1,
    worker_proc_alive_timeout=60,
    worker_send_task_events=False,
    worker_enable_remote_control=True,
    worker_soft_shutdown_timeout=20,
    worker_enable_soft_shutdown_on_idle=False,
    worker_hijack_root_logger=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_connection_retry_on_startup=True,
    broker_channel_error_retry=True,  # a full Redis refuses a write: wait, do not end
    broker_connection_timeout=1,
    broker_transport_options={
        "visibility_timeout": 2 * HARD_LIMIT,
        "socket_connect_timeout": 1,
        "socket_timeout": 30,
        # A bell that does not ring is rung again by the reaper: nobody waits for a second try.
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
    },
    result_backend_transport_options={"visibility_timeout": 2 * HARD_LIMIT},
    visibility_timeout=2 * HARD_LIMIT,
    imports=["workers.tasks", "workers.life"],
)


def ring_lane(lane: str) -> None:
    """Put one bell into the lane's queue. Fails within a second where there is no broker."""
    app.send_task("workers.tasks.work", [lane], queue=lane, retry=False, ignore_result=True)
