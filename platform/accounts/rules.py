"""How accounts work here, as Django and allauth are told: settings that no environment changes."""

from __future__ import annotations

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "email")},
    },
]
PASSWORD_HASHERS = [
    "accounts.hashers.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # older ones; made anew at sign-in
]
PASSWORD_RESET_TIMEOUT = 86_400
ACCOUNT_ADAPTER = "accounts.adapter.Adapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = "strict"  # nor does sign-up tell which addresses have an account
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_RATE_LIMITS = {  # a class shares an address
    "login": "100/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "signup": "60/m/ip",
    "reset_password": "20/m/ip,5/h/key",
}
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignIn",
    "signup": "accounts.forms.SignUp",
    "change_password": "accounts.forms.ChangePassword",
    "set_password": "accounts.forms.SetPassword",
    "reset_password": "accounts.forms.AskForNewPassword",
    "reset_password_from_key": "accounts.forms.NewPassword",
    "reauthenticate": "accounts.forms.Reauthenticate",
}
STAFF_NAMES = [
    *("admin", "administrator", "sysadmin", "root", "superuser", "operator", "staff", "system"),
    *("webmaster", "postmaster", "hostmaster", "security", "support", "help", "helpdesk"),
    *("author", "editor", "teacher", "tutor", "instructor", "lecturer", "professor", "prof"),
    *("assistant", "moderator", "mod", "official", "service", "team", "site", "web", "convolab"),
]
"""What nobody signs up as, nor as what looks like it: the default of CONVOLAB_RESERVED_NAMES."""
