"""The REST API for staff and back-office systems: ``path("api/", include("django_sadadpay.api.urls"))``."""
