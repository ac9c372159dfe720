"""The course: /course/<section>/<lecture>/."""

from __future__ import annotations

from django.urls import path

from courses.views import authoring, figures, pages, progress

app_name = "courses"
urlpatterns = [
    path("figures/<slug:name>/", figures.figure, name="figure"),
    path("pictures/<str:name>", authoring.picture, name="picture"),
    path("previews/<str:token>/", authoring.preview, name="preview"),
    path("<slug:section>/", pages.section, name="section"),
    path("<slug:section>/<slug:slug>/", pages.lecture, name="lecture"),
    path("<slug:section>/<slug:slug>/read/", progress.read, name="read"),
    path("<slug:section>/<slug:slug>/questions/<slug:name>/", progress.question, name="question"),
]
