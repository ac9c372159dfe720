"""Accounts: allauth's views under this site's addresses, each with the name that allauth knows."""

from __future__ import annotations

from allauth.account import views as allauth
from django.contrib.auth.decorators import login_required
from django.urls import URLPattern, path, re_path
from django.views.generic import TemplateView

from accounts import views

changed = login_required(TemplateView.as_view(template_name="account/password_changed.html"))

urlpatterns: list[URLPattern] = [
    path("sign-in/", allauth.login, name="account_login"),
    path("sign-in/again/", allauth.reauthenticate, name="account_reauthenticate"),
    path("sign-in/once/<uidb64>/<token>/", views.sign_in_once, name="account_sign_in_once"),
    path("sign-in/disabled/", allauth.account_inactive, name="account_inactive"),
    path("sign-out/", views.SignOut.as_view(), name="account_logout"),
    path("sign-up/", allauth.signup, name="account_signup"),
    path("password/change/", allauth.password_change, name="account_change_password"),
    path("password/changed/", changed, name="account_password_changed"),
    path("password/set/", allauth.password_set, name="account_set_password"),
    path("password/reset/", allauth.password_reset, name="account_reset_password"),
    path("password/reset/done/", allauth.password_reset_done, name="account_reset_password_done"),
    path(
        "password/reset/changed/",
        allauth.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[\w-]+)/$",
        allauth.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
]
