from django.contrib import admin
from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [
    path("", lambda request: HttpResponse("home")),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
]
