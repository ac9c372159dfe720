from django.urls import path, re_path

from labs.views import drafts, pages, runs, streams

NONCE = r"(?P<nonce>[0-9a-f]{32})"

app_name = "labs"
urlpatterns = [
    path("", pages.lab_list, name="list"),
    path("<slug:slug>/", pages.lab_page, name="lab"),
    path("<slug:slug>/embed/", pages.embed, name="embed"),
    path("<slug:slug>/run/", runs.start, name="start"),
    path("<slug:slug>/preview/", runs.preview, name="preview"),
    re_path(rf"^(?P<slug>[-a-z0-9]+)/drafts/{NONCE}/$", drafts.change, name="draft"),
    re_path(
        rf"^(?P<slug>[-a-z0-9]+)/drafts/{NONCE}/events/$", streams.draft_events, name="draft-events"
    ),
]
