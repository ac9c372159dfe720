"""The site's contents."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, URLResolver, include, path

from labs.views import pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.home, name="home"),
    path("labs/", include("labs.urls.labs")),
    path("runs/", include("labs.urls.runs")),
    path("pictures/", include("labs.urls.pictures")),
    path("api/", include("labs.api.urls")),
    path("sign-in/", LoginView.as_view(), name="login"),
    path("sign-out/", LogoutView.as_view(), name="logout"),
    path("healthz", pages.healthz, name="healthz"),
    path("readyz", pages.readyz, name="readyz"),
]
