"""The addresses of the web process."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

handler500 = "apps.console.api.error.fault_outside"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("favicon.ico", RedirectView.as_view(url=static("mtf/icon.svg"))),  # asked for beside every JSON page
    path("admin/", admin.site.urls),
    path("", include("apps.console.api.urls")),
]
