from django.urls import path

from labs.views import pictures

app_name = "pictures"
urlpatterns = [
    path("", pictures.upload, name="upload"),
    path("<uuid:pk>/", pictures.show, name="show"),
    path("<uuid:pk>/image.png", pictures.image, name="image"),
    path("<uuid:pk>/delete/", pictures.delete, name="delete"),
]
