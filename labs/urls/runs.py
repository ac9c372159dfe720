from django.urls import path, re_path

from labs.views import drafts, questions, runs, streams

PLACE = r"(?P<attempt>[0-9]{1,6})-(?P<seq>[0-9]{1,9})-(?P<n>[0-9]{1,4})"
NAME = r"(?P<name>[a-z0-9][a-z0-9._-]{0,63})"
PK = r"(?P<pk>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"

app_name = "runs"
urlpatterns = [
    path("", runs.run_list, name="list"),
    path("<uuid:pk>/", runs.run_page, name="run"),
    path("<uuid:pk>/panel/", runs.panel, name="panel"),
    path("<uuid:pk>/events/", streams.run_events, name="events"),
    path("<uuid:pk>/cancel/", runs.cancel, name="cancel"),
    path("<uuid:pk>/delete/", runs.delete, name="delete"),
    path("<uuid:pk>/answers/", streams.ask_events, name="answers"),
    path("<uuid:pk>/asks/<slug:name>/", drafts.ask, name="ask"),
    path("<uuid:pk>/questions/<slug:name>/", questions.answer, name="question"),
    re_path(rf"^{PK}/pictures/{PLACE}\.png$", runs.picture, name="picture"),
    re_path(rf"^{PK}/files/{NAME}$", runs.file, name="file"),
]
