"""The API's addresses; every other one below /api/ answers 404 in the API's own shape."""

from django.urls import path, re_path

from labs.api import views

app_name = "api"
urlpatterns = [
    path("labs/", views.LabList.as_view(), name="labs"),
    path("labs/<slug:slug>/", views.LabDetail.as_view(), name="lab"),
    path("runs/", views.RunList.as_view(), name="runs"),
    path("runs/<uuid:pk>/", views.RunDetail.as_view(), name="run"),
    path("runs/<uuid:pk>/cancel/", views.Cancel.as_view(), name="cancel"),
    path("runs/<uuid:pk>/events/", views.Events.as_view(), name="events"),
    path("schema/", views.Schema.as_view(), name="schema"),
    path("docs/", views.Docs.as_view(), name="docs"),
    re_path(r"", views.Nowhere.as_view(), name="nowhere"),
]
