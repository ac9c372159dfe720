"""What the API takes in and gives out, each field by name; what comes in is never what goes out."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from rest_framework import serializers
from rest_framework.fields import empty

from labs.lab import LANES, Lab
from labs.models import Run, State
from labs.panel import after_context, entries_of, status_of
from labs.state import state_at

LARGEST_SEED = 9_999


class Strict(serializers.Serializer[Any]):
    """Refuses a field that it does not know, by name."""

    def run_validation(self, data: Any = empty) -> Any:
        if isinstance(data, dict):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                says = "There is no such field. Take it out."
                raise serializers.ValidationError({name[:80]: says for name in unknown[:20]})
        return super().run_validation(data)


# --- taken in


class Start(Strict):
    """A run to start. What `params` leaves out has its default."""

    lab = serializers.CharField(max_length=64, help_text="The lab's slug.")
    params = serializers.DictField(
        default=dict, help_text="The settings, as the lab's JSON schema has them."
    )
    seed = serializers.IntegerField(default=0, min_value=0, max_value=LARGEST_SEED)


class Nothing(Strict):
    """An empty body."""


class EventsAsked(serializers.Serializer[Any]):
    """From where, and how many."""

    after = serializers.RegexField(
        r"^[0-9]{1,9}-[0-9]{1,9}\Z",
        required=False,
        trim_whitespace=False,
        error_messages={
            "invalid": "A position is <attempt>-<seq>, as an answer's `next` gives it: 1-12."
        },
        help_text="Only events past this position: `<attempt>-<seq>`.",
    )
    limit = serializers.IntegerField(default=100, min_value=1, max_value=500)


# --- given out


class LabShown(serializers.Serializer[Any]):
    """A lab, with the JSON schema of its params and of what can be asked of a finished run."""

    slug = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField()
    section = serializers.IntegerField(help_text="The course's section, 1 to 18.")
    lane = serializers.ChoiceField(choices=LANES)
    seconds = serializers.FloatField(help_text="What the default run takes on two cores.")
    limit = serializers.FloatField(help_text="Seconds after which a run is stopped.")
    seeded = serializers.BooleanField()
    url = serializers.SerializerMethodField()
    params = serializers.SerializerMethodField()
    follow_ups = serializers.SerializerMethodField()

    def get_url(self, lab: Lab) -> str:
        return reverse("labs:lab", args=[lab.slug])

    def get_params(self, lab: Lab) -> dict[str, Any]:
        return lab.params.model_json_schema()

    def get_follow_ups(self, lab: Lab) -> dict[str, Any]:
        return {name: model.model_json_schema() for name, model in lab.follow_ups.items()}


class FileShown(serializers.Serializer[Any]):
    name = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    url = serializers.CharField()


class RunBrief(serializers.Serializer[Any]):
    """A run in a list."""

    id = serializers.UUIDField()
    lab = serializers.CharField()
    state = serializers.ChoiceField(choices=State.values)
    started_at = serializers.DateTimeField()
    replay = serializers.BooleanField(help_text="Computed before: nothing was computed anew.")
    url = serializers.SerializerMethodField(help_text="The run's page.")

    def get_url(self, run: Run) -> str:
        return reverse("runs:run", args=[run.pk])


class RunShown(RunBrief):
    """A run with all that is known of it; its events have an address of their own."""

    text = serializers.CharField(help_text="The state in words, as the run's page says it.")
    place = serializers.IntegerField(allow_null=True, help_text="The place in the queue.")
    reason = serializers.CharField(help_text="Why a failed run failed; else empty.")
    params = serializers.DictField()
    seed = serializers.IntegerField()
    seconds = serializers.FloatField(help_text="How long it was computed.")
    ran = serializers.DictField(help_text="What ran: device, dtype, code version.")
    events = serializers.CharField(help_text="Where its events are.")
    files = FileShown(many=True)

    def to_representation(self, run: Run) -> dict[str, Any]:
        job = run.job
        status = status_of(job, state_at(entries_of(job)).get("progress"), run)
        return RunBrief(run).data | {
            "text": status["text"],
            "place": status.get("place"),
            "reason": status["reason"],
            "params": job.params,
            "seed": job.seed,
            "seconds": job.seconds,
            "ran": job.ran,
            "events": reverse("api:events", args=[run.pk]),
            "files": after_context(run)["downloads"] if run.is_over else [],
        }


class EventShown(serializers.Serializer[Any]):
    """An event's common fields. The rest is its kind's own, as labs/events.py declares it;
    pictures are `items` with base64 `png`."""

    kind = serializers.CharField()
    name = serializers.CharField()
    title = serializers.CharField()
    sentence = serializers.CharField()
    attempt = serializers.IntegerField()
    seq = serializers.IntegerField()

    def to_representation(self, entry: Any) -> Any:
        return entry


class EventsShown(serializers.Serializer[Any]):
    events = EventShown(many=True)
    next = serializers.CharField(help_text="Ask `after` this position for what comes next.")
    more = serializers.BooleanField(help_text="There is more at once.")
    state = serializers.ChoiceField(choices=State.values)
    over = serializers.BooleanField(help_text="Nothing comes after these, once `more` is false.")


class ErrorSays(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.CharField(), help_text="A sentence a field, by its path in the body."
    )


class ErrorShown(serializers.Serializer[Any]):
    """Every error of the API."""

    error = ErrorSays()
