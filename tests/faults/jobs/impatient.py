"""The worker's app with a broker that gives every message to a second worker after 2 seconds."""

from workers.app import app

app.conf.broker_transport_options = {**app.conf.broker_transport_options, "visibility_timeout": 2}
app.conf.visibility_timeout = 2

__all__ = ["app"]
